//! The vectors of one compatibility key.
//!
//! Small ones are scanned; a large one moves into a graph, and back when it has shrunk. The new index is built
//! beside the old one, which goes on answering: changes made meanwhile are kept in a journal and replayed before
//! the two are swapped.

use std::mem;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::entry::{Embedding, EntryId};
use crate::error::Result;
use crate::semantic::flat::FlatIndex;
use crate::semantic::hnsw::HnswIndex;
use crate::semantic::index::VectorIndex;

/// So few journal entries are replayed while searches wait; more are replayed beside them first.
const SHORT_JOURNAL: usize = 16;

/// The two ways to index a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flat,
    Hnsw,
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
                settled: false,
            }),
            sketches: RwLock::new(Sketches::Kept(FlatIndex::new())),
        }
    }

    /// Adds an entry's vector, and its sketch while the partition has at most `max_sketches` entries.
    pub(crate) fn insert(
        &self,
        id: EntryId,
        embedding: &Embedding,
        max_sketches: usize,
    ) -> Result<()> {
        let values = embedding.vector.values();
        let len = {
            let state = self.state.read();
            state.index.insert(id, values)?;
            if let Some(journal) = &state.journal {
                journal.lock().push(Change::Insert(id, values.to_vec()));
            }
            state.index.len()
        };
        if len > max_sketches {
            self.give_up_sketches();
        } else if let (Sketches::Kept(sketches), Some(sketch)) =
            (&*self.sketches.read(), &embedding.sketch)
        {
            // A sketch of other dimensions counts as none: the prefilter then stays silent.
            let _ = sketches.insert(id, sketch);
        }
        Ok(())
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

    pub(crate) fn len(&self) -> usize {
        self.state.read().index.len()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.state.read().kind
    }

    /// Says which index should be built now, if any: a graph above `flat_max` vectors, a fresh one when more than
    /// a quarter of the points are dead, a flat one at half of `flat_max`, so that a partition at the boundary
    /// does not go back and forth.
    pub(crate) fn wanted(&self, flat_max: usize) -> Option<Kind> {
        let state = self.state.read();
        if state.journal.is_some() || state.settled {
            return None;
        }
        let (len, dead) = (state.index.len(), state.index.num_dead());
        match state.kind {
            Kind::Flat => (len > flat_max).then_some(Kind::Hnsw),
            Kind::Hnsw if len <= flat_max / 2 => Some(Kind::Flat),
            Kind::Hnsw => (dead * 4 > len + dead).then_some(Kind::Hnsw),
        }
    }

    /// Claims the right to build an index; `false` if a build is under way.
    pub(crate) fn begin_build(&self) -> bool {
        let mut state = self.state.write();
        let free = state.journal.is_none() && !state.settled;
        if free {
            state.journal = Some(Mutex::default());
        }
        free
    }

    /// Builds the index claimed by [`Partition::begin_build`] and swaps it in. Takes about half a millisecond for
    /// each vector of a graph.
    pub(crate) fn build(&self, kind: Kind) -> Result<()> {
        let target = self.fill(kind)?;
        self.swap_in(kind, target)
    }

    /// Makes an index of the vectors there are.
    fn fill(&self, kind: Kind) -> Result<Arc<dyn VectorIndex>> {
        let (source, dimensions) = {
            let state = self.state.read();
            (Arc::clone(&state.index), state.dimensions)
        };
        let target: Arc<dyn VectorIndex> = match kind {
            Kind::Flat => Arc::new(FlatIndex::new()),
            Kind::Hnsw => Arc::new(HnswIndex::new(dimensions, source.len())),
        };
        for (id, vector) in source.rows() {
            target.insert(id, &vector)?;
        }
        Ok(target)
    }

    /// Replays what changed since the build was claimed and puts the new index in the place of the old one.
    fn swap_in(&self, kind: Kind, target: Arc<dyn VectorIndex>) -> Result<()> {
        let mut changes = self.take_changes();
        while changes.len() > SHORT_JOURNAL {
            replay(&*target, changes)?;
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
        state.index = target;
        state.kind = kind;
        state.journal = None;
        Ok(())
    }

    /// Gives up a build that failed: the present index stays, for good.
    pub(crate) fn abandon_build(&self) {
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
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;
    use crate::entry::Vector;
    use crate::testing::id;

    #[test]
    fn changes_made_while_an_index_is_built_are_in_it() {
        let partition = Partition::new(2);
        let at = |n: u16| {
            let angle = f32::from(n) / 100.0;
            Embedding::new(
                Vector::new("m", vec![angle.cos(), angle.sin()]).unwrap(),
                None,
            )
        };
        for n in 0..60 {
            partition.insert(id(n.into()), &at(n), 0).unwrap();
        }
        assert!(partition.begin_build());
        assert!(!partition.begin_build());
        // One change before the walk over the vectors, which sees it too, and the others after.
        partition.insert(id(60), &at(60), 0).unwrap();
        let target = partition.fill(Kind::Hnsw).unwrap();
        for n in 61..120 {
            partition.insert(id(n.into()), &at(n), 0).unwrap();
        }
        for n in (0..30).chain(90..100) {
            partition.remove(id(n));
        }
        partition.swap_in(Kind::Hnsw, target).unwrap();
        assert_eq!((partition.kind(), partition.len()), (Kind::Hnsw, 80));
        for n in (30..90).chain(100..120) {
            let found = partition.search(at(n).vector.values(), 1);
            assert_eq!(found.first().map(|found| found.0), Some(id(n.into())));
        }
        assert!(partition.begin_build(), "the build is over");
    }

    #[test]
    fn after_a_failed_build_the_present_index_goes_on() {
        let partition = Partition::new(2);
        let vector = Vector::new("m", vec![1.0, 0.0]).unwrap();
        partition
            .insert(id(1), &Embedding::new(vector, None), 0)
            .unwrap();
        assert_eq!(partition.wanted(0), Some(Kind::Hnsw));
        assert!(partition.begin_build());
        partition.abandon_build();
        assert_eq!(partition.wanted(0), None);
        assert_eq!(partition.search(&[1.0, 0.0], 1).len(), 1);
    }
}
