//! When each request of an open loop is meant to leave.

use std::time::Duration;

use tokio::{task, time, time::Instant};

/// How long before a send time the pacer stops sleeping and watches the clock instead. The runtime's timer is good to
/// a millisecond or two, which is ten times an exact hit: sleeping to the end would measure the timer.
pub(super) const SPIN: Duration = Duration::from_micros(2_000);

/// Send times at a fixed rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    start: Instant,
    rate: f64,
}

impl Schedule {
    /// Makes the schedule that sends `rate` requests a second, the first at `start`.
    pub(super) fn new(start: Instant, rate: f64) -> Self {
        Self { start, rate }
    }

    /// Returns when request `number`, counted from 0, is meant to leave. Computed from the start each time, so that
    /// no rounding adds up.
    pub(super) fn at(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.rate)
    }
}

/// Waits until `instant`; the last `spin` of it by watching the clock while other tasks run.
pub(super) async fn wait_until(instant: Instant, spin: Duration) {
    if let Some(early) = instant
        .checked_sub(spin)
        .filter(|early| *early > Instant::now())
    {
        time::sleep_until(early).await;
    }
    // One turn at least, so that a run that is late still reads its answers.
    task::yield_now().await;
    while Instant::now() < instant {
        task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn send_times_do_not_drift() {
        let start = Instant::now();
        let schedule = Schedule::new(start, 3.0);
        assert_eq!(schedule.at(0), start);
        assert_eq!(schedule.at(3), start + Duration::from_secs(1));
        assert_eq!(
            schedule.at(3_000_000),
            start + Duration::from_secs(1_000_000)
        );
        let between = schedule.at(2) - schedule.at(1);
        assert!(
            between.abs_diff(Duration::from_nanos(333_333_333)) <= Duration::from_nanos(2),
            "{between:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_instant_and_a_past_one_does_not_wait() {
        let start = Instant::now();
        wait_until(start + Duration::from_millis(40), Duration::ZERO).await;
        assert_eq!(Instant::now() - start, Duration::from_millis(40));
        wait_until(start, Duration::ZERO).await;
        assert_eq!(Instant::now() - start, Duration::from_millis(40));
    }

    #[tokio::test]
    async fn the_clock_is_watched_to_the_end() {
        let instant = Instant::now() + Duration::from_micros(3_300);
        wait_until(instant, SPIN).await;
        assert!(Instant::now() >= instant);
    }
}
