//! One kind of index alone: what it costs to build, to hold and to search.

use std::{fmt, time::Instant};

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;
use tollfree_cache::{
    entry::EntryId,
    semantic::{compact::CompactIndex, flat::FlatIndex, hnsw::HnswIndex, index::VectorIndex},
};

use crate::{
    latency::{Latencies, Summary},
    scale::{
        exact::{Recall, Truth},
        process,
        vectors::Vectors,
    },
};

/// Which index is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// All rows are compared.
    Flat,
    /// The graph of hnsw_rs.
    Hnsw,
    /// Our graph in flat tables.
    Compact,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which index.
    pub kind: Kind,
    /// Vectors in it.
    pub entries: usize,
    /// Processor time of building it, of all threads.
    pub build_cpu_s: f64,
    /// Resident memory it takes for each vector, everything included.
    pub bytes_per_vector: f64,
    /// Time of one search for 8 candidates.
    pub search_us: Summary,
    /// Against the exact answer.
    pub recall: Recall,
}

/// Builds an index of `entries` vectors and searches it `searches` times.
///
/// # Errors
/// When a vector is refused or memory cannot be measured.
pub fn run(
    vectors: &Vectors,
    kind: Kind,
    entries: usize,
    searches: usize,
    threads: usize,
) -> Result<Report> {
    let index: Box<dyn VectorIndex> = match kind {
        Kind::Flat => Box::new(FlatIndex::new()),
        Kind::Hnsw => Box::new(HnswIndex::new(vectors.dimensions(), entries)),
        Kind::Compact => Box::new(CompactIndex::new(vectors.dimensions())),
    };
    let before = process::resident_bytes()?;
    let begun = process::processor_time()?;
    for n in 0..entries {
        index.insert(EntryId::from_u64(n as u64), &vectors.stored(n))?;
    }
    index.link(threads);
    let build_cpu_s = (process::processor_time()? - begun).as_secs_f64();
    let bytes = process::resident_bytes()?.saturating_sub(before);
    let truth = Truth::find(vectors, searches, entries, |_| true);
    let mut latencies = Latencies::new()?;
    let mut found = Vec::with_capacity(searches);
    for goal in truth.searched() {
        let begun = Instant::now();
        let candidates = index.search(goal, 8);
        latencies.record(begun.elapsed());
        found.push(candidates.first().map(|found| found.0.as_u64() as usize));
    }
    Ok(Report {
        kind,
        entries,
        build_cpu_s,
        bytes_per_vector: bytes as f64 / entries.max(1) as f64,
        search_us: latencies.summary(),
        recall: truth.judge(vectors, &found),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?} of {}: built in {:.1} s, {:.0} bytes a vector, search p50 {:.0} us p99 {:.0} us, recall@1 {:.4}",
            self.kind,
            self.entries,
            self.build_cpu_s,
            self.bytes_per_vector,
            self.search_us.p50,
            self.search_us.p99,
            self.recall.at_1
        )
    }
}
