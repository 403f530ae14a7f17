//! What a load run is reported as.

use std::fmt;

use serde::Serialize;

use crate::{Error, latency::Summary};

/// How requests are paced.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "loop", rename_all = "lowercase")]
pub enum Mode {
    /// At a fixed rate, whatever the server does.
    Open {
        /// Requests a second, above 0.
        rate: f64,
        /// Connections at most; a request that finds all of them busy waits, and its wait counts.
        max_connections: usize,
    },
    /// As fast as a fixed number of connections goes.
    Closed {
        /// Number of connections.
        connections: usize,
    },
}

/// How many requests failed, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// All of them.
    pub total: u64,
    /// Another status than 200.
    pub status: u64,
    /// A header that is not what the run expects.
    pub header: u64,
    /// A connection that failed, or bytes that are no HTTP.
    pub connection: u64,
    /// No complete answer in time.
    pub timeout: u64,
}

impl Errors {
    pub(super) fn count(&mut self, error: &Error) {
        self.total += 1;
        *match error {
            Error::Status { .. } => &mut self.status,
            Error::Header { .. } => &mut self.header,
            Error::Malformed { .. } | Error::Closed { .. } | Error::Connection(_) => {
                &mut self.connection
            }
            Error::TimedOut => &mut self.timeout,
        } += 1;
    }
}

/// The figures of a load run; those of its warm-up are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How requests were paced.
    #[serde(flatten)]
    pub mode: Mode,
    /// Requests sent, errors included.
    pub requests: u64,
    /// Requests that failed.
    pub errors: Errors,
    /// The first failure in words.
    pub first_error: Option<String>,
    /// Whether the requests were used up before the time was.
    pub ran_out: bool,
    /// Seconds from the end of the warm-up to the last answer.
    pub elapsed_s: f64,
    /// Good answers a second.
    pub throughput_per_s: f64,
    /// Mean length of the bodies of good answers.
    pub body_bytes_mean: f64,
    /// Latencies of good answers in microseconds; in an open loop from the intended send time.
    pub latency_us: Summary,
    /// How late requests left in an open loop, in microseconds. It is part of every latency above; where it is not
    /// small beside them, the client was too slow for the rate.
    pub send_lag_us: Option<Summary>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Open { rate, .. } => writeln!(f, "open loop at {rate} requests/s")?,
            Mode::Closed { connections } => {
                writeln!(f, "closed loop of {connections} connections")?
            }
        }
        let Errors {
            total,
            status,
            header,
            connection,
            timeout,
        } = self.errors;
        writeln!(f, "requests    {}", self.requests)?;
        writeln!(
            f,
            "errors      {total} (status {status}, header {header}, connection {connection}, timeout {timeout})"
        )?;
        if let Some(error) = &self.first_error {
            writeln!(f, "first error {error}")?;
        }
        writeln!(
            f,
            "throughput  {:.1} answers/s over {:.2} s",
            self.throughput_per_s, self.elapsed_s
        )?;
        writeln!(f, "body        {:.0} bytes", self.body_bytes_mean)?;
        let rows = [
            ("latency", Some(self.latency_us)),
            ("send lag", self.send_lag_us),
        ];
        for (name, summary) in rows
            .into_iter()
            .filter_map(|(name, summary)| Some((name, summary?)))
        {
            writeln!(
                f,
                "{name:<11} p50 {:.1}  p90 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1} us",
                summary.p50, summary.p90, summary.p99, summary.p999, summary.max
            )?;
        }
        if self.ran_out {
            writeln!(f, "the requests were used up")?;
        }
        Ok(())
    }
}
