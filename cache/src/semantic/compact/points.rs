//! Which entries a point stands for.
//!
//! Equal vectors share a point: goals that differ in case, or in settings that do not matter, have the same vector,
//! and a graph of equal points falls apart. A point that stands for no entry any more is dead until an equal vector
//! comes back.

use std::collections::HashMap;

use crate::entry::EntryId;

/// The entries of every point.
#[derive(Default)]
pub(super) struct Points {
    /// One entry of each point. The point is alive if `of_id` leads from the entry back to it.
    ids: Vec<EntryId>,
    of_id: HashMap<EntryId, u32>,
    /// The further entries of points that have several.
    twins: HashMap<u32, Vec<EntryId>>,
    num_alive: usize,
}

impl Points {
    /// Number of points, dead ones included.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn num_entries(&self) -> usize {
        self.of_id.len()
    }

    pub(super) fn num_dead(&self) -> usize {
        self.ids.len() - self.num_alive
    }

    pub(super) fn of(&self, id: EntryId) -> Option<u32> {
        self.of_id.get(&id).copied()
    }

    /// Says whether a point stands for an entry.
    pub(super) fn is_alive(&self, point: u32) -> bool {
        self.first(point).is_some()
    }

    fn first(&self, point: u32) -> Option<EntryId> {
        let id = *self.ids.get(point as usize)?;
        (self.of_id.get(&id) == Some(&point)).then_some(id)
    }

    /// Returns the entries of a point.
    pub(super) fn entries(&self, point: u32) -> impl Iterator<Item = EntryId> + '_ {
        let twins = self.twins.get(&point).into_iter().flatten().copied();
        self.first(point).into_iter().chain(twins)
    }

    /// Returns all entries with their points.
    pub(super) fn all(&self) -> Vec<(EntryId, u32)> {
        self.of_id.iter().map(|(id, point)| (*id, *point)).collect()
    }

    /// Adds a point for an entry that has none.
    pub(super) fn push(&mut self, id: EntryId) {
        let point = self.ids.len() as u32;
        self.ids.push(id);
        self.of_id.insert(id, point);
        self.num_alive += 1;
    }

    /// Adds a point that stands for nothing yet.
    pub(super) fn push_dead(&mut self) {
        // Whatever entry stands here leads elsewhere or nowhere; the first one that joins takes its place.
        self.ids.push(EntryId::from_u64(0));
    }

    /// Lets a point stand for one more entry, which has no point yet.
    pub(super) fn join(&mut self, point: u32, id: EntryId) {
        if self.is_alive(point) {
            self.twins.entry(point).or_default().push(id);
        } else if let Some(first) = self.ids.get_mut(point as usize) {
            *first = id;
            self.num_alive += 1;
        } else {
            return;
        }
        self.of_id.insert(id, point);
    }

    /// Takes an entry away; says whether it was there.
    pub(super) fn remove(&mut self, id: EntryId) -> bool {
        let Some(point) = self.of_id.remove(&id) else {
            return false;
        };
        let was_first = self.ids.get(point as usize) == Some(&id);
        if let Some(twins) = self.twins.get_mut(&point) {
            twins.retain(|twin| *twin != id);
            let next = if was_first { twins.pop() } else { None };
            if twins.is_empty() {
                self.twins.remove(&point);
            }
            if let (Some(next), Some(first)) = (next, self.ids.get_mut(point as usize)) {
                *first = next;
                return true;
            }
        }
        if was_first {
            self.num_alive -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::id;

    proptest! {
        #[test]
        fn entries_are_with_the_points_a_map_would_hold(steps in prop::collection::vec((1_u64..9, prop::option::of(0_u32..6)), 0..60)) {
            let (mut points, mut model) = (Points::default(), BTreeMap::new());
            for (n, point) in steps {
                prop_assert_eq!(points.remove(id(n)), model.remove(&n).is_some());
                let Some(point) = point else { continue };
                let point = point.min(points.len() as u32);
                if point as usize == points.len() {
                    points.push(id(n));
                } else {
                    points.join(point, id(n));
                }
                model.insert(n, point);
                let mut alive: Vec<u32> = model.values().copied().collect();
                alive.sort_unstable();
                alive.dedup();
                prop_assert_eq!(points.num_dead(), points.len() - alive.len());
                prop_assert_eq!(points.num_entries(), model.len());
                for point in 0..points.len() as u32 {
                    let mut entries: Vec<u64> = points.entries(point).map(EntryId::as_u64).collect();
                    entries.sort_unstable();
                    let expected: Vec<u64> = model.iter().filter(|(_, at)| **at == point).map(|(n, _)| *n).collect();
                    prop_assert_eq!(points.is_alive(point), !expected.is_empty());
                    prop_assert_eq!(entries, expected);
                }
            }
        }
    }
}
