//! The last live decisions: what feedback refers to, what nearly hit, and what a moved bar would have done.
//!
//! A ring in memory. A goal's text is kept only where `log.goals` allows it.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde::Serialize;
use tollfree_cache::bound::Margin;
use tollfree_cache::bound::sweep::Judged;
use tollfree_cache::decision::Considered;
use tollfree_cache::entry::EntryId;
use tollfree_cache::request::Request;
use tollfree_config::types::SemanticMode;

use super::{Finding, Hit, Lookup};
use crate::ids::Id;

/// Decisions kept: about two megabytes.
const MAX_DECISIONS: usize = 4_096;

/// A refused candidate is near when its confidence is at most so many log-odds below the one needed.
const NEAR_LOG_ODDS: f32 = 2.0;

/// A candidate that one rule refused is near from this cosine on.
const NEAR_SIMILARITY: f32 = 0.9;

/// One live decision.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The request, as `x-tollfree-request-id` names it.
    pub request: Id,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// `exact`, `template`, `semantic`, `explored`, `shadow` or `miss`.
    pub decision: &'static str,
    /// The entry that answered, or would have.
    pub entry: Option<EntryId>,
    /// How far above the shipped bar the semantic tier's best candidate was.
    pub judged: Judged,
    /// The refused candidate that came nearest.
    pub near: Option<Near>,
    /// The goal, where it may be kept.
    pub goal: Option<String>,
    /// Bytes of the goal.
    pub goal_bytes: usize,
    /// Whether the stored answer was right, once an explored one has been compared.
    pub right: Option<bool>,
}

/// A candidate that nearly hit.
#[derive(Clone, Debug, Serialize)]
pub struct Near {
    /// Which tier proposed it.
    pub tier: &'static str,
    /// Its entry or template.
    pub entry: String,
    /// Its goal, where it may be kept.
    pub text: Option<String>,
    /// Bytes of its goal.
    pub text_bytes: usize,
    /// Cosine similarity to the goal.
    pub similarity: f32,
    /// What the same-answer model gave it.
    pub confidence: Option<f32>,
    /// What it needed.
    pub needed: Option<f32>,
    /// Why it was refused.
    pub verdict: &'static str,
}

/// The ring.
#[derive(Default)]
pub struct Recent(Mutex<VecDeque<Decided>>);

impl Recent {
    /// Takes a decision in; the oldest gives way.
    pub fn push(&self, decided: Decided) {
        let mut ring = self.0.lock();
        if ring.len() == MAX_DECISIONS {
            ring.pop_front();
        }
        ring.push_back(decided);
    }

    /// The decision about a request.
    pub fn get(&self, request: Id) -> Option<Decided> {
        let ring = self.0.lock();
        ring.iter()
            .rev()
            .find(|decided| decided.request == request)
            .cloned()
    }

    /// Notes whether the stored answer of an explored request was right.
    pub fn label(&self, request: Id, right: bool) {
        let mut ring = self.0.lock();
        if let Some(decided) = ring
            .iter_mut()
            .rev()
            .find(|decided| decided.request == request)
        {
            decided.right = Some(right);
        }
    }

    /// All decisions, the newest first.
    pub fn all(&self) -> Vec<Decided> {
        self.0.lock().iter().rev().cloned().collect()
    }
}

impl Lookup {
    /// Remembers what was decided about a live request.
    pub(super) fn remember(&self, id: Id, request: &Request, finding: &mut Finding, now_ms: u64) {
        let shadow = self.limits.semantic == SemanticMode::Shadow;
        let (decision, entry) = match (&finding.hit, &finding.explored) {
            (Some(hit @ Hit::Entry { entry, .. }), _) => (hit.status().as_str(), Some(entry.id)),
            (Some(hit @ Hit::Template { .. }), _) => (hit.status().as_str(), None),
            (None, Some(explored)) if shadow => ("shadow", Some(explored.entry.id)),
            (None, Some(explored)) => ("explored", Some(explored.entry.id)),
            (None, None) => ("miss", None),
        };
        let semantic = decision == "semantic" || finding.explored.is_some();
        let judged = match (finding.confidence, semantic) {
            (Some(_), _) => Judged::At(self.margin(finding)),
            (None, true) => Judged::Always,
            (None, false) => Judged::Never,
        };
        let keep = self.limits.keep_goals;
        self.recent.push(Decided {
            request: id,
            at_ms: now_ms,
            decision,
            entry,
            judged,
            near: if decision == "miss" {
                nearest(&finding.considered, keep)
            } else {
                None
            },
            goal: keep.then(|| request.goal().to_owned()),
            goal_bytes: request.goal().len(),
            right: None,
        });
        finding.request_id = Some(id);
    }
}

/// The refused candidate that came nearest to being served, if one came near at all.
pub(super) fn nearest(considered: &[Considered], keep_text: bool) -> Option<Near> {
    let distance = |candidate: &Considered| -> Option<f32> {
        if candidate.verdict == "same" {
            return None;
        }
        match (candidate.confidence, candidate.needed) {
            (Some(confidence), Some(needed)) => {
                let below = -Margin::new(confidence, needed).get();
                (below <= NEAR_LOG_ODDS).then_some(below)
            }
            (None, None) if candidate.similarity >= NEAR_SIMILARITY => {
                // Behind those that the model nearly agreed with.
                Some(NEAR_LOG_ODDS + 1.0 - candidate.similarity)
            }
            _ => None,
        }
    };
    let (candidate, _) = considered
        .iter()
        .filter_map(|candidate| Some((candidate, distance(candidate)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(Near {
        tier: candidate.proposer.as_str(),
        entry: candidate.id.clone(),
        text: keep_text.then(|| candidate.text.clone()),
        text_bytes: candidate.text.len(),
        similarity: candidate.similarity,
        confidence: candidate.confidence,
        needed: candidate.needed,
        verdict: candidate.verdict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollfree_cache::decision::Proposer;

    fn considered(confidence: Option<f32>, similarity: f32, verdict: &'static str) -> Considered {
        Considered {
            proposer: Proposer::Semantic,
            id: format!("{similarity}"),
            text: "run a marathon".into(),
            similarity,
            confidence,
            needed: confidence.map(|_| 0.9),
            verdict,
            detail: None,
        }
    }

    #[test]
    fn near_is_what_the_model_or_one_rule_kept_from_being_served() {
        let far = considered(Some(0.1), 0.99, "not confident");
        let near = considered(Some(0.85), 0.81, "not confident");
        let ruled = considered(None, 0.95, "another number");
        let unlike = considered(None, 0.7, "another number");
        let name = |all: &[Considered]| nearest(all, false).map(|near| near.entry);
        assert_eq!(
            name(&[far.clone(), ruled.clone(), near]),
            Some("0.81".into())
        );
        assert_eq!(name(&[far.clone(), ruled]), Some("0.95".into()));
        assert_eq!(name(&[far, unlike, considered(None, 1.0, "same")]), None);
    }

    #[test]
    fn text_is_kept_only_where_it_may_be() {
        let near = [considered(None, 0.95, "another number")];
        assert_eq!(nearest(&near, false).and_then(|near| near.text), None);
        assert!(nearest(&near, true).is_some_and(|near| near.text.is_some()));
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_takes_labels() {
        let recent = Recent::default();
        let ids: Vec<Id> = (0..=MAX_DECISIONS).map(|_| Id::fresh()).collect();
        for id in &ids {
            recent.push(Decided {
                request: *id,
                at_ms: 0,
                decision: "miss",
                entry: None,
                judged: Judged::Never,
                near: None,
                goal: None,
                goal_bytes: 0,
                right: None,
            });
        }
        assert!(recent.get(ids[0]).is_none());
        recent.label(ids[7], true);
        assert_eq!(
            recent.get(ids[7]).and_then(|decided| decided.right),
            Some(true)
        );
        assert_eq!(recent.all().len(), MAX_DECISIONS);
    }
}
