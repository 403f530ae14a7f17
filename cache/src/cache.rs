//! The cache as the proxy sees it: entries in memory, a vector index over them, a durable store behind.
//!
//! Reads take short read locks and never wait for the disk. Changes run one at a time, which keeps the maps, the
//! index and the store of one mind; they are as rare as upstream answers. Time is always passed in, in unix
//! milliseconds. Whether an entry may be *served* is decided elsewhere: this module only finds.

mod change;
mod label;
mod load;
mod options;
mod quarantine;
mod snapshots;
mod survey;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::bound::Bound;
use crate::cache::load::Leftovers;
pub use crate::cache::options::{CacheOptions, Evictions, OpenReport, Stats, StoreStats};
pub use crate::cache::quarantine::Vote;
use crate::cache::quarantine::Waiting;
use crate::cache::snapshots::Snapshots;
use crate::counters::{Counter, Counters, Tier};
use crate::entry::{Entry, EntryId};
use crate::error::{Error, Result};
use crate::exact::ExactMap;
use crate::key::{CompatibilityKey, ExactKey};
use crate::resident::Residents;
use crate::semantic::partitions::{Limits, Partitions};
use crate::store::redb::{RedbStore, salvage};
use crate::store::writer::Writer;
use crate::store::{PhrasingKey, Store};

/// An entry with an equal compatibility key and a goal near the one asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The entry.
    pub entry: Arc<Entry>,
    /// Cosine of the two goals' vectors, in [-1, 1].
    pub similarity: f32,
}

/// The entries of one data directory, or of one process. Shared by reference; all methods take `&self`.
pub struct Cache {
    options: CacheOptions,
    exact: ExactMap,
    residents: RwLock<Residents>,
    partitions: Arc<Partitions>,
    /// The model whose vectors are in the partitions.
    model: Arc<RwLock<Option<Arc<str>>>>,
    counters: Arc<Counters>,
    evictions: Mutex<Evictions>,
    /// What labels say of the entries here.
    bound: Bound,
    /// The entries that only their contributors find.
    waiting: Mutex<Waiting>,
    /// Held by whatever changes the set of entries.
    changing: Arc<Mutex<()>>,
    writer: Option<Writer>,
    /// Absent for a cache in memory.
    snapshots: Option<Snapshots>,
}

impl Cache {
    /// Makes an empty cache that forgets everything with the process.
    pub fn in_memory(options: CacheOptions) -> Self {
        Self::with_limits(options, Limits::DEFAULT)
    }

    /// Opens the cache in a directory, which is made if it is not there, and loads all of it.
    ///
    /// A store file that is damaged is moved aside and a fresh one begun with what could still be read; the report
    /// says so. Large partitions are indexed in the background and scanned until then.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process has the directory, [`Error::Format`] for a store of a newer version,
    /// [`Error::Io`] or [`Error::Store`] when the directory or file cannot be used.
    pub fn open(
        directory: &Path,
        options: CacheOptions,
        now_ms: u64,
    ) -> Result<(Self, OpenReport)> {
        std::fs::create_dir_all(directory).map_err(|source| Error::Io {
            operation: "create",
            path: directory.into(),
            source,
        })?;
        match Self::open_store(directory, options.clone(), Limits::DEFAULT, now_ms) {
            Err(error) if error.is_damage() => {
                let moved = RedbStore::move_aside(directory, now_ms)?;
                tracing::error!(%error, moved_to = %moved.display(), "store moved aside, beginning a fresh one");
                let fresh = RedbStore::open(directory)?;
                let salvaged = salvage::copy(&moved, &fresh)?;
                let (cache, report) =
                    Self::on_disk(fresh, directory, options, Limits::DEFAULT, now_ms)?;
                Ok((
                    cache,
                    OpenReport {
                        corrupt_moved_to: Some(moved),
                        salvaged,
                        ..report
                    },
                ))
            }
            other => other,
        }
    }

    fn open_store(
        directory: &Path,
        options: CacheOptions,
        limits: Limits,
        now_ms: u64,
    ) -> Result<(Self, OpenReport)> {
        let store = RedbStore::open(directory)?;
        Self::on_disk(store, directory, options, limits, now_ms)
    }

    /// Loads what a store in a directory holds, and keeps the snapshot of the index beside it.
    fn on_disk(
        store: RedbStore,
        directory: &Path,
        options: CacheOptions,
        limits: Limits,
        now_ms: u64,
    ) -> Result<(Self, OpenReport)> {
        let mut cache = Self::with_limits(options, limits);
        cache.snapshots = Some(Snapshots::new(directory, &cache));
        cache.attach(Arc::new(store), now_ms)
    }

    #[cfg(test)]
    pub(crate) fn with_store(
        store: Arc<dyn Store>,
        options: CacheOptions,
        now_ms: u64,
    ) -> Result<(Self, OpenReport)> {
        Self::in_memory(options).attach(store, now_ms)
    }

    /// Takes in what a store holds and writes to it from now on.
    fn attach(mut self, store: Arc<dyn Store>, now_ms: u64) -> Result<(Self, OpenReport)> {
        let (report, leftovers) = self.load(&*store, now_ms)?;
        let writer = Writer::start(store, Arc::clone(&self.counters))?;
        leftovers.clean_up(&writer);
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.start(writer.share_store());
        }
        self.writer = Some(writer);
        Ok((self, report))
    }

    fn with_limits(options: CacheOptions, limits: Limits) -> Self {
        let model = options.model.as_deref().map(Arc::from);
        let residents = Residents::new(options.max_entries);
        Self {
            options,
            exact: ExactMap::new(),
            residents: RwLock::new(residents),
            partitions: Arc::new(Partitions::new(limits)),
            model: Arc::new(RwLock::new(model)),
            counters: Arc::default(),
            evictions: Mutex::default(),
            bound: Bound::default(),
            waiting: Mutex::default(),
            changing: Arc::default(),
            writer: None,
            snapshots: None,
        }
    }

    /// Returns the entry that answers this very request, unless its time is over.
    pub fn exact(&self, key: &ExactKey, now_ms: u64) -> Option<Arc<Entry>> {
        let resident = self.exact.get(key)?;
        (!resident.entry().is_expired(now_ms)).then(|| Arc::clone(resident.entry()))
    }

    /// Returns the entry that answered this very request until its time was over, no longer than `within` ago.
    ///
    /// It is there for as long as [`CacheOptions::stale_while_revalidate`] keeps it.
    pub fn stale(&self, key: &ExactKey, within: Duration, now_ms: u64) -> Option<Arc<Entry>> {
        let resident = self.exact.get(key)?;
        let entry = resident.entry();
        let over_ms = now_ms.checked_sub(entry.expires_at_ms)?;
        (u128::from(over_ms) < within.as_millis()).then(|| Arc::clone(entry))
    }

    /// Returns up to `k` entries with this compatibility key, the most similar goal first.
    ///
    /// `vector` is a unit vector of the current model; one of another length finds nothing.
    pub fn candidates(
        &self,
        key: &CompatibilityKey,
        vector: &[f32],
        k: usize,
        now_ms: u64,
    ) -> Vec<Candidate> {
        let Some(partition) = self.partitions.get(key) else {
            return Vec::new();
        };
        let found = partition.search(vector, k);
        let residents = self.residents.read();
        let candidate = |(id, similarity)| {
            let entry = residents.get(id)?.entry();
            (!entry.is_expired(now_ms)).then(|| Candidate {
                entry: Arc::clone(entry),
                similarity,
            })
        };
        found.into_iter().filter_map(candidate).collect()
    }

    /// Returns the similarity of the nearest sketch with this compatibility key.
    ///
    /// `None` means that the prefilter has nothing to say and must not reject: no such partition, one of more than
    /// 4,096 entries, or one with entries that have no sketch.
    pub fn best_sketch(&self, key: &CompatibilityKey, sketch: &[f32]) -> Option<f32> {
        self.partitions.get(key)?.best_sketch_similarity(sketch)
    }

    /// Says whether any entry with this compatibility key has a vector; if none has, the goal need not be embedded.
    pub fn has_partition(&self, key: &CompatibilityKey) -> bool {
        self.partitions.get(key).is_some()
    }

    /// Returns an entry by its id, whether or not its time is over.
    pub fn get(&self, id: EntryId) -> Option<Arc<Entry>> {
        self.residents
            .read()
            .get(id)
            .map(|resident| Arc::clone(resident.entry()))
    }

    /// Returns all entries in no order. Costs a pointer each.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.residents.read().entries()
    }

    /// Counts a hit and, when it came from an entry, adds to what the entry is worth when another must go.
    ///
    /// `saved_micro_usd` is what the upstream would have cost, in millionths of a US dollar.
    pub fn record_hit(
        &self,
        entry: Option<EntryId>,
        tier: Tier,
        saved_micro_usd: u64,
        now_ms: u64,
    ) {
        self.counters.add(tier.counter(), 1);
        self.counters.add(Counter::SavedMicroUsd, saved_micro_usd);
        if let Some(id) = entry {
            self.residents.read().note_hit(id, saved_micro_usd, now_ms);
        }
    }

    /// Adds to a running total.
    pub fn count(&self, counter: Counter, amount: u64) {
        self.counters.add(counter, amount);
    }

    /// Returns the id of the model whose vectors are compared.
    pub fn model(&self) -> Option<Arc<str>> {
        self.model.read().clone()
    }

    /// Compares vectors of this model from now on, and returns how many entries have one.
    ///
    /// Does nothing if it is the current one. Else the index is emptied and filled from the store; entries of other
    /// models stay and are found by their exact keys only. Blocks for as long as the vectors take to read.
    ///
    /// # Errors
    /// [`Error::Store`] or [`Error::Damaged`] when the vectors cannot be read; the index may then lack some.
    pub fn use_model(&self, model: &str) -> Result<usize> {
        let _changing = self.changing.lock();
        if self.model().as_deref() != Some(model) {
            *self.model.write() = Some(model.into());
            self.partitions.clear();
            self.residents.write().clear_vector_bytes();
            if let Some(writer) = &self.writer {
                // What is still queued could not be read back. A store that takes no writes is no reason to stop.
                if let Err(error) = writer.flush() {
                    tracing::warn!(%error, "entries not stored yet stay without a vector");
                }
                let mut leftovers = Leftovers::default();
                self.fill_index(writer.store(), model, &mut leftovers)?;
                leftovers.clean_up(writer);
            }
        }
        Ok(self.partitions.counts().vectors)
    }

    /// Returns the stored vector of a template phrasing, if this model embedded it before.
    pub fn phrasing(&self, model: &str, text: &str) -> Option<Vec<f32>> {
        let stored = self
            .writer
            .as_ref()?
            .store()
            .phrasing(&PhrasingKey::new(model, text));
        stored.unwrap_or_else(|error| {
            // It is embedded again, and overwritten.
            tracing::warn!(%error, "stored phrasing skipped");
            None
        })
    }

    /// Stores the vector of a template phrasing for the next start. A cache in memory forgets it at once.
    pub fn put_phrasing(&self, model: &str, text: &str, values: Vec<f32>) {
        if let Some(writer) = &self.writer {
            writer.put_phrasing(PhrasingKey::new(model, text), values);
        }
    }

    /// Waits until everything taken in or out so far is durable. Not for the way of a request.
    ///
    /// # Errors
    /// [`Error::Flush`] when the store does not accept it; it stays queued and is tried again.
    pub fn flush_blocking(&self) -> Result<()> {
        self.writer.as_ref().map_or(Ok(()), Writer::flush)
    }

    /// Waits until no index is being built in the background.
    pub fn wait_for_builds(&self) {
        self.partitions.wait_for_builds();
    }

    /// Takes stock. Walks over all partitions; meant for metrics and commands.
    pub fn stats(&self) -> Stats {
        let (entries, bytes) = {
            let residents = self.residents.read();
            (residents.len(), residents.bytes())
        };
        let counts = self.partitions.counts();
        Stats {
            entries,
            indexed: counts.vectors,
            bytes,
            partitions: counts.partitions,
            graph_partitions: counts.graphs,
            evictions: *self.evictions.lock(),
            totals: self.counters.totals(),
            store: self.writer.as_ref().map(|writer| StoreStats {
                file_bytes: writer.store().file_bytes(),
                writer: writer.stats(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
