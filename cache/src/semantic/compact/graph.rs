//! The layers of a navigable small world over [`Rows`], in flat tables (Malkov and Yashunin, 2016).
//!
//! A point is a row. The lowest layer holds every point as the node of the same number; each layer above holds an
//! eighth of the one below. Only a point's similarity by the high bytes steers a walk.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::semantic::compact::beam::{Beam, Visited};
use crate::semantic::compact::links::Links;
use crate::semantic::rows::{Probe, Rows};

/// Neighbours of a point in the lowest layer at most: 256 bytes. Of 500 searches among a million vectors, with 96
/// candidates kept, 40 neighbours (20 of its own, 96 nodes kept while building, 16 above) found the nearest in 92.4 %,
/// 64 (32, 160, 32) in 98.8 %, in a seventh more time each.
const WIDTH: usize = 64;

/// Neighbours in the layers above, at most.
const UPPER_WIDTH: usize = 32;

/// One point in so many has a place in the layer above. Where fifty rewordings of one goal fill each other's lists, the
/// layer above is what leads to them: of a sixteenth of the points one such cluster in thirty would have none there,
/// of an eighth one in a thousand.
const FAN_OUT: u64 = 8;

/// Layers above the lowest at most: enough for sixteen million points.
const MAX_LAYERS: usize = 8;

/// Nodes kept in the layers passed on the way down: more in the large ones at the bottom. With one, as is usual, a walk
/// ends in the first cluster it meets.
const WIDTH_OF_DESCENT: usize = 4;
const WIDTH_OF_ARRIVAL: usize = 16;

/// Layers above the lowest that the larger width is for.
const LAYERS_OF_ARRIVAL: usize = 2;

/// Nobody has been linked yet.
const NO_ENTRY: u64 = u64::MAX;

/// Locks that keep apart the writers of one list; a list is guarded by the lock of its number.
const NUM_LOCKS: usize = 256;

/// Rows and the layers over them.
pub(super) struct Graph {
    pub(super) rows: Rows,
    pub(super) base: Links,
    pub(super) upper: Vec<Layer>,
    /// Points that have nodes in all their layers. Those behind are known as rows only.
    pub(super) placed: usize,
    /// Where walks begin: the layer in the upper half, the node in it in the lower.
    entry: AtomicU64,
    locks: Box<[Mutex<()>]>,
}

/// A layer above the lowest.
pub(super) struct Layer {
    /// The point of each node.
    pub(super) points: Vec<u32>,
    /// The node of the same point in the layer below.
    pub(super) below: Vec<u32>,
    pub(super) links: Links,
}

/// A point with nodes but without neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) point: u32,
    /// Its highest layer, and its node in it.
    pub(super) layer: usize,
    pub(super) node: u32,
}

/// What a walk works with; kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) beam: Beam,
    visited: Visited,
    fresh: Vec<u32>,
    pub(super) link: super::link::Scratch,
}

impl Layer {
    pub(super) fn new() -> Self {
        Self {
            points: Vec::new(),
            below: Vec::new(),
            links: Links::new(UPPER_WIDTH),
        }
    }
}

impl Graph {
    pub(super) fn new(rows: Rows) -> Self {
        Self {
            rows,
            base: Links::new(WIDTH),
            upper: Vec::new(),
            placed: 0,
            entry: AtomicU64::new(NO_ENTRY),
            locks: std::iter::repeat_with(Mutex::default)
                .take(NUM_LOCKS)
                .collect(),
        }
    }

    /// Gives up to `at_most` further points their nodes.
    pub(super) fn place(&mut self, at_most: usize) -> Vec<Place> {
        let end = self.rows.len().min(self.placed + at_most);
        self.base.extend_to(end);
        let mut places = Vec::with_capacity(end - self.placed);
        for point in self.placed..end {
            let point = u32::try_from(point).unwrap_or(u32::MAX);
            let mut node = point;
            let top = layer_of(point);
            for layer in 0..top {
                if self.upper.len() == layer {
                    self.upper.push(Layer::new());
                }
                if let Some(layer) = self.upper.get_mut(layer) {
                    layer.points.push(point);
                    layer.below.push(node);
                    layer.links.extend_to(layer.points.len());
                    node = (layer.points.len() - 1) as u32;
                }
            }
            places.push(Place {
                point,
                layer: top,
                node,
            });
        }
        self.placed = end;
        places
    }

    /// Returns the layer and node where walks begin.
    pub(super) fn entry(&self) -> Option<(usize, u32)> {
        let entry = self.entry.load(Ordering::Acquire);
        (entry != NO_ENTRY).then_some(((entry >> 32) as usize, entry as u32))
    }

    /// Lets walks begin at a linked node, if it is higher than where they begin now.
    pub(super) fn raise_entry(&self, place: Place) {
        let raised = (place.layer as u64) << 32 | u64::from(place.node);
        // Fails when the present entry is as high, which is as good.
        let _ = self
            .entry
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |entry| {
                (entry == NO_ENTRY || entry >> 32 < raised >> 32).then_some(raised)
            });
    }

    /// The lists of a layer, counted from the lowest.
    pub(super) fn links(&self, layer: usize) -> &Links {
        match layer.checked_sub(1).and_then(|upper| self.upper.get(upper)) {
            Some(layer) => &layer.links,
            None => &self.base,
        }
    }

    /// The point of a node.
    pub(super) fn point(&self, layer: usize, node: u32) -> u32 {
        layer
            .checked_sub(1)
            .and_then(|upper| self.upper.get(upper)?.points.get(node as usize))
            .map_or(node, |point| *point)
    }

    /// The node of the same point one layer below.
    pub(super) fn below(&self, layer: usize, node: u32) -> u32 {
        layer
            .checked_sub(1)
            .and_then(|upper| self.upper.get(upper)?.below.get(node as usize))
            .map_or(node, |below| *below)
    }

    pub(super) fn roughly(&self, layer: usize, node: u32, probe: &Probe) -> f32 {
        self.rows.roughly(probe, self.point(layer, node) as usize)
    }

    pub(super) fn lock(&self, node: u32) -> Option<&Mutex<()>> {
        self.locks.get(node as usize % NUM_LOCKS)
    }

    /// Walks down to a layer and returns the nodes of that layer to go on from, the most similar first.
    pub(super) fn descend(&self, probe: &Probe, layer: usize, scratch: &mut Scratch) -> Vec<u32> {
        let Some((top, node)) = self.entry() else {
            return Vec::new();
        };
        let mut nodes = vec![node];
        for passed in (layer + 1..=top).rev() {
            let width = if passed <= LAYERS_OF_ARRIVAL {
                WIDTH_OF_ARRIVAL
            } else {
                WIDTH_OF_DESCENT
            };
            self.walk(probe, passed, &nodes, width, scratch);
            nodes.clear();
            let met = scratch.beam.met().iter();
            nodes.extend(met.map(|met| self.below(passed, met.node)));
        }
        nodes
    }

    /// Walks over a layer from given nodes and leaves the `width` most similar nodes met in `scratch.beam`.
    pub(super) fn walk(
        &self,
        probe: &Probe,
        layer: usize,
        starts: &[u32],
        width: usize,
        scratch: &mut Scratch,
    ) {
        let Scratch {
            beam,
            visited,
            fresh,
            ..
        } = scratch;
        visited.clear();
        beam.clear(width);
        let links = self.links(layer);
        for start in starts {
            if visited.insert(*start) {
                beam.offer(*start, self.roughly(layer, *start, probe));
            }
        }
        while let Some(node) = beam.next() {
            fresh.clear();
            fresh.extend(links.of(node).filter(|node| visited.insert(*node)));
            self.rows
                .fetch(fresh.iter().map(|node| self.point(layer, *node) as usize));
            for node in fresh.iter() {
                beam.offer(*node, self.roughly(layer, *node, probe));
            }
        }
    }
}

/// The highest layer of a point: drawn from its number, so that the same rows make the same layers.
fn layer_of(point: u32) -> usize {
    // splitmix64 (Steele, Lea and Flood, 2014).
    let mut mixed = (u64::from(point) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    (mixed.trailing_zeros() / FAN_OUT.trailing_zeros()).min(MAX_LAYERS as u32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_holds_about_an_eighth_of_the_one_below() {
        let mut counts = [0_u32; MAX_LAYERS + 1];
        for point in 0..100_000 {
            for count in counts.iter_mut().take(layer_of(point) + 1) {
                *count += 1;
            }
        }
        for pair in counts.windows(2).take(3) {
            let share = f64::from(pair[1]) / f64::from(pair[0]);
            assert!((0.10..0.15).contains(&share), "{counts:?}");
        }
    }
}
