//! A killed process loses nothing that was flushed, at most the end of what was not, and its store opens again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use tollfree_cache::key::ExactKey;

use super::*;

/// Names the data directory to the child; absent in an ordinary run.
const DIRECTORY: &str = "TOLLFREE_TEST_CRASH_DIRECTORY";

/// Says how many admissions the child makes before each flush, at most.
const GROUP: &str = "TOLLFREE_TEST_CRASH_GROUP";

const ADMITTED: &str = "admitted ";
const FLUSHED: &str = "flushed ";

/// Sets the number of rounds; `make crash-rounds` runs 200.
const ROUNDS: &str = "TOLLFREE_CRASH_ROUNDS";

const FEW_ROUNDS: u64 = 40;

/// After so many rounds a new store is begun: a large one only costs time.
const ROUNDS_OF_A_STORE: u64 = 20;

const SEED: u64 = 20_251_124;

/// Runs as the child: admits without end, in groups of changing size, and says what it has done.
#[test]
fn child_that_admits_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let group: u64 = std::env::var(GROUP).unwrap().parse().unwrap();
    let (cache, report) = open(directory.as_ref());
    let mut next = report.entries as u64;
    let mut out = std::io::stdout();
    for flush in 0.. {
        for _ in 0..=(flush * 7 % group) {
            cache.admit(new_entry(next), NOW).unwrap();
            writeln!(out, "{ADMITTED}{next}").unwrap();
            next += 1;
        }
        cache.flush_blocking().unwrap();
        writeln!(out, "{FLUSHED}{next}").unwrap();
    }
}

/// Runs the child until so long after it has printed so many lines, kills it, and returns how many entries it had
/// admitted and how many of them it had flushed.
fn run_and_kill(
    directory: &std::path::Path,
    group: u64,
    lines: u64,
    later: Duration,
) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child_that_admits_until_it_is_killed",
            "--nocapture",
        ])
        .env(DIRECTORY, directory)
        .env(GROUP, group.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (mut admitted, mut flushed, mut seen) = (0, 0, 0);
    for line in output.lines().map_while(Result::ok) {
        let number = |prefix| {
            let number: Option<u64> = line.strip_prefix(prefix)?.parse().ok();
            number
        };
        if let Some(n) = number(ADMITTED) {
            admitted = n + 1;
        } else if let Some(n) = number(FLUSHED) {
            flushed = n;
        } else {
            continue;
        }
        seen += 1;
        if seen == lines {
            // In between, it writes on: the kill comes anywhere in a commit, not only where it says something.
            let said = Instant::now();
            while said.elapsed() < later {
                std::hint::spin_loop();
            }
            // SIGKILL on Unix. What it printed before is still read to the end.
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(
        !status.success() && seen >= lines,
        "the child ended by itself: {status}, {seen} lines"
    );
    (admitted, flushed)
}

/// splitmix64 (Steele, Lea and Flood, 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the figures are wanted with --nocapture"
)]
fn a_process_killed_at_any_point_keeps_what_it_flushed_and_loses_but_the_end_of_the_rest() {
    let mut state = SEED;
    let mut directory = tempfile::tempdir().unwrap();
    let (mut unflushed, mut lost, mut kept_before) = (0, 0, 0);
    let rounds = std::env::var(ROUNDS).map_or(FEW_ROUNDS, |text| text.parse().unwrap());
    for round in 0..rounds {
        if round % ROUNDS_OF_A_STORE == 0 {
            directory = tempfile::tempdir().unwrap();
            kept_before = 0;
        }
        // Small groups are killed around their commits, large ones in the middle of admissions.
        let group = [1, 5, 20, 300][(random(&mut state) % 4) as usize];
        let lines = random(&mut state) % 40 + 1;
        let later = Duration::from_micros(random(&mut state) % 5_000);
        let (admitted, flushed) = run_and_kill(directory.path(), group, lines, later);
        let (cache, report) = open(directory.path());
        assert_eq!(
            (&report.corrupt_moved_to, report.dropped_corrupt),
            (&None, 0),
            "round {round}"
        );
        assert_eq!(report.indexed, report.entries, "round {round}");
        let held = |n: u64| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            let entry = cache.exact(&ExactKey::from_bytes(key), NOW);
            entry.inspect(|entry| assert_eq!(entry.answer.text, answer_text(n), "round {round}"))
        };
        let kept = (0..admitted.max(kept_before))
            .take_while(|n| held(*n).is_some())
            .count() as u64;
        assert!(
            kept >= flushed.max(kept_before),
            "round {round}: {flushed} were flushed, {kept} kept"
        );
        // Groups are written whole and in order: what is lost is one piece at the end. The child may have
        // admitted one more than it had said.
        let entries = report.entries as u64;
        assert!(
            (kept..=kept + 1).contains(&entries),
            "round {round}: a hole after {kept} of {entries}"
        );
        unflushed += admitted.saturating_sub(flushed);
        lost += admitted.saturating_sub(entries);
        kept_before = entries;
    }
    assert!(
        unflushed > 0,
        "no kill came between an admission and its flush"
    );
    assert!(lost <= unflushed);
    println!("{rounds} kills: of {unflushed} entries not flushed yet, {lost} were lost");
}
