//! Entries that come, are found, and go again.

use super::*;

#[test]
fn an_admitted_answer_is_found_by_key_id_and_similarity() {
    let cache = Cache::in_memory(options());
    assert!(!cache.has_partition(&partition_key(1)));
    let id = cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    cache.admit(new_entry(2, Some(at(1.0))), NOW).unwrap();
    assert_eq!(text_of(&cache, 1, NOW).as_deref(), Some("answer 1"));
    assert_eq!(text_of(&cache, 3, NOW), None);
    let entry = cache.get(id).unwrap();
    assert_eq!(
        (entry.created_at_ms, entry.expires_at_ms),
        (NOW, NOW + TTL_MS)
    );
    assert!(cache.has_partition(&partition_key(1)));
    let candidates = cache.candidates(&partition_key(1), &at(0.1), 2, NOW);
    assert_eq!(candidates[0].entry, entry);
    assert!((candidates[0].similarity - 0.1_f32.cos()).abs() < 1e-6);
    assert_eq!(found(&cache, 0.9, NOW), ["goal 2", "goal 1"]);
    assert!(
        cache
            .candidates(&partition_key(2), &at(0.0), 3, NOW)
            .is_empty()
    );
    assert!(
        cache
            .candidates(&partition_key(1), &[1.0], 3, NOW)
            .is_empty()
    );
}

#[test]
fn an_entry_without_a_vector_is_found_by_its_exact_key_only() {
    let cache = Cache::in_memory(options());
    cache.admit(new_entry(1, None), NOW).unwrap();
    assert!(text_of(&cache, 1, NOW).is_some());
    assert!(!cache.has_partition(&partition_key(1)));
    assert_eq!((cache.stats().entries, cache.stats().indexed), (1, 0));
}

#[test]
fn nothing_is_served_from_the_moment_it_expires() {
    let cache = Cache::in_memory(options());
    cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    let long = NewEntry {
        ttl: Some(Duration::from_millis(TTL_MS * 2)),
        ..new_entry(2, Some(at(0.1)))
    };
    cache.admit(long, NOW).unwrap();
    assert!(text_of(&cache, 1, NOW + TTL_MS - 1).is_some());
    assert_eq!(text_of(&cache, 1, NOW + TTL_MS), None);
    assert_eq!(found(&cache, 0.0, NOW + TTL_MS), ["goal 2"]);
    assert_eq!(cache.sweep(NOW + TTL_MS), 1);
    assert_eq!(cache.stats().entries, 1);
    assert_eq!(
        cache.stats().evictions,
        Evictions {
            expired: 1,
            ..Evictions::default()
        }
    );
}

#[test]
fn a_newer_answer_to_the_same_request_replaces_the_older() {
    let cache = Cache::in_memory(options());
    let first = cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    let mut newer = new_entry(1, Some(at(0.5)));
    newer.answer.text = "newer".into();
    let second = cache.admit(newer, NOW).unwrap();
    assert_ne!(first, second);
    assert_eq!(text_of(&cache, 1, NOW).as_deref(), Some("newer"));
    assert_eq!(cache.get(first), None);
    assert_eq!(
        cache.candidates(&partition_key(1), &at(0.0), 3, NOW).len(),
        1
    );
    assert_eq!(cache.stats().evictions.replaced, 1);
}

#[test]
fn a_removed_entry_is_gone_everywhere() {
    let cache = Cache::in_memory(options());
    let empty = cache.stats().bytes;
    let id = cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    assert!(cache.stats().bytes > empty);
    assert!(cache.remove(id));
    assert!(!cache.remove(id));
    assert_eq!(text_of(&cache, 1, NOW), None);
    assert!(!cache.has_partition(&partition_key(1)));
    assert!(cache.entries().is_empty());
    assert_eq!(cache.stats().bytes, empty);
}

#[test]
fn a_purge_takes_what_the_predicate_names_by_id_namespace_or_age_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    let ids: Vec<EntryId> = (0..6)
        .map(|n| {
            let namespace = Namespace::new(if n < 3 { "one" } else { "two" }).unwrap();
            let new = NewEntry {
                namespace,
                ..new_entry(n, Some(at(n as f32)))
            };
            cache.admit(new, NOW + n * 1_000).unwrap()
        })
        .collect();
    assert_eq!(cache.remove_where(|entry| entry.id == ids[0]), 1);
    assert_eq!(cache.remove_where(|entry| entry.id == ids[0]), 0);
    assert_eq!(
        cache.remove_where(|entry| entry.namespace.as_str() == "one"),
        2
    );
    let now = NOW + 5_000;
    let older = |entry: &Entry| entry.age(now) > Duration::from_millis(1_500);
    assert_eq!(cache.remove_where(older), 1);
    let stats = cache.stats();
    assert_eq!(
        (stats.entries, stats.indexed, stats.evictions.removed),
        (2, 2, 4)
    );
    drop(cache);
    let (cache, report) = reopen(directory.path(), NOW);
    assert_eq!((report.entries, report.indexed), (2, 2));
    assert!(cache.get(ids[4]).is_some() && cache.get(ids[5]).is_some());
}

#[test]
fn an_answer_above_the_limit_is_refused() {
    let cache = Cache::in_memory(options());
    let mut new = new_entry(1, None);
    new.answer.text = "x".repeat(1_001);
    assert!(matches!(
        cache.admit(new, NOW),
        Err(Error::AnswerTooLarge {
            bytes: 1_001,
            limit: 1_000
        })
    ));
}
