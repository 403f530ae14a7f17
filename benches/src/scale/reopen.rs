//! Opening a store that [`super::grow`] has filled, in a process that has held nothing else.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::{
    latency::Latencies,
    scale::{
        process,
        report::Opened,
        subject::{CANDIDATES, NOW_MS, Options, Subject},
        vectors::Vectors,
    },
};

/// Searches right after opening: enough for a median, few enough to be over before an index is built.
const SEARCHES: usize = 200;

/// Opens the store and searches it at once; with `until_built` it then waits until no index is being built.
///
/// # Errors
/// When the store cannot be opened, or is empty.
pub fn run(vectors: &Vectors, options: &Options, until_built: bool) -> Result<Opened> {
    let mut subject = Subject {
        options,
        vectors,
        goals: &[],
        largest: 0,
        admitted: 0,
    };
    let before = process::resident_bytes()?;
    let begun = Instant::now();
    let cache = subject.open()?;
    let open_s = begun.elapsed().as_secs_f64();
    let opened_bytes = process::resident_bytes()?.saturating_sub(before);
    let stats = cache.stats();
    ensure!(stats.entries > 0, "the store has no entries");
    subject.admitted = stats.entries;
    let mut latencies = Latencies::new()?;
    for n in 0..options.searches.min(SEARCHES) {
        let (goal, near) = vectors.searched(n, subject.admitted);
        let begun = Instant::now();
        cache.candidates(&subject.key(near), &goal, CANDIDATES, NOW_MS);
        latencies.record(begun.elapsed());
    }
    let built_s = until_built.then(|| {
        cache.wait_for_builds();
        begun.elapsed().as_secs_f64()
    });
    Ok(Opened {
        open_s,
        built_s,
        entries: stats.entries,
        indexed: stats.indexed,
        bytes_per_entry: opened_bytes as f64 / stats.entries as f64,
        search_us: latencies.summary(),
    })
}
