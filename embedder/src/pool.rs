//! Models on threads of their own, behind a bounded queue.
//!
//! A model is slow for an event loop (milliseconds of arithmetic) and must be entered by one caller at a time, so
//! each thread owns one model and takes one job after another. The queue is short and every job carries a
//! deadline: a caller that has given up, or never was going to be served in time, costs no arithmetic. Everything
//! that goes wrong is an [`Error`] for the caller it concerns, and a model that panics is replaced by a new one.

mod model;
mod status;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, TrySendError};
use tokio::sync::oneshot;

pub use self::model::{Embedding, Judging, Role};
use self::{
    status::Status,
    worker::{Job, Reply, Worker},
};
use crate::{Error, ModelId, Result};

/// How long a pool that is dropped waits for its threads to finish the job they are at. A process that exits while a
/// thread is inside ONNX Runtime may crash in the library's own clean-up.
const MAX_WAIT_FOR_THREADS: Duration = Duration::from_secs(1);

/// How large a [`Pool`] is.
#[derive(Debug, Clone, Copy)]
pub struct PoolOptions {
    /// Number of threads, each with a model and its memory; 0 counts as 1.
    pub threads: usize,
    /// Most jobs that wait for a thread; 0 counts as 1. One more is refused with [`Error::QueueFull`].
    pub queue: usize,
}

/// Threads that run a model; embedders if nothing else is said. A clone is another handle to the same threads; they
/// end with the last handle.
pub struct Pool<R: Role = Embedding> {
    inner: Arc<Inner<R>>,
}

struct Inner<R: Role> {
    /// Taken on drop, which is how the threads learn of it.
    jobs: Option<Sender<Job<R>>>,
    status: Arc<Status>,
    queue: usize,
}

impl<R: Role> Pool<R> {
    /// Starts the threads and returns at once; each thread makes its model and warms it up.
    ///
    /// `make` is called once on every thread, and again on a thread whose model has panicked. When it fails or
    /// panics, that thread ends; when none is left, [`failure`](Self::failure) says why and every call fails at once
    /// with [`Error::Unavailable`].
    pub fn start(
        options: PoolOptions,
        make: impl Fn() -> Result<R::Model> + Send + Sync + 'static,
    ) -> Self {
        let (threads, queue) = (options.threads.max(1), options.queue.max(1));
        let (jobs, waiting) = crossbeam_channel::bounded(queue);
        let status = Arc::new(Status::new(threads));
        let make: Arc<worker::Make<R>> = Arc::new(make);
        for number in 0..threads {
            Worker {
                jobs: waiting.clone(),
                status: Arc::clone(&status),
                make: Arc::clone(&make),
            }
            .spawn(number);
        }
        Self {
            inner: Arc::new(Inner {
                jobs: Some(jobs),
                status,
                queue,
            }),
        }
    }

    /// Runs one job within `deadline`, which counts from this call and covers waiting and computing. A job that is
    /// still in the queue when it passes, or whose future is dropped, is never computed.
    async fn run(&self, input: R::Input, deadline: Duration) -> Result<R::Output> {
        self.inner
            .status
            .outcome()
            .unwrap_or(Err(Error::NotReady))?;
        let (reply, output) = oneshot::channel();
        // A deadline beyond what the clock can count is none.
        let job = Job {
            input,
            expires: Instant::now().checked_add(deadline),
            reply: Reply::Task(reply),
        };
        let Some(jobs) = &self.inner.jobs else {
            return Err(self.inner.status.lost());
        };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::QueueFull {
                capacity: self.inner.queue,
            },
            TrySendError::Disconnected(_) => self.inner.status.lost(),
        })?;
        self.inner.not_lost()?;
        match tokio::time::timeout(deadline, output).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self.inner.status.lost()),
            Err(_) => Err(Error::DeadlineExceeded { deadline }),
        }
    }

    /// As [`Self::run`], for commands: waits for loading, for room in the queue and for the result.
    fn run_blocking(&self, input: R::Input) -> Result<R::Output> {
        self.wait_ready_blocking()?;
        let (reply, output) = crossbeam_channel::bounded(1);
        let Some(jobs) = &self.inner.jobs else {
            return Err(self.inner.status.lost());
        };
        let job = Job {
            input,
            expires: None,
            reply: Reply::Thread(reply),
        };
        jobs.send(job).map_err(|_| self.inner.status.lost())?;
        self.inner.not_lost()?;
        output
            .recv()
            .unwrap_or_else(|_| Err(self.inner.status.lost()))
    }

    /// Says whether every thread has finished loading and warming up, and at least one of them works.
    pub fn is_ready(&self) -> bool {
        matches!(self.inner.status.outcome(), Some(Ok(())))
    }

    /// Returns why no thread works any more, with the remedy where it is known; `None` while loading and when all is
    /// well.
    pub fn failure(&self) -> Option<String> {
        self.inner.status.failure()
    }

    /// Waits until the pool is ready or has failed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the text of [`failure`](Self::failure).
    pub async fn ready(&self) -> Result<()> {
        self.inner.status.wait().await
    }

    /// As [`ready`](Self::ready), blocking the thread.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn wait_ready_blocking(&self) -> Result<()> {
        self.inner.status.wait_blocking()
    }

    /// Returns the model, as soon as one thread has loaded it.
    pub fn model(&self) -> Option<ModelId> {
        self.inner.status.model()
    }

    /// Returns the number of jobs that wait for a thread, those already given up included.
    pub fn queue_depth(&self) -> usize {
        self.inner.jobs.as_ref().map_or(0, Sender::len)
    }

    /// Returns the most jobs that can wait.
    pub fn queue_capacity(&self) -> usize {
        self.inner.queue
    }

    /// Returns the number of threads that hold a working model.
    pub fn threads(&self) -> usize {
        self.inner.status.threads()
    }
}

impl Pool {
    /// Embeds `texts` in one batch: one unit vector for each text, in order. No text, no job, no vector.
    ///
    /// `deadline` counts from this call and covers waiting and computing. A job that is still in the queue when it
    /// passes, or whose future is dropped, is never computed.
    ///
    /// # Errors
    /// [`Error::NotReady`] while loading, [`Error::Unavailable`] after every thread is lost, [`Error::QueueFull`],
    /// [`Error::DeadlineExceeded`], [`Error::Panicked`], and what the embedder itself returns.
    ///
    /// # Panics
    /// Outside a tokio runtime, or in one without a timer.
    pub async fn embed(&self, texts: Vec<String>, deadline: Duration) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            self.inner
                .status
                .outcome()
                .unwrap_or(Err(Error::NotReady))?;
            return Ok(Vec::new());
        }
        self.run(texts, deadline).await
    }

    /// As [`embed`](Self::embed), for commands: waits for loading, for room in the queue and for the result, however
    /// long that takes. It blocks the thread, so it has no place in an async task.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Panicked`], and what the embedder itself returns.
    pub fn embed_blocking(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            self.wait_ready_blocking()?;
            return Ok(Vec::new());
        }
        self.run_blocking(texts)
    }
}

impl Pool<Judging> {
    /// Returns how probable it is, in [0, 1], that the answer to `cached` would do for `asked`.
    ///
    /// `deadline` as in [`Pool::embed`].
    ///
    /// # Errors
    /// As [`Pool::embed`].
    ///
    /// # Panics
    /// As [`Pool::embed`].
    pub async fn compare(&self, cached: String, asked: String, deadline: Duration) -> Result<f32> {
        self.run((cached, asked), deadline).await
    }

    /// As [`compare`](Self::compare), for commands; blocks the thread for as long as it takes.
    ///
    /// # Errors
    /// As [`Pool::embed_blocking`].
    pub fn compare_blocking(&self, cached: String, asked: String) -> Result<f32> {
        self.run_blocking((cached, asked))
    }
}

impl<R: Role> Clone for Pool<R> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<R: Role> fmt::Debug for Pool<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pool")
            .field("status", &self.inner.status)
            .field("queue", &self.inner.queue)
            .finish()
    }
}

impl<R: Role> Inner<R> {
    /// Looks, after a job went into the queue, whether the last thread ended meanwhile and may have missed it.
    fn not_lost(&self) -> Result<()> {
        self.status.outcome().unwrap_or(Ok(()))
    }
}

impl<R: Role> Drop for Inner<R> {
    fn drop(&mut self) {
        self.jobs = None;
        self.status.wait_for_threads(MAX_WAIT_FOR_THREADS);
    }
}
