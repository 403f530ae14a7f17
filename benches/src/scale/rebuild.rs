//! Removing a third of a store that [`super::grow`] has filled, which calls for a fresh index.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::scale::{
    process,
    report::Rebuilt,
    subject::{Options, Subject, number},
    vectors::Vectors,
};

/// One of so many entries is removed, which is more than the quarter that calls for a fresh index.
const REMOVED: usize = 3;

/// Opens the store, removes every third entry and waits for the rebuild, searching meanwhile.
///
/// # Errors
/// When the store cannot be opened, or the third has gone already.
pub fn run(vectors: &Vectors, options: &Options) -> Result<Rebuilt> {
    let mut subject = Subject {
        options,
        vectors,
        goals: &[],
        largest: 0,
        admitted: 0,
    };
    let cache = subject.open()?;
    cache.wait_for_builds();
    subject.admitted = cache.stats().entries;
    let (mut doomed, mut kept) = (Vec::new(), HashSet::new());
    for entry in cache.entries() {
        let number = number(&entry.exact);
        if number.is_multiple_of(REMOVED) {
            doomed.push(entry.id);
        } else {
            kept.insert(number);
        }
    }
    ensure!(
        !doomed.is_empty() && doomed.len() >= subject.admitted / REMOVED,
        "entries were removed from this store before: fill another one"
    );
    let over = AtomicBool::new(false);
    let before_bytes = process::resident_bytes()?;
    process::forget_peak()?;
    let (begun, cpu) = (Instant::now(), process::processor_time()?);
    let search_us = std::thread::scope(|scope| {
        let searching = scope.spawn(|| subject.search_until(&cache, subject.admitted, &over));
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
    Ok(Rebuilt {
        removed: doomed.len(),
        wall_s,
        cpu_s,
        before_bytes,
        peak_bytes,
        search_us,
        recall: subject.search(&cache, &|n| kept.contains(&n))?.0,
    })
}
