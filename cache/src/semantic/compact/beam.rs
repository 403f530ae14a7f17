//! What one walk over the graph remembers.

/// A node met on a walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Met {
    pub(super) node: u32,
    pub(super) similarity: f32,
    /// Its neighbours were looked at.
    walked: bool,
}

/// The most similar nodes met so far, the most similar first.
#[derive(Default)]
pub(super) struct Beam {
    met: Vec<Met>,
    width: usize,
    /// No node before this place is left to walk.
    next: usize,
}

impl Beam {
    pub(super) fn clear(&mut self, width: usize) {
        self.met.clear();
        self.width = width;
        self.next = 0;
    }

    /// Takes in a node that was not met before, if it is among the best.
    pub(super) fn offer(&mut self, node: u32, similarity: f32) {
        let full = self.met.len() >= self.width;
        if full
            && self
                .met
                .last()
                .is_some_and(|worst| similarity <= worst.similarity)
        {
            return;
        }
        let rank = self
            .met
            .partition_point(|better| better.similarity >= similarity);
        if full {
            self.met.pop();
        }
        self.met.insert(
            rank,
            Met {
                node,
                similarity,
                walked: false,
            },
        );
        self.next = self.next.min(rank);
    }

    /// Returns the most similar node whose neighbours were not looked at, and marks it.
    pub(super) fn next(&mut self) -> Option<u32> {
        let ahead = self.met.get_mut(self.next..)?;
        let offset = ahead.iter().position(|met| !met.walked)?;
        let met = ahead.get_mut(offset)?;
        met.walked = true;
        self.next += offset + 1;
        Some(met.node)
    }

    pub(super) fn met(&self) -> &[Met] {
        &self.met
    }
}

/// The nodes met on a walk: a hash table that fits the processor's nearest memory, unlike a mark for every point.
pub(super) struct Visited {
    /// A node plus one, or 0 for a free place. The length is a power of two.
    table: Vec<u32>,
    len: usize,
}

impl Default for Visited {
    fn default() -> Self {
        Self {
            table: vec![0; 4_096],
            len: 0,
        }
    }
}

impl Visited {
    pub(super) fn clear(&mut self) {
        self.table.fill(0);
        self.len = 0;
    }

    /// Notes a node; says whether it is new.
    pub(super) fn insert(&mut self, node: u32) -> bool {
        if self.len * 2 >= self.table.len() {
            let grown = vec![0; self.table.len() * 2];
            let old = std::mem::replace(&mut self.table, grown);
            self.len = 0;
            for there in old.into_iter().filter(|there| *there != 0) {
                self.put(there);
            }
        }
        self.put(node.wrapping_add(1))
    }

    fn put(&mut self, marked: u32) -> bool {
        let mask = self.table.len() - 1;
        // Fibonacci hashing: neighbouring numbers end up far apart.
        let mut place = (marked.wrapping_mul(0x9E37_79B9) >> 7) as usize & mask;
        while let Some(there) = self.table.get_mut(place) {
            if *there == 0 {
                *there = marked;
                self.len += 1;
                return true;
            }
            if *there == marked {
                return false;
            }
            place = (place + 1) & mask;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_beam_keeps_the_best_and_walks_each_once(offers in prop::collection::vec(0_u16..1_000, 1..80), width in 1_usize..20) {
            let mut beam = Beam::default();
            beam.clear(width);
            let mut walked = HashSet::new();
            for (node, similarity) in (0..).zip(&offers) {
                beam.offer(node, f32::from(*similarity));
                if node % 3 == 0 && let Some(next) = beam.next() {
                    prop_assert!(walked.insert(next));
                }
            }
            while let Some(next) = beam.next() {
                prop_assert!(walked.insert(next));
            }
            let mut best: Vec<f32> = offers.iter().map(|offer| f32::from(*offer)).collect();
            best.sort_by(|a, b| b.total_cmp(a));
            best.truncate(width);
            let kept: Vec<f32> = beam.met().iter().map(|met| met.similarity).collect();
            prop_assert_eq!(kept, best);
            prop_assert!(beam.met().iter().all(|met| walked.contains(&met.node)));
        }

        #[test]
        fn a_node_is_new_once_however_many_there_are(nodes in prop::collection::vec(0_u32..20_000, 0..9_000)) {
            let (mut visited, mut model) = (Visited::default(), HashSet::new());
            for node in &nodes {
                prop_assert_eq!(visited.insert(*node), model.insert(*node));
            }
            visited.clear();
            prop_assert!(nodes.first().is_none_or(|node| visited.insert(*node)));
        }
    }
}
