//! What a cache is opened with, and what it says about itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::counters::Totals;
use crate::store::writer::WriterStats;

/// The limits of a cache.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// Entries held at most; at least 1. One more evicts the one that is worth least.
    pub max_entries: usize,
    /// Bytes of answer text above which an answer is not taken in.
    pub max_answer_bytes: usize,
    /// How long an entry is served at most if it does not say otherwise.
    pub ttl: Duration,
    /// How long an entry is kept after its time, so that [`crate::cache::Cache::stale`] finds it.
    pub stale_while_revalidate: Duration,
    /// The part of its time, in [0, 1), by which an entry may go earlier, so that entries of one moment do not all
    /// expire at one moment. How much of it follows from the entry's id.
    pub ttl_jitter: f64,
    /// Whether answers with personal data or secrets are refused.
    pub refuse_pii: bool,
    /// Id of the model whose vectors are compared. With `None` no vector is indexed until
    /// [`crate::cache::Cache::use_model`] names one, or an entry with a vector is admitted.
    pub model: Option<String>,
}

/// What opening a cache found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Entries loaded.
    pub entries: usize,
    /// How many of them have a vector of the current model.
    pub indexed: usize,
    /// Entries whose time was over.
    pub dropped_expired: usize,
    /// Entries beyond the limit.
    pub dropped_over_limit: usize,
    /// Entries and vectors that could not be read.
    pub dropped_corrupt: usize,
    /// Entries carried over from a damaged store file, before expiry and limit.
    pub salvaged: usize,
    /// Where a damaged store file was moved before a fresh one was begun.
    pub corrupt_moved_to: Option<PathBuf>,
}

/// How many entries went, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evictions {
    /// To make room.
    pub capacity: u64,
    /// Their time was over.
    pub expired: u64,
    /// A newer answer to the same request came.
    pub replaced: u64,
    /// Somebody asked for it.
    pub removed: u64,
}

/// A cache at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries in memory.
    pub entries: usize,
    /// Entries whose vector is indexed.
    pub indexed: usize,
    /// Estimated bytes of entries and vectors in memory.
    pub bytes: usize,
    /// Compatibility keys with at least one vector.
    pub partitions: usize,
    /// How many of the partitions are so large that they are searched as a graph.
    pub graph_partitions: usize,
    /// Entries gone since the cache was opened.
    pub evictions: Evictions,
    /// Running totals by name, kept over restarts.
    pub totals: Totals,
    /// The durable store; `None` for a cache in memory.
    pub store: Option<StoreStats>,
}

/// A durable store at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// What the writer has been through.
    pub writer: WriterStats,
}
