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

#[test]
fn the_limit_holds_and_entries_in_use_outlive_idle_ones() {
    let cache = Cache::in_memory(options());
    let hot: Vec<EntryId> = (0..10)
        .map(|n| cache.admit(new_entry(n, None), NOW).unwrap())
        .collect();
    for n in 10..400 {
        cache
            .admit(new_entry(n, Some(at(n as f32))), NOW + n)
            .unwrap();
        for id in &hot {
            cache.record_hit(Some(*id), Tier::Exact, 5, NOW + n + 1);
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.entries, stats.evictions.capacity), (100, 300));
    assert_eq!(stats.indexed, 90);
    for id in hot {
        assert!(cache.get(id).is_some());
    }
    assert_eq!(stats.totals["exact_hits"], 3_900);
    assert_eq!(stats.totals["saved_micro_usd"], 19_500);
    assert_eq!(stats.totals["admissions"], 400);
}

#[test]
fn expired_entries_make_room_before_any_other_goes() {
    let cache = Cache::in_memory(options());
    for n in 0..50 {
        cache
            .admit(
                NewEntry {
                    ttl: Some(Duration::from_millis(1)),
                    ..new_entry(n, None)
                },
                NOW,
            )
            .unwrap();
    }
    for n in 50..150 {
        cache.admit(new_entry(n, None), NOW + 10).unwrap();
    }
    let stats = cache.stats();
    assert_eq!(
        (stats.entries, stats.evictions),
        (
            100,
            Evictions {
                expired: 50,
                ..Evictions::default()
            }
        )
    );
}

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
fn a_lower_limit_drops_the_surplus_at_opening() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = reopen(directory.path(), NOW);
    for n in 0..20 {
        cache.admit(new_entry(n, Some(at(n as f32))), NOW).unwrap();
    }
    drop(cache);
    let small = CacheOptions {
        max_entries: 5,
        ..options()
    };
    let (cache, report) = Cache::open(directory.path(), small, NOW).unwrap();
    assert_eq!(
        (report.entries, report.indexed, report.dropped_over_limit),
        (5, 5, 15)
    );
    drop(cache);
    assert_eq!(reopen(directory.path(), NOW).1.entries, 5);
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

#[test]
fn a_large_partition_finds_the_same_before_during_and_after_it_becomes_a_graph() {
    let many = CacheOptions {
        max_entries: 1_000,
        ..options()
    };
    let cache = Cache::with_limits(
        many,
        Limits {
            flat_max: 200,
            hnsw_max: 400,
            sketches_max: 200,
            snapshot_min: 0,
        },
    );
    let mut clusters = Clusters::new(31, 32, 20);
    let vectors: Vec<Vec<f32>> = (0..600).map(|_| clusters.vector()).collect();
    let nearest = |n: usize| {
        let candidates = cache.candidates(&partition_key(1), &vectors[n], 1, NOW);
        candidates.first().map(|candidate| candidate.entry.exact)
    };
    for (n, vector) in vectors.iter().enumerate() {
        cache
            .admit(new_entry(n as u64, Some(vector.clone())), NOW)
            .unwrap();
        assert_eq!(nearest(n), Some(exact_key(n as u64)));
    }
    cache.wait_for_builds();
    assert_eq!(cache.stats().graph_partitions, 1);
    for n in 0..600 {
        assert_eq!(nearest(n), Some(exact_key(n as u64)));
    }
}

#[test]
fn readers_and_writers_in_parallel_leave_maps_and_index_of_one_mind() {
    let cache = Cache::in_memory(options());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                for n in 0..500 {
                    let n = (n * 7 + thread) % 150;
                    let id = cache.admit(new_entry(n, Some(at(n as f32))), NOW).unwrap();
                    cache.candidates(&partition_key(1), &at(n as f32), 3, NOW);
                    if n % 3 == 0 {
                        cache.remove(id);
                    }
                    cache.exact(&exact_key(n), NOW);
                }
            });
        }
    });
    let entries = cache.entries();
    let stats = cache.stats();
    assert_eq!(
        (stats.entries, stats.indexed),
        (entries.len(), entries.len())
    );
    assert!(entries.len() <= 100);
    for entry in &entries {
        assert_eq!(cache.exact(&entry.exact, NOW).as_ref(), Some(entry));
    }
    for entry in entries {
        assert!(cache.remove(entry.id));
    }
    assert_eq!((cache.stats().bytes, cache.stats().partitions), (0, 0));
}

#[test]
fn an_expired_entry_is_found_as_stale_for_a_while_and_through_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let window = Duration::from_millis(1_000);
    let stale = |at| {
        let options = CacheOptions {
            stale_while_revalidate: window,
            ..options()
        };
        Cache::open(directory.path(), options, at).unwrap().0
    };
    let cache = stale(NOW);
    cache.admit(new_entry(1, None), NOW).unwrap();
    let over = NOW + TTL_MS;
    assert_eq!(cache.stale(&exact_key(1), window, over - 1), None);
    drop(cache);
    let cache = stale(over + 999);
    assert_eq!(cache.exact(&exact_key(1), over), None);
    assert!(cache.stale(&exact_key(1), window, over).is_some());
    // Another admission clears away only what is too old even for that.
    cache.admit(new_entry(2, None), over + 999).unwrap();
    assert!(cache.stale(&exact_key(1), window, over + 999).is_some());
    assert_eq!(cache.stale(&exact_key(1), window, over + 1_000), None);
    cache.admit(new_entry(3, None), over + 1_000).unwrap();
    assert_eq!(cache.stats().evictions.expired, 1);
}

mod survey;

mod labels {
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
}
