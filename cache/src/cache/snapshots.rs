//! When the index is written to disk, and how a start uses what was written.
//!
//! A snapshot is written when the cache closes, and in between whenever an eighth of the index has changed, a compact
//! graph was built, or a start found none that it could use: after a crash, what changed since is read from the store.
//! A snapshot that cannot be written or used costs time at the next start and nothing else; one that cannot be used is
//! removed, and another takes its place whether or not an entry changes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::cache::Cache;
use crate::cache::snapshots::keeper::{Index, Keeper};
use crate::error::Error;
use crate::semantic::snapshot::{self, Stamp};
use crate::store::Store;
use crate::store::writer::Writer;

mod keeper;

/// The snapshots of one data directory.
pub(super) struct Snapshots {
    keeper: Arc<Keeper>,
    /// There once the index is filled.
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    /// Keeps the index of a cache that is still to be filled.
    pub(super) fn new(directory: &Path, cache: &Cache) -> Self {
        let index = Index {
            partitions: Arc::clone(&cache.partitions),
            model: Arc::clone(&cache.model),
            changing: Arc::clone(&cache.changing),
        };
        Self {
            keeper: Keeper::new(directory.join(snapshot::FILE_NAME), index),
            thread: None,
        }
    }

    /// Writes snapshots from now on, in the background, when they are due.
    pub(super) fn start(&mut self, store: Arc<dyn Store>) {
        self.thread = self.keeper.start(store);
    }

    fn stop(&mut self) {
        self.keeper.close();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Cache {
    /// Fills the index from the snapshot. `None` when there is none that fits; else whether it holds all that the store
    /// does, so that nothing is left to look for.
    pub(super) fn restore_snapshot(&self, store: &dyn Store, model: &str) -> Option<bool> {
        let keeper = &self.snapshots.as_ref()?.keeper;
        let restored = store.stamp().and_then(|stamp| {
            let residents = self.residents.read();
            let restored = snapshot::read(&keeper.path, stamp, model, &|key, id| {
                residents
                    .get(id)
                    .is_some_and(|resident| resident.entry().compatibility == *key)
            })?;
            Ok(restored.map(|it| (stamp, it)))
        });
        match restored {
            Ok(None) => {
                keeper.note_useless();
                None
            }
            Ok(Some((stamp, restored))) => {
                let taken_at = Stamp {
                    generation: restored.generation,
                    ..stamp
                };
                keeper.note_used(taken_at);
                self.partitions.adopt(restored.partitions);
                let sizes = self.partitions.sizes();
                let mut residents = self.residents.write();
                for (id, bytes) in sizes {
                    residents.set_vector_bytes(id, bytes);
                }
                // What is made up for now is in no snapshot: closing sees that it is of an earlier state.
                Some(taken_at == stamp)
            }
            Err(error) => {
                tracing::warn!(error = %error.chain(), "index snapshot not used, building the index from the store");
                if matches!(error, Error::Corrupt { .. }) {
                    // What cannot be removed is replaced by the next one all the same.
                    let _ = fs::remove_file(&keeper.path);
                }
                keeper.note_useless();
                None
            }
        }
    }

    /// Counts a change of the index, which is due for a snapshot after many.
    pub(super) fn note_index_change(&self) {
        // Until there is a writer the cache is being filled.
        if let (Some(snapshots), Some(_)) = (&self.snapshots, &self.writer) {
            snapshots.keeper.note_change();
        }
    }

    /// Writes what is pending to the store, and the index beside it, so that the next start need not build it again.
    ///
    /// Dropping the cache does the same; this is for a process that ends with the cache still shared. Takes about two
    /// seconds for a million vectors. A failure is logged: the index is then built again.
    pub fn save_index_blocking(&self) {
        let Some(writer) = &self.writer else { return };
        if let Err(error) = writer.flush() {
            tracing::warn!(error = %error.chain(), "index snapshot not written");
            return;
        }
        if let Some(snapshots) = &self.snapshots {
            snapshots.keeper.write_if_outdated(writer.store());
        }
    }

    #[cfg(test)]
    fn wait_for_snapshot(&self) {
        if let Some(snapshots) = &self.snapshots {
            snapshots.keeper.wait();
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.stop();
        }
        let store = self.writer.as_ref().map(Writer::share_store);
        // Ends with a last commit, after which the store and the index agree.
        self.writer = None;
        if let (Some(store), Some(snapshots)) = (store, &self.snapshots) {
            snapshots.keeper.write_if_outdated(&*store);
        }
    }
}

#[cfg(test)]
mod tests;
