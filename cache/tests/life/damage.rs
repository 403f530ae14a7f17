//! Whatever is damaged in the file, nothing wrong is served, and what is sound stays.

use tollfree_cache::cache::Cache;

use super::*;

const ENTRIES: u64 = 60;

/// Entries of one commit.
const GROUP: u64 = 10;

/// A file with all entries, as a closed cache leaves it or as a killed one does.
fn file(killed: bool) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = open(directory.path());
    for n in 0..ENTRIES {
        cache.admit(new_entry(n), NOW).unwrap();
        if (n + 1) % GROUP == 0 {
            cache.flush_blocking().unwrap();
        }
    }
    let path = directory.path().join("cache.redb");
    let as_killed = std::fs::read(&path).unwrap();
    drop(cache);
    if killed {
        as_killed
    } else {
        std::fs::read(&path).unwrap()
    }
}

#[test]
fn a_flipped_byte_costs_what_it_hits_and_never_makes_up_an_answer() {
    flip_bytes(&file(false), 0);
}

#[test]
fn a_flipped_byte_in_the_file_of_a_killed_process_costs_at_most_the_last_commit_more() {
    // After a kill, redb goes back to the commit before where the last one is damaged.
    flip_bytes(&file(true), GROUP as usize);
}

/// Flips bytes at many places of a store, one at a time, and opens it each time.
#[expect(
    clippy::print_stdout,
    reason = "the figures are wanted with --nocapture"
)]
fn flip_bytes(sound: &[u8], may_lose: usize) {
    let used: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    let (mut moved, mut salvaged) = (0, 0);
    for at in used.iter().step_by(used.len() / 120) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = sound.to_vec();
        bytes[*at] ^= 0x41;
        std::fs::write(folder.path().join("cache.redb"), &bytes).unwrap();
        let (cache, report) = Cache::open(folder.path(), options(), NOW).unwrap();
        for n in 0..ENTRIES {
            if let Some(entry) = cache.exact(&exact_key(n), NOW) {
                assert_eq!(entry.answer.text, answer_text(n), "byte {at}");
            }
            for candidate in cache.candidates(&partition(), &vector(n), 2, NOW) {
                let text = &candidate.entry.answer.text;
                assert!((0..ENTRIES).any(|n| *text == answer_text(n)), "byte {at}");
            }
        }
        let lost = ENTRIES as usize - report.entries;
        if report.corrupt_moved_to.is_some() {
            assert_eq!(report.salvaged, report.entries, "byte {at}: {report:?}");
            salvaged += report.salvaged;
            moved += 1;
        } else {
            assert!(lost <= may_lose, "byte {at}: {report:?}");
        }
        // It works on: what is admitted now is there after the next opening.
        cache.admit(new_entry(1_000), NOW).unwrap();
        cache.flush_blocking().unwrap();
        drop(cache);
        let (cache, report) = open(folder.path());
        assert_eq!(
            report.corrupt_moved_to, None,
            "byte {at}: it is sound again"
        );
        assert!(cache.exact(&exact_key(1_000), NOW).is_some(), "byte {at}");
        assert_eq!(report.dropped_corrupt, 0, "byte {at}: dropped for good");
    }
    assert!(moved > 0, "no flipped byte was noticed");
    // What is hit is a row, or a page of rows, or the root of the tables, beyond which nothing is found.
    let kept = salvaged as f64 / (moved * ENTRIES as usize) as f64;
    println!("{moved} damaged files, {kept:.3} of their entries kept");
    assert!(
        kept > 0.85,
        "{kept} of the entries of damaged files were kept"
    );
}
