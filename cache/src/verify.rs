//! Decides whether an answer cached for one goal may be served for another.
//!
//! No embedding separates "learn Spanish" from "learn French": a similarity only proposes, a verifier decides.
//! [`RuleVerifier`] compares what is exact: the kind of answer asked for, typed values, names, negation, opposites,
//! scope and every word of content. What it finds different stays different; what it cannot explain is put to the
//! same-answer model, whose [confidence](crate::decision::Bar) must then be the higher the less the rules agree.

mod content;
mod direction;
mod reason;
mod rules;
mod scope;
mod slip;

#[cfg(test)]
mod tests;

pub use content::spelt_alike;
pub use reason::{Reason, Weight};
pub use rules::RuleVerifier;

use crate::goal::Goal;

/// What the rules make of a cached and an asked goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Word for word the same but for grammar and courtesy: nothing is left to ask a model.
    Same,
    /// Every word and value of one goal is explained by the other.
    Likely,
    /// Something is left that the rules cannot explain, and that other words may well say.
    Unsure {
        /// The first rule that would have told them apart.
        reason: Reason,
    },
    /// Something exact is different: no model may overrule it.
    Different {
        /// The first rule that told them apart.
        reason: Reason,
    },
}

impl Verdict {
    /// Returns why the rules do not agree, if they do not.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Same | Self::Likely => None,
            Self::Unsure { reason } | Self::Different { reason } => Some(reason),
        }
    }
}

/// Decides between a cached and an asked goal after the index has proposed the one for the other, before the
/// same-answer model is asked.
pub trait Verifier: Send + Sync {
    /// Decides for one candidate. `similarity` is the cosine of the two goals' vectors, in [-1, 1].
    fn verify(&self, cached: &Goal, asked: &Goal, similarity: f32) -> Verdict;
}
