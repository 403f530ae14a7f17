//! All partitions, and the thread that moves a grown one into another index.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex, RwLock};

use crate::entry::{Embedding, EntryId};
use crate::error::Result;
use crate::key::CompatibilityKey;
use crate::semantic::partition::{Kind, Partition, Work};

/// Sizes at which a partition changes how it works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Entries up to which a partition is scanned. At 16,000 vectors of 384 dimensions the scan took 0.57 ms and is
    /// exact; the graph took 1.0 ms, and 0.6 ms to build for each vector.
    pub(crate) flat_max: usize,
    /// Entries up to which a larger partition is a graph of `hnsw_rs`; beyond, our own. At 100,000 vectors `hnsw_rs` took
    /// 2.9 KB and 0.59 ms of building for each and found the nearest in 96.6 of 100 searches; ours, with fewer links
    /// than now, 1.0 KB, 0.20 ms and 99.7 (`benches/results/scale.md`).
    pub(crate) hnsw_max: usize,
    /// Entries up to which a partition keeps sketches: beyond, some sketch is near any goal and none is rejected.
    pub(crate) sketches_max: usize,
    /// Vectors below which the store is read as fast as a snapshot of the index.
    pub(crate) snapshot_min: usize,
}

impl Limits {
    /// The limits in use.
    pub(crate) const DEFAULT: Self = Self {
        flat_max: 16_384,
        hnsw_max: 32_768,
        sketches_max: 4_096,
        snapshot_min: 4_096,
    };

    /// The index for a partition of so many entries.
    pub(crate) fn kind(self, len: usize) -> Kind {
        if len <= self.flat_max {
            Kind::Flat
        } else if len <= self.hnsw_max {
            Kind::Hnsw
        } else {
            Kind::Compact
        }
    }
}

/// The partitions by compatibility key.
pub(crate) struct Partitions {
    map: RwLock<HashMap<CompatibilityKey, Arc<Partition>>>,
    limits: Limits,
    builds: Arc<Builds>,
}

/// Builds run one at a time: the cores belong to the requests.
#[derive(Default)]
struct Builds {
    turn: Mutex<()>,
    pending: Mutex<usize>,
    done: Condvar,
    /// Compact graphs that were built and swapped in.
    graphs: AtomicUsize,
    /// Called whenever a thread has ended its work for a partition.
    ended: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionCounts {
    pub(crate) partitions: usize,
    pub(crate) graphs: usize,
    pub(crate) vectors: usize,
}

impl Partitions {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            map: RwLock::default(),
            limits,
            builds: Arc::default(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn get(&self, key: &CompatibilityKey) -> Option<Arc<Partition>> {
        self.map.read().get(key).cloned()
    }

    /// Adds an entry and returns about how many bytes its rows take. [`Partitions::maintain`] is left to the caller, so
    /// that loading many builds once.
    ///
    /// # Errors
    /// [`crate::error::Error::Dimensions`] when the vector does not fit its partition.
    pub(crate) fn insert(
        &self,
        key: CompatibilityKey,
        id: EntryId,
        embedding: &Embedding,
    ) -> Result<usize> {
        let known = self.get(&key);
        let partition = known.unwrap_or_else(|| {
            let fresh = || Arc::new(Partition::new(embedding.vector.values().len()));
            Arc::clone(self.map.write().entry(key).or_insert_with(fresh))
        });
        partition.insert(id, embedding, self.limits.sketches_max)
    }

    /// Takes an entry out, and its partition with the last one.
    pub(crate) fn remove(&self, key: &CompatibilityKey, id: EntryId) {
        let Some(partition) = self.get(key) else {
            return;
        };
        partition.remove(id);
        if partition.len() == 0 {
            self.map.write().remove(key);
        } else {
            self.maintain_one(&partition);
        }
    }

    /// Returns all partitions there are.
    pub(crate) fn all(&self) -> Vec<(CompatibilityKey, Arc<Partition>)> {
        let map = self.map.read();
        map.iter()
            .map(|(key, partition)| (*key, Arc::clone(partition)))
            .collect()
    }

    /// Takes in partitions from a snapshot, but for empty ones.
    pub(crate) fn adopt(&self, partitions: Vec<(CompatibilityKey, Partition)>) {
        let living = partitions
            .into_iter()
            .filter(|(_, partition)| partition.len() > 0)
            .map(|(key, partition)| (key, Arc::new(partition)));
        self.map.write().extend(living);
    }

    /// Returns about how many bytes the rows of each entry take.
    pub(crate) fn sizes(&self) -> Vec<(EntryId, usize)> {
        let map = self.map.read();
        map.values().flat_map(|it| it.sizes()).collect()
    }

    pub(crate) fn clear(&self) {
        self.map.write().clear();
    }

    pub(crate) fn maintain(&self, key: &CompatibilityKey) {
        if let Some(partition) = self.get(key) {
            self.maintain_one(&partition);
        }
    }

    pub(crate) fn maintain_all(&self) {
        let all: Vec<Arc<Partition>> = self.map.read().values().cloned().collect();
        for partition in &all {
            self.maintain_one(partition);
        }
    }

    pub(crate) fn counts(&self) -> PartitionCounts {
        let map = self.map.read();
        let mut counts = PartitionCounts {
            partitions: map.len(),
            ..PartitionCounts::default()
        };
        for partition in map.values() {
            counts.graphs += usize::from(partition.kind() != Kind::Flat);
            counts.vectors += partition.len();
        }
        counts
    }

    /// Returns how many compact graphs, which a snapshot keeps as they are, were built and swapped in so far.
    pub(crate) fn num_graphs_built(&self) -> usize {
        self.builds.graphs.load(Ordering::Relaxed)
    }

    /// Says whether an index is being built or linked.
    pub(crate) fn is_building(&self) -> bool {
        *self.builds.pending.lock() > 0
    }

    /// Has a function called whenever such work has ended. Set once; it must not wait.
    pub(crate) fn on_build_end(&self, ended: impl Fn() + Send + Sync + 'static) {
        // A second one would be a second owner of the same partitions, which there is not.
        let _ = self.builds.ended.set(Box::new(ended));
    }

    /// Waits until no index is being built.
    pub(crate) fn wait_for_builds(&self) {
        let mut pending = self.builds.pending.lock();
        while *pending > 0 {
            self.builds.done.wait(&mut pending);
        }
    }

    /// Starts the work a partition is due for, on a thread of its own.
    fn maintain_one(&self, partition: &Arc<Partition>) {
        let limits = self.limits;
        // Looking first takes a lock that searches share; claiming takes one that they wait for.
        if partition.wanted(limits).is_none() {
            return;
        }
        let Some(work) = partition.claim(limits) else {
            return;
        };
        *self.builds.pending.lock() += 1;
        let (builds, building) = (Arc::clone(&self.builds), Arc::clone(partition));
        let spawned = std::thread::Builder::new()
            .name("tollfree-index".into())
            .spawn(move || {
                {
                    let _turn = builds.turn.lock();
                    builds.perform_what_is_wanted(&building, work, limits);
                }
                builds.end();
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for an index build, keeping the present index");
            partition.abandon();
            partition.release();
            self.builds.end();
        }
    }
}

impl Builds {
    fn end(&self) {
        *self.pending.lock() -= 1;
        self.done.notify_all();
        if let Some(ended) = self.ended.get() {
            ended();
        }
    }

    /// Works until nothing is wanted: by the end of one build, changes made meanwhile may call for another.
    fn perform_what_is_wanted(&self, partition: &Partition, claimed: Work, limits: Limits) {
        let mut claimed = Some(claimed);
        while let Some(work) = claimed {
            // A bug in the graph must cost speed, not the cache: the present index keeps answering.
            let outcome = catch_unwind(AssertUnwindSafe(|| partition.perform(work, threads())));
            match (outcome, work) {
                (Ok(Ok(())), Work::Build(Kind::Compact)) => {
                    self.graphs.fetch_add(1, Ordering::Relaxed);
                }
                (Ok(Ok(())), Work::Build(_) | Work::Link) => {}
                (Ok(Err(_)) | Err(_), _) => {
                    tracing::error!(
                        vectors = partition.len(),
                        "index build failed, keeping the present index"
                    );
                    partition.abandon();
                }
            }
            partition.release();
            claimed = partition.claim(limits);
        }
    }
}

/// Threads that build one index: one core is left to the requests.
fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests;
