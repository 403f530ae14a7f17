//! Decides whether an answer cached for one goal may be served for another.
//!
//! No embedding separates "learn Spanish" from "learn French": a similarity only proposes, a verifier decides.
//! [`RuleVerifier`] compares what is exact: the kind of answer asked for, typed values, names, negation, opposites,
//! scope and every word of content.
//! Its stance is precision first: what it cannot explain is different.

mod content;
mod direction;
mod reason;
mod rules;
mod scope;
mod slip;

#[cfg(test)]
mod tests;

pub use reason::Reason;
pub use rules::RuleVerifier;

use crate::goal::Goal;

/// The decision of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer to the cached goal answers the asked one.
    Same,
    /// It does not, or cannot be shown to.
    Different {
        /// The first rule that told them apart.
        reason: Reason,
    },
}

impl Verdict {
    /// Says whether the answer may be served.
    pub fn is_same(self) -> bool {
        self == Self::Same
    }
}

/// Decides between a cached and an asked goal after the index has proposed the one for the other.
pub trait Verifier: Send + Sync {
    /// Decides for one candidate. `similarity` is the cosine of the two goals' vectors, in [-1, 1].
    fn verify(&self, cached: &Goal, asked: &Goal, similarity: f32) -> Verdict;
}
