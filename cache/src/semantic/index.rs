//! What every vector index can do.

use crate::entry::EntryId;
use crate::error::Result;
use crate::semantic::compact::CompactIndex;

/// A set of unit vectors of one model, searched by similarity.
///
/// All methods take `&self`: an index guards itself, so that a search goes on while a vector is inserted.
pub trait VectorIndex: Send + Sync {
    /// Adds a unit vector, in place of one with the same id.
    ///
    /// # Errors
    /// [`crate::error::Error::Dimensions`] for a length other than that of the vectors already there.
    fn insert(&self, id: EntryId, vector: &[f32]) -> Result<()>;

    /// Takes a vector out of every later search; says whether it was there.
    fn remove(&self, id: EntryId) -> bool;

    /// Returns the `k` most similar vectors, the most similar first.
    ///
    /// Approximate indexes may miss some. A goal vector of another length finds nothing.
    fn search(&self, vector: &[f32], k: usize) -> Vec<(EntryId, f32)>;

    /// Says whether a vector with this id is there.
    fn contains(&self, id: EntryId) -> bool;

    /// Returns the number of vectors that a search may find.
    fn len(&self) -> usize;

    /// Says whether a search can find nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of removed vectors that still take up space and time.
    fn num_dead(&self) -> usize;

    /// Walks over the vectors to build another index from them, without holding up searches or changes for long.
    ///
    /// A vector that is inserted or removed meanwhile may or may not appear.
    fn rows(&self) -> Box<dyn Iterator<Item = (EntryId, Vec<f32>)> + '_>;

    /// Returns the ids of all vectors that a search may find.
    fn ids(&self) -> Vec<EntryId>;

    /// Returns the number of vectors that searches find by scanning, because nothing leads to them yet.
    fn num_unlinked(&self) -> usize {
        0
    }

    /// Makes vectors found without scanning, on so many threads. Searches and changes go on meanwhile.
    fn link(&self, _threads: usize) {}

    /// Returns the index itself if it is the one that a snapshot keeps as it is.
    fn as_compact(&self) -> Option<&CompactIndex> {
        None
    }
}
