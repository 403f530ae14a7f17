//! Counts outcomes and keeps latencies of the part of a run that counts.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Error, Result, latency::Latencies};

use super::{Errors, Mode, Report};

/// What happened in a run so far.
#[derive(Debug)]
pub(super) struct Recorder {
    counted_from: Instant,
    last: Instant,
    latencies: Latencies,
    lags: Latencies,
    errors: Errors,
    first_error: Option<String>,
    body_bytes: u64,
}

/// A recorder that the tasks of a run share; they run on one thread and never contend for it.
#[derive(Debug, Clone)]
pub(super) struct SharedRecorder(Arc<Mutex<Recorder>>);

impl SharedRecorder {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(recorder)))
    }

    pub(super) fn with<T>(&self, apply: impl FnOnce(&mut Recorder) -> T) -> T {
        apply(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recorder {
    /// Makes a recorder that leaves out what was meant to be sent before `counted_from`.
    ///
    /// # Errors
    /// As [`Latencies::new`].
    pub(super) fn new(counted_from: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            counted_from,
            last: counted_from,
            latencies: Latencies::new()?,
            lags: Latencies::new()?,
            errors: Errors::default(),
            first_error: None,
            body_bytes: 0,
        })
    }

    /// Records how a request ended that was meant to be sent at `intended`. Errors have no latency: a quick refusal
    /// must not make a server look fast.
    pub(super) fn record(&mut self, intended: Instant, completed: Instant, outcome: Result<u64>) {
        if intended < self.counted_from {
            return;
        }
        self.last = self.last.max(completed);
        match outcome {
            Ok(body_bytes) => {
                self.latencies.record(completed - intended);
                self.body_bytes += body_bytes;
            }
            Err(error) => {
                self.errors.count(&error);
                self.first_error.get_or_insert_with(|| described(&error));
            }
        }
    }

    /// Records how long after its intended time a request left.
    pub(super) fn record_lag(&mut self, intended: Instant, lag: Duration) {
        if intended >= self.counted_from {
            self.lags.record(lag);
        }
    }

    pub(super) fn report(&self, mode: Mode, ran_out: bool) -> Report {
        let good = self.latencies.len();
        let elapsed_s = (self.last - self.counted_from).as_secs_f64();
        let per = |total: f64, by: f64| if by > 0.0 { total / by } else { 0.0 };
        Report {
            mode,
            requests: good + self.errors.total,
            errors: self.errors,
            first_error: self.first_error.clone(),
            ran_out,
            elapsed_s,
            throughput_per_s: per(good as f64, elapsed_s),
            body_bytes_mean: per(self.body_bytes as f64, good as f64),
            latency_us: self.latencies.summary(),
            send_lag_us: (!self.lags.is_empty()).then(|| self.lags.summary()),
        }
    }
}

/// The error and all that caused it, in one line.
fn described(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);
    const MODE: Mode = Mode::Closed { connections: 1 };

    #[tokio::test(start_paused = true)]
    async fn the_warm_up_does_not_count() -> anyhow::Result<()> {
        let start = Instant::now();
        let mut recorder = Recorder::new(start + MILLISECOND * 10)?;
        recorder.record(start, start + MILLISECOND * 90, Ok(1));
        recorder.record(start, start + MILLISECOND, Err(Error::TimedOut));
        recorder.record_lag(start, MILLISECOND);
        recorder.record(start + MILLISECOND * 10, start + MILLISECOND * 12, Ok(7));
        let report = recorder.report(MODE, false);
        assert_eq!(
            (report.requests, report.errors.total, report.first_error),
            (1, 0, None)
        );
        assert_eq!(
            (
                report.body_bytes_mean,
                report.elapsed_s,
                report.throughput_per_s
            ),
            (7.0, 0.002, 500.0)
        );
        assert_eq!(report.send_lag_us, None);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_counted_by_kind_and_have_no_latency() -> anyhow::Result<()> {
        let start = Instant::now();
        let mut recorder = Recorder::new(start)?;
        recorder.record(start, start + MILLISECOND * 4, Ok(1));
        let header = Error::Header {
            name: "h".to_owned(),
            expected: "a".to_owned(),
            found: None,
        };
        let refused = Error::Connection(std::io::Error::other("refused"));
        for error in [
            refused,
            header,
            Error::Status { status: 503 },
            Error::TimedOut,
            Error::Closed { begun: true },
        ] {
            recorder.record(start, start + MILLISECOND, Err(error));
        }
        let report = recorder.report(MODE, true);
        assert_eq!(
            report.errors,
            Errors {
                total: 5,
                status: 1,
                header: 1,
                connection: 2,
                timeout: 1
            }
        );
        assert_eq!(
            report.first_error.as_deref(),
            Some("connection failed: refused")
        );
        assert_eq!((report.requests, report.ran_out), (6, true));
        assert!(
            (report.latency_us.min - 4000.0).abs() < 4.0,
            "{:?}",
            report.latency_us
        );
        Ok(())
    }
}
