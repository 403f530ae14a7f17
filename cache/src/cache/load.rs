//! Filling a cache from its store.

use std::sync::Arc;

use crate::cache::{Cache, OpenReport};
use crate::entry::{Embedding, Entry, EntryId};
use crate::error::{Error, Result};
use crate::resident::Resident;
use crate::store::Store;
use crate::store::writer::Writer;

/// What to clean up in the store because it was not taken in.
#[derive(Default)]
pub(super) struct Leftovers {
    removed: Vec<EntryId>,
    without_vector: Vec<Arc<Entry>>,
}

impl Leftovers {
    pub(super) fn clean_up(self, writer: &Writer) {
        for id in self.removed {
            writer.remove(id);
        }
        for entry in self.without_vector {
            writer.put(entry, None);
        }
    }
}

impl Cache {
    /// Takes in what a store holds: first the entries, then the vectors of those that stayed.
    pub(super) fn load(&self, store: &dyn Store, now_ms: u64) -> Result<(OpenReport, Leftovers)> {
        let mut report = OpenReport::default();
        let mut leftovers = Leftovers::default();
        self.counters.restore(&store.counters()?);
        store.entries(&mut |id, entry| match entry {
            Ok(entry) if entry.is_expired(self.kept_since(now_ms)) => {
                report.dropped_expired += 1;
                leftovers.removed.push(id);
            }
            Ok(entry) => {
                // A dropped write can leave an entry beside its successor: the newer one stays.
                let twin = self.exact.get(&entry.exact);
                if twin
                    .as_ref()
                    .is_some_and(|twin| twin.entry().created_at_ms > entry.created_at_ms)
                {
                    leftovers.removed.push(id);
                    return;
                }
                if let Some(twin) = twin {
                    self.forget(twin.entry().id);
                    leftovers.removed.push(twin.entry().id);
                }
                self.take_in(&Arc::new(Resident::new(Arc::new(entry))));
            }
            Err(error) => {
                tracing::warn!(%id, %error, "stored entry skipped");
                report.dropped_corrupt += 1;
                leftovers.removed.push(id);
            }
        })?;
        while let Some(id) = self.surplus() {
            self.forget(id);
            report.dropped_over_limit += 1;
            leftovers.removed.push(id);
        }
        let (gone, corrupt) = self.load_labels(store)?;
        leftovers.removed.extend(gone);
        report.dropped_corrupt += corrupt;
        if let Some(model) = self.model() {
            report.dropped_corrupt += self.fill_index(store, &model, &mut leftovers)?;
        }
        report.entries = self.residents.read().len();
        report.indexed = self.partitions.counts().vectors;
        Ok((report, leftovers))
    }

    /// Fills the empty index with the vectors of a model, from the snapshot if it fits, else from the store, and returns
    /// how many could not be read.
    pub(super) fn fill_index(
        &self,
        store: &dyn Store,
        model: &str,
        leftovers: &mut Leftovers,
    ) -> Result<usize> {
        let corrupt = match self.restore_snapshot(store, model) {
            Some(true) => 0,
            Some(false) => self.index_missing(store, model, leftovers)?,
            None => self.index_stored(store, model, leftovers)?,
        };
        self.partitions.maintain_all();
        Ok(corrupt)
    }

    /// Indexes the stored vectors of a model and returns how many could not be read.
    fn index_stored(
        &self,
        store: &dyn Store,
        model: &str,
        leftovers: &mut Leftovers,
    ) -> Result<usize> {
        let mut corrupt = 0;
        store.embeddings(&mut |id, embedding| {
            let Some(resident) = self.residents.read().get(id).cloned() else {
                leftovers.removed.push(id);
                return;
            };
            corrupt += self.index_read(&resident, embedding, model, leftovers);
        })?;
        Ok(corrupt)
    }

    /// As [`Cache::index_stored`], for the entries that a snapshot did not have.
    fn index_missing(
        &self,
        store: &dyn Store,
        model: &str,
        leftovers: &mut Leftovers,
    ) -> Result<usize> {
        let mut corrupt = 0;
        let missing = self.residents.read().without_vector();
        for resident in missing {
            match store.embedding(resident.entry().id) {
                Ok(None) => {}
                Ok(Some(embedding)) => {
                    corrupt += self.index_read(&resident, Ok(embedding), model, leftovers);
                }
                Err(error @ Error::Corrupt { .. }) => {
                    corrupt += self.index_read(&resident, Err(error), model, leftovers);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(corrupt)
    }

    /// Indexes what was read for an entry and returns the number of vectors that could not be.
    fn index_read(
        &self,
        resident: &Arc<Resident>,
        embedding: Result<Embedding>,
        model: &str,
        leftovers: &mut Leftovers,
    ) -> usize {
        match embedding {
            Ok(embedding) if embedding.vector.model() == model => {
                self.index(resident, &embedding);
                0
            }
            Ok(_) => 0,
            Err(error) => {
                // The entry stays: it is still found by its exact key.
                let entry = resident.entry();
                tracing::warn!(id = %entry.id, %error, "stored vector skipped");
                leftovers.without_vector.push(Arc::clone(entry));
                1
            }
        }
    }

    /// Puts a vector into the index and counts its bytes. One that does not fit is left out: a miss, not an error.
    pub(super) fn index(&self, resident: &Arc<Resident>, embedding: &Embedding) {
        let entry = resident.entry();
        match self
            .partitions
            .insert(entry.compatibility, entry.id, embedding)
        {
            Ok(bytes) => self.residents.write().set_vector_bytes(entry.id, bytes),
            Err(error) => tracing::warn!(id = %entry.id, %error, "vector not indexed"),
        }
    }
}
