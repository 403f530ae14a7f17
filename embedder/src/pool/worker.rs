//! One thread of a pool: makes a model, takes job after job, replaces the model when it panics.

use std::{sync::Arc, thread, time::Instant};

use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;

use super::model::Role;
use super::status::Status;
use crate::{Error, Result, guard};

/// Makes the model of a thread.
pub(super) type Make<R> = dyn Fn() -> Result<<R as Role>::Model> + Send + Sync;

/// One run of the model, and who waits for it until when.
pub(super) struct Job<R: Role> {
    pub(super) input: R::Input,
    /// `None` never expires.
    pub(super) expires: Option<Instant>,
    pub(super) reply: Reply<R::Output>,
}

impl<R: Role> Job<R> {
    /// Says whether the output would come too late or to nobody.
    pub(super) fn is_given_up(&self) -> bool {
        self.reply.is_closed()
            || self
                .expires
                .is_some_and(|expires| Instant::now() >= expires)
    }
}

/// The way back to who asked. A task and a thread wait differently: tokio's blocking receive panics in a runtime.
pub(super) enum Reply<T> {
    Task(oneshot::Sender<Result<T>>),
    Thread(Sender<Result<T>>),
}

impl<T> Reply<T> {
    fn is_closed(&self) -> bool {
        match self {
            Self::Task(sender) => sender.is_closed(),
            // A blocked thread cannot give up.
            Self::Thread(_) => false,
        }
    }

    /// Sends the output; nobody may be waiting any more, which is no fault.
    fn send(self, output: Result<T>) {
        match self {
            Self::Task(sender) => drop(sender.send(output)),
            Self::Thread(sender) => drop(sender.send(output)),
        }
    }
}

/// What a thread starts with. It holds no handle to its pool: dropping the last one ends it.
pub(super) struct Worker<R: Role> {
    pub(super) jobs: Receiver<Job<R>>,
    pub(super) status: Arc<Status>,
    pub(super) make: Arc<Make<R>>,
}

impl<R: Role> Worker<R> {
    pub(super) fn spawn(self, number: usize) {
        let status = Arc::clone(&self.status);
        // Linux shows 15 bytes of a thread's name.
        let spawned = thread::Builder::new()
            .name(format!("{}-{number}", R::NAME))
            .spawn(move || self.run());
        if let Err(error) = spawned {
            status.never_loaded(Some(format!("no thread for the {}: {error}", R::NAME)));
        }
    }

    fn run(self) {
        let model = match self.make_warm() {
            Ok(model) => model,
            Err(error) => {
                tracing::error!(role = R::NAME, error = %error.chain(), "model not loaded");
                self.status.never_loaded(Some(error.chain()));
                return self.turn_away();
            }
        };
        tracing::info!(role = R::NAME, model = %R::id(&model), "model loaded");
        self.status.loaded(R::id(&model));
        // The guard is for a model that panics while it is dropped.
        let failure = guard::catch(|| self.serve(model)).unwrap_or_else(Some);
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
    fn serve(&self, mut model: R::Model) -> Option<String> {
        while let Ok(job) = self.jobs.recv() {
            if job.is_given_up() {
                continue;
            }
            match guard::catch(|| R::run(&mut model, &job.input)) {
                Ok(result) => job.reply.send(result),
                Err(message) => {
                    tracing::error!(role = R::NAME, %message, "model panicked");
                    job.reply.send(Err(Error::Panicked { message }));
                    match self.replace(model) {
                        Ok(new) => model = new,
                        Err(error) => return Some(error.chain()),
                    }
                }
            }
        }
        None
    }

    /// Drops a model that panicked, which may panic as well, and makes a new one.
    fn replace(&self, broken: R::Model) -> Result<R::Model> {
        let _ = guard::catch(move || drop(broken));
        self.make_warm().inspect_err(
            |error| tracing::error!(role = R::NAME, error = %error.chain(), "model not replaced"),
        )
    }

    fn make_warm(&self) -> Result<R::Model> {
        let made = guard::catch(|| {
            let mut model = (self.make)()?;
            R::warm_up(&mut model)?;
            Ok(model)
        });
        made.unwrap_or_else(|message| Err(Error::Panicked { message }))
    }
}
