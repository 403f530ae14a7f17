//! Drives an HTTP/1.1 endpoint and reports how fast it answers.
//!
//! *Open loop* sends at a fixed rate whatever the server does and measures each latency from the moment the request
//! was meant to leave: a server that stalls is charged for everyone who would have waited (no coordinated omission).
//! *Closed loop* keeps a fixed number of connections busy and finds the throughput.
//!
//! One thread does it all. The client reads and writes plain HTTP/1.1 itself, because its own work is part of every
//! number on a machine that it shares with the server.

mod closed;
mod connection;
mod expectation;
mod open;
mod pacer;
mod recorder;
mod report;
mod requests;
mod response;
mod target;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

pub use expectation::Expectation;
pub use report::{Errors, Mode, Report};
pub use requests::Requests;
pub use target::Target;

use connection::Client;
use recorder::{Recorder, SharedRecorder};

/// A load run.
#[derive(Debug)]
pub struct Options {
    /// Where the requests go.
    pub target: Target,
    /// What is sent.
    pub requests: Requests,
    /// How fast it is sent.
    pub mode: Mode,
    /// How long requests are sent before they count.
    pub warmup: Duration,
    /// How long requests are sent that count; `None` runs until the requests are used up.
    pub duration: Option<Duration>,
    /// After how long, counted from its intended send time, a request without a complete answer is an error.
    pub timeout: Duration,
    /// What a good answer carries besides status 200.
    pub expectations: Vec<Expectation>,
}

/// When a run begins to count and when it ends.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    counted_from: Instant,
    end: Option<Instant>,
}

impl Window {
    fn new(start: Instant, warmup: Duration, duration: Option<Duration>) -> Self {
        let counted_from = start + warmup;
        Self {
            start,
            counted_from,
            end: duration.map(|duration| counted_from + duration),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.end.is_some_and(|end| now >= end)
    }
}

/// Runs the load and returns its figures.
///
/// # Errors
/// When the run cannot start: the target's name does not resolve. A request that fails is counted in the report.
pub fn run(options: Options) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(drive(options))
}

async fn drive(options: Options) -> anyhow::Result<Report> {
    let Options {
        target,
        requests,
        mode,
        warmup,
        duration,
        timeout,
        expectations,
    } = options;
    let address = target.resolve().await?;
    let expectations: Arc<[Expectation]> = expectations.into();
    let client = || Client::new(address, Arc::clone(&expectations));
    let window = Window::new(Instant::now(), warmup, duration);
    let recorder = SharedRecorder::new(Recorder::new(window.counted_from)?);
    let requests = Arc::new(requests);
    match mode {
        Mode::Open {
            rate,
            max_connections,
        } => {
            let pace = open::Pace {
                rate,
                max_connections,
                timeout,
                spin: pacer::SPIN,
            };
            open::drive(pace, window, &requests, &recorder, client).await;
        }
        Mode::Closed { connections } => {
            closed::drive(connections, timeout, window, &requests, &recorder, client).await;
        }
    }
    Ok(recorder.with(|recorder| recorder.report(mode, requests.ran_out())))
}
