//! The cache that is measured: its store, its entries by number, and searches in it.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use tollfree_cache::{
    cache::{Cache, CacheOptions},
    contributor::Contributor,
    entry::{Answer, Finish, NewEntry, Usage, Vector},
    key::{CompatibilityKey, ExactKey},
    language::Language,
    namespace::Namespace,
};

use crate::{
    latency::{Latencies, Summary},
    scale::{
        exact::{Recall, Truth},
        vectors::Vectors,
    },
};

/// Candidates asked for, as the product does.
pub(super) const CANDIDATES: usize = 8;

/// Values of a sketch, as of the static model.
const SKETCH: usize = 256;

/// Entries in a partition from which on the cache keeps no sketches.
const LARGEST_WITH_SKETCHES: usize = 4_096;

const MODEL: &str = "all-minilm-l6-v2";
pub(super) const NOW_MS: u64 = 1_700_000_000_000;

/// Where the entries are and how they are searched.
#[derive(Debug, Clone)]
pub struct Options {
    /// Compatibility keys that the entries are spread over.
    pub partitions: usize,
    /// Bytes of each answer.
    pub answer_bytes: usize,
    /// Searches for each figure.
    pub searches: usize,
    /// The folder of the store.
    pub directory: PathBuf,
}

/// One store and what it is filled with.
pub(super) struct Subject<'a> {
    pub(super) options: &'a Options,
    pub(super) vectors: &'a Vectors,
    /// The texts that `vectors` is made from.
    pub(super) goals: &'a [String],
    /// The number of entries it grows to.
    pub(super) largest: usize,
    /// Entries admitted so far: those of the numbers below.
    pub(super) admitted: usize,
}

impl Subject<'_> {
    /// Opens the store, or begins it.
    pub(super) fn open(&self) -> Result<Cache> {
        let options = CacheOptions {
            max_entries: usize::MAX,
            max_answer_bytes: 1 << 20,
            ttl_jitter: 0.0,
            refuse_pii: true,
            ttl: Duration::from_secs(3_600),
            stale_while_revalidate: Duration::ZERO,
            model: Some(MODEL.to_owned()),
        };
        Ok(Cache::open(&self.options.directory, options, NOW_MS)?.0)
    }

    pub(super) fn key(&self, n: usize) -> CompatibilityKey {
        let mut key = [0; 32];
        let partition = (n % self.options.partitions.max(1)) as u64;
        key[..8].copy_from_slice(&partition.to_le_bytes());
        // Real keys are digests: spread over all their bytes.
        key[8..16].copy_from_slice(&partition.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        CompatibilityKey::from_bytes(key)
    }

    /// Whether the partitions are of a size for which the cache keeps sketches.
    fn with_sketches(&self) -> bool {
        self.largest / self.options.partitions.max(1) <= LARGEST_WITH_SKETCHES
    }

    pub(super) fn entry(&self, n: usize) -> Result<NewEntry> {
        let values = self.vectors.stored(n);
        let sketch = self.with_sketches().then(|| {
            let mut sketch: Vec<f32> = values.iter().copied().take(SKETCH).collect();
            let norm = sketch.iter().map(|value| value * value).sum::<f32>().sqrt();
            sketch.iter_mut().for_each(|value| *value /= norm);
            sketch
        });
        let goal = self
            .goals
            .get(self.vectors.goal_of(n))
            .cloned()
            .unwrap_or_default();
        let mut text = goal.repeat(self.options.answer_bytes / goal.len().max(1) + 1);
        text.truncate(
            (0..=self.options.answer_bytes)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0),
        );
        Ok(NewEntry {
            namespace: Namespace::anonymous(),
            exact: exact_key(n),
            compatibility: self.key(n),
            goal,
            answer: Answer {
                text,
                finish: Finish::Stop,
                usage: Usage {
                    input_tokens: 20,
                    output_tokens: 60,
                },
                model: "gemini-2.5-flash".into(),
            },
            upstream: "gemini".into(),
            model_requested: "gpt-4o-mini".into(),
            language: Language::new("en"),
            contributor: Contributor::UNKNOWN,
            quarantine: false,
            ttl: None,
            vector: Some(Vector::new(MODEL, values)?),
            sketch,
        })
    }

    /// Searches one after the other on a quiet cache.
    pub(super) fn search(
        &self,
        cache: &Cache,
        there: &(impl Fn(usize) -> bool + Sync),
    ) -> Result<(Option<Recall>, Summary)> {
        let single = self.options.partitions == 1;
        // Over many partitions the nearest of all says nothing; the goals are the same.
        let truth = Truth::find(self.vectors, self.options.searches, self.admitted, |n| {
            single && there(n)
        });
        let mut latencies = Latencies::new()?;
        let mut found = Vec::with_capacity(self.options.searches);
        for (n, goal) in truth.searched().iter().enumerate() {
            let key = self.key(self.vectors.searched(n, self.admitted).1);
            let begun = Instant::now();
            let candidates = cache.candidates(&key, goal, CANDIDATES, NOW_MS);
            latencies.record(begun.elapsed());
            found.push(
                candidates
                    .first()
                    .map(|candidate| number(&candidate.entry.exact)),
            );
        }
        let recall = single.then(|| truth.judge(self.vectors, &found));
        Ok((recall, latencies.summary()))
    }

    /// Searches until told to stop.
    pub(super) fn search_until(
        &self,
        cache: &Cache,
        size: usize,
        over: &AtomicBool,
    ) -> Result<Summary> {
        let goals: Vec<(Vec<f32>, usize)> =
            (0..256).map(|n| self.vectors.searched(n, size)).collect();
        let mut latencies = Latencies::new()?;
        for (goal, near) in goals.iter().cycle() {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let begun = Instant::now();
            cache.candidates(&self.key(*near), goal, CANDIDATES, NOW_MS);
            latencies.record(begun.elapsed());
            // As one client would: a search that never rests would measure the scheduler on two cores.
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(latencies.summary())
    }
}

/// A key that holds the number of its entry and is otherwise spread like a digest.
fn exact_key(n: usize) -> ExactKey {
    let spread = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut key = [0; 32];
    key[..8].copy_from_slice(&spread.to_be_bytes());
    key[24..].copy_from_slice(&(n as u64).to_le_bytes());
    ExactKey::from_bytes(key)
}

/// The number of an entry, which its key holds.
pub(super) fn number(key: &ExactKey) -> usize {
    let mut number = [0; 8];
    number.copy_from_slice(&key.as_bytes()[24..]);
    u64::from_le_bytes(number) as usize
}
