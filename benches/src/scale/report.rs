//! What a run found, for programs and for people.

use std::fmt;

use serde::Serialize;

use crate::{latency::Summary, scale::exact::Recall};

/// The cache at one size.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Entries in it.
    pub entries: usize,
    /// Resident memory for each entry, everything included.
    pub bytes_per_entry: f64,
    /// What the cache itself reckons, for each entry.
    pub reckoned_bytes_per_entry: f64,
    /// Time of one search, from a vector to candidates with their entries.
    pub search_us: Summary,
    /// Against the exact answer; only for a single partition.
    pub recall: Option<Recall>,
    /// Processor time since the last size, admission, store and index together.
    pub cpu_s: f64,
    /// Time since the last size until the last index was built.
    pub wall_s: f64,
}

/// Searches while entries come in.
#[derive(Debug, Clone, Serialize)]
pub struct Beside {
    /// Admissions in each second.
    pub admissions_per_s: f64,
    /// Time of one admission.
    pub admit_us: Summary,
    /// Time of one search meanwhile.
    pub search_us: Summary,
}

/// The rebuild after many removals.
#[derive(Debug, Clone, Serialize)]
pub struct Rebuilt {
    /// Entries removed.
    pub removed: usize,
    /// From the first removal until the fresh index was swapped in.
    pub wall_s: f64,
    /// Processor time of that.
    pub cpu_s: f64,
    /// Resident memory before, for all.
    pub before_bytes: u64,
    /// Most resident memory meanwhile.
    pub peak_bytes: u64,
    /// Time of one search meanwhile.
    pub search_us: Summary,
    /// Against the exact answer, afterwards.
    pub recall: Option<Recall>,
}

/// Opening the store again.
#[derive(Debug, Clone, Serialize)]
pub struct Opened {
    /// Until the cache answers.
    pub open_s: f64,
    /// Until no index is being built any more; `None` where nobody waited for it.
    pub built_s: Option<f64>,
    /// Entries found.
    pub entries: usize,
    /// Entries with a vector in an index.
    pub indexed: usize,
    /// Resident memory for each entry.
    pub bytes_per_entry: f64,
    /// Time of one search as soon as it was open.
    pub search_us: Summary,
}

/// One growth.
#[derive(Debug, Clone, Serialize)]
pub struct Grown {
    /// Compatibility keys.
    pub partitions: usize,
    /// Bytes of each answer.
    pub answer_bytes: usize,
    /// Resident memory before the first entry: binary, runtime and source vectors, not counted below.
    pub base_bytes: u64,
    /// At each size.
    pub steps: Vec<Step>,
    /// Searches beside admissions, at the largest size.
    pub beside: Beside,
    /// Closing, which writes the index snapshot, in seconds.
    pub close_s: f64,
    /// Bytes of the store's file and of the snapshot.
    pub file_bytes: (u64, u64),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} entries: {:.0} bytes each, search p50 {:.0} us p99 {:.0} us",
            self.entries, self.bytes_per_entry, self.search_us.p50, self.search_us.p99
        )?;
        if let Some(recall) = &self.recall {
            write!(f, ", recall@1 {:.4}", recall.at_1)?;
        }
        writeln!(
            f,
            " ({:.0} s, {:.0} s of processor)",
            self.wall_s, self.cpu_s
        )
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "open in {:.1} s: {} entries, {} indexed, {:.0} bytes each, search p50 {:.0} us",
            self.open_s, self.entries, self.indexed, self.bytes_per_entry, self.search_us.p50
        )?;
        if let Some(built_s) = self.built_s {
            write!(f, ", built after {built_s:.1} s")?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peak = self.peak_bytes as f64 / self.before_bytes.max(1) as f64;
        write!(
            f,
            "{} removed and rebuilt in {:.0} s: peak {peak:.2}x, search p50 {:.0} us meanwhile",
            self.removed, self.wall_s, self.search_us.p50
        )?;
        if let Some(recall) = &self.recall {
            write!(f, ", recall@1 {:.4}", recall.at_1)?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "{step}")?;
        }
        let beside = &self.beside;
        writeln!(
            f,
            "beside {:.0} admissions/s (p50 {:.0} us, p99 {:.0} us): search p50 {:.0} us p99 {:.0} us",
            beside.admissions_per_s,
            beside.admit_us.p50,
            beside.admit_us.p99,
            beside.search_us.p50,
            beside.search_us.p99
        )?;
        writeln!(f, "closed in {:.1} s", self.close_s)
    }
}
