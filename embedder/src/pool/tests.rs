//! Behaviour of the pool with an embedder that does as its texts say. No test sleeps: a thread is held by a text.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::*;
use crate::Embedder;

const LONG: Duration = Duration::from_secs(600);

/// Texts that make the embedder do something; any other text of length n becomes the direction (n, 1).
const HOLD: &str = "hold";
const PANIC: &str = "panic";
const FAIL: &str = "fail";
const WRONG_LENGTH: &str = "wrong length";
const NOT_A_NUMBER: &str = "nan";

/// The outside of all embedders of a test.
#[derive(Clone)]
struct Stage {
    seen: Arc<Mutex<Vec<String>>>,
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    entered: (Sender<()>, Receiver<()>),
    release: (Sender<()>, Receiver<()>),
}

struct Scripted {
    id: ModelId,
    stage: Stage,
}

impl Embedder for Scripted {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        2
    }

    #[expect(clippy::panic, reason = "one of the texts asks for it")]
    fn embed(&mut self, texts: &[&str]) -> crate::Result<Vec<Vec<f32>>> {
        let seen = texts
            .iter()
            .filter(|text| !text.starts_with("warm up"))
            .map(|&text| text.to_owned());
        self.stage
            .seen
            .lock()
            .unwrap_or_else(|error| error.into_inner())
            .extend(seen);
        texts
            .iter()
            .map(|&text| match text {
                HOLD => {
                    let _ = self.stage.entered.0.send(());
                    let _ = self.stage.release.1.recv();
                    Ok(vec![1.0, 0.0])
                }
                PANIC => panic!("as the text asked"),
                FAIL => Err(Error::Run {
                    reason: "as the text asked".to_owned(),
                }),
                WRONG_LENGTH => Ok(vec![1.0]),
                NOT_A_NUMBER => Ok(vec![f32::NAN, 0.0]),
                _ => Ok(direction(text)),
            })
            .collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stage.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn direction(text: &str) -> Vec<f32> {
    let length = text.len() as f32;
    let norm = length.hypot(1.0);
    vec![length / norm, 1.0 / norm]
}

impl Stage {
    fn new() -> Self {
        Self {
            seen: Arc::default(),
            made: Arc::default(),
            dropped: Arc::default(),
            entered: unbounded(),
            release: unbounded(),
        }
    }

    fn make(&self) -> Box<dyn Embedder> {
        Box::new(Scripted {
            id: ModelId::new("scripted", &[]),
            stage: self.clone(),
        })
    }

    /// A ready pool whose `make` fails from call number `fails_from` on (counted from 1).
    fn pool_failing(&self, threads: usize, queue: usize, fails_from: usize) -> Pool {
        let stage = self.clone();
        Pool::start(PoolOptions { threads, queue }, move || {
            if stage.made.fetch_add(1, Ordering::SeqCst) + 1 >= fails_from {
                return Err(Error::RuntimeMissing {
                    path: "/nowhere/lib.so".into(),
                });
            }
            Ok(stage.make())
        })
    }

    fn pool(&self, threads: usize, queue: usize) -> Result<Pool> {
        let pool = self.pool_failing(threads, queue, usize::MAX);
        pool.wait_ready_blocking()?;
        Ok(pool)
    }

    /// Gives one thread a job that keeps it until `let_go`; returns when the thread is at it.
    fn hold(&self, pool: &Pool) -> Result<thread::JoinHandle<crate::Result<Vec<Vec<f32>>>>> {
        let held = pool.clone();
        let thread = thread::spawn(move || held.embed_blocking(texts(&[HOLD])));
        self.entered.1.recv()?;
        Ok(thread)
    }

    fn let_go(&self) -> Result<()> {
        Ok(self.release.0.send(())?)
    }

    fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(|error| error.into_inner())
            .clone()
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Drives a call until it has to wait, which puts its job into the queue.
async fn start<F: Future>(mut call: Pin<&mut F>) -> Result<()> {
    match poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
        Poll::Pending => Ok(()),
        Poll::Ready(_) => Err(anyhow!("the call did not wait")),
    }
}

#[tokio::test]
async fn vectors_come_back_in_the_order_of_the_texts() -> Result<()> {
    let pool = Stage::new().pool(2, 8)?;
    let vectors = pool.embed(texts(&["a", "abc", "ab"]), LONG).await?;
    assert_eq!(vectors, [direction("a"), direction("abc"), direction("ab")]);
    Ok(())
}

#[tokio::test]
async fn no_text_needs_no_thread() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 1)?;
    let held = stage.hold(&pool)?;
    assert!(pool.embed(Vec::new(), LONG).await?.is_empty());
    assert!(pool.embed_blocking(Vec::new())?.is_empty());
    stage.let_go()?;
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    Ok(())
}

#[tokio::test]
async fn one_job_more_than_the_queue_holds_is_refused_at_once() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 2)?;
    let held = stage.hold(&pool)?;
    let mut first = Box::pin(pool.embed(texts(&["a"]), LONG));
    let mut second = Box::pin(pool.embed(texts(&["ab"]), LONG));
    start(first.as_mut()).await?;
    start(second.as_mut()).await?;
    assert_eq!((pool.queue_depth(), pool.queue_capacity()), (2, 2));
    let refused = pool.embed(texts(&["abc"]), LONG).await;
    assert!(
        matches!(refused, Err(Error::QueueFull { capacity: 2 })),
        "{refused:?}"
    );
    stage.let_go()?;
    assert_eq!(first.await?, [direction("a")]);
    assert_eq!(second.await?, [direction("ab")]);
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    Ok(())
}

#[tokio::test]
async fn jobs_are_taken_in_the_order_they_came() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    let held = stage.hold(&pool)?;
    let mut calls = Vec::new();
    for text in ["c", "a", "b"] {
        let mut call = Box::pin(pool.embed(texts(&[text]), LONG));
        start(call.as_mut()).await?;
        calls.push(call);
    }
    stage.let_go()?;
    for call in calls {
        call.await?;
    }
    assert_eq!(stage.seen(), [HOLD, "c", "a", "b"]);
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    Ok(())
}

#[tokio::test]
async fn a_job_whose_deadline_passes_in_the_queue_is_never_computed() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    let held = stage.hold(&pool)?;
    let late = pool.embed(texts(&["late"]), Duration::ZERO).await;
    assert!(
        matches!(
            late,
            Err(Error::DeadlineExceeded {
                deadline: Duration::ZERO
            })
        ),
        "{late:?}"
    );
    stage.let_go()?;
    pool.embed(texts(&["after"]), LONG).await?;
    assert_eq!(stage.seen(), [HOLD, "after"]);
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    Ok(())
}

/// The job outlives its caller here: only its own clock can stop it.
#[test]
fn an_expired_job_is_given_up_even_if_somebody_still_waits() {
    let (reply, _waiting) = tokio::sync::oneshot::channel();
    let mut job: Job<Embedding> = Job {
        input: Vec::new(),
        expires: Instant::now().checked_add(LONG),
        reply: Reply::Task(reply),
    };
    assert!(!job.is_given_up());
    job.expires = Some(Instant::now());
    assert!(job.is_given_up());
}

#[tokio::test]
async fn a_caller_does_not_wait_for_a_thread_that_hangs() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    let hung = pool.embed(texts(&[HOLD]), Duration::from_millis(1)).await;
    assert!(
        matches!(hung, Err(Error::DeadlineExceeded { .. })),
        "{hung:?}"
    );
    stage.let_go()?;
    Ok(())
}

#[tokio::test]
async fn a_job_whose_caller_has_gone_is_never_computed() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    let held = stage.hold(&pool)?;
    let mut gone = Box::pin(pool.embed(texts(&["gone"]), LONG));
    start(gone.as_mut()).await?;
    drop(gone);
    stage.let_go()?;
    pool.embed(texts(&["after"]), LONG).await?;
    assert_eq!(stage.seen(), [HOLD, "after"]);
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    Ok(())
}

#[tokio::test]
async fn a_panic_is_an_error_for_its_job_and_the_thread_goes_on_with_a_new_embedder() -> Result<()>
{
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    let Err(error) = pool.embed(texts(&[PANIC]), LONG).await else {
        return Err(anyhow!("it did not panic"));
    };
    assert_eq!(error.to_string(), "model panicked: as the text asked");
    assert_eq!(pool.embed(texts(&["a"]), LONG).await?, [direction("a")]);
    assert_eq!(stage.made.load(Ordering::SeqCst), 2);
    assert_eq!(stage.dropped.load(Ordering::SeqCst), 1);
    assert!(pool.is_ready());
    Ok(())
}

#[tokio::test]
async fn jobs_waiting_for_the_last_thread_learn_that_it_is_lost() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool_failing(1, 8, 2);
    pool.ready().await?;
    let held = stage.hold(&pool)?;
    let mut panics = Box::pin(pool.embed(texts(&[PANIC]), LONG));
    let mut waits = Box::pin(pool.embed(texts(&["a"]), LONG));
    start(panics.as_mut()).await?;
    start(waits.as_mut()).await?;
    stage.let_go()?;
    assert!(held.join().is_ok_and(|result| result.is_ok()));
    assert!(matches!(panics.await, Err(Error::Panicked { .. })));
    let waited = waits.await;
    assert!(
        matches!(waited, Err(Error::Unavailable { .. })),
        "{waited:?}"
    );
    let Err(error) = pool.ready().await else {
        return Err(anyhow!("a lost pool is ready"));
    };
    assert!(
        error.to_string().contains("/nowhere/lib.so does not exist"),
        "{error}"
    );
    assert_eq!(pool.threads(), 0);
    Ok(())
}

#[tokio::test]
async fn an_error_of_the_embedder_reaches_its_caller_only() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(1, 8)?;
    assert!(matches!(
        pool.embed(texts(&[FAIL]), LONG).await,
        Err(Error::Run { .. })
    ));
    for text in [WRONG_LENGTH, NOT_A_NUMBER] {
        assert!(
            matches!(
                pool.embed(texts(&[text]), LONG).await,
                Err(Error::Malformed { .. })
            ),
            "{text}"
        );
    }
    assert_eq!(pool.embed(texts(&["a"]), LONG).await?, [direction("a")]);
    assert_eq!(stage.made.load(Ordering::SeqCst), 1);
    Ok(())
}

#[tokio::test]
async fn a_failure_to_load_is_kept_and_every_call_fails_at_once() -> Result<()> {
    let pool = Stage::new().pool_failing(2, 8, 1);
    assert!(matches!(pool.ready().await, Err(Error::Unavailable { .. })));
    let failure = pool.failure().unwrap_or_default();
    assert!(
        failure.contains("/nowhere/lib.so does not exist"),
        "{failure}"
    );
    assert!(
        failure.contains("make setup"),
        "the remedy belongs to it: {failure}"
    );
    assert!(!pool.is_ready());
    assert_eq!(pool.model(), None);
    assert!(matches!(
        pool.embed(texts(&["a"]), LONG).await,
        Err(Error::Unavailable { .. })
    ));
    assert!(matches!(
        pool.embed_blocking(texts(&["a"])),
        Err(Error::Unavailable { .. })
    ));
    Ok(())
}

#[test]
fn a_panic_while_loading_is_a_failure() {
    #[expect(clippy::panic, reason = "what the test is about")]
    let pool: Pool = Pool::start(
        PoolOptions {
            threads: 1,
            queue: 1,
        },
        || panic!("bad weights"),
    );
    assert!(pool.wait_ready_blocking().is_err());
    assert_eq!(
        pool.failure().as_deref(),
        Some("model panicked: bad weights")
    );
}

#[test]
fn a_pool_works_with_the_threads_that_did_load() -> Result<()> {
    let pool = Stage::new().pool_failing(3, 8, 3);
    pool.wait_ready_blocking()?;
    assert_eq!((pool.threads(), pool.failure()), (2, None));
    assert_eq!(pool.embed_blocking(texts(&["a"]))?, [direction("a")]);
    Ok(())
}

#[tokio::test]
async fn a_call_while_loading_is_not_ready_and_does_not_wait() -> Result<()> {
    let stage = Stage::new();
    let (open, closed) = bounded::<()>(0);
    let loading = stage.clone();
    let pool: Pool = Pool::start(
        PoolOptions {
            threads: 1,
            queue: 8,
        },
        move || {
            let _ = closed.recv();
            Ok(loading.make())
        },
    );
    assert!(!pool.is_ready());
    assert_eq!(pool.failure(), None);
    assert!(matches!(
        pool.embed(texts(&["a"]), LONG).await,
        Err(Error::NotReady)
    ));
    let mut ready = Box::pin(pool.ready());
    start(ready.as_mut()).await?;
    open.send(())?;
    ready.await?;
    assert!(pool.is_ready());
    assert_eq!(pool.model(), Some(ModelId::new("scripted", &[])));
    assert_eq!(pool.embed(texts(&["a"]), LONG).await?, [direction("a")]);
    Ok(())
}

#[test]
fn two_threads_work_at_the_same_time() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(2, 8)?;
    // The second returns only if another thread takes its job while the first is held.
    let held = [stage.hold(&pool)?, stage.hold(&pool)?];
    for thread in held {
        stage.let_go()?;
        assert!(thread.join().is_ok_and(|result| result.is_ok()));
    }
    Ok(())
}

#[test]
fn the_threads_end_with_the_last_handle() -> Result<()> {
    let stage = Stage::new();
    let pool = stage.pool(2, 8)?;
    let other = pool.clone();
    drop(pool);
    assert_eq!(stage.dropped.load(Ordering::SeqCst), 0);
    assert_eq!(other.embed_blocking(texts(&["a"]))?, [direction("a")]);
    drop(other);
    assert_eq!(stage.dropped.load(Ordering::SeqCst), 2);
    Ok(())
}
