//! Puts the candidates that the rules cannot settle to the same-answer model.

use std::time::Instant;

use tollfree_cache::decision::Semantic;
use tollfree_cache::goal::Goal;
use tollfree_cache::verify::spelt_alike;

use super::{Lookup, Options, models};

/// How many candidates the model judges at most: each costs about as much as embedding the goal did, and the first
/// that it agrees with is served.
const MAX_JUDGED: usize = 3;

const UNVERIFIED: &str = "not verified in time";

impl Lookup {
    /// Judges one pending candidate after the other, until one may be served. To explain a decision, all are wanted.
    pub(super) async fn judge(&self, outcome: &mut Semantic, goal: &Goal, options: &Options) {
        let deadline = if options.patient {
            models::PATIENCE
        } else {
            self.limits.deadline
        };
        let most = if options.thorough {
            outcome.pending.len()
        } else {
            MAX_JUDGED
        };
        let started = Instant::now();
        for pending in std::mem::take(&mut outcome.pending).into_iter().take(most) {
            let left = deadline.saturating_sub(started.elapsed());
            let cached = &pending.candidate.entry.goal;
            let spelt = spelt_alike(&Goal::analyse(cached), goal);
            let asked = Instant::now();
            match self.models.compare(cached, &spelt, left).await {
                Ok(confidence) => {
                    self.metrics
                        .verify_duration
                        .observe(asked.elapsed().as_secs_f64());
                    if outcome.settle(&pending, confidence) && !options.thorough {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(error = %crate::error::chain(&error), "candidate not verified");
                    self.metrics
                        .lookup_failures
                        .with_label_values(&["verifier"])
                        .inc();
                    if let Some(considered) = outcome.considered.get_mut(pending.at) {
                        considered.verdict = UNVERIFIED;
                    }
                    return;
                }
            }
        }
    }
}
