//! Durable storage of entries, their vectors, counters and embedded template phrasings.
//!
//! The cache lives in memory; a store is read when it is opened and written behind. [`Store`] is what an engine
//! must offer, [`redb`] the embedded one, [`writer`] the thread that groups the writes.

pub(crate) mod pending;
pub(crate) mod redb;
pub(crate) mod writer;

use std::collections::BTreeMap;

use crate::entry::{Embedding, Entry, EntryId};
use crate::error::Result;
use crate::store::pending::Batch;

/// A durable map of entries. Calls block; none is made on the way of a request.
pub(crate) trait Store: Send + Sync + 'static {
    /// Visits every stored entry, or the error that keeps it from being read.
    ///
    /// # Errors
    /// [`crate::error::Error::Damaged`] when reading cannot go on.
    fn entries(&self, visit: &mut dyn FnMut(EntryId, Result<Entry>)) -> Result<()>;

    /// Visits every stored vector, or the error that keeps it from being read.
    ///
    /// # Errors
    /// [`crate::error::Error::Damaged`] when reading cannot go on.
    fn embeddings(&self, visit: &mut dyn FnMut(EntryId, Result<Embedding>)) -> Result<()>;

    /// Reads the vector of one entry.
    ///
    /// # Errors
    /// When the store cannot be read or the value is corrupt.
    fn embedding(&self, id: EntryId) -> Result<Option<Embedding>>;

    /// Reads the counters by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn counters(&self) -> Result<BTreeMap<String, u64>>;

    /// Reads the vector of a template phrasing.
    ///
    /// # Errors
    /// When the store cannot be read or the value is corrupt.
    fn phrasing(&self, key: &PhrasingKey) -> Result<Option<Vec<f32>>>;

    /// Writes a group durably, all or nothing.
    ///
    /// # Errors
    /// When nothing of it was written. The same group may be tried again.
    fn commit(&self, batch: &Batch) -> Result<()>;

    /// Returns the bytes it takes on disk.
    fn file_bytes(&self) -> u64;
}

/// The digest of a model id and the text it embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PhrasingKey([u8; 32]);

impl PhrasingKey {
    pub(crate) fn new(model: &str, text: &str) -> Self {
        let digest = blake3::Hasher::new_derive_key("tollfree 2025 phrasing key v1")
            .update(&(model.len() as u64).to_le_bytes())
            .update(model.as_bytes())
            .update(text.as_bytes())
            .finalize();
        Self(digest.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
pub(crate) mod faulty;
