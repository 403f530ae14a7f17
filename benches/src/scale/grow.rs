//! The whole cache from small to large: entries admitted, stored, searched, removed, rebuilt and opened again.

mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tollfree_cache::{
    cache::{Cache, CacheOptions},
    contributor::Contributor,
    entry::{Answer, Finish, NewEntry, Usage, Vector},
    key::{CompatibilityKey, ExactKey},
    language::Language,
    namespace::Namespace,
};

pub use report::{Beside, Open, Rebuild, Report, Step};

use crate::{
    latency::{Latencies, Summary},
    scale::{
        exact::{Recall, Truth},
        process,
        vectors::Vectors,
    },
};

/// Candidates asked for, as the product does.
const CANDIDATES: usize = 8;

/// Entries admitted between waits for the store: well below what it lets wait.
const GROUP: usize = 4_096;

/// Values of a sketch, as of the static model.
const SKETCH: usize = 256;

/// Entries in a partition from which on the cache keeps no sketches.
const LARGEST_WITH_SKETCHES: usize = 4_096;

/// Pause between two admissions beside searches.
const ADMISSION_PAUSE: Duration = Duration::from_millis(2);

/// One of so many entries is removed, which is more than the quarter that calls for a fresh index.
const REMOVED: usize = 3;

const MODEL: &str = "all-minilm-l6-v2";
const NOW_MS: u64 = 1_700_000_000_000;

/// What to measure.
#[derive(Debug)]
pub struct Options {
    /// Numbers of entries at which to measure, growing.
    pub sizes: Vec<usize>,
    /// Compatibility keys that the entries are spread over.
    pub partitions: usize,
    /// Bytes of each answer.
    pub answer_bytes: usize,
    /// Searches for each figure.
    pub searches: usize,
    /// An empty folder for the store.
    pub directory: PathBuf,
    /// Whether to remove a third in the end, and to open the store again.
    pub whole_life: bool,
}

/// One run.
struct Run<'a> {
    options: &'a Options,
    vectors: &'a Vectors,
    goals: &'a [String],
    base_bytes: u64,
    /// Entries admitted so far.
    admitted: usize,
}

/// Measures what the options ask for; `goals` are the texts that `vectors` is made from.
///
/// # Errors
/// When the store or a figure of the system cannot be read or written.
pub fn run(vectors: &Vectors, goals: &[String], options: &Options) -> Result<Report> {
    let mut run = Run {
        options,
        vectors,
        goals,
        base_bytes: process::resident_bytes()?,
        admitted: 0,
    };
    let mut report = Report {
        partitions: options.partitions,
        answer_bytes: options.answer_bytes,
        base_bytes: run.base_bytes,
        steps: Vec::new(),
        beside: None,
        rebuild: None,
        close_s: None,
        with_snapshot: None,
        without_snapshot: None,
        file_bytes: None,
    };
    let cache = run.open()?;
    for size in &options.sizes {
        let step = run.grow(&cache, *size)?;
        progress(&step);
        report.steps.push(step);
    }
    report.beside = Some(run.search_beside_admissions(&cache)?);
    if options.whole_life {
        report.rebuild = Some(run.rebuild(&cache)?);
        cache.flush_blocking()?;
        let begun = Instant::now();
        drop(cache);
        report.close_s = Some(begun.elapsed().as_secs_f64());
        let size =
            |name: &str| fs::metadata(options.directory.join(name)).map_or(0, |file| file.len());
        report.file_bytes = Some((size("cache.redb"), size("index.snapshot")));
        report.with_snapshot = Some(run.reopen()?);
        fs::remove_file(options.directory.join("index.snapshot"))
            .context("there was no snapshot")?;
        report.without_snapshot = Some(run.reopen()?);
    }
    Ok(report)
}

/// Shows that a run of many minutes goes on.
#[expect(clippy::print_stderr, reason = "progress of a command")]
fn progress(step: &Step) {
    eprint!("{step}");
}

impl Run<'_> {
    fn open(&self) -> Result<Cache> {
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

    fn key(&self, n: usize) -> CompatibilityKey {
        let mut key = [0; 32];
        let partition = (n % self.options.partitions.max(1)) as u64;
        key[..8].copy_from_slice(&partition.to_le_bytes());
        // Real keys are digests: spread over all their bytes.
        key[8..16].copy_from_slice(&partition.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        CompatibilityKey::from_bytes(key)
    }

    /// Whether the partitions are of a size for which the cache keeps sketches.
    fn with_sketches(&self) -> bool {
        let largest = self.options.sizes.last().copied().unwrap_or_default();
        largest / self.options.partitions.max(1) <= LARGEST_WITH_SKETCHES
    }

    fn entry(&self, n: usize) -> Result<NewEntry> {
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

    fn admit(&mut self, cache: &Cache) -> Result<()> {
        cache.admit(self.entry(self.admitted)?, NOW_MS)?;
        self.admitted += 1;
        if self.admitted.is_multiple_of(GROUP) {
            cache.flush_blocking()?;
        }
        Ok(())
    }

    fn grow(&mut self, cache: &Cache, size: usize) -> Result<Step> {
        let (begun, cpu) = (Instant::now(), process::processor_time()?);
        while self.admitted < size {
            self.admit(cache)?;
        }
        cache.flush_blocking()?;
        cache.wait_for_builds();
        let (wall, cpu) = (begun.elapsed(), process::processor_time()? - cpu);
        let bytes = process::resident_bytes()?.saturating_sub(self.base_bytes);
        let (recall, search_us) = self.search(cache, &|_| true)?;
        Ok(Step {
            entries: size,
            bytes_per_entry: bytes as f64 / size as f64,
            reckoned_bytes_per_entry: cache.stats().bytes as f64 / size as f64,
            search_us,
            recall,
            cpu_s: cpu.as_secs_f64(),
            wall_s: wall.as_secs_f64(),
        })
    }

    /// Searches one after the other on a quiet cache.
    fn search(
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
    fn search_until(&self, cache: &Cache, size: usize, over: &AtomicBool) -> Result<Summary> {
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

    fn search_beside_admissions(&mut self, cache: &Cache) -> Result<Beside> {
        let (over, size) = (AtomicBool::new(false), self.admitted);
        let entries: Vec<NewEntry> = (0..1_000)
            .map(|n| self.entry(size + n))
            .collect::<Result<_>>()?;
        self.admitted += entries.len();
        let mut admissions = Latencies::new()?;
        let begun = Instant::now();
        let search_us = std::thread::scope(|scope| -> Result<Summary> {
            let searching = scope.spawn(|| self.search_until(cache, size, &over));
            let admit = || -> Result<()> {
                for entry in entries {
                    let begun = Instant::now();
                    cache.admit(entry, NOW_MS)?;
                    admissions.record(begun.elapsed());
                    std::thread::sleep(ADMISSION_PAUSE);
                }
                Ok(())
            };
            let admitted = admit();
            over.store(true, Ordering::Relaxed);
            admitted?;
            searching.join().ok().context("the search panicked")?
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        cache.wait_for_builds();
        Ok(Beside {
            admissions_per_s: admissions.len() as f64 / seconds,
            admit_us: admissions.summary(),
            search_us,
        })
    }

    fn rebuild(&self, cache: &Cache) -> Result<Rebuild> {
        let doomed: Vec<_> = cache
            .entries()
            .iter()
            .filter(|entry| number(&entry.exact).is_multiple_of(REMOVED))
            .map(|entry| entry.id)
            .collect();
        let over = AtomicBool::new(false);
        let before_bytes = process::resident_bytes()?;
        process::forget_peak()?;
        let (begun, cpu) = (Instant::now(), process::processor_time()?);
        let search_us = std::thread::scope(|scope| {
            let searching = scope.spawn(|| self.search_until(cache, self.admitted, &over));
            for id in &doomed {
                cache.remove(*id);
            }
            cache.wait_for_builds();
            over.store(true, Ordering::Relaxed);
            searching.join().ok().context("the search panicked")?
        })?;
        let (wall_s, cpu_s) = (
            begun.elapsed().as_secs_f64(),
            (process::processor_time()? - cpu).as_secs_f64(),
        );
        let peak_bytes = process::peak_bytes()?;
        Ok(Rebuild {
            removed: doomed.len(),
            wall_s,
            cpu_s,
            before_bytes,
            peak_bytes,
            search_us,
            recall: self.search(cache, &|n| !n.is_multiple_of(REMOVED))?.0,
        })
    }

    fn reopen(&self) -> Result<Open> {
        let base = process::resident_bytes()?;
        let begun = Instant::now();
        let cache = self.open()?;
        let open_s = begun.elapsed().as_secs_f64();
        let mut latencies = Latencies::new()?;
        for n in 0..self.options.searches.min(200) {
            let (goal, near) = self.vectors.searched(n, self.admitted);
            let begun = Instant::now();
            cache.candidates(&self.key(near), &goal, CANDIDATES, NOW_MS);
            latencies.record(begun.elapsed());
        }
        cache.wait_for_builds();
        let built_s = begun.elapsed().as_secs_f64();
        let stats = cache.stats();
        // What was freed when the last cache closed is used again first, and is no less in use for that.
        let bytes = process::resident_bytes()?.saturating_sub(base.min(self.base_bytes));
        Ok(Open {
            open_s,
            built_s,
            entries: stats.entries,
            indexed: stats.indexed,
            bytes_per_entry: bytes as f64 / stats.entries.max(1) as f64,
            search_us: latencies.summary(),
        })
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

fn number(key: &ExactKey) -> usize {
    let mut number = [0; 8];
    number.copy_from_slice(&key.as_bytes()[24..]);
    u64::from_le_bytes(number) as usize
}

/// Whether a folder has nothing in it, or is not there yet.
///
/// # Errors
/// When it cannot be read.
pub fn is_free(directory: &Path) -> Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut files) => Ok(files.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", directory.display())),
    }
}
