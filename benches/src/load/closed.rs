//! The closed loop: a fixed number of connections, each sends as soon as it has its answer.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time, time::Instant};

use crate::Error;

use super::{Requests, SharedRecorder, Window, connection::Exchange};

/// Keeps `connections` clients busy until the window is over or the requests are used up.
pub(super) async fn drive<E: Exchange>(
    connections: usize,
    timeout: Duration,
    window: Window,
    requests: &Arc<Requests>,
    recorder: &SharedRecorder,
    client: impl Fn() -> E,
) {
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(keep_busy(
            client(),
            timeout,
            window,
            Arc::clone(requests),
            recorder.clone(),
        ));
    }
    while tasks.join_next().await.is_some() {}
}

async fn keep_busy<E: Exchange>(
    mut client: E,
    timeout: Duration,
    window: Window,
    requests: Arc<Requests>,
    recorder: SharedRecorder,
) {
    loop {
        let sent = Instant::now();
        if window.is_over(sent) {
            break;
        }
        let Some(request) = requests.next() else {
            break;
        };
        let outcome = time::timeout(timeout, client.exchange(&request))
            .await
            .unwrap_or(Err(Error::TimedOut));
        if matches!(outcome, Err(Error::TimedOut)) {
            client.abandon();
        }
        let failed = outcome.is_err();
        recorder.with(|recorder| recorder.record(sent, Instant::now(), outcome));
        if failed {
            // A refused connection fails without waiting for anything; let the others have their turn.
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Result,
        load::{Mode, Target, recorder::Recorder},
    };

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Answers after the given time, and never when there is none.
    struct Answers(Option<Duration>);

    impl Exchange for Answers {
        async fn exchange(&mut self, _: &[u8]) -> Result<u64> {
            match self.0 {
                Some(after) => time::sleep(after).await,
                None => std::future::pending().await,
            }
            Ok(1)
        }

        fn abandon(&mut self) {}
    }

    async fn report(
        answers: Option<Duration>,
        limit: Option<usize>,
    ) -> anyhow::Result<super::super::Report> {
        let window = Window::new(Instant::now(), MILLISECOND * 100, Some(MILLISECOND * 1000));
        let recorder = SharedRecorder::new(Recorder::new(window.counted_from)?);
        let requests = Arc::new(Requests::repeat(
            &Target::new("http://localhost/", &[])?,
            b"",
            limit,
        ));
        drive(4, MILLISECOND * 300, window, &requests, &recorder, || {
            Answers(answers)
        })
        .await;
        Ok(recorder
            .with(|recorder| recorder.report(Mode::Closed { connections: 4 }, requests.ran_out())))
    }

    #[tokio::test(start_paused = true)]
    async fn every_connection_is_busy_all_the_time() -> anyhow::Result<()> {
        let report = report(Some(MILLISECOND * 20), None).await?;
        assert_eq!((report.requests, report.errors.total), (4 * 1000 / 20, 0));
        assert!((report.throughput_per_s - 200.0).abs() < 1.0, "{report}");
        assert!((report.latency_us.p50 - 20_000.0).abs() < 40.0, "{report}");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_are_sent_than_there_are() -> anyhow::Result<()> {
        let report = report(Some(MILLISECOND * 20), Some(32)).await?;
        assert!(report.ran_out);
        assert_eq!(report.requests, 32 - 4 * 100 / 20, "the others are warm-up");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_comes_is_a_timeout() -> anyhow::Result<()> {
        let report = report(None, None).await?;
        assert_eq!((report.requests, report.errors.timeout), (4 * 3, 4 * 3));
        Ok(())
    }
}
