//! The vectors of one compatibility key.
//!
//! Small ones are scanned; a large one moves into a graph, a very large one into a more compact graph, and back when
//! it has shrunk. The new index is built beside the old one, which goes on answering: changes made meanwhile are kept
//! in a journal and replayed before the two are swapped.

use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::entry::{Embedding, EntryId};
use crate::error::Result;
use crate::semantic::compact::CompactIndex;
use crate::semantic::flat::FlatIndex;
use crate::semantic::hnsw::HnswIndex;
use crate::semantic::index::VectorIndex;
use crate::semantic::partitions::Limits;
use crate::semantic::rows::Precision;

mod saved;

/// So few journal entries are replayed while searches wait; more are replayed beside them first.
const SHORT_JOURNAL: usize = 16;

/// Rounds in which what came in during a build is linked before the swap: each is shorter than the one before unless
/// vectors come in faster than they are linked, and then the rest is found by scanning for a while.
const LINKED_ROUNDS: usize = 8;

/// Vectors that searches of a compact graph may find by scanning before they are linked: a thread for each one would
/// cost more than the scan.
const MAX_UNLINKED: usize = 64;

/// Bytes about that lead to a row, in any index.
const OVERHEAD: usize = 48;

/// The ways to index a partition, from small to large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Flat,
    Hnsw,
    Compact,
}

/// What is to be done for a partition in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Build an index and swap it in.
    Build(Kind),
    /// Link what was inserted.
    Link,
}

/// The vectors, and for a small partition the sketches, of one compatibility key.
pub(crate) struct Partition {
    state: RwLock<State>,
    sketches: RwLock<Sketches>,
}

struct State {
    kind: Kind,
    index: Arc<dyn VectorIndex>,
    dimensions: usize,
    /// There while another index is being built.
    journal: Option<Mutex<Vec<Change>>>,
    /// A thread has taken on the work for this partition, or is about to.
    claimed: bool,
    /// A build that panicked is not tried again.
    settled: bool,
}

enum Change {
    Insert(EntryId, Vec<f32>),
    Remove(EntryId),
}

enum Sketches {
    Kept(FlatIndex),
    /// The partition once was too large for the prefilter to pay.
    GivenUp,
}

impl Partition {
    pub(crate) fn new(dimensions: usize) -> Self {
        Self {
            state: RwLock::new(State {
                kind: Kind::Flat,
                index: Arc::new(FlatIndex::new()),
                dimensions,
                journal: None,
                claimed: false,
                settled: false,
            }),
            // The prefilter rejects what is far from everything: a quarter of the memory is as good.
            sketches: RwLock::new(Sketches::Kept(FlatIndex::with_precision(Precision::Coarse))),
        }
    }

    /// Adds an entry's vector, and its sketch while the partition has at most `max_sketches` entries.
    /// Returns about how many bytes that takes, as [`Partition::sizes`] counts them.
    pub(crate) fn insert(
        &self,
        id: EntryId,
        embedding: &Embedding,
        max_sketches: usize,
    ) -> Result<usize> {
        let values = embedding.vector.values();
        let len = {
            let state = self.state.read();
            state.index.insert(id, values)?;
            if let Some(journal) = &state.journal {
                journal.lock().push(Change::Insert(id, values.to_vec()));
            }
            state.index.len()
        };
        let mut bytes = 2 * values.len() + OVERHEAD;
        if len > max_sketches {
            self.give_up_sketches();
        } else if let (Sketches::Kept(sketches), Some(sketch)) =
            (&*self.sketches.read(), &embedding.sketch)
        {
            // A sketch of other dimensions counts as none: the prefilter then stays silent.
            if sketches.insert(id, sketch).is_ok() {
                bytes += sketch.len();
            }
        }
        Ok(bytes)
    }

    fn give_up_sketches(&self) {
        let kept = matches!(&*self.sketches.read(), Sketches::Kept(_));
        if kept {
            *self.sketches.write() = Sketches::GivenUp;
        }
    }

    pub(crate) fn remove(&self, id: EntryId) {
        let state = self.state.read();
        state.index.remove(id);
        if let Some(journal) = &state.journal {
            journal.lock().push(Change::Remove(id));
        }
        drop(state);
        if let Sketches::Kept(sketches) = &*self.sketches.read() {
            sketches.remove(id);
        }
    }

    pub(crate) fn search(&self, vector: &[f32], k: usize) -> Vec<(EntryId, f32)> {
        let index = Arc::clone(&self.state.read().index);
        index.search(vector, k)
    }

    pub(crate) fn contains(&self, id: EntryId) -> bool {
        self.state.read().index.contains(id)
    }

    /// Returns the similarity of the nearest sketch, or `None` when it would not speak for every entry: the
    /// partition is or was too large, or some entries have no sketch.
    pub(crate) fn best_sketch_similarity(&self, sketch: &[f32]) -> Option<f32> {
        let sketches = self.sketches.read();
        let Sketches::Kept(sketches) = &*sketches else {
            return None;
        };
        if sketches.len() != self.len() {
            return None;
        }
        sketches
            .search(sketch, 1)
            .first()
            .map(|(_, similarity)| *similarity)
    }

    /// Returns about how many bytes the rows of each entry take: two for each value of the vector, one for each of the
    /// sketch, and what leads to them.
    pub(crate) fn sizes(&self) -> Vec<(EntryId, usize)> {
        let state = self.state.read();
        let sketch = match &*self.sketches.read() {
            Sketches::Kept(sketches) => sketches.dimensions(),
            Sketches::GivenUp => 0,
        };
        let bytes = 2 * state.dimensions + sketch + OVERHEAD;
        state
            .index
            .ids()
            .into_iter()
            .map(|id| (id, bytes))
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.state.read().index.len()
    }

    /// Returns the number of removed vectors that still take up space.
    #[cfg(test)]
    pub(crate) fn num_dead(&self) -> usize {
        self.state.read().index.num_dead()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.state.read().kind
    }

    /// Says what should be done now, if anything: another index above or well below the size for the present one, a
    /// fresh one when more than a quarter of the points are dead, links for what was inserted. A partition shrinks to
    /// half of a limit before it moves back, so that one at the boundary does not go back and forth.
    pub(crate) fn wanted(&self, limits: Limits) -> Option<Work> {
        let state = self.state.read();
        state.wanted(limits)
    }

    /// Claims the work that is wanted; whoever does so does it and claims again, until nothing is wanted.
    pub(crate) fn claim(&self, limits: Limits) -> Option<Work> {
        let mut state = self.state.write();
        let work = if state.claimed {
            None
        } else {
            state.wanted(limits)
        };
        state.claimed |= work.is_some();
        work
    }

    /// Ends a claim.
    pub(crate) fn release(&self) {
        self.state.write().claimed = false;
    }

    /// Does what was claimed. A graph takes about half a millisecond of work for each vector.
    pub(crate) fn perform(&self, work: Work, threads: usize) -> Result<()> {
        match work {
            Work::Link => {
                let index = Arc::clone(&self.state.read().index);
                index.link(threads);
                Ok(())
            }
            Work::Build(kind) => {
                self.state.write().journal = Some(Mutex::default());
                let target = self.fill(kind, threads)?;
                self.swap_in(kind, target, threads)
            }
        }
    }

    /// Makes an index of the vectors there are.
    fn fill(&self, kind: Kind, threads: usize) -> Result<Arc<dyn VectorIndex>> {
        let (source, dimensions) = {
            let state = self.state.read();
            (Arc::clone(&state.index), state.dimensions)
        };
        let target: Arc<dyn VectorIndex> = match kind {
            Kind::Flat => Arc::new(FlatIndex::new()),
            Kind::Hnsw => Arc::new(HnswIndex::new(dimensions, source.len())),
            Kind::Compact => Arc::new(CompactIndex::new(dimensions)),
        };
        for (id, vector) in source.rows() {
            target.insert(id, &vector)?;
        }
        target.link(threads);
        Ok(target)
    }

    /// Replays what changed since the build was claimed and puts the new index in the place of the old one.
    fn swap_in(&self, kind: Kind, target: Arc<dyn VectorIndex>, threads: usize) -> Result<()> {
        let mut changes = self.take_changes();
        let mut rounds = 0;
        while changes.len() > SHORT_JOURNAL {
            replay(&*target, changes)?;
            if rounds < LINKED_ROUNDS {
                target.link(threads);
            }
            rounds += 1;
            changes = self.take_changes();
        }
        let mut state = self.state.write();
        replay(&*target, changes)?;
        let rest = state
            .journal
            .as_ref()
            .map(|journal| mem::take(&mut *journal.lock()))
            .unwrap_or_default();
        replay(&*target, rest)?;
        let old = mem::replace(&mut state.index, target);
        state.kind = kind;
        state.journal = None;
        // Freeing a large graph takes a while that no search should wait for.
        drop(state);
        drop(old);
        Ok(())
    }

    /// Gives up work that failed: the present index stays, for good.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.write();
        state.journal = None;
        state.settled = true;
    }

    fn take_changes(&self) -> Vec<Change> {
        self.state
            .read()
            .journal
            .as_ref()
            .map(|journal| mem::take(&mut *journal.lock()))
            .unwrap_or_default()
    }
}

impl State {
    fn wanted(&self, limits: Limits) -> Option<Work> {
        if self.journal.is_some() || self.settled {
            return None;
        }
        let (len, dead) = (self.index.len(), self.index.num_dead());
        let fitting = limits.kind(len);
        if fitting > self.kind
            || fitting < self.kind && limits.kind(len.saturating_mul(2)) < self.kind
        {
            return Some(Work::Build(fitting));
        }
        if dead * 4 > len + dead {
            return Some(Work::Build(self.kind));
        }
        (self.index.num_unlinked() > MAX_UNLINKED).then_some(Work::Link)
    }
}

fn replay(target: &dyn VectorIndex, changes: Vec<Change>) -> Result<()> {
    for change in changes {
        match change {
            // The walk over the source may have seen it already.
            Change::Insert(id, _) if target.contains(id) => {}
            Change::Insert(id, vector) => target.insert(id, &vector)?,
            Change::Remove(id) => {
                target.remove(id);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
