#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::contributor::Contributor;
use crate::entry::{Answer, Finish, NewEntry, Usage, Vector};
use crate::language::Language;
use crate::namespace::Namespace;
use crate::store::faulty::on_full_disk;
use crate::testing::Clusters;

const NOW: u64 = 1_700_000_000_000;
const TTL_MS: u64 = 60_000;

fn options() -> CacheOptions {
    CacheOptions {
        max_entries: 100,
        max_answer_bytes: 1_000,
        ttl: Duration::from_millis(TTL_MS),
        stale_while_revalidate: Duration::ZERO,
        ttl_jitter: 0.0,
        refuse_pii: true,
        model: Some("m".into()),
    }
}

fn exact_key(n: u64) -> ExactKey {
    let mut digest = [9; 32];
    digest[..8].copy_from_slice(&n.to_be_bytes());
    ExactKey::from_bytes(digest)
}

fn partition_key(byte: u8) -> CompatibilityKey {
    CompatibilityKey::from_bytes([byte; 32])
}

/// A goal at an angle on the unit circle.
fn at(angle: f32) -> Vec<f32> {
    vec![angle.cos(), angle.sin()]
}

fn new_entry(n: u64, vector: Option<Vec<f32>>) -> NewEntry {
    NewEntry {
        namespace: Namespace::anonymous(),
        exact: exact_key(n),
        compatibility: partition_key(1),
        goal: format!("goal {n}"),
        answer: Answer {
            text: format!("answer {n}"),
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: 1,
                output_tokens: 2,
            },
            model: "real".into(),
        },
        upstream: "up".into(),
        model_requested: "asked".into(),
        language: Language::new("en"),
        contributor: Contributor::UNKNOWN,
        quarantine: false,
        ttl: None,
        vector: vector.map(|values| Vector::new("m", values).unwrap()),
        sketch: None,
    }
}

fn text_of(cache: &Cache, n: u64, now_ms: u64) -> Option<String> {
    cache
        .exact(&exact_key(n), now_ms)
        .map(|entry| entry.answer.text.clone())
}

fn found(cache: &Cache, angle: f32, now_ms: u64) -> Vec<String> {
    let candidates = cache.candidates(&partition_key(1), &at(angle), 3, now_ms);
    candidates
        .into_iter()
        .map(|candidate| candidate.entry.goal.clone())
        .collect()
}

fn reopen(directory: &Path, now_ms: u64) -> (Cache, OpenReport) {
    Cache::open(directory, options(), now_ms).unwrap()
}

mod capacity;
mod entries;
mod index;
mod labels;
mod stored;
mod survey;
