//! What is taken in, and for how long.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::entry::NewEntry;
use tollfree_cache::error::Error;
use tollfree_cache::pii::Kind;

use super::*;

#[test]
fn personal_data_in_goal_or_answer_is_not_stored() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = open(directory.path());
    let goal = NewEntry {
        goal: "write a letter to jane@acme.org".into(),
        ..new_entry(1)
    };
    let mut answer = new_entry(2);
    answer.answer.text = "Your key is sk-0123456789abcdef0123456789abcdef.".into();
    for (new, expected) in [(goal.clone(), Kind::Email), (answer, Kind::Secret)] {
        let refused = cache.admit(new, NOW);
        assert!(
            matches!(&refused, Err(Error::Pii { kind }) if *kind == expected),
            "{refused:?}"
        );
        let text = refused.unwrap_err().to_string();
        assert!(!text.contains("jane") && !text.contains("sk-"), "{text}");
    }
    drop(cache);
    let stored = std::fs::read(directory.path().join("cache.redb")).unwrap();
    assert!(!stored.windows(13).any(|bytes| bytes == b"jane@acme.org"));
    let allowing = CacheOptions {
        refuse_pii: false,
        ..options()
    };
    assert!(Cache::in_memory(allowing).admit(goal, NOW).is_ok());
}

fn expiries(jitter: f64, ttl_ms: u64) -> Vec<u64> {
    let cache = Cache::in_memory(CacheOptions {
        ttl_jitter: jitter,
        ..options()
    });
    (0..500)
        .map(|n| {
            let new = NewEntry {
                ttl: Some(Duration::from_millis(ttl_ms)),
                ..new_entry(n)
            };
            let id = cache.admit(new, NOW).unwrap();
            cache.get(id).unwrap().expires_at_ms - NOW
        })
        .collect()
}

#[test]
fn entries_of_one_moment_expire_spread_over_the_jitter_and_never_late() {
    let spread = expiries(0.2, 1_000_000);
    assert!(spread.iter().all(|ttl| (800_000..=1_000_000).contains(ttl)));
    let distinct: BTreeSet<u64> = spread.iter().map(|ttl| ttl / 20_000).collect();
    assert_eq!(
        distinct.len(),
        10,
        "every tenth of the range is used: {distinct:?}"
    );
    assert_eq!(
        spread,
        expiries(0.2, 1_000_000),
        "it follows from the entry's id"
    );
    assert!(expiries(0.0, 1_000).iter().all(|ttl| *ttl == 1_000));
}

proptest! {
    #[test]
    fn no_time_to_live_overflows(ttl_ms in any::<u64>(), jitter in 0.0..1.0_f64) {
        let cache = Cache::in_memory(CacheOptions { ttl_jitter: jitter, ..options() });
        let new = NewEntry { ttl: Some(Duration::from_millis(ttl_ms)), ..new_entry(1) };
        let id = cache.admit(new, NOW).unwrap();
        prop_assert!(cache.get(id).unwrap().expires_at_ms >= NOW);
    }
}
