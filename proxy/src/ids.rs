//! Fresh identifiers for replies: unique, unguessable enough to be no counter, and cheap.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static SEEDS: LazyLock<(RandomState, RandomState)> =
    LazyLock::new(|| (RandomState::new(), RandomState::new()));
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A new identifier of 24 letters and digits.
///
/// A process-wide counter hashed with two random keys: no two are equal within a process but by a 96-bit chance.
pub fn fresh() -> String {
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    let (first, second) = (SEEDS.0.hash_one(count), SEEDS.1.hash_one(count));
    format!("{first:016x}{:08x}", second >> 32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_do_not_repeat() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| super::fresh()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 24));
    }
}
