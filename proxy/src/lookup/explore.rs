//! What becomes of a semantic hit on its way to a live request: served, explored, or only counted.
//!
//! An explored hit is answered by the upstream, as a miss is; when the answer is there it is compared with the
//! stored one beside the request, and the outcome labels the entry. Commands never come here.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tollfree_cache::bound::{Margin, Observation, Source};
use tollfree_cache::entry::{Answer, Entry};

use super::{Finding, Hit, Lookup, Options, SemanticMode, Tier, compare};
use crate::ids::Id;

/// A would-be hit that the upstream answers.
#[derive(Clone, Debug)]
pub struct Explored {
    /// What would have been served.
    pub entry: Arc<Entry>,
    /// How far above the shipped bar it was.
    pub margin: Margin,
    /// Its risk, where the coin alone sent it upstream.
    pub audited: Option<f64>,
    /// The goal asked.
    asked: String,
}

impl Lookup {
    /// How far above the shipped bar a finding's semantic hit is.
    pub(super) fn margin(&self, finding: &Finding) -> Margin {
        match (finding.confidence, finding.needed) {
            (Some(confidence), Some(needed)) => {
                let above = Margin::new(confidence, needed).get();
                // Labels outlive the configuration: they are kept relative to the bar that was not shifted.
                Margin::from_log_odds(above + self.limits.confidence_shift)
            }
            _ => Margin::SURE,
        }
    }

    /// Takes a semantic hit back where the mode or the bound says so.
    pub(super) fn weigh(&self, goal: &str, options: &Options, finding: &mut Finding) {
        let Some(Hit::Entry {
            entry,
            tier: Tier::Semantic,
            ..
        }) = &finding.hit
        else {
            return;
        };
        if options.live.is_none() {
            return;
        }
        let margin = self.margin(finding);
        let (label, reason, audited) = if self.limits.semantic == SemanticMode::Shadow {
            ("shadow", "shadow mode: would have been served", None)
        } else {
            // A coin of 1 never explores what may be served: there is no upstream to ask.
            let coin = if options.only_stored { 1.0 } else { coin() };
            let decision = self.cache.bound().decide(entry.id, margin, coin);
            if decision.serve {
                if self.cache.bound().max_wrong().is_some() {
                    self.metrics
                        .bound_decisions
                        .with_label_values(&["serve"])
                        .inc();
                }
                return;
            }
            if decision.exploration < 1.0 {
                (
                    "audit",
                    "explored: served answers are checked now and then",
                    Some(decision.risk),
                )
            } else {
                (
                    "explore",
                    "explored: too little is known to serve it within max_wrong_hits",
                    None,
                )
            }
        };
        self.metrics
            .bound_decisions
            .with_label_values(&[label])
            .inc();
        finding.explored = Some(Explored {
            entry: Arc::clone(entry),
            margin,
            audited,
            asked: goal.to_owned(),
        });
        finding.reason = Some(reason.into());
        finding.hit = None;
    }

    /// Compares the upstream's answer with the stored one of an explored hit, beside the request.
    pub(super) fn compare_beside(
        &self,
        explored: Explored,
        request_id: Option<Id>,
        answer: &Answer,
    ) {
        let (this, text) = (self.clone(), answer.text.clone());
        tokio::spawn(async move {
            let pair = compare::Pair {
                cached_goal: explored.entry.goal.clone(),
                asked_goal: explored.asked,
                stored: explored.entry.answer.text.clone(),
                fresh: text,
            };
            let outcome = match compare::same_answer(&this.models, pair).await {
                Ok(None) => "unlabelled",
                Ok(Some(right)) => {
                    let observation = Observation {
                        margin: explored.margin,
                        right,
                    };
                    this.cache.label(
                        explored.entry.id,
                        observation,
                        Source::Comparison,
                        explored.audited,
                    );
                    if let Some(id) = request_id {
                        this.recent.label(id, right);
                    }
                    if right { "right" } else { "wrong" }
                }
                Err(error) => {
                    tracing::debug!(error = %crate::error::chain(&error), "explored answer not compared");
                    "unlabelled"
                }
            };
            this.metrics
                .bound_labels
                .with_label_values(&[outcome])
                .inc();
        });
    }
}

/// A random number in [0, 1): a counter hashed with a key of this process.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn coin() -> f64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let hash = KEY.hash_one(NEXT.fetch_add(1, Ordering::Relaxed));
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    #[test]
    fn coins_are_spread_over_the_unit_interval() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let coin = super::coin();
            assert!((0.0..1.0).contains(&coin));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 9"
            )]
            let tenth = (coin * 10.0) as usize;
            tenths[tenth] += 1;
        }
        assert!(
            tenths.iter().all(|count| (800..1200).contains(count)),
            "{tenths:?}"
        );
    }
}
