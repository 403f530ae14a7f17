//! What a lookup found, and everything it worked out on the way.

use std::borrow::Cow;
use std::sync::Arc;

use tollfree_cache::decision::Considered;
use tollfree_cache::entry::{Answer, Entry};
use tollfree_cache::goal::Goal;
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::request::Request;

/// Where an answer came from; the value of `x-tollfree-cache` and of the metrics' labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// The same request was answered before.
    Exact,
    /// A curated template answered.
    Template,
    /// The answer of another wording of the same goal.
    Semantic,
    /// Nothing fitted; an upstream answers.
    Miss,
    /// Not looked up.
    Bypass,
}

impl CacheStatus {
    /// The header and label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Template => "template",
            Self::Semantic => "semantic",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

/// The tiers that serve stored entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// By exact key.
    Exact,
    /// By meaning.
    Semantic,
}

/// An answer that may be served.
pub enum Hit {
    /// A stored entry.
    Entry {
        /// The entry.
        entry: Arc<Entry>,
        /// Which tier found it.
        tier: Tier,
        /// When, in milliseconds since the Unix epoch.
        now_ms: u64,
    },
    /// A rendered template.
    Template {
        /// The template's id.
        id: String,
        /// The rendered plan.
        answer: Answer,
    },
}

impl Hit {
    /// The answer to encode.
    pub fn answer(&self) -> &Answer {
        match self {
            Self::Entry { entry, .. } => &entry.answer,
            Self::Template { answer, .. } => answer,
        }
    }

    /// The tier as a cache status.
    pub fn status(&self) -> CacheStatus {
        match self {
            Self::Entry {
                tier: Tier::Exact, ..
            } => CacheStatus::Exact,
            Self::Entry {
                tier: Tier::Semantic,
                ..
            } => CacheStatus::Semantic,
            Self::Template { .. } => CacheStatus::Template,
        }
    }

    /// The entry's or template's identifier.
    pub fn id(&self) -> String {
        match self {
            Self::Entry { entry, .. } => entry.id.to_string(),
            Self::Template { id, .. } => id.clone(),
        }
    }

    /// Seconds since the answer was made; 0 for a template, which is made now.
    pub fn age_seconds(&self) -> u64 {
        match self {
            Self::Entry { entry, now_ms, .. } => entry.age(*now_ms).as_secs(),
            Self::Template { .. } => 0,
        }
    }

    /// The upstream that once answered.
    pub fn upstream(&self) -> Option<&str> {
        match self {
            Self::Entry { entry, .. } => Some(&entry.upstream),
            Self::Template { .. } => None,
        }
    }
}

/// The outcome of a lookup.
pub struct Finding {
    /// What may be served, if anything.
    pub hit: Option<Hit>,
    /// Similarity of the candidate that answers, or else of the best one.
    pub similarity: Option<f32>,
    /// What the same-answer model gave that candidate, in [0, 1], where it was asked.
    pub confidence: Option<f32>,
    /// The confidence it needs, where the rules leave it to that model.
    pub needed: Option<f32>,
    /// Why nothing may be served.
    pub reason: Option<Cow<'static, str>>,
    /// The candidates looked at, in the order they were.
    pub considered: Vec<Considered>,
    /// The digest of the whole request.
    pub exact: ExactKey,
    /// The digest of all but the goal, where the lookup got that far.
    pub compatibility: Option<CompatibilityKey>,
    /// The analysed goal, where the lookup got that far.
    pub goal: Option<Goal>,
    /// The goal's vector, if it was embedded.
    pub vector: Option<Vec<f32>>,
    /// The goal's static vector, if it was made.
    pub sketch: Option<Vec<f32>>,
}

impl Finding {
    /// The finding of a request that was not looked up, with the reason.
    pub fn unasked(request: &Request, reason: &'static str) -> Self {
        Self {
            hit: None,
            similarity: None,
            confidence: None,
            needed: None,
            reason: Some(reason.into()),
            considered: Vec::new(),
            exact: request.exact_key(),
            compatibility: None,
            goal: None,
            vector: None,
            sketch: None,
        }
    }
}
