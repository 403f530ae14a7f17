//! Looking over the entries for the commands: a page of them in order of id, and those near a text.

use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use crate::cache::Cache;
use crate::entry::{Entry, EntryId};
use crate::key::CompatibilityKey;

/// Entries asked of a partition at first; as long as all of them are near enough, twice as many are asked for.
const FIRST_LOOK: usize = 256;

impl Cache {
    /// Returns the `limit` entries of least id above `after` that a predicate accepts, in order of id.
    ///
    /// Pages that follow each other see every entry that is there all the while exactly once. Each page walks over
    /// all entries, some ten milliseconds for a million.
    pub fn page(
        &self,
        after: Option<EntryId>,
        limit: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<Arc<Entry>> {
        // The largest of the ids kept so far is on top and makes room for a smaller one.
        let mut least: BinaryHeap<EntryId> = BinaryHeap::new();
        for entry in self.entries() {
            let beyond = after.is_none_or(|after| entry.id > after);
            let smaller = least.len() < limit || least.peek().is_some_and(|top| entry.id < *top);
            if beyond && smaller && wanted(&entry) {
                least.push(entry.id);
                if least.len() > limit {
                    least.pop();
                }
            }
        }
        least
            .into_sorted_vec()
            .into_iter()
            .filter_map(|id| self.get(id))
            .collect()
    }

    /// Says whether an entry can be found by meaning: whether the index holds a vector of its goal.
    pub fn is_indexed(&self, entry: &Entry) -> bool {
        self.partitions
            .get(&entry.compatibility)
            .is_some_and(|partition| partition.contains(entry.id))
    }

    /// Returns the entries whose goal is at least this similar to a unit vector of the current model, whatever their
    /// compatibility key, with the cosine in [-1, 1], in no order.
    ///
    /// Searches every partition: for commands, not for the way of a request.
    pub fn similar(&self, vector: &[f32], min_similarity: f32) -> Vec<(Arc<Entry>, f32)> {
        let keys: HashSet<CompatibilityKey> = self
            .entries()
            .iter()
            .map(|entry| entry.compatibility)
            .collect();
        let mut similar = Vec::new();
        for partition in keys.iter().filter_map(|key| self.partitions.get(key)) {
            let mut look = FIRST_LOOK;
            let found = loop {
                let found = partition.search(vector, look);
                let all_near = found
                    .iter()
                    .all(|(_, similarity)| *similarity >= min_similarity);
                if found.len() < look || !all_near {
                    break found;
                }
                look = look.saturating_mul(2);
            };
            let near = found
                .into_iter()
                .filter(|(_, similarity)| *similarity >= min_similarity);
            similar.extend(near.filter_map(|(id, similarity)| Some((self.get(id)?, similarity))));
        }
        similar
    }
}
