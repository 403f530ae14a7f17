//! How many entries there may be, for how long, and which go first.

use super::*;

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
