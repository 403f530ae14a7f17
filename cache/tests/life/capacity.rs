//! What stays when there is no room for all.

use proptest::prelude::*;
use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::counters::Tier;
use tollfree_cache::entry::NewEntry;
use tollfree_cache::key::ExactKey;

use super::{NOW, TTL_MS, options};

fn exact_key(n: u64) -> ExactKey {
    ExactKey::from_bytes(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

/// An entry under a key that is a digest, as real ones are.
fn new_entry(n: u64) -> NewEntry {
    NewEntry {
        exact: exact_key(n),
        ..super::new_entry(n)
    }
}

fn small(max_entries: usize) -> Cache {
    Cache::in_memory(CacheOptions {
        max_entries,
        ..options()
    })
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Admit(u64),
    Hit(u64, u64),
    Remove(u64),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u64..60).prop_map(Step::Admit),
        4 => (0u64..60, 0u64..1_000).prop_map(|(n, saved)| Step::Hit(n, saved)),
        1 => (0u64..60).prop_map(Step::Remove),
        1 => Just(Step::Expire),
    ]
}

proptest! {
    #[test]
    fn capacity_is_never_exceeded_and_the_newest_is_always_there(
        max_entries in 1usize..30, steps in prop::collection::vec(step(), 1..300)
    ) {
        let cache = small(max_entries);
        let mut now = NOW;
        for step in steps {
            now += 1;
            match step {
                Step::Admit(n) => {
                    let id = cache.admit(new_entry(n), now).unwrap();
                    prop_assert!(cache.get(id).is_some());
                    prop_assert!(cache.exact(&exact_key(n), now).is_some());
                }
                Step::Hit(n, saved) => {
                    if let Some(entry) = cache.exact(&exact_key(n), now) {
                        cache.record_hit(Some(entry.id), Tier::Exact, saved, now);
                    }
                }
                Step::Remove(n) => {
                    if let Some(entry) = cache.exact(&exact_key(n), now) {
                        cache.remove(entry.id);
                    }
                }
                Step::Expire => {
                    now += TTL_MS;
                    cache.sweep(now);
                    prop_assert_eq!(cache.stats().entries, 0);
                }
            }
            let stats = cache.stats();
            prop_assert!(stats.entries <= max_entries);
            prop_assert_eq!(stats.entries, stats.indexed);
        }
    }

    #[test]
    fn a_valuable_entry_just_admitted_is_not_starved(
        max_entries in 100usize..400, uses in 3u64..8, washed in 1u64..50
    ) {
        // Half of the others stay: who goes is sampled, and a sample must hold one that was never used again.
        let cache = small(max_entries);
        for n in 0..max_entries as u64 {
            cache.admit(new_entry(n), NOW + n).unwrap();
        }
        let id = cache.admit(new_entry(1_000_000), NOW + 10_000).unwrap();
        for at in 0..uses {
            cache.record_hit(Some(id), Tier::Exact, 0, NOW + 10_001 + at);
        }
        for n in 0..washed {
            cache.admit(new_entry(2_000_000 + n), NOW + 20_000 + n).unwrap();
        }
        prop_assert!(cache.get(id).is_some());
    }
}

#[test]
fn a_dear_entry_outlives_cheap_ones_used_as_often() {
    let cache = small(200);
    let admit = |n: u64, saved| {
        let id = cache.admit(new_entry(n), NOW + n).unwrap();
        cache.record_hit(Some(id), Tier::Exact, saved, NOW + n);
        id
    };
    // By turns, so that both were used as lately.
    let all: Vec<_> = (0..1_000)
        .map(|n| (n % 2 == 0, admit(n, if n % 2 == 0 { 5_000 } else { 50 })))
        .collect();
    let kept = |dear: bool| {
        all.iter()
            .filter(|(is_dear, id)| *is_dear == dear && cache.get(*id).is_some())
            .count()
    };
    assert_eq!(kept(true) + kept(false), 200);
    assert!(kept(true) >= 180, "{} of 200", kept(true));
}
