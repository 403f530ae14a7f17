//! One thread of a pool: makes an embedder, takes job after job, replaces the embedder when it panics.

use std::{sync::Arc, thread, time::Instant};

use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;

use super::status::Status;
use crate::{Embedder, Error, Result, guard};

/// Makes the embedder of a thread.
pub(super) type Make = dyn Fn() -> Result<Box<dyn Embedder>> + Send + Sync;

/// Texts to embed, and who waits for them until when.
pub(super) struct Job {
    pub(super) texts: Vec<String>,
    /// `None` never expires.
    pub(super) expires: Option<Instant>,
    pub(super) reply: Reply,
}

impl Job {
    /// Says whether the vectors would come too late or to nobody.
    pub(super) fn is_given_up(&self) -> bool {
        self.reply.is_closed()
            || self
                .expires
                .is_some_and(|expires| Instant::now() >= expires)
    }
}

/// One vector for each text, or why there are none.
pub(super) type Vectors = Result<Vec<Vec<f32>>>;

/// The way back to who asked. A task and a thread wait differently: tokio's blocking receive panics in a runtime.
pub(super) enum Reply {
    Task(oneshot::Sender<Vectors>),
    Thread(Sender<Vectors>),
}

impl Reply {
    fn is_closed(&self) -> bool {
        match self {
            Self::Task(sender) => sender.is_closed(),
            // A blocked thread cannot give up.
            Self::Thread(_) => false,
        }
    }

    /// Sends the vectors; nobody may be waiting any more, which is no fault.
    fn send(self, vectors: Vectors) {
        match self {
            Self::Task(sender) => drop(sender.send(vectors)),
            Self::Thread(sender) => drop(sender.send(vectors)),
        }
    }
}

/// What a thread starts with. It holds no handle to its pool: dropping the last one ends it.
pub(super) struct Worker {
    pub(super) jobs: Receiver<Job>,
    pub(super) status: Arc<Status>,
    pub(super) make: Arc<Make>,
}

impl Worker {
    pub(super) fn spawn(self, number: usize) {
        let status = Arc::clone(&self.status);
        // Linux shows 15 bytes of a thread's name.
        let spawned = thread::Builder::new()
            .name(format!("embedder-{number}"))
            .spawn(move || self.run());
        if let Err(error) = spawned {
            status.never_loaded(Some(format!("no thread for the embedder: {error}")));
        }
    }

    fn run(self) {
        let embedder = match self.make_warm() {
            Ok(embedder) => embedder,
            Err(error) => {
                tracing::error!(error = %error.chain(), "embedder not loaded");
                self.status.never_loaded(Some(error.chain()));
                return self.turn_away();
            }
        };
        tracing::info!(model = %embedder.model(), dimensions = embedder.dimensions(), "embedder loaded");
        self.status.loaded(embedder.model());
        // The guard is for an embedder that panics while it is dropped.
        let failure = guard::catch(|| self.serve(embedder)).unwrap_or_else(Some);
        self.status.left(failure);
        self.turn_away();
    }

    /// Answers all who wait, if no thread is left to do it. Comes after the status has changed: who puts a job into
    /// the queue looks at the status afterwards, so a job is either found here or given up by its sender.
    fn turn_away(self) {
        if self.status.failure().is_some() {
            while let Ok(job) = self.jobs.try_recv() {
                job.reply.send(Err(self.status.lost()));
            }
        }
    }

    /// Takes jobs until the pool is gone; returns why it ends if it must end before.
    fn serve(&self, mut embedder: Box<dyn Embedder>) -> Option<String> {
        while let Ok(job) = self.jobs.recv() {
            if job.is_given_up() {
                continue;
            }
            let texts: Vec<&str> = job.texts.iter().map(String::as_str).collect();
            match guard::catch(|| embed_checked(embedder.as_mut(), &texts)) {
                Ok(result) => job.reply.send(result),
                Err(message) => {
                    tracing::error!(%message, "embedder panicked");
                    job.reply.send(Err(Error::Panicked { message }));
                    match self.replace(embedder) {
                        Ok(new) => embedder = new,
                        Err(error) => return Some(error.chain()),
                    }
                }
            }
        }
        None
    }

    /// Drops an embedder that panicked, which may panic as well, and makes a new one.
    fn replace(&self, broken: Box<dyn Embedder>) -> Result<Box<dyn Embedder>> {
        let _ = guard::catch(move || drop(broken));
        self.make_warm()
            .inspect_err(|error| tracing::error!(error = %error.chain(), "embedder not replaced"))
    }

    /// Makes an embedder and runs it once alone and once on a batch: the first runs of a session are ten times slower.
    fn make_warm(&self) -> Result<Box<dyn Embedder>> {
        let made = guard::catch(|| {
            let mut embedder = (self.make)()?;
            embed_checked(embedder.as_mut(), &["warm up"])?;
            embed_checked(
                embedder.as_mut(),
                &["warm up", "warm up with a text of another length"],
            )?;
            Ok(embedder)
        });
        made.unwrap_or_else(|message| Err(Error::Panicked { message }))
    }
}

/// Embeds and holds the embedder to its word: one finite vector of its dimensions for each text. A vector of another
/// length, or NaN, in the cache's index would be found only when it does harm.
fn embed_checked(embedder: &mut dyn Embedder, texts: &[&str]) -> Vectors {
    let vectors = embedder.embed(texts)?;
    if vectors.len() != texts.len() {
        return Err(Error::Malformed {
            expected: format!("{} vectors", texts.len()),
            actual: format!("{} vectors", vectors.len()),
        });
    }
    let dimensions = embedder.dimensions();
    for vector in &vectors {
        if vector.len() != dimensions {
            return Err(Error::Malformed {
                expected: format!("{dimensions} dimensions"),
                actual: format!("{} dimensions", vector.len()),
            });
        }
        if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
            return Err(Error::Malformed {
                expected: "finite numbers".to_owned(),
                actual: value.to_string(),
            });
        }
    }
    Ok(vectors)
}
