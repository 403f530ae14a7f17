//! The bound a user sets on the share of wrong answers among semantic hits, and what is learned to keep it.
//!
//! In the manner of vCache (Schroeder et al. 2025): every entry learns from labelled observations, a would-be hit
//! is served or *explored* (answered by the upstream, whose answer then labels the entry), and the user always gets
//! an answer of which we expect no more wrong ones than was asked for. What differs: labels of all entries share
//! one curve, so that a new entry starts from what the others taught; and the bound is on the answers *served*,
//! which is stricter than the paper's (there explored requests count as right answers).
//!
//! [`margin`] is what an observation is made at, [`curve`] the shared fit, [`entry`] what one entry adds to it,
//! [`account`] the decision, [`sweep`] the same question answered offline from labelled pairs. No clock, no random
//! numbers of its own, no I/O: the caller gives a coin, and keeps what [`Bound::observe`] hands back.

pub mod account;
mod codec;
pub mod curve;
pub mod entry;
pub mod interval;
pub mod margin;
pub mod sweep;

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::entry::EntryId;
use account::Account;
use curve::Curve;
use entry::Labels;
pub use entry::Observation;
pub use margin::Margin;

/// How many labels of each entry shape the curve. Later ones come from those entries that are explored the most,
/// which are the worst; the curve is to speak for an entry of which nothing is known yet.
const CURVE_LABELS: usize = 4;

/// What is to become of a would-be hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether the stored answer is served; else the upstream answers and its answer labels the entry.
    pub serve: bool,
    /// Upper bound of the probability that the stored answer is wrong, in [0, 1], before caution.
    pub risk: f64,
    /// The probability with which this would-be hit was to be explored, in [0, 1].
    pub exploration: f64,
}

/// Where a label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The answer of an upstream was compared with the stored one.
    Comparison,
    /// Somebody said so.
    Feedback,
}

/// What is known of all entries.
#[derive(Default)]
struct State {
    max_wrong: Option<f64>,
    curve: Curve,
    entries: HashMap<EntryId, Labels>,
    account: Account,
}

/// The learned part of the semantic tier. Shared by reference; every method takes one short lock.
#[derive(Default)]
pub struct Bound {
    state: Mutex<State>,
}

impl Bound {
    /// Starts without any label. `max_wrong` is the share of wrong answers allowed among semantic hits, in [0, 1];
    /// `None` serves at the shipped operating point and never explores.
    pub fn new(max_wrong: Option<f64>) -> Self {
        let bound = Self::default();
        bound.allow(max_wrong);
        bound
    }

    /// Allows another share from now on; what was learned stays.
    pub fn allow(&self, max_wrong: Option<f64>) {
        self.state.lock().max_wrong = max_wrong;
    }

    /// The share of wrong answers allowed among semantic hits.
    pub fn max_wrong(&self) -> Option<f64> {
        self.state.lock().max_wrong
    }

    /// Whether labels say that an entry answers other wordings wrongly, so that it is served to none.
    ///
    /// One wrong label suffices under a bound of 0; else two that make up more than a quarter of its labels.
    pub fn is_blocked(&self, id: EntryId) -> bool {
        let state = self.state.lock();
        state
            .entries
            .get(&id)
            .is_some_and(|labels| labels.is_blocked(state.max_wrong))
    }

    /// Decides about a would-be hit with `coin`, a random number in [0, 1). Without a bound everything is served.
    ///
    /// Costs at most 25 x 21 logistic functions and powers, some ten microseconds, and no allocation.
    pub fn decide(&self, id: EntryId, margin: Margin, coin: f64) -> Decision {
        let mut state = self.state.lock();
        let State {
            max_wrong,
            curve,
            entries,
            account,
        } = &mut *state;
        let labels = entries.get(&id);
        let risk = entry::risk(curve, labels, margin);
        match *max_wrong {
            None => Decision {
                serve: true,
                risk,
                exploration: 0.0,
            },
            Some(max_wrong) => account.decide(max_wrong, risk, labels.map_or(0, Labels::len), coin),
        }
    }

    /// Upper bound of the probability that an entry's answer is wrong at a margin, in [0, 1].
    pub fn risk(&self, id: EntryId, margin: Margin) -> f64 {
        let state = self.state.lock();
        entry::risk(&state.curve, state.entries.get(&id), margin)
    }

    /// Right and wrong labels of an entry.
    pub fn labels(&self, id: EntryId) -> (usize, usize) {
        let state = self.state.lock();
        state.entries.get(&id).map_or((0, 0), Labels::counts)
    }

    /// Takes note of a label.
    ///
    /// `audited` is the risk of a would-be hit that could have been served and was explored by the coin alone: what
    /// the account audits itself with. Feedback says nothing of other entries and leaves the curve alone.
    pub fn observe(
        &self,
        id: EntryId,
        observation: Observation,
        source: Source,
        audited: Option<f64>,
    ) {
        let mut state = self.state.lock();
        let State {
            curve,
            entries,
            account,
            ..
        } = &mut *state;
        let labels = entries.entry(id).or_default();
        if source == Source::Comparison && labels.len() < CURVE_LABELS {
            curve.observe(observation);
        }
        labels.push(observation);
        if let Some(risk) = audited {
            account.audit(risk, observation.right);
        }
    }

    /// The labels of an entry and the curve, in the form they are stored in.
    pub(crate) fn encoded(&self, id: EntryId) -> (Option<Vec<u8>>, Vec<u8>) {
        let state = self.state.lock();
        let labels = state.entries.get(&id).map(|labels| labels.encode(id));
        (labels, state.curve.encode())
    }

    /// Forgets an entry. What it taught about all entries stays.
    pub(crate) fn forget(&self, id: EntryId) {
        self.state.lock().entries.remove(&id);
    }

    /// Takes over the stored labels of an entry.
    pub(crate) fn restore(&self, id: EntryId, labels: Labels) {
        self.state.lock().entries.insert(id, labels);
    }

    /// Takes over the stored curve.
    pub(crate) fn restore_curve(&self, curve: Curve) {
        self.state.lock().curve = curve;
    }

    /// A snapshot for people and metrics.
    pub fn stats(&self) -> BoundStats {
        let state = self.state.lock();
        let (right, wrong) = state.curve.counts();
        BoundStats {
            right,
            wrong,
            labelled_entries: state.entries.len(),
            blocked_entries: state
                .entries
                .values()
                .filter(|labels| labels.is_blocked(state.max_wrong))
                .count(),
            served: state.account.served(),
            expected_wrong: state.account.expected_wrong(),
            caution: state.account.caution(),
            max_risk: state.max_wrong.map(|max| state.account.max_risk(max)),
        }
    }
}

/// What the bound has learned so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoundStats {
    /// Comparisons that found the stored answer right.
    pub right: u64,
    /// Comparisons that found it wrong.
    pub wrong: u64,
    /// Entries with a label.
    pub labelled_entries: usize,
    /// Entries that are served to no other wording because of their labels.
    pub blocked_entries: usize,
    /// Semantic hits served under the bound since the start.
    pub served: u64,
    /// Upper bound of the wrong ones among them.
    pub expected_wrong: f64,
    /// How many times more wrong labels came than were expected, at least 1.
    pub caution: f64,
    /// The risk up to which hits are served now; `None` without a bound.
    pub max_risk: Option<f64>,
}

#[cfg(test)]
mod tests;
