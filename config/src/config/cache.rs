//! The valid form of `[cache]`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::types::{
    Duration, LearnFrames, Name, Pii, SemanticMode, SettingName, Similarity, Variety,
};

/// When stored answers live and when one answers another request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cache {
    pub(crate) enabled: bool,
    pub(crate) namespace: Option<Name>,
    pub(crate) ttl: Duration,
    pub(crate) coalesce: bool,
    pub(crate) coalesce_wait: Duration,
    pub(crate) stale_while_revalidate: Duration,
    pub(crate) category_ttl: BTreeMap<Name, Duration>,
    pub(crate) ttl_jitter: f64,
    pub(crate) quarantine: bool,
    pub(crate) pii: Pii,
    pub(crate) min_similarity: Similarity,
    pub(crate) semantic: SemanticMode,
    pub(crate) confidence_shift: f32,
    pub(crate) max_wrong_hits: Option<f64>,
    pub(crate) max_entries: usize,
    pub(crate) max_answer_bytes: usize,
    pub(crate) vary: Vec<SettingName>,
    pub(crate) variety: Variety,
    pub(crate) learn_frames: LearnFrames,
}

impl Cache {
    /// Tells whether anything is answered from the cache or admitted into it.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// Returns the namespace that all clients share; `None` means one for each credential.
    pub fn namespace(&self) -> Option<&Name> {
        self.namespace.as_ref()
    }

    /// Returns the lifetime of an entry.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Tells whether equal misses at the same time share one upstream call.
    pub fn coalesce(&self) -> bool {
        self.coalesce
    }

    /// Returns how long a request waits for another one's answer.
    pub fn coalesce_wait(&self) -> Duration {
        self.coalesce_wait
    }

    /// Returns how long after its lifetime an entry is served while it is refreshed; zero means not at all.
    pub fn stale_while_revalidate(&self) -> Duration {
        self.stale_while_revalidate
    }

    /// Returns the lifetimes of entries by the category of their goals.
    pub fn category_ttl(&self) -> &BTreeMap<Name, Duration> {
        &self.category_ttl
    }

    /// Returns the part of its lifetime by which an entry may expire earlier, in [0, 0.5].
    pub fn ttl_jitter(&self) -> f64 {
        self.ttl_jitter
    }

    /// Tells whether an answer learned from one client is kept from the others until a second one confirms it.
    pub fn quarantine(&self) -> bool {
        self.quarantine
    }

    /// Returns what happens to answers with personal data or secrets.
    pub fn pii(&self) -> Pii {
        self.pii
    }

    /// Returns the threshold of the semantic tier.
    pub fn min_similarity(&self) -> Similarity {
        self.min_similarity
    }

    /// Returns what the semantic tier does with what it decides.
    pub fn semantic(&self) -> SemanticMode {
        self.semantic
    }

    /// Returns by how many log-odds the verifier's bar is moved.
    pub fn confidence_shift(&self) -> f32 {
        self.confidence_shift
    }

    /// Returns the greatest share of wrong answers among semantic hits, in [0, 0.5]; `None` means that nothing is
    /// explored.
    pub fn max_wrong_hits(&self) -> Option<f64> {
        self.max_wrong_hits
    }

    /// Returns the number of entries held, at least 1.
    pub fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// Returns the longest stored answer in bytes.
    pub fn max_answer_bytes(&self) -> usize {
        self.max_answer_bytes
    }

    /// Returns the settings that split the compatibility key, sorted, without duplicates.
    pub fn vary(&self) -> &[SettingName] {
        &self.vary
    }

    /// Returns what an explicit temperature above 0 does.
    pub fn variety(&self) -> Variety {
        self.variety
    }

    /// Returns what becomes of fixed words that requests share.
    pub fn learn_frames(&self) -> LearnFrames {
        self.learn_frames
    }
}
