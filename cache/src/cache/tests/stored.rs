//! What outlives the process: restarts, other models, damage and full disks.

use super::*;

#[test]
fn vectors_of_another_model_are_kept_but_never_compared() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    let mut foreign = new_entry(2, None);
    foreign.vector = Some(Vector::new("other", at(0.0)).unwrap());
    cache.admit(foreign, NOW).unwrap();
    assert_eq!(found(&cache, 0.0, NOW), ["goal 1"]);
    assert!(text_of(&cache, 2, NOW).is_some());
    assert_eq!(cache.use_model("other").unwrap(), 1);
    assert_eq!(found(&cache, 0.0, NOW), ["goal 2"]);
    assert_eq!(cache.use_model("m").unwrap(), 1);
    assert_eq!(found(&cache, 0.0, NOW), ["goal 1"]);
    drop(cache);
    let unknown = CacheOptions {
        model: None,
        ..options()
    };
    let (cache, report) = Cache::open(directory.path(), unknown, NOW).unwrap();
    assert_eq!((report.entries, report.indexed), (2, 0));
    assert!(!cache.has_partition(&partition_key(1)));
    assert_eq!(cache.use_model("m").unwrap(), 1);
}

#[test]
fn a_restart_serves_the_same_hits() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, report) = reopen(directory.path(), NOW);
    assert_eq!(report, OpenReport::default());
    let mut ids = Vec::new();
    for n in 0..5 {
        let new = NewEntry {
            sketch: Some(at(n as f32)),
            ..new_entry(n, Some(at(n as f32)))
        };
        ids.push(cache.admit(new, NOW + n).unwrap());
    }
    cache.remove(ids[0]);
    cache.record_hit(Some(ids[1]), Tier::Semantic, 40, NOW);
    cache.put_phrasing("m", "learn {language}", vec![0.5]);
    let before: Vec<_> = ids.iter().map(|id| cache.get(*id)).collect();
    drop(cache);
    // Entries 0 and 1 would be over: the first is removed, the second expires right now.
    let (cache, report) = reopen(directory.path(), NOW + 1 + TTL_MS);
    assert_eq!(
        (report.entries, report.indexed, report.dropped_expired),
        (3, 3, 1)
    );
    for (id, before) in ids.iter().zip(before).skip(2) {
        assert_eq!(cache.get(*id), before);
    }
    assert_eq!(
        found(&cache, 3.0, NOW).first().map(String::as_str),
        Some("goal 3")
    );
    assert!(
        cache
            .best_sketch(&partition_key(1), &at(3.0))
            .is_some_and(|best| best > 0.999)
    );
    assert_eq!(cache.phrasing("m", "learn {language}"), Some(vec![0.5]));
    assert_eq!(cache.phrasing("m", "learn {instrument}"), None);
    let stats = cache.stats();
    assert_eq!(
        (
            stats.totals["semantic_hits"],
            stats.totals["saved_micro_usd"]
        ),
        (1, 40)
    );
    assert!(stats.store.is_some_and(|store| store.file_bytes > 0));
    cache.flush_blocking().unwrap();
    drop(cache);
    assert_eq!(
        reopen(directory.path(), NOW).1.entries,
        3,
        "the expired one is gone from the store too"
    );
}

#[test]
fn a_corrupt_entry_or_vector_costs_just_itself() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    let ids: Vec<EntryId> = (0..4)
        .map(|n| cache.admit(new_entry(n, Some(at(n as f32))), NOW).unwrap())
        .collect();
    drop(cache);
    {
        let database = redb::Database::open(directory.path().join("cache.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        for (table, id) in [("entries", ids[0]), ("vectors", ids[1])] {
            let table = redb::TableDefinition::<u64, &[u8]>::new(table);
            transaction
                .open_table(table)
                .unwrap()
                .insert(id.as_u64(), &b"rubbish"[..])
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    let (cache, report) = reopen(directory.path(), NOW);
    assert_eq!(
        (report.entries, report.indexed, report.dropped_corrupt),
        (3, 2, 2)
    );
    assert_eq!(text_of(&cache, 0, NOW), None);
    assert!(text_of(&cache, 1, NOW).is_some());
    drop(cache);
    let (_, report) = reopen(directory.path(), NOW);
    assert_eq!(
        (report.entries, report.indexed, report.dropped_corrupt),
        (3, 2, 0)
    );
}

#[test]
fn an_unreadable_store_is_moved_aside_and_a_fresh_one_begun() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache.redb");
    std::fs::write(&path, "not a store at all".repeat(500)).unwrap();
    let (cache, report) = reopen(directory.path(), NOW);
    let moved = report.corrupt_moved_to.unwrap();
    assert_eq!(
        moved,
        directory.path().join("cache.redb.corrupt-1700000000")
    );
    assert!(std::fs::read(&moved).unwrap().starts_with(b"not a store"));
    cache.admit(new_entry(1, None), NOW).unwrap();
    cache.flush_blocking().unwrap();
    drop(cache);
    assert_eq!(reopen(directory.path(), NOW).1.entries, 1);
}

#[test]
fn a_second_cache_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_first, _) = reopen(directory.path(), NOW);
    assert!(matches!(
        Cache::open(directory.path(), options(), NOW),
        Err(Error::Locked { .. })
    ));
}

#[test]
fn hits_go_on_while_the_disk_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let store = Arc::new(on_full_disk(directory.path(), &full).unwrap());
    let (cache, _) = Cache::with_store(store, options(), NOW).unwrap();
    full.store(true, Ordering::SeqCst);
    cache.admit(new_entry(1, Some(at(0.0))), NOW).unwrap();
    assert!(matches!(cache.flush_blocking(), Err(Error::Flush { .. })));
    assert!(text_of(&cache, 1, NOW).is_some());
    assert_eq!(found(&cache, 0.0, NOW), ["goal 1"]);
    let writer = cache.stats().store.unwrap().writer;
    assert!(writer.errors > 0 && writer.last_error.is_some());
    full.store(false, Ordering::SeqCst);
    cache.flush_blocking().unwrap();
    drop(cache);
    assert_eq!(reopen(directory.path(), NOW).1.entries, 1);
}
