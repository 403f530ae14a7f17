//! When the index is written to disk, and how a start uses what was written.
//!
//! A snapshot is written when the cache closes, and in between whenever an eighth of the index has changed or an index
//! was built: after a crash, what changed since is read from the store. A snapshot that cannot be written or used costs
//! time at the next start and nothing else; one that cannot be used is removed, and the next one takes its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::cache::Cache;
use crate::error::Error;
use crate::key::CompatibilityKey;
use crate::semantic::partition::Partition;
use crate::semantic::partitions::Partitions;
use crate::semantic::snapshot::{self, Restored, Stamp};
use crate::store::Store;
use crate::store::writer::Writer;

/// Changes below which no snapshot is written in between.
const MIN_CHANGES: usize = 4_096;

/// The share of the index that may change without a new snapshot, as a divisor.
const CHANGED_SHARE: usize = 8;

/// The snapshots of one data directory.
pub(super) struct Snapshots {
    path: PathBuf,
    /// Vectors put in or taken out since the last one.
    changes: AtomicUsize,
    /// Indexes that had been built by then. A build is work of minutes, so it is kept soon.
    builds: AtomicUsize,
    writing: Mutex<Option<JoinHandle<()>>>,
}

impl Snapshots {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            path: directory.join(snapshot::FILE_NAME),
            changes: AtomicUsize::new(0),
            builds: AtomicUsize::new(0),
            writing: Mutex::new(None),
        }
    }
}

impl Cache {
    /// Fills the index from the snapshot. `None` when there is none that fits; else whether it holds all that the store
    /// does, so that nothing is left to look for.
    pub(super) fn restore_snapshot(&self, store: &dyn Store, model: &str) -> Option<bool> {
        let snapshots = self.snapshots.as_ref()?;
        let restored = store.stamp().and_then(|stamp| {
            let residents = self.residents.read();
            let restored = snapshot::read(&snapshots.path, stamp, model, &|key, id| {
                residents
                    .get(id)
                    .is_some_and(|resident| resident.entry().compatibility == *key)
            })?;
            Ok(restored.map(|it| (stamp.generation, it)))
        });
        if !matches!(&restored, Ok(Some((generation, it))) if it.generation == *generation) {
            // What is made up for now is in no snapshot: the next one is due even if nothing else changes.
            snapshots.changes.fetch_add(1, Ordering::Relaxed);
        }
        match restored {
            Ok(None) => None,
            Ok(Some((
                generation,
                Restored {
                    partitions,
                    generation: taken_at,
                },
            ))) => {
                self.partitions.adopt(partitions);
                let sizes = self.partitions.sizes();
                let mut residents = self.residents.write();
                for (id, bytes) in sizes {
                    residents.set_vector_bytes(id, bytes);
                }
                Some(taken_at == generation)
            }
            Err(error) => {
                tracing::warn!(error = %error.chain(), "index snapshot not used, building the index from the store");
                if matches!(error, Error::Corrupt { .. }) {
                    // What cannot be removed is replaced by the next one all the same.
                    let _ = fs::remove_file(&snapshots.path);
                }
                None
            }
        }
    }

    /// Counts a change of the index, and begins a snapshot when there were many.
    pub(super) fn note_index_change(&self) {
        let (Some(snapshots), Some(writer)) = (&self.snapshots, &self.writer) else {
            return;
        };
        let changes = snapshots.changes.fetch_add(1, Ordering::Relaxed) + 1;
        let builds = self.partitions.num_swaps();
        // Counting vectors walks over all partitions, so it is done now and then.
        let many = || {
            changes.is_multiple_of(MIN_CHANGES)
                && changes >= self.partitions.counts().vectors / CHANGED_SHARE
        };
        if builds == snapshots.builds.load(Ordering::Relaxed) && !many() {
            return;
        }
        let Some(model) = self.model() else { return };
        let mut writing = snapshots.writing.lock();
        if writing.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        snapshots.builds.store(builds, Ordering::Relaxed);
        let Some(contents) = Contents::collect(writer.store(), &model, &self.partitions) else {
            return;
        };
        snapshots.changes.store(0, Ordering::Relaxed);
        let path = snapshots.path.clone();
        let thread = std::thread::Builder::new()
            .name("tollfree-snapshot".into())
            .spawn(move || contents.write(&path));
        *writing = thread
            .inspect_err(|error| tracing::warn!(%error, "no thread for an index snapshot"))
            .ok();
    }
}

impl Cache {
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
        let _changing = self.changing.lock();
        self.save_index(writer.store());
    }

    #[cfg(test)]
    fn wait_for_snapshot(&self) {
        let writing = self
            .snapshots
            .as_ref()
            .and_then(|it| it.writing.lock().take());
        if let Some(thread) = writing {
            thread.join().ok();
        }
    }

    fn save_index(&self, store: &dyn Store) {
        let Some(snapshots) = &self.snapshots else {
            return;
        };
        if let Some(thread) = snapshots.writing.lock().take() {
            // A panic in the thread was reported when it happened.
            let _ = thread.join();
        }
        let builds = self.partitions.num_swaps();
        let changed = snapshots.changes.swap(0, Ordering::Relaxed) > 0;
        let built = snapshots.builds.swap(builds, Ordering::Relaxed) != builds;
        if let Some(model) = self.model()
            && (changed || built)
            && let Some(contents) = Contents::collect(store, &model, &self.partitions)
        {
            contents.write(&snapshots.path);
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let store = self.writer.as_ref().map(Writer::share_store);
        // Ends with a last commit, after which the store and the index agree.
        self.writer = None;
        if let Some(store) = store {
            self.save_index(&*store);
        }
    }
}

/// What goes into one snapshot. Collected while nothing changes; written beside changes.
struct Contents {
    stamp: Stamp,
    model: Arc<str>,
    partitions: Vec<(CompatibilityKey, Arc<Partition>)>,
}

impl Contents {
    /// `None` when there is too little to be worth it, or the store cannot be read.
    fn collect(store: &dyn Store, model: &Arc<str>, partitions: &Partitions) -> Option<Self> {
        if partitions.counts().vectors < partitions.limits().snapshot_min {
            return None;
        }
        // Read before the partitions are: what is of this generation is in them.
        let stamp = store
            .stamp()
            .inspect_err(|error| tracing::warn!(error = %error.chain(), "no index snapshot: the store cannot be read"))
            .ok()?;
        Some(Self {
            stamp,
            model: Arc::clone(model),
            partitions: partitions.all(),
        })
    }

    fn write(self, path: &Path) {
        if let Err(error) = snapshot::write(path, self.stamp, &self.model, &self.partitions) {
            tracing::warn!(error = %error.chain(), "index snapshot not written");
        }
    }
}

#[cfg(test)]
mod tests;
