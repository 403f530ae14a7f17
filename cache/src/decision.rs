//! Whether a stored answer may be served: what the caller allows, what the index proposes, what the verifier says.

use std::sync::Arc;

use crate::cache::{Cache, Candidate};
use crate::entry::Entry;
use crate::goal::Goal;
use crate::key::CompatibilityKey;
use crate::verify::{Verdict, Verifier};

/// How many nearest entries the verifier looks at. The nearest is often a near miss (another number, another
/// name) while the same goal in other words is second or third.
const NUM_CANDIDATES: usize = 8;

/// What one request allows an answer to be.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Least cosine similarity of a semantic candidate, in [-1, 1].
    pub min_similarity: f32,
    /// The similarity the caller asked for, if any; it holds for templates too.
    pub asked_similarity: Option<f32>,
    /// Entries of this age or older do not count, in milliseconds.
    pub max_age_ms: Option<u64>,
    /// The cap on answer tokens.
    pub max_tokens: Option<u32>,
    /// Texts that may not stand in an answer.
    pub stop: &'a [String],
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Terms<'_> {
    /// Whether an entry's answer is young enough, short enough and free of stop strings.
    pub fn admit(&self, entry: &Entry) -> bool {
        self.is_young(entry) && entry.answer.fits(self.max_tokens, self.stop)
    }

    /// The higher of a tier's own threshold and the one the caller asked for.
    pub fn threshold_or(&self, own: f32) -> f32 {
        self.asked_similarity.map_or(own, |asked| asked.max(own))
    }

    fn is_young(&self, entry: &Entry) -> bool {
        self.max_age_ms
            .is_none_or(|max_age_ms| self.now_ms.saturating_sub(entry.created_at_ms) < max_age_ms)
    }
}

/// The tier that proposed a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposer {
    /// A phrasing of a template.
    Template,
    /// A stored entry.
    Semantic,
}

impl Proposer {
    /// The name of the tier.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Semantic => "semantic",
        }
    }
}

/// A candidate that was looked at, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Considered {
    /// Which tier proposed it.
    pub proposer: Proposer,
    /// Its entry or template.
    pub id: String,
    /// Its goal or phrasing.
    pub text: String,
    /// Cosine similarity to the goal, in [-1, 1].
    pub similarity: f32,
    /// `same`, or why it was refused.
    pub verdict: &'static str,
    /// The word or value at fault, where one is; a user's words, never a label.
    pub detail: Option<String>,
}

/// The outcome of the semantic tier.
#[derive(Debug)]
pub struct Semantic {
    /// The entry that may be served.
    pub hit: Option<Candidate>,
    /// Every candidate looked at, most similar first; the last one is the hit, if there is one.
    pub considered: Vec<Considered>,
}

/// Looks for an entry whose goal is the same in other words.
///
/// The most similar candidate that the verifier agrees with is served; the rest of the index is not searched.
/// Costs one index search and one verification for each of up to eight candidates.
pub fn semantic(
    cache: &Cache,
    verifier: &dyn Verifier,
    goal: &Goal,
    key: &CompatibilityKey,
    vector: &[f32],
    terms: &Terms<'_>,
) -> Semantic {
    let mut considered = Vec::new();
    for candidate in cache.candidates(key, vector, NUM_CANDIDATES, terms.now_ms) {
        let verdict = judge(verifier, goal, &candidate, terms);
        considered.push(Considered {
            proposer: Proposer::Semantic,
            id: candidate.entry.id.to_string(),
            text: candidate.entry.goal.clone(),
            similarity: candidate.similarity,
            verdict: verdict.err().unwrap_or("same"),
            detail: None,
        });
        if verdict.is_ok() {
            return Semantic {
                hit: Some(candidate),
                considered,
            };
        }
    }
    Semantic {
        hit: None,
        considered,
    }
}

fn judge(
    verifier: &dyn Verifier,
    goal: &Goal,
    candidate: &Candidate,
    terms: &Terms<'_>,
) -> Result<(), &'static str> {
    let entry: &Arc<Entry> = &candidate.entry;
    if candidate.similarity < terms.min_similarity {
        return Err("similarity below threshold");
    }
    if !terms.is_young(entry) {
        return Err("older than max-age");
    }
    if !entry.answer.fits(terms.max_tokens, terms.stop) {
        return Err("longer than the token cap, or holds a stop string");
    }
    match verifier.verify(&Goal::analyse(&entry.goal), goal, candidate.similarity) {
        Verdict::Same => Ok(()),
        Verdict::Different { reason } => Err(reason.as_str()),
    }
}
