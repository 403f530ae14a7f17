//! How entries live and go: expiry, admission, quarantine, and what a store survives.
#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

mod admission;
mod capacity;
mod crash;
mod damage;
mod migration;
mod quarantine;

use std::path::Path;
use std::time::Duration;

use tollfree_cache::cache::{Cache, CacheOptions, OpenReport};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::entry::{Answer, Finish, NewEntry, Usage, Vector};
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;

const NOW: u64 = 1_700_000_000_000;

const TTL_MS: u64 = 3_600_000;

fn options() -> CacheOptions {
    CacheOptions {
        max_entries: 10_000,
        max_answer_bytes: 1 << 20,
        stale_while_revalidate: Duration::ZERO,
        ttl: Duration::from_millis(TTL_MS),
        ttl_jitter: 0.0,
        refuse_pii: true,
        model: Some("m".into()),
    }
}

fn open(directory: &Path) -> (Cache, OpenReport) {
    Cache::open(directory, options(), NOW).unwrap()
}

fn exact_key(n: u64) -> ExactKey {
    let mut exact = [0; 32];
    exact[..8].copy_from_slice(&n.to_be_bytes());
    ExactKey::from_bytes(exact)
}

fn partition() -> CompatibilityKey {
    CompatibilityKey::from_bytes([1; 32])
}

/// The goal of an entry as a vector.
fn vector(n: u64) -> Vec<f32> {
    let angle = n as f32;
    vec![angle.cos(), angle.sin()]
}

fn answer_text(n: u64) -> String {
    format!("answer {n} ").repeat(50)
}

fn new_entry(n: u64) -> NewEntry {
    NewEntry {
        namespace: Namespace::anonymous(),
        exact: exact_key(n),
        compatibility: partition(),
        goal: format!("goal {n}"),
        answer: Answer {
            text: answer_text(n),
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: 1,
                output_tokens: 150,
            },
            model: "real".into(),
        },
        upstream: "up".into(),
        model_requested: "asked".into(),
        language: Language::new("en"),
        contributor: Contributor::UNKNOWN,
        quarantine: false,
        ttl: None,
        vector: Some(Vector::new("m", vector(n)).unwrap()),
        sketch: None,
    }
}
