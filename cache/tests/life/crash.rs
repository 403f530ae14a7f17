//! A killed process loses nothing that was flushed, and its store opens again.
#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::entry::{Answer, EntryId, Finish, NewEntry, Usage, Vector};
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;

/// Names the data directory to the child; absent in an ordinary run.
const DIRECTORY: &str = "TOLLFREE_TEST_CRASH_DIRECTORY";

/// Marks the lines that say which entry is durable.
const ACKNOWLEDGED: &str = "acknowledged ";

const NOW: u64 = 1_700_000_000_000;

const ROUNDS: u64 = 10;

fn open(directory: &Path) -> (Cache, tollfree_cache::cache::OpenReport) {
    let options = CacheOptions {
        max_entries: 1_000_000,
        max_answer_bytes: 1 << 20,
        ttl: Duration::from_secs(3_600),
        model: Some("m".into()),
    };
    Cache::open(directory, options, NOW).unwrap()
}

fn new_entry(n: u64) -> NewEntry {
    let mut exact = [0; 32];
    exact[..8].copy_from_slice(&n.to_be_bytes());
    let angle = n as f32;
    NewEntry {
        namespace: Namespace::anonymous(),
        exact: ExactKey::from_bytes(exact),
        compatibility: CompatibilityKey::from_bytes([1; 32]),
        goal: format!("goal {n}"),
        answer: Answer {
            text: format!("answer {n} ").repeat(50),
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
        ttl: None,
        vector: Some(Vector::new("m", vec![angle.cos(), angle.sin()]).unwrap()),
        sketch: None,
    }
}

/// Runs as the child: admits without end, in groups of changing size, and prints the last id of each flushed one.
#[test]
fn child_that_admits_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let (cache, report) = open(directory.as_ref());
    let mut next = report.entries as u64;
    let mut out = std::io::stdout();
    for group in 0.. {
        let mut ids = Vec::new();
        for _ in 0..=(group % 20) {
            ids.push(cache.admit(new_entry(next), NOW).unwrap());
            next += 1;
        }
        cache.flush_blocking().unwrap();
        for id in ids {
            writeln!(out, "{ACKNOWLEDGED}{id}").unwrap();
        }
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_keeps_every_flushed_entry() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<EntryId> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_admits_until_it_is_killed",
                "--nocapture",
            ])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        // The kill comes after so many acknowledgements, at no particular point of the groups that follow.
        let enough = (round * 37) % 90 + 1;
        let mut seen = 0;
        for line in lines {
            let Some(id) = line.strip_prefix(ACKNOWLEDGED) else {
                continue;
            };
            acknowledged.push(id.parse().unwrap());
            seen += 1;
            if seen == enough {
                // SIGKILL on Unix. What it printed before is still read to the end.
                child.kill().unwrap();
            }
        }
        let status = child.wait().unwrap();
        assert!(
            !status.success() && seen >= enough,
            "the child ended by itself: {status}, {seen} lines"
        );
        let (cache, report) = open(directory.path());
        assert_eq!(
            (report.corrupt_moved_to, report.dropped_corrupt),
            (None, 0),
            "round {round}"
        );
        for id in &acknowledged {
            assert!(
                cache.get(*id).is_some(),
                "round {round}: {id} was acknowledged and is gone"
            );
        }
        assert_eq!(report.indexed, report.entries);
    }
    assert!(acknowledged.len() as u64 > ROUNDS);
}
