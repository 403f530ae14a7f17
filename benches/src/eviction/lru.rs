//! The baseline: a map of so many entries that drops the least recently used.

use std::collections::{BTreeMap, HashMap};

/// An exact LRU set of goals.
pub(super) struct Lru {
    capacity: usize,
    tick: u64,
    last_use: HashMap<u64, u64>,
    by_use: BTreeMap<u64, u64>,
}

impl Lru {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            tick: 0,
            last_use: HashMap::new(),
            by_use: BTreeMap::new(),
        }
    }

    /// Uses a goal, taking it in if it is not there; says whether it was.
    pub(super) fn ask(&mut self, goal: u64) -> bool {
        self.tick += 1;
        let before = self.last_use.insert(goal, self.tick);
        if let Some(before) = before {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.tick, goal);
        if self.by_use.len() > self.capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.last_use.remove(&oldest);
        }
        before.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes() {
        let mut lru = Lru::new(2);
        let asked = [1, 2, 1, 3, 1, 2].map(|goal| lru.ask(goal));
        assert_eq!(asked, [false, false, true, false, true, false]);
    }
}
