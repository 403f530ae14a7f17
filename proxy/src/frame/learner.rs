//! Learning frames beside the traffic: requests are offered to a bounded queue, one thread reads it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tollfree_cache::frame::{Detector, Limits, Sample};
use tollfree_cache::namespace::Namespace;

use super::learned::Learned;
use super::sample;

/// Shorter texts hold no fixed words worth taking out.
pub(super) const MIN_TEXT_BYTES: usize = 64;

/// A goal from this length on may be another frame's text.
pub(super) const LONG_GOAL_BYTES: usize = 256;

/// Longer ones are not looked at: 16 KiB, eight times the boilerplate of a talkative application.
pub(super) const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Samples that may wait; with the longest texts that is 4 MiB.
const QUEUE: usize = 256;

/// The thread that learns; it ends when this is dropped.
pub struct Learner {
    queue: SyncSender<(Namespace, Sample)>,
    num_dropped: Arc<AtomicU64>,
}

impl Learner {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(learned: Learned) -> io::Result<Self> {
        let (queue, samples) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("frames".to_owned())
            .spawn(move || learn(&learned, &samples))?;
        Ok(Self {
            queue,
            num_dropped: Arc::default(),
        })
    }

    /// Offers the texts of a request; never waits.
    pub(super) fn offer(&self, namespace: &Namespace, system: &str, user: &str) {
        let Some(sample) = sample(system, user) else {
            return;
        };
        if self.queue.try_send((namespace.clone(), sample)).is_err() {
            self.num_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn num_dropped(&self) -> u64 {
        self.num_dropped.load(Ordering::Relaxed)
    }
}

fn learn(learned: &Learned, samples: &Receiver<(Namespace, Sample)>) {
    let mut detector = Detector::new(Limits {
        max_sample_bytes: MAX_TEXT_BYTES,
        ..Limits::default()
    });
    while let Ok((namespace, sample)) = samples.recv() {
        if learned.count(&namespace, &sample) {
            continue;
        }
        let Some(found) = detector.observe(&namespace, &sample) else {
            continue;
        };
        let (words, goals) = (found.words.num_words(), found.num_goals);
        match learned.propose(&namespace, found) {
            Ok(true) => tracing::info!(
                words,
                goals,
                mode = learned.mode().as_str(),
                "a frame was found in traffic; see `tollfree frames`"
            ),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(error = %crate::error::chain(&error), "learned frame not kept")
            }
        }
    }
}
