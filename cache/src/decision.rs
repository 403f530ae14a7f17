//! Whether a stored answer may be served: what the caller allows, what the index proposes, what the verifier says.

use std::sync::Arc;

use crate::cache::{Cache, Candidate};
use crate::entry::Entry;
use crate::goal::Goal;
use crate::key::CompatibilityKey;
use crate::verify::{Verdict, Verifier, Weight};

/// How many nearest entries the verifier looks at. The nearest is often a near miss (another number, another
/// name) while the same goal in other words is second or third.
const NUM_CANDIDATES: usize = 8;

/// The verdict on a candidate that may be served.
pub const SAME: &str = "same";

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
    /// What the same-answer model gave it, in [0, 1], where it was asked.
    pub confidence: Option<f32>,
    /// The confidence it needs to be served, where the rules leave it to the model.
    pub needed: Option<f32>,
    /// `same`, or why it was refused.
    pub verdict: &'static str,
    /// The word or value at fault, where one is; a user's words, never a label.
    pub detail: Option<String>,
}

/// Words of content up to which a goal is short: a bare question. Longer ones restate a situation or a text.
const SHORT: usize = 5;
/// How much lower the bar is, in log-odds, for each word of content that both goals have beyond [`SHORT`]: the model is
/// less sure of long texts that say the same, while two long texts that are near each other and differ are rare
/// (docs/cache.md has figures).
const SHIFT_PER_WORD: f32 = -0.4;
/// The lowest shift for length.
const MAX_SHIFT: f32 = -2.2;
/// The similarity from which a candidate is near. Among the goals of a stream, most that lie below are neighbours that
/// need another answer, whatever two sentences alone look like.
const NEAR: f32 = 0.8;
/// How much higher the bar is, in log-odds, for each hundredth by which the similarity falls short of [`NEAR`].
const SHIFT_PER_HUNDREDTH: f32 = 0.15;

/// The confidence of the same-answer model from which a candidate may be served, in [0, 1]. Above 1, never.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Where the rules explain every word.
    pub likely: f32,
    /// Where a difference of [light](Weight::Light) kind is left.
    pub light: f32,
    /// Where one of [medium](Weight::Medium) kind is left.
    pub medium: f32,
    /// Where one of [grave](Weight::Grave) kind is left.
    pub grave: f32,
}

impl Bar {
    /// Chosen with the evaluation data in view; see docs/cache.md.
    pub const DEFAULT: Self = Self {
        likely: 0.1,
        light: 0.6,
        medium: 0.82,
        grave: 0.9,
    };

    /// Returns the bar moved by `shift` in log-odds: above 0 it serves less, below 0 more. The one knob by which the
    /// share of wrong hits is traded against the share of hits.
    #[must_use]
    pub fn shifted(self, shift: f32) -> Self {
        let moved = |bar: f32| {
            let odds = (bar / (1.0 - bar)).ln() + shift;
            1.0 / (1.0 + (-odds).exp())
        };
        Self {
            likely: moved(self.likely),
            light: moved(self.light),
            medium: moved(self.medium),
            grave: moved(self.grave),
        }
    }

    /// Returns the confidence that a verdict of the rules leaves to prove; `None` where no model is asked.
    pub fn of(&self, verdict: Verdict) -> Option<f32> {
        match verdict {
            Verdict::Same | Verdict::Different { .. } => None,
            Verdict::Likely => Some(self.likely),
            Verdict::Unsure { reason } => Some(match reason.weight() {
                Weight::Light => self.light,
                Weight::Medium => self.medium,
                Weight::Grave => self.grave,
            }),
        }
    }
}

/// A candidate that waits for the same-answer model.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The candidate.
    pub candidate: Candidate,
    /// The confidence it needs, in [0, 1].
    pub needed: f32,
    /// Its place in [`Semantic::considered`].
    pub at: usize,
}

/// The outcome of the semantic tier.
#[derive(Debug, Default)]
pub struct Semantic {
    /// The entry that may be served.
    pub hit: Option<Candidate>,
    /// Every candidate looked at, most similar first.
    pub considered: Vec<Considered>,
    /// Those that the model has yet to judge, the best first. Empty when there is a hit.
    pub pending: Vec<Pending>,
}

impl Semantic {
    /// Takes the model's confidence in the pending candidate `pending`; says whether it may be served.
    pub fn settle(&mut self, pending: &Pending, confidence: f32) -> bool {
        let same = confidence >= pending.needed;
        if let Some(considered) = self.considered.get_mut(pending.at) {
            considered.confidence = Some(confidence);
            if same {
                considered.verdict = SAME;
            }
        }
        if same && self.hit.is_none() {
            self.hit = Some(pending.candidate.clone());
        }
        same
    }
}

/// Looks for an entry whose goal is the same in other words.
///
/// A candidate that the rules find to be a repeat is a hit at once. All others that the rules do not refuse are
/// returned for the model to judge, those first that the rules explain, then by similarity. Costs one index search
/// and the rules for each of up to eight candidates.
pub fn semantic(
    cache: &Cache,
    verifier: &dyn Verifier,
    goal: &Goal,
    key: &CompatibilityKey,
    vector: &[f32],
    terms: &Terms<'_>,
    bar: Bar,
) -> Semantic {
    let mut outcome = Semantic::default();
    for candidate in cache.candidates(key, vector, NUM_CANDIDATES, terms.now_ms) {
        let (verdict, needed) = match judge(cache, verifier, goal, &candidate, terms) {
            Ok((verdict, words)) => (
                match verdict {
                    Verdict::Same => SAME,
                    Verdict::Likely => "not confident",
                    Verdict::Unsure { reason } | Verdict::Different { reason } => reason.as_str(),
                },
                bar.shifted(shift_for(words, candidate.similarity))
                    .of(verdict),
            ),
            Err(refusal) => (refusal, None),
        };
        let at = outcome.considered.len();
        outcome.considered.push(Considered {
            proposer: Proposer::Semantic,
            id: candidate.entry.id.to_string(),
            text: candidate.entry.goal.clone(),
            similarity: candidate.similarity,
            confidence: None,
            needed,
            verdict,
            detail: None,
        });
        if verdict == SAME {
            outcome.hit = Some(candidate);
            outcome.pending.clear();
            return outcome;
        }
        if let Some(needed) = needed {
            outcome.pending.push(Pending {
                candidate,
                needed,
                at,
            });
        }
    }
    // Stable: within each kind the most similar stays first.
    outcome
        .pending
        .sort_by(|a, b| a.needed.total_cmp(&b.needed));
    outcome
}

/// The shift of the bar for two goals of which the shorter has so many words of content, and that are so similar.
fn shift_for(words: usize, similarity: f32) -> f32 {
    let length = (words.saturating_sub(SHORT) as f32 * SHIFT_PER_WORD).max(MAX_SHIFT);
    let distance = (NEAR - similarity).max(0.0) * 100.0 * SHIFT_PER_HUNDREDTH;
    length + distance
}

/// The verdict of the rules, and how many words of content both goals have at least; or why the candidate is out of the
/// question.
fn judge(
    cache: &Cache,
    verifier: &dyn Verifier,
    goal: &Goal,
    candidate: &Candidate,
    terms: &Terms<'_>,
) -> Result<(Verdict, usize), &'static str> {
    let entry: &Arc<Entry> = &candidate.entry;
    if candidate.similarity < terms.min_similarity {
        return Err("similarity below threshold");
    }
    if !terms.is_young(entry) {
        return Err("older than max-age");
    }
    if cache.bound().is_blocked(entry.id) {
        return Err("labelled wrong");
    }
    if !entry.answer.fits(terms.max_tokens, terms.stop) {
        return Err("longer than the token cap, or holds a stop string");
    }
    let cached = Goal::analyse(&entry.goal);
    let words = cached.content().count().min(goal.content().count());
    Ok((verifier.verify(&cached, goal, candidate.similarity), words))
}
