//! The neighbours of every node of a layer, in one table of fixed width.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Result;

/// Ends a list that is not full.
const NONE: u32 = u32::MAX;

/// Nodes in one allocation: the table grows without being copied.
const CHUNK_NODES: usize = 8_192;

/// Lists of neighbours. They are read and written side by side: whoever reads one that is being written may see
/// neighbours of before and after, each of which is a node of the layer, so no lock is needed to read. Whoever writes
/// one holds its lock.
///
/// In front of each list stands the number of lists that lead to its node, so that the last one is not given up.
pub(super) struct Links {
    width: usize,
    chunks: Vec<Box<[AtomicU32]>>,
}

impl Links {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            chunks: Vec::new(),
        }
    }

    /// Neighbours of a node at most.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Adds nodes without neighbours up to a number of nodes.
    pub(super) fn extend_to(&mut self, nodes: usize) {
        let stride = self.width + 1;
        while self.chunks.len() * CHUNK_NODES < nodes {
            let empty = |place: usize| {
                if place.is_multiple_of(stride) {
                    0
                } else {
                    NONE
                }
            };
            let chunk = (0..CHUNK_NODES * stride).map(|place| AtomicU32::new(empty(place)));
            self.chunks.push(chunk.collect());
        }
    }

    /// Returns the neighbours of a node.
    pub(super) fn of(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.list(node)
            .iter()
            .skip(1)
            .map(|neighbour| neighbour.load(Ordering::Relaxed))
            .take_while(|neighbour| *neighbour != NONE)
    }

    /// Returns how many lists lead to a node.
    pub(super) fn num_leading_to(&self, node: u32) -> u32 {
        let count = self.list(node).first();
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Puts new neighbours in the place of the old ones; those beyond the width are left out.
    pub(super) fn set(&self, node: u32, neighbours: &[u32]) {
        let padded = neighbours.iter().copied().chain(std::iter::repeat(NONE));
        for (to, neighbour) in self.list(node).iter().skip(1).zip(padded) {
            let before = to.swap(neighbour, Ordering::Relaxed);
            if before != neighbour {
                self.count(before, u32::wrapping_sub);
                self.count(neighbour, u32::wrapping_add);
            }
        }
    }

    /// Gives nodes that have no neighbours yet the lists of a saved graph, in order. The same as [`Links::set`] for each,
    /// but for the time: counts are gathered first, because each of them lies in another line of memory.
    ///
    /// # Errors
    /// That of the first list that cannot be had.
    pub(super) fn restore(
        &mut self,
        num_nodes: usize,
        mut list: impl FnMut() -> Result<Vec<u32>>,
    ) -> Result<()> {
        self.extend_to(num_nodes);
        let mut counts = vec![0_u32; num_nodes];
        for node in 0..num_nodes {
            for (to, neighbour) in self.list(node as u32).iter().skip(1).zip(list()?) {
                to.store(neighbour, Ordering::Relaxed);
                if let Some(count) = counts.get_mut(neighbour as usize) {
                    *count += 1;
                }
            }
        }
        for (node, count) in counts.into_iter().enumerate() {
            if let Some(to) = self.list(node as u32).first() {
                to.store(count, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn count(&self, node: u32, change: fn(u32, u32) -> u32) {
        if node != NONE
            && let Some(count) = self.list(node).first()
        {
            let changed = |count| Some(change(count, 1));
            // Never fails: the change is never refused.
            let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
        }
    }

    /// The count and the list of a node; nothing for one that is not there.
    fn list(&self, node: u32) -> &[AtomicU32] {
        let (node, stride) = (node as usize, self.width + 1);
        let start = node % CHUNK_NODES * stride;
        self.chunks
            .get(node / CHUNK_NODES)
            .and_then(|chunk| chunk.get(start..start + stride))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_lead_to_a_node_are_counted() {
        let mut links = Links::new(3);
        links.extend_to(6);
        links.set(0, &[1, 2, 3]);
        links.set(4, &[2]);
        links.set(0, &[2, 5]);
        let counts: Vec<u32> = (0..6).map(|node| links.num_leading_to(node)).collect();
        assert_eq!(counts, [0, 0, 2, 0, 0, 1]);
        assert_eq!(links.of(0).collect::<Vec<u32>>(), [2, 5]);
        assert_eq!(links.of(9_999).count(), 0);
    }

    #[test]
    fn lists_restored_at_once_are_as_those_set_one_by_one() {
        let lists = [
            vec![1, 2, 3],
            vec![],
            vec![0, 3],
            vec![0, 1, 2, 9],
            vec![77],
        ];
        let (mut set, mut restored) = (Links::new(3), Links::new(3));
        set.extend_to(lists.len());
        for (node, list) in (0..).zip(&lists) {
            set.set(node, list);
        }
        let mut rest = lists.iter().cloned();
        let read = restored.restore(lists.len(), || Ok(rest.next().unwrap_or_default()));
        assert!(read.is_ok());
        for node in 0..lists.len() as u32 {
            assert!(restored.of(node).eq(set.of(node)), "{node}");
            assert_eq!(restored.num_leading_to(node), set.num_leading_to(node));
        }
    }
}
