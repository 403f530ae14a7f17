//! What the threads of a pool have come to: loading, working, lost.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{Error, ModelId, Result};

/// Shared by the handles and the threads of one pool. Every change wakes all who wait.
#[derive(Debug)]
pub(super) struct Status {
    state: Mutex<State>,
    changed: Condvar,
    changed_async: Notify,
}

#[derive(Debug)]
struct State {
    /// Threads that are making their first model.
    loading: usize,
    /// Threads that have one, or are replacing one that panicked.
    working: usize,
    model: Option<ModelId>,
    /// The last failure that ended a thread.
    failure: Option<String>,
}

impl Status {
    pub(super) fn new(threads: usize) -> Self {
        let state = State {
            loading: threads,
            working: 0,
            model: None,
            failure: None,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            changed_async: Notify::new(),
        }
    }

    // --- told by the threads ---

    /// A thread has its first model, warm.
    pub(super) fn loaded(&self, model: &ModelId) {
        self.change(|state| {
            state.loading -= 1;
            state.working += 1;
            state.model.get_or_insert_with(|| model.clone());
        });
    }

    /// A thread ends without ever having had a model, because of `failure` or because the pool is gone.
    pub(super) fn never_loaded(&self, failure: Option<String>) {
        self.change(|state| {
            state.loading -= 1;
            state.failure = failure.or(state.failure.take());
        });
    }

    /// A thread that had a model ends, because of `failure` or because the pool is gone.
    pub(super) fn left(&self, failure: Option<String>) {
        self.change(|state| {
            state.working -= 1;
            state.failure = failure.or(state.failure.take());
        });
    }

    // --- asked by the handles ---

    /// Ready, failed, or neither yet.
    pub(super) fn outcome(&self) -> Option<Result<()>> {
        self.lock().outcome()
    }

    pub(super) fn failure(&self) -> Option<String> {
        match self.outcome() {
            Some(Err(Error::Unavailable { reason })) => Some(reason),
            _ => None,
        }
    }

    pub(super) fn model(&self) -> Option<ModelId> {
        self.lock().model.clone()
    }

    pub(super) fn threads(&self) -> usize {
        self.lock().working
    }

    /// The error of a job whose thread is gone.
    pub(super) fn lost(&self) -> Error {
        let reason = self
            .lock()
            .failure
            .clone()
            .unwrap_or_else(|| "its threads have ended".to_owned());
        Error::Unavailable { reason }
    }

    pub(super) async fn wait(&self) -> Result<()> {
        loop {
            // Made before looking: it hears every change from here on.
            let changed = self.changed_async.notified();
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            changed.await;
        }
    }

    pub(super) fn wait_blocking(&self) -> Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(outcome) = state.outcome() {
                return outcome;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until every thread has ended, `at_most` so long.
    pub(super) fn wait_for_threads(&self, at_most: Duration) {
        let running = |state: &mut State| state.loading + state.working > 0;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), at_most, running),
        );
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
        self.changed_async.notify_waiters();
    }

    /// The state is plain numbers, valid between any two statements: a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn outcome(&self) -> Option<Result<()>> {
        match (self.loading, self.working) {
            (1.., _) => None,
            (0, 1..) => Some(Ok(())),
            (0, 0) => {
                let reason = self
                    .failure
                    .clone()
                    .unwrap_or_else(|| "its threads have ended".to_owned());
                Some(Err(Error::Unavailable { reason }))
            }
        }
    }
}
