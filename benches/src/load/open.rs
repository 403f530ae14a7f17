//! The open loop: requests leave at a fixed rate, whatever became of the ones before.
//!
//! A request takes an idle connection, opens one, or waits in order for the next free one when the limit is reached.
//! Latency and time limit count from the intended send time, the wait included, so that a server that stalls is
//! charged for every request that was due meanwhile.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time, time::Instant};

use crate::Error;

use super::{
    Requests, SharedRecorder, Window,
    connection::Exchange,
    pacer::{Schedule, wait_until},
};

/// How fast an open loop sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) rate: f64,
    pub(super) max_connections: usize,
    pub(super) timeout: Duration,
    /// See [`wait_until`].
    pub(super) spin: Duration,
}

/// A request and when it was meant to leave.
struct Job {
    intended: Instant,
    request: Bytes,
}

/// The connections of a run and the requests that wait for one.
struct Pool<E> {
    state: Mutex<State<E>>,
    all_idle: Notify,
    timeout: Duration,
    recorder: SharedRecorder,
}

struct State<E> {
    idle: Vec<E>,
    waiting: VecDeque<Job>,
    open: usize,
}

/// Sends until the window is over or the requests are used up, then waits for the last answers.
pub(super) async fn drive<E: Exchange>(
    pace: Pace,
    window: Window,
    requests: &Requests,
    recorder: &SharedRecorder,
    client: impl Fn() -> E,
) {
    let schedule = Schedule::new(window.start, pace.rate);
    let pool = Arc::new(Pool {
        state: Mutex::new(State {
            idle: Vec::new(),
            waiting: VecDeque::new(),
            open: 0,
        }),
        all_idle: Notify::new(),
        timeout: pace.timeout,
        recorder: recorder.clone(),
    });
    for number in 0.. {
        let intended = schedule.at(number);
        if window.is_over(intended) {
            break;
        }
        let Some(request) = requests.next() else {
            break;
        };
        wait_until(intended, pace.spin).await;
        recorder.with(|recorder| recorder.record_lag(intended, intended.elapsed()));
        pool.dispatch(Job { intended, request }, pace.max_connections, &client);
    }
    pool.wait_until_idle().await;
}

impl<E: Exchange> Pool<E> {
    fn with<T>(&self, apply: impl FnOnce(&mut State<E>) -> T) -> T {
        apply(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn dispatch(self: &Arc<Self>, job: Job, max_connections: usize, client: impl Fn() -> E) {
        let started = self.with(|state| match state.idle.pop() {
            Some(free) => Some((free, job)),
            None if state.open < max_connections => {
                state.open += 1;
                Some((client(), job))
            }
            None => {
                state.waiting.push_back(job);
                None
            }
        });
        if let Some((client, job)) = started {
            tokio::spawn(Arc::clone(self).serve(client, job));
        }
    }

    /// Sends `job` and then whatever waits, until nothing does.
    async fn serve(self: Arc<Self>, mut client: E, mut job: Job) {
        loop {
            let deadline = job.intended + self.timeout;
            let exchange = time::timeout_at(deadline, client.exchange(&job.request));
            let outcome = exchange.await.unwrap_or(Err(Error::TimedOut));
            if matches!(outcome, Err(Error::TimedOut)) {
                client.abandon();
            }
            self.recorder
                .with(|recorder| recorder.record(job.intended, Instant::now(), outcome));
            match self.with(|state| state.waiting.pop_front()) {
                Some(next) => job = next,
                None => break,
            }
        }
        let all_idle = self.with(|state| {
            state.idle.push(client);
            state.idle.len() == state.open
        });
        if all_idle {
            self.all_idle.notify_one();
        }
    }

    async fn wait_until_idle(&self) {
        while self.with(|state| state.idle.len() < state.open) {
            self.all_idle.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        Result,
        load::{Mode, Report, Target, recorder::Recorder},
    };

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Answers in one millisecond, but the first request of the run takes `first`.
    struct Answers {
        first: Duration,
        served: Arc<AtomicUsize>,
    }

    impl Exchange for Answers {
        async fn exchange(&mut self, _: &[u8]) -> Result<u64> {
            let number = self.served.fetch_add(1, Ordering::Relaxed);
            time::sleep(if number == 0 { self.first } else { MILLISECOND }).await;
            Ok(1)
        }

        fn abandon(&mut self) {}
    }

    /// 100 requests at 100 a second; how they ended and how many connections they took.
    async fn run(
        first: Duration,
        max_connections: usize,
        timeout: Duration,
    ) -> anyhow::Result<(Report, usize)> {
        let window = Window::new(Instant::now(), Duration::ZERO, Some(MILLISECOND * 1000));
        let recorder = SharedRecorder::new(Recorder::new(window.counted_from)?);
        let requests = Requests::repeat(&Target::new("http://localhost/", &[])?, b"", None);
        let (served, opened) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
        let client = || {
            opened.fetch_add(1, Ordering::Relaxed);
            Answers {
                first,
                served: Arc::clone(&served),
            }
        };
        let pace = Pace {
            rate: 100.0,
            max_connections,
            timeout,
            spin: Duration::ZERO,
        };
        drive(pace, window, &requests, &recorder, client).await;
        let mode = Mode::Open {
            rate: pace.rate,
            max_connections,
        };
        Ok((
            recorder.with(|recorder| recorder.report(mode, requests.ran_out())),
            opened.into_inner(),
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_at_the_rate_and_reuse_the_connection() -> anyhow::Result<()> {
        let (report, opened) = run(MILLISECOND, 8, MILLISECOND * 500).await?;
        assert_eq!((report.requests, report.errors.total, opened), (100, 0, 1));
        assert!((report.latency_us.max - 1_000.0).abs() < 2.0, "{report}");
        assert!(
            report.send_lag_us.is_some_and(|lag| lag.max < 2.0),
            "{report}"
        );
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_charged_to_every_request_that_was_due_meanwhile() -> anyhow::Result<()> {
        let (report, opened) = run(MILLISECOND * 500, 1, MILLISECOND * 5000).await?;
        assert_eq!((report.requests, report.errors.total, opened), (100, 0, 1));
        // The first waits 500 ms, the next 491, 482, ...: a client that waits for each answer would see one slow one.
        assert!(
            (report.latency_us.max - 500_000.0).abs() < 1_000.0,
            "{report}"
        );
        assert!(report.latency_us.p90 > 390_000.0, "{report}");
        assert!(report.latency_us.p50 > 30_000.0, "{report}");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_of_one_connection_does_not_hold_the_others() -> anyhow::Result<()> {
        let (report, opened) = run(MILLISECOND * 500, 8, MILLISECOND * 5000).await?;
        assert_eq!((report.requests, report.errors.total, opened), (100, 0, 2));
        assert!((report.latency_us.p90 - 1_000.0).abs() < 2.0, "{report}");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_limit_counts_from_the_intended_send_time() -> anyhow::Result<()> {
        let (report, _) = run(MILLISECOND * 500, 1, MILLISECOND * 100).await?;
        // The stalled one; those that waited behind it for less than the limit are served.
        assert_eq!(
            (report.requests, report.errors.timeout),
            (100, 1),
            "{report}"
        );
        assert!(report.latency_us.max <= 100_000.0, "{report}");
        Ok(())
    }
}
