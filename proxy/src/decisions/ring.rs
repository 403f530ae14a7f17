//! A ring of the latest decisions whose writers do not wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Decision;

/// Rings with a lock of their own. Decisions take turns, so that neighbours in time never meet.
const STRIPES: usize = 16;

/// The decisions of one lock, each with its number.
type Stripe = Vec<Option<(u64, Decision)>>;

/// The latest decisions, up to a fixed number.
pub struct Decisions {
    capacity: usize,
    pushed: AtomicU64,
    stripes: Vec<Mutex<Stripe>>,
}

impl Decisions {
    /// Keeps the latest `capacity` decisions; 0 keeps none.
    pub fn new(capacity: usize) -> Self {
        let slots = capacity.div_ceil(STRIPES);
        let stripe = || Mutex::new(std::iter::repeat_with(|| None).take(slots).collect());
        Self {
            capacity,
            pushed: AtomicU64::new(0),
            stripes: std::iter::repeat_with(stripe).take(STRIPES).collect(),
        }
    }

    /// Whether any is kept.
    pub fn is_on(&self) -> bool {
        self.capacity > 0
    }

    /// How many are kept at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Keeps a decision in place of the oldest one.
    pub fn push(&self, decision: Decision) {
        let number = self.pushed.fetch_add(1, Ordering::Relaxed);
        let (turn, stripe) = (number / STRIPES as u64, number % STRIPES as u64);
        let stripe = usize::try_from(stripe)
            .ok()
            .and_then(|stripe| self.stripes.get(stripe));
        let replaced = stripe.and_then(|stripe| {
            let mut slots = stripe.lock();
            let slot = usize::try_from(turn % (slots.len().max(1) as u64)).ok()?;
            slots.get_mut(slot)?.replace((number, decision))
        });
        // Freed after the lock is.
        drop(replaced);
    }

    /// The decision of this id, or else the latest one to which the client gave this name.
    pub fn find(&self, id: &str) -> Option<Decision> {
        let own: Option<crate::ids::Id> = id.parse().ok();
        let by_id = own.and_then(|own| self.latest(1, |decision| decision.id == own).pop());
        by_id.or_else(|| {
            self.latest(1, |decision| decision.alias.as_deref() == Some(id))
                .pop()
        })
    }

    /// Up to `limit` decisions that a predicate accepts, the latest first.
    pub fn latest(&self, limit: usize, wanted: impl Fn(&Decision) -> bool) -> Vec<Decision> {
        // Rings are of one size, so that together they may hold a few more than they shall.
        let pushed = self.pushed.load(Ordering::Relaxed);
        let oldest = pushed.saturating_sub(self.capacity as u64);
        let mut found: Vec<(u64, Decision)> = Vec::new();
        for stripe in &self.stripes {
            let slots = stripe.lock();
            let wanted = slots
                .iter()
                .flatten()
                .filter(|(number, decision)| *number >= oldest && wanted(decision));
            found.extend(wanted.cloned());
        }
        found.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        found.truncate(limit);
        found.into_iter().map(|(_, decision)| decision).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::Id;
    use crate::lookup::CacheStatus;
    use crate::protocol::Protocol;

    fn decision(at_ms: u64, alias: Option<&str>) -> Decision {
        Decision {
            id: Id::fresh(),
            alias: alias.map(Into::into),
            at_ms,
            protocol: Protocol::OpenAi,
            status: CacheStatus::Miss,
            reason: None,
            entry: None,
            similarity: None,
            saved_usd: None,
            upstream: None,
            looked: None,
            routed: None,
            overhead: Duration::ZERO,
            waited: Duration::ZERO,
        }
    }

    fn times(decisions: &Decisions, limit: usize) -> Vec<u64> {
        let latest = decisions.latest(limit, |_| true);
        latest.iter().map(|decision| decision.at_ms).collect()
    }

    #[test]
    fn exactly_the_latest_are_kept_whatever_the_capacity() {
        for capacity in [0, 1, 3, 16, 17, 100] {
            let decisions = Decisions::new(capacity);
            for at_ms in 0..250 {
                let alias = (at_ms == 149).then_some("old");
                decisions.push(decision(at_ms, alias));
            }
            let expect: Vec<u64> = (0..250).rev().take(capacity).collect();
            assert_eq!(times(&decisions, usize::MAX), expect, "{capacity}");
            assert_eq!(times(&decisions, 2), &expect[..capacity.min(2)]);
            assert_eq!(decisions.find("old").is_some(), capacity > 100);
        }
    }

    #[test]
    fn a_decision_is_found_by_its_id_and_by_the_latest_use_of_a_name() {
        let decisions = Decisions::new(50);
        let first = decision(1, Some("mine"));
        let id = first.id.to_string();
        decisions.push(first);
        decisions.push(decision(2, Some("mine")));
        // A client that names its request like another one's id does not hide that one.
        decisions.push(decision(3, Some(&id)));
        assert_eq!(decisions.find(&id).map(|it| it.at_ms), Some(1));
        assert_eq!(decisions.find("mine").map(|it| it.at_ms), Some(2));
        assert!(decisions.find("other").is_none());
        assert!(decisions.find("").is_none());
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let decisions = Decisions::new(400);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let decisions = &decisions;
                scope.spawn(move || {
                    (0..100).for_each(|n| decisions.push(decision(thread * 100 + n, None)))
                });
            }
        });
        let mut all = times(&decisions, usize::MAX);
        all.sort_unstable();
        assert_eq!(all, (0..400).collect::<Vec<_>>());
    }
}
