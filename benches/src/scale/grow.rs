//! The whole cache from small to large: entries admitted, stored and searched, and searched while more come in.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tollfree_cache::{cache::Cache, entry::NewEntry};

use crate::{
    latency::{Latencies, Summary},
    scale::{
        process,
        report::{Beside, Grown, Step},
        subject::{NOW_MS, Options, Subject},
        vectors::Vectors,
    },
};

/// Entries admitted between waits for the store: well below what it lets wait.
const GROUP: usize = 4_096;

/// Pause between two admissions beside searches.
const ADMISSION_PAUSE: Duration = Duration::from_millis(2);

/// Fills an empty folder and measures at each of the sizes, which grow; `goals` are the texts that `vectors` is made
/// from. The store stays, for [`super::reopen`] and [`super::rebuild`].
///
/// # Errors
/// When the store or a figure of the system cannot be read or written.
pub fn run(
    vectors: &Vectors,
    goals: &[String],
    sizes: &[usize],
    options: &Options,
) -> Result<Grown> {
    let base_bytes = process::resident_bytes()?;
    let mut subject = Subject {
        options,
        vectors,
        goals,
        largest: sizes.last().copied().unwrap_or_default(),
        admitted: 0,
    };
    let cache = subject.open()?;
    let mut steps = Vec::new();
    for size in sizes {
        let step = subject.grow(&cache, *size, base_bytes)?;
        progress(&step);
        steps.push(step);
    }
    let beside = subject.search_beside_admissions(&cache)?;
    cache.flush_blocking()?;
    let begun = Instant::now();
    drop(cache);
    let close_s = begun.elapsed().as_secs_f64();
    let size = |name: &str| fs::metadata(options.directory.join(name)).map_or(0, |file| file.len());
    Ok(Grown {
        partitions: options.partitions,
        answer_bytes: options.answer_bytes,
        base_bytes,
        steps,
        beside,
        close_s,
        file_bytes: (size("cache.redb"), size("index.snapshot")),
    })
}

/// Shows that a run of many minutes goes on.
#[expect(clippy::print_stderr, reason = "progress of a command")]
fn progress(step: &Step) {
    eprint!("{step}");
}

impl Subject<'_> {
    fn admit(&mut self, cache: &Cache) -> Result<()> {
        cache.admit(self.entry(self.admitted)?, NOW_MS)?;
        self.admitted += 1;
        if self.admitted.is_multiple_of(GROUP) {
            cache.flush_blocking()?;
        }
        Ok(())
    }

    fn grow(&mut self, cache: &Cache, size: usize, base_bytes: u64) -> Result<Step> {
        let (begun, cpu) = (Instant::now(), process::processor_time()?);
        while self.admitted < size {
            self.admit(cache)?;
        }
        cache.flush_blocking()?;
        cache.wait_for_builds();
        let (wall, cpu) = (begun.elapsed(), process::processor_time()? - cpu);
        let bytes = process::resident_bytes()?.saturating_sub(base_bytes);
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
