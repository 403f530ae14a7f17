//! The approximate index: a hierarchical navigable small world (Malkov and Yashunin, 2016), by `hnsw_rs`.
//!
//! A point of the graph cannot be taken out, so a removed one stays as a tombstone that searches skip; the
//! partition rebuilds the graph when there are too many. Two things in `hnsw_rs` 0.3.5 need care: two inserts at a
//! time can lock each other out (each reads its own neighbours while it writes the other's), and walking over all
//! points takes the same read lock twice, which stalls for good behind a waiting insert. One lock around inserts
//! and walks keeps both away; searches take one lock at a time and run beside them.

use std::collections::HashMap;
use std::sync::Arc;

use hnsw_rs::prelude::{Distance, Hnsw};
use parking_lot::{Mutex, RwLock};

use crate::entry::EntryId;
use crate::error::{Error, Result};
use crate::semantic::dot::dot;
use crate::semantic::index::VectorIndex;

/// Neighbours per point and layer (twice as many in the lowest), the usual choice for some hundred dimensions.
const NEIGHBOURS: usize = 16;

/// Candidates kept while a point is linked in. On 16,000 clustered vectors of 384 dimensions, 200 found no more
/// than 100 does (recall@1 1.0 each) and took twice as long.
const WIDTH_OF_BUILD: usize = 100;

/// Candidates kept while searching, at least.
const WIDTH_OF_SEARCH: usize = 64;

/// Bound on widening a search that met tombstones only.
const MAX_WIDTH: usize = 4096;

/// Levels above the lowest. With 16 neighbours five are enough for a million points.
const MAX_LAYERS: usize = 16;

/// Cosine distance of unit vectors in [0, 2].
struct UnitDistance;

impl Distance<f32> for UnitDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        // Rounding may make it slightly negative, which hnsw_rs asserts against.
        (1.0 - dot(a, b)).max(0.0)
    }
}

/// An index that walks a graph of near neighbours.
pub struct HnswIndex {
    graph: Hnsw<'static, f32, UnitDistance>,
    dimensions: usize,
    points: RwLock<Points>,
    /// Held while a point is added and while all points are listed.
    changing: Mutex<()>,
}

/// A point of the graph is a running number. It is alive if `of_id` leads from its id back to it.
#[derive(Default)]
struct Points {
    ids: Vec<EntryId>,
    of_id: HashMap<EntryId, usize>,
}

impl Points {
    fn alive(&self, point: usize) -> Option<EntryId> {
        let id = *self.ids.get(point)?;
        (self.of_id.get(&id) == Some(&point)).then_some(id)
    }
}

impl HnswIndex {
    /// Makes an empty index for vectors of a given length; `capacity` is a hint.
    pub fn new(dimensions: usize, capacity: usize) -> Self {
        // Links pruned as redundant are not kept: with them the points of a tight cluster use up their links on each
        // other, and clusters come apart (recall@1 0.66 in `near_and_exact_duplicates_do_not_hide_other_vectors`).
        let graph = Hnsw::new(
            NEIGHBOURS,
            capacity,
            MAX_LAYERS,
            WIDTH_OF_BUILD,
            UnitDistance,
        );
        Self {
            graph,
            dimensions,
            points: RwLock::default(),
            changing: Mutex::new(()),
        }
    }
}

impl VectorIndex for HnswIndex {
    fn insert(&self, id: EntryId, vector: &[f32]) -> Result<()> {
        if vector.len() != self.dimensions {
            return Err(Error::Dimensions {
                actual: vector.len(),
                expected: self.dimensions,
            });
        }
        let _changing = self.changing.lock();
        let point = self.points.read().ids.len();
        self.graph.insert((vector, point));
        let mut points = self.points.write();
        points.ids.push(id);
        points.of_id.insert(id, point);
        Ok(())
    }

    fn remove(&self, id: EntryId) -> bool {
        self.points.write().of_id.remove(&id).is_some()
    }

    fn search(&self, vector: &[f32], k: usize) -> Vec<(EntryId, f32)> {
        if k == 0 || vector.len() != self.dimensions {
            return Vec::new();
        }
        let mut width = WIDTH_OF_SEARCH.max(k);
        loop {
            let neighbours = self.graph.search(vector, width, width);
            let points = self.points.read();
            let found: Vec<(EntryId, f32)> = neighbours
                .iter()
                .filter_map(|neighbour| {
                    Some((points.alive(neighbour.d_id)?, 1.0 - neighbour.distance))
                })
                .take(k)
                .collect();
            let wanted = k.min(points.of_id.len());
            if found.len() >= wanted || width >= MAX_WIDTH.min(points.ids.len()) {
                return found;
            }
            width *= 4;
        }
    }

    fn contains(&self, id: EntryId) -> bool {
        self.points.read().of_id.contains_key(&id)
    }

    fn len(&self) -> usize {
        self.points.read().of_id.len()
    }

    fn num_dead(&self) -> usize {
        let points = self.points.read();
        points.ids.len() - points.of_id.len()
    }

    fn ids(&self) -> Vec<EntryId> {
        self.points.read().of_id.keys().copied().collect()
    }

    fn rows(&self) -> Box<dyn Iterator<Item = (EntryId, Vec<f32>)> + '_> {
        let changing = self.changing.lock();
        // hnsw_rs cannot walk an empty graph.
        let all: Vec<Arc<_>> = if self.points.read().ids.is_empty() {
            Vec::new()
        } else {
            self.graph.get_point_indexation().into_iter().collect()
        };
        drop(changing);
        Box::new(all.into_iter().filter_map(|point| {
            let id = self.points.read().alive(point.get_origin_id())?;
            Some((id, point.get_v().to_vec()))
        }))
    }
}

#[cfg(test)]
mod tests;
