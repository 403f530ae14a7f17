//! The index for large partitions: a small-world graph over fixed-point rows, in flat tables.
//!
//! `hnsw_rs` keeps some 2 KB per point beside an f32 vector; here a point takes 2 bytes per dimension and about 330
//! bytes for links, ids and the map of ids (see `benches/results/scale.md`). Three things make that
//! safe to change while it is searched: rows never move, lists of neighbours are atomics, and a new row is found at
//! once by scanning, until [`VectorIndex::link`] has given it neighbours. Removed points stay as tombstones that
//! walks pass through and results leave out; the partition builds a fresh index when there are too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::entry::EntryId;
use crate::error::{Error, Result};
use crate::semantic::compact::graph::{Graph, Scratch};
use crate::semantic::compact::points::Points;
use crate::semantic::index::VectorIndex;
use crate::semantic::rows::{Precision, Probe, Row, Rows};

mod beam;
mod graph;
mod link;
mod links;
mod points;
mod saved;

/// Candidates kept while searching, at least.
const WIDTH_OF_SEARCH: usize = 96;

/// Bound on widening a search that met tombstones only.
const MAX_WIDTH: usize = 4_096;

/// Points compared again by both bytes, at least.
const COMPARED_AGAIN: usize = 64;

/// Points placed in the layers at a time: so many are scanned by searches meanwhile.
const BATCH: usize = 2_048;

/// An index that walks a graph of near neighbours, for hundreds of thousands of vectors.
pub struct CompactIndex {
    dimensions: usize,
    /// Written only to append; locked before `points` where both are.
    graph: RwLock<Graph>,
    points: RwLock<Points>,
    /// The point of a row by its digest, so that equal vectors share one. Locked first by whoever inserts.
    by_digest: Mutex<HashMap<u32, u32>>,
    /// Rows before this one are linked or being linked; the others are scanned.
    num_linked: AtomicUsize,
    /// Held by whoever links.
    linking: Mutex<()>,
    scratches: Mutex<Vec<Scratch>>,
}

impl CompactIndex {
    /// Makes an empty index for vectors of a given length.
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            graph: RwLock::new(Graph::new(Rows::new(dimensions, Precision::Fine))),
            points: RwLock::default(),
            by_digest: Mutex::default(),
            num_linked: AtomicUsize::new(0),
            linking: Mutex::new(()),
            scratches: Mutex::default(),
        }
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let spare = self.scratches.lock().pop();
        let mut scratch = spare.unwrap_or_default();
        let outcome = work(&mut scratch);
        self.scratches.lock().push(scratch);
        outcome
    }

    /// Returns the points most similar to a goal that are alive, by the high bytes, from one walk of a given width
    /// and the rows that are not linked.
    fn nearest(&self, graph: &Graph, probe: &Probe, width: usize) -> Vec<(u32, f32)> {
        let mut nearest: Vec<(u32, f32)> = self.with_scratch(|scratch| {
            let starts = graph.descend(probe, 0, scratch);
            graph.walk(probe, 0, &starts, width, scratch);
            let met = scratch.beam.met().iter();
            met.map(|met| (met.node, met.similarity)).collect()
        });
        let unlinked = self.num_linked.load(Ordering::Acquire)..graph.rows.len();
        nearest.extend(unlinked.map(|point| (point as u32, graph.rows.roughly(probe, point))));
        let points = self.points.read();
        nearest.retain(|(point, _)| points.is_alive(*point));
        drop(points);
        nearest.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        // A point that is being linked may be met and scanned.
        nearest.dedup_by_key(|(point, _)| *point);
        nearest
    }

    fn insert_row(&self, id: EntryId, row: &Row) {
        let mut by_digest = self.by_digest.lock();
        self.points.write().remove(id);
        let digest = row.digest();
        let twin = by_digest.get(&digest).copied();
        if let Some(point) = twin
            && self.graph.read().rows.is(point as usize, row)
        {
            self.points.write().join(point, id);
            return;
        }
        let mut graph = self.graph.write();
        let mut points = self.points.write();
        by_digest.insert(digest, points.len() as u32);
        graph.rows.push(row);
        points.push(id);
    }
}

impl VectorIndex for CompactIndex {
    fn insert(&self, id: EntryId, vector: &[f32]) -> Result<()> {
        if vector.len() != self.dimensions {
            return Err(Error::Dimensions {
                actual: vector.len(),
                expected: self.dimensions,
            });
        }
        self.insert_row(id, &Row::new(vector));
        Ok(())
    }

    fn remove(&self, id: EntryId) -> bool {
        let _inserting = self.by_digest.lock();
        self.points.write().remove(id)
    }

    fn search(&self, vector: &[f32], k: usize) -> Vec<(EntryId, f32)> {
        if k == 0 || vector.len() != self.dimensions {
            return Vec::new();
        }
        let probe = Probe::new(vector);
        let graph = self.graph.read();
        let mut width = WIDTH_OF_SEARCH.max(k.saturating_mul(2));
        let mut nearest = loop {
            let nearest = self.nearest(&graph, &probe, width);
            let wanted = {
                let points = self.points.read();
                k.min(points.len() - points.num_dead())
            };
            if nearest.len() >= wanted || width >= MAX_WIDTH.min(graph.rows.len()) {
                break nearest;
            }
            width *= 4;
        };
        nearest.truncate(COMPARED_AGAIN.max(k.saturating_mul(2)));
        for (point, similarity) in &mut nearest {
            *similarity = graph.rows.similarity(vector, *point as usize);
        }
        nearest.sort_by(|a, b| b.1.total_cmp(&a.1));
        let points = self.points.read();
        let entries = |(point, similarity)| points.entries(point).map(move |id| (id, similarity));
        nearest.into_iter().flat_map(entries).take(k).collect()
    }

    fn contains(&self, id: EntryId) -> bool {
        self.points.read().of(id).is_some()
    }

    fn len(&self) -> usize {
        self.points.read().num_entries()
    }

    fn num_dead(&self) -> usize {
        self.points.read().num_dead()
    }

    fn ids(&self) -> Vec<EntryId> {
        let all = self.points.read().all();
        all.into_iter().map(|(id, _)| id).collect()
    }

    fn rows(&self) -> Box<dyn Iterator<Item = (EntryId, Vec<f32>)> + '_> {
        let all = self.points.read().all();
        let vector = |point: u32| self.graph.read().rows.vector(point as usize);
        Box::new(
            all.into_iter()
                .filter_map(move |(id, point)| Some((id, vector(point)?))),
        )
    }

    fn as_compact(&self) -> Option<&CompactIndex> {
        Some(self)
    }

    fn num_unlinked(&self) -> usize {
        let rows = self.graph.read().rows.len();
        rows.saturating_sub(self.num_linked.load(Ordering::Acquire))
    }

    fn link(&self, threads: usize) {
        let _linking = self.linking.lock();
        loop {
            let places = {
                let mut graph = self.graph.write();
                // The first point is where all others begin: it must be there before two threads link side by side.
                let first = graph.entry().is_none();
                graph.place(if first { 1 } else { BATCH })
            };
            if places.is_empty() {
                return;
            }
            let next = AtomicUsize::new(0);
            let work = || {
                self.with_scratch(|scratch| {
                    while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Locked anew for each point: a row that waits to be appended holds up searches behind it.
                        self.graph.read().link(*place, scratch);
                    }
                });
            };
            std::thread::scope(|scope| {
                // A thread that cannot be had leaves its work to the others.
                for _ in 1..threads.min(places.len()) {
                    let helper = std::thread::Builder::new().name("tollfree-index".into());
                    let _ = helper.spawn_scoped(scope, work);
                }
                work();
            });
            self.num_linked
                .store(self.graph.read().placed, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
