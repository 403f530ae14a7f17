//! The thread that writes the index to disk while the cache goes on.
//!
//! What calls for a snapshot is kept as a state, not as a message: whoever looks later sees the same.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::error::Result;
use crate::key::CompatibilityKey;
use crate::semantic::partition::Partition;
use crate::semantic::partitions::Partitions;
use crate::semantic::snapshot::{self, Stamp};
use crate::store::Store;

/// Changes below which no snapshot is written in between.
const MIN_CHANGES: usize = 4_096;

/// The share of the index that may change without a new snapshot, as a divisor.
const CHANGED_SHARE: usize = 8;

/// Knows when a snapshot is due, and writes it.
pub(super) struct Keeper {
    pub(super) path: PathBuf,
    index: Index,
    state: Mutex<State>,
    /// Rung whenever the state changes.
    bell: Condvar,
    /// Held by whoever writes the file; locked before `Index::changing`.
    writing: Mutex<()>,
}

/// What is kept: shared with the cache.
pub(super) struct Index {
    pub(super) partitions: Arc<Partitions>,
    pub(super) model: Arc<RwLock<Option<Arc<str>>>>,
    /// Held by whatever changes the set of entries.
    pub(super) changing: Arc<Mutex<()>>,
}

/// What the last snapshot lacks.
#[derive(Default)]
struct State {
    /// Vectors put in or taken out since.
    changes: usize,
    /// So many that closing is too late.
    many: bool,
    /// Compact graphs that had been built by then. A build is work of minutes, so it is kept soon.
    graphs: usize,
    /// There is none, or none that the start could use.
    useless: bool,
    /// The state of the store that it was taken at; `None` where that would be no reason to leave it as it is.
    kept: Option<Stamp>,
    closing: bool,
    /// The thread is at work.
    busy: bool,
}

impl Keeper {
    pub(super) fn new(path: PathBuf, index: Index) -> Arc<Self> {
        let keeper = Arc::new(Self {
            path,
            index,
            state: Mutex::default(),
            bell: Condvar::new(),
            writing: Mutex::new(()),
        });
        let ringing: Weak<Self> = Arc::downgrade(&keeper);
        keeper.index.partitions.on_build_end(move || {
            if let Some(keeper) = ringing.upgrade() {
                // Locked, so that the bell is not rung between a look at the state and the wait.
                let _state = keeper.state.lock();
                keeper.bell.notify_all();
            }
        });
        keeper
    }

    /// Starts the thread; without one, snapshots are written when the cache closes and only then.
    pub(super) fn start(self: &Arc<Self>, store: Arc<dyn Store>) -> Option<JoinHandle<()>> {
        let keeper = Arc::clone(self);
        std::thread::Builder::new()
            .name("tollfree-snapshot".into())
            .spawn(move || keeper.run(&*store))
            .inspect_err(|error| tracing::warn!(%error, "no thread for index snapshots"))
            .ok()
    }

    /// Lets the thread end once it has written what it is writing.
    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.bell.notify_all();
    }

    /// Notes at which state of the store the snapshot was taken that the start used.
    pub(super) fn note_used(&self, taken_at: Stamp) {
        self.state.lock().kept = Some(taken_at);
    }

    /// Notes that the next start would find no snapshot that it can use.
    pub(super) fn note_useless(&self) {
        self.state.lock().useless = true;
        self.bell.notify_all();
    }

    /// Counts a change of the index.
    pub(super) fn note_change(&self) {
        let mut state = self.state.lock();
        state.changes += 1;
        // Counting vectors walks over all partitions, so it is done now and then.
        if state.changes.is_multiple_of(MIN_CHANGES)
            && state.changes >= self.index.partitions.counts().vectors / CHANGED_SHARE
        {
            state.many = true;
            self.bell.notify_all();
        }
    }

    fn run(&self, store: &dyn Store) {
        let mut state = self.state.lock();
        while !state.closing {
            if self.is_due(&state) {
                state.busy = true;
                drop(state);
                self.write(store);
                state = self.state.lock();
                state.busy = false;
                self.bell.notify_all();
            } else {
                self.bell.wait(&mut state);
            }
        }
    }

    fn is_due(&self, state: &State) -> bool {
        let partitions = &self.index.partitions;
        state.many
            || partitions.num_graphs_built() != state.graphs
            // What is being built is worth waiting for.
            || state.useless && !partitions.is_building()
    }

    /// Writes a snapshot unless the last one is of the very state that the store is in now.
    pub(super) fn write_if_outdated(&self, store: &dyn Store) {
        let stamp = store.stamp().ok();
        let up_to_date = {
            let state = self.state.lock();
            let built = self.index.partitions.num_graphs_built();
            stamp.is_some() && state.kept == stamp && state.graphs == built
        };
        if !up_to_date {
            self.write(store);
        }
    }

    fn write(&self, store: &dyn Store) {
        let _writing = self.writing.lock();
        let contents = {
            let _changing = self.index.changing.lock();
            self.collect(store)
        };
        let written = contents.and_then(|contents| {
            let Some(contents) = contents else {
                return Ok(None);
            };
            let Contents {
                stamp,
                model,
                partitions,
            } = contents;
            snapshot::write(&self.path, stamp, &model, &partitions)?;
            Ok(Some(stamp))
        });
        match written {
            Ok(stamp) => self.state.lock().kept = stamp,
            // Closing tries again.
            Err(error) => {
                tracing::warn!(error = %error.chain(), "index snapshot not written");
            }
        }
    }

    /// Takes what goes into a snapshot while nothing changes; it is written beside changes. `None` when there is too
    /// little to be worth it.
    fn collect(&self, store: &dyn Store) -> Result<Option<Contents>> {
        let Index {
            partitions, model, ..
        } = &self.index;
        {
            let mut state = self.state.lock();
            let (closing, busy) = (state.closing, state.busy);
            *state = State {
                graphs: partitions.num_graphs_built(),
                closing,
                busy,
                ..State::default()
            };
        }
        let Some(model) = model.read().clone() else {
            return Ok(None);
        };
        if partitions.counts().vectors < partitions.limits().snapshot_min {
            return Ok(None);
        }
        // Read before the partitions are: what is of this generation is in them.
        let stamp = store.stamp()?;
        Ok(Some(Contents {
            stamp,
            model,
            partitions: partitions.all(),
        }))
    }

    /// Waits until no snapshot is due and none is being written.
    #[cfg(test)]
    pub(super) fn wait(&self) {
        let mut state = self.state.lock();
        while state.busy || self.is_due(&state) {
            self.bell.wait(&mut state);
        }
    }
}

/// What goes into one snapshot.
struct Contents {
    stamp: Stamp,
    model: Arc<str>,
    partitions: Vec<(CompatibilityKey, Arc<Partition>)>,
}
