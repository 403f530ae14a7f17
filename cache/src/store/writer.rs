//! The thread that writes groups to the store.
//!
//! Callers leave their writes behind and go on: queueing takes a short lock and no I/O. A group is committed at
//! most 200 ms after its first write, so a killed process loses less than the last second. A group that cannot be
//! written is put back and tried again; what no longer fits into the queue meanwhile is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::counters::{Counters, Totals};
use crate::entry::{Embedding, Entry, EntryId};
use crate::error::{Error, Result};
use crate::store::pending::Batch;
use crate::store::{PhrasingKey, Store};

/// Longest time a write waits for others to share its commit.
const GROUP_INTERVAL: Duration = Duration::from_millis(200);

/// Writes that are committed without waiting any longer.
const GROUP_LEN: usize = 1024;

/// Longest time totals that nothing else is written with wait.
const TOTALS_INTERVAL: Duration = Duration::from_millis(500);

/// Longest pause after commits that failed.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// What the writer has been through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Writes that wait for the next group.
    pub pending_writes: usize,
    /// Writes given up because too many were waiting.
    pub dropped_writes: u64,
    /// Groups written.
    pub commits: u64,
    /// Groups that could not be written, each attempt counted.
    pub errors: u64,
    /// Why the last of them could not.
    pub last_error: Option<String>,
}

/// A store with the thread that writes to it. Dropping it writes what is pending.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<dyn Store>,
    counters: Arc<Counters>,
    queue: Mutex<Queue>,
    /// Rung when there is something to do at once.
    wake: Condvar,
    /// Rung after every attempt to commit.
    attempted: Condvar,
    dropped_writes: AtomicU64,
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    /// When the oldest pending write came; later after a failure.
    due: Option<Instant>,
    /// Running number of the last write queued, and of the last one that was in a written or a failed group.
    submitted: u64,
    committed: u64,
    failed: u64,
    flushes: usize,
    closing: bool,
    commits: u64,
    errors: u64,
    errors_in_a_row: u32,
    last_error: Option<String>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Io`] when the system gives no thread.
    pub(crate) fn start(store: Arc<dyn Store>, counters: Arc<Counters>) -> Result<Self> {
        let shared = Arc::new(Shared {
            store,
            counters,
            queue: Mutex::default(),
            wake: Condvar::new(),
            attempted: Condvar::new(),
            dropped_writes: AtomicU64::new(0),
        });
        let running = Arc::clone(&shared);
        // Taken here, not on the thread, so that nothing counted from now on is taken for written.
        let written = shared.counters.totals();
        let thread = std::thread::Builder::new()
            .name("tollfree-store".into())
            .spawn(move || running.run(written));
        let thread = thread.map_err(|source| Error::Io {
            operation: "start the writer thread of",
            path: "the store".into(),
            source,
        })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    pub(crate) fn put(&self, entry: Arc<Entry>, embedding: Option<Arc<Embedding>>) {
        self.queue(|batch| batch.put(entry, embedding));
    }

    pub(crate) fn remove(&self, id: EntryId) {
        self.queue(|batch| {
            batch.remove(id);
            true
        });
    }

    pub(crate) fn put_phrasing(&self, key: PhrasingKey, values: Vec<f32>) {
        self.queue(|batch| batch.phrasing(key, values));
    }

    pub(crate) fn put_labels(&self, id: EntryId, labels: Vec<u8>, curve: Vec<u8>) {
        self.queue(|batch| batch.labels(id, labels, curve));
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.shared.store
    }

    /// Returns the store for a thread of its own.
    pub(crate) fn share_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.shared.store)
    }

    /// Waits until everything queued so far, and the totals, are on disk.
    ///
    /// # Errors
    /// [`Error::Flush`] when an attempt to write it failed; it stays queued.
    pub(crate) fn flush(&self) -> Result<()> {
        let shared = &self.shared;
        let mut queue = shared.queue.lock();
        // Totals are no queued write; the flush itself stands for them.
        queue.submitted += 1;
        let target = queue.submitted;
        let errors_before = queue.errors;
        queue.flushes += 1;
        shared.wake.notify_one();
        let outcome = loop {
            if queue.committed >= target {
                break Ok(());
            }
            if queue.errors > errors_before && queue.failed >= target {
                break Err(Error::Flush {
                    reason: queue.last_error.clone().unwrap_or_default(),
                });
            }
            shared.attempted.wait(&mut queue);
        };
        queue.flushes -= 1;
        outcome
    }

    pub(crate) fn stats(&self) -> WriterStats {
        let queue = self.shared.queue.lock();
        WriterStats {
            pending_writes: queue.batch.len(),
            dropped_writes: self.shared.dropped_writes.load(Ordering::Relaxed),
            commits: queue.commits,
            errors: queue.errors,
            last_error: queue.last_error.clone(),
        }
    }

    fn queue(&self, write: impl FnOnce(&mut Batch) -> bool) {
        let mut queue = self.shared.queue.lock();
        if !write(&mut queue.batch) {
            self.shared.dropped_writes.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.submitted += 1;
        let first = queue.due.is_none();
        if first {
            queue.due = Some(Instant::now() + GROUP_INTERVAL);
        }
        if first || queue.batch.len() == GROUP_LEN {
            self.shared.wake.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.lock().closing = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Commits group after group; `written` are the totals in the store.
    fn run(&self, mut written: Totals) {
        loop {
            let (mut batch, upto, closing) = self.next_group(&written);
            let totals = self.counters.totals();
            batch.totals = (totals != written).then(|| totals.clone());
            let outcome = if batch.is_empty() {
                Ok(())
            } else {
                self.store.commit(&batch)
            };
            self.conclude(outcome, batch, upto, totals, &mut written);
            if closing {
                return;
            }
        }
    }

    /// Waits until a group is due and takes it, with the number of its last write.
    fn next_group(&self, written: &Totals) -> (Batch, u64, bool) {
        let mut queue = self.queue.lock();
        loop {
            let full = queue.batch.len() >= GROUP_LEN && queue.errors_in_a_row == 0;
            if queue.closing
                || full
                || queue.flushes > 0 && queue.submitted > queue.committed.max(queue.failed)
            {
                break;
            }
            let now = Instant::now();
            match queue.due {
                Some(due) if due <= now => break,
                Some(due) => {
                    self.wake.wait_until(&mut queue, due);
                }
                None => {
                    let waited = self.wake.wait_until(&mut queue, now + TOTALS_INTERVAL);
                    if waited.timed_out()
                        && queue.due.is_none()
                        && self.counters.totals() != *written
                    {
                        break;
                    }
                }
            }
        }
        queue.due = None;
        (
            std::mem::take(&mut queue.batch),
            queue.submitted,
            queue.closing,
        )
    }

    fn conclude(
        &self,
        outcome: Result<()>,
        batch: Batch,
        upto: u64,
        totals: Totals,
        written: &mut Totals,
    ) {
        let mut queue = self.queue.lock();
        match outcome {
            Ok(()) => {
                queue.committed = upto;
                queue.commits += u64::from(!batch.is_empty());
                queue.errors_in_a_row = 0;
                *written = totals;
            }
            Err(error) => {
                let reason = error.chain();
                if queue.errors_in_a_row == 0 {
                    tracing::warn!(%reason, "store does not accept writes, keeping them in memory");
                }
                queue.failed = upto;
                queue.errors += 1;
                queue.errors_in_a_row = queue.errors_in_a_row.saturating_add(1);
                queue.last_error = Some(reason);
                queue.batch.restore(batch);
                let pause = GROUP_INTERVAL
                    .saturating_mul(1 << queue.errors_in_a_row.min(6))
                    .min(MAX_PAUSE);
                queue.due = Some(Instant::now() + pause);
            }
        }
        self.attempted.notify_all();
    }
}

#[cfg(test)]
mod tests;
