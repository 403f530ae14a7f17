//! Latencies in a histogram of bounded memory and three significant digits.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency told apart; a longer one counts as this.
const LONGEST: Duration = Duration::from_secs(3600);
/// Relative error of a reported value is below 10^-3.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Collects latencies, in nanoseconds.
#[derive(Debug, Clone)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// What a set of latencies is reported as, in microseconds; all zero for an empty set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// Smallest latency.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Half of the latencies are at most this.
    pub p50: f64,
    /// 90 % of the latencies are at most this.
    pub p90: f64,
    /// 99 % of the latencies are at most this.
    pub p99: f64,
    /// 99.9 % of the latencies are at most this.
    pub p999: f64,
    /// Largest latency.
    pub max: f64,
}

impl Latencies {
    /// Makes an empty set. It takes about 280 KiB, however many latencies are recorded.
    ///
    /// # Errors
    /// Never with the bounds of this module; the histogram checks them when it is made.
    pub fn new() -> anyhow::Result<Self> {
        let longest = u64::try_from(LONGEST.as_nanos())?;
        Ok(Self {
            histogram: Histogram::new_with_bounds(1, longest, SIGNIFICANT_DIGITS)?,
        })
    }

    /// Adds one latency.
    pub fn record(&mut self, latency: Duration) {
        self.histogram
            .saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Returns how many latencies were recorded.
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Returns whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// Returns the figures of the set.
    pub fn summary(&self) -> Summary {
        let at = |quantile: f64| microseconds(self.histogram.value_at_quantile(quantile) as f64);
        Summary {
            min: microseconds(self.histogram.min() as f64),
            mean: microseconds(self.histogram.mean()),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: microseconds(self.histogram.max() as f64),
        }
    }
}

/// Rounds to hundredths: finer than any clock read here, and short in a report.
fn microseconds(nanoseconds: f64) -> f64 {
    (nanoseconds / 10.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: impl IntoIterator<Item = Duration>) -> Latencies {
        let mut set = Latencies::new().unwrap_or_else(|error| unreachable!("{error}"));
        latencies
            .into_iter()
            .for_each(|latency| set.record(latency));
        set
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= expected * 2e-3,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn quantiles_are_those_of_the_latencies() {
        let summary = of((1..=1000).map(Duration::from_micros)).summary();
        near(summary.min, 1.0);
        near(summary.mean, 500.5);
        near(summary.p50, 500.0);
        near(summary.p90, 900.0);
        near(summary.p99, 990.0);
        near(summary.p999, 999.0);
        near(summary.max, 1000.0);
    }

    #[test]
    fn one_slow_answer_moves_the_maximum_and_not_the_median() {
        let fast = std::iter::repeat_n(Duration::from_micros(100), 999);
        let summary = of(fast.chain([Duration::from_millis(50)])).summary();
        near(summary.p50, 100.0);
        near(summary.p99, 100.0);
        near(summary.max, 50_000.0);
    }

    #[test]
    fn a_latency_beyond_the_longest_is_kept_as_the_longest() {
        let set = of([LONGEST * 3]);
        assert_eq!(set.len(), 1);
        near(set.summary().max, 3.6e9);
    }

    #[test]
    fn an_empty_set_is_all_zero() {
        let set = of([]);
        assert!(set.is_empty());
        assert_eq!(set.summary().p50, 0.0);
        assert_eq!(set.summary().mean, 0.0);
    }
}
