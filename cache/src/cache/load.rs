//! Filling a cache from its store.

use std::sync::Arc;

use crate::cache::{Cache, OpenReport};
use crate::entry::{Embedding, Entry, EntryId};
use crate::error::Result;
use crate::resident::Resident;
use crate::store::Store;
use crate::store::pending::embedding_bytes;
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
        let model = self.model();
        report.dropped_corrupt += self.index_stored(store, model.as_deref(), &mut leftovers)?;
        report.entries = self.residents.read().len();
        report.indexed = self.partitions.counts().vectors;
        Ok((report, leftovers))
    }

    /// Indexes the stored vectors of a model and returns how many could not be read.
    pub(super) fn index_stored(
        &self,
        store: &dyn Store,
        model: Option<&str>,
        leftovers: &mut Leftovers,
    ) -> Result<usize> {
        let mut corrupt = 0;
        store.embeddings(&mut |id, embedding| {
            let Some(resident) = self.residents.read().get(id).cloned() else {
                leftovers.removed.push(id);
                return;
            };
            match embedding {
                Ok(embedding) if Some(embedding.vector.model()) == model => {
                    self.index(&resident, &embedding);
                }
                Ok(_) => {}
                Err(error) => {
                    // The entry stays: it is still found by its exact key.
                    tracing::warn!(%id, %error, "stored vector skipped");
                    corrupt += 1;
                    leftovers.without_vector.push(Arc::clone(resident.entry()));
                }
            }
        })?;
        self.partitions.maintain_all();
        Ok(corrupt)
    }

    /// Puts a vector into the index and counts its bytes. One that does not fit is left out: a miss, not an error.
    pub(super) fn index(&self, resident: &Arc<Resident>, embedding: &Embedding) {
        let entry = resident.entry();
        match self
            .partitions
            .insert(entry.compatibility, entry.id, embedding)
        {
            Ok(()) => self
                .residents
                .write()
                .set_vector_bytes(entry.id, embedding_bytes(embedding)),
            Err(error) => tracing::warn!(id = %entry.id, %error, "vector not indexed"),
        }
    }
}
