//! Labels of entries.

use super::*;
use crate::bound::{Margin, Observation, Source};

fn wrong() -> Observation {
    Observation {
        margin: Margin::SURE,
        right: false,
    }
}

#[test]
fn labels_survive_a_restart_and_go_with_their_entry() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    let kept = cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    let removed = cache.admit(new_entry(2, Some(at(1.0))), NOW).unwrap();
    for id in [kept, kept, removed] {
        assert!(cache.label(id, wrong(), Source::Comparison, None));
    }
    assert!(cache.bound().is_blocked(kept));
    cache.remove(removed);
    assert!(!cache.label(removed, wrong(), Source::Comparison, None));
    drop(cache);
    let (cache, report) = reopen(directory.path(), NOW);
    assert_eq!(report.dropped_corrupt, 0);
    assert_eq!(cache.bound().labels(kept), (0, 2));
    assert_eq!(cache.bound().labels(removed), (0, 0));
    assert!(cache.bound().is_blocked(kept));
    // What the removed entry taught about all of them stays.
    assert_eq!(cache.bound().stats().wrong, 3);
}

#[test]
fn a_newer_answer_starts_without_labels() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    let old = cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    cache.label(old, wrong(), Source::Feedback, None);
    let new = cache.admit(new_entry(1, Some(at(0.0))), NOW + 1).unwrap();
    assert_eq!(cache.bound().labels(new), (0, 0));
    drop(cache);
    let (cache, _) = reopen(directory.path(), NOW + 1);
    assert_eq!(cache.bound().stats().labelled_entries, 0);
}
