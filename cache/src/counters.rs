//! Running totals that survive a restart.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    /// Requests answered from an entry with an equal exact key.
    ExactHits,
    /// Requests answered by a template.
    TemplateHits,
    /// Requests answered from an entry with an equal compatibility key.
    SemanticHits,
    /// Requests answered from the answer to an equal one that was under way.
    CoalescedHits,
    /// Requests answered from an entry with an equal exact key whose time was over.
    StaleHits,
    /// Requests looked up in vain.
    Misses,
    /// Requests not looked up at all.
    Bypasses,
    /// Answers taken in.
    Admissions,
    /// Money not spent thanks to hits, in millionths of a US dollar.
    SavedMicroUsd,
}

impl Counter {
    /// All counters, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::ExactHits,
        Self::TemplateHits,
        Self::SemanticHits,
        Self::CoalescedHits,
        Self::StaleHits,
        Self::Misses,
        Self::Bypasses,
        Self::Admissions,
        Self::SavedMicroUsd,
    ];

    /// Returns the name it is stored and reported under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExactHits => "exact_hits",
            Self::TemplateHits => "template_hits",
            Self::SemanticHits => "semantic_hits",
            Self::CoalescedHits => "coalesced_hits",
            Self::StaleHits => "stale_hits",
            Self::Misses => "misses",
            Self::Bypasses => "bypasses",
            Self::Admissions => "admissions",
            Self::SavedMicroUsd => "saved_micro_usd",
        }
    }
}

/// Which tier answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Equal exact keys.
    Exact,
    /// A template.
    Template,
    /// Equal compatibility keys and a goal the verifier accepts.
    Semantic,
    /// Equal exact keys, at the same time.
    Coalesced,
    /// Equal exact keys, after the entry's time.
    Stale,
}

impl Tier {
    /// Returns the counter of this tier's hits.
    pub fn counter(self) -> Counter {
        match self {
            Self::Exact => Counter::ExactHits,
            Self::Template => Counter::TemplateHits,
            Self::Semantic => Counter::SemanticHits,
            Self::Coalesced => Counter::CoalescedHits,
            Self::Stale => Counter::StaleHits,
        }
    }
}

/// The totals by name.
pub type Totals = BTreeMap<&'static str, u64>;

/// The counters in memory: adding takes no lock.
#[derive(Default)]
pub(crate) struct Counters([AtomicU64; Counter::ALL.len()]);

impl Counters {
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        if let Some(total) = self.0.get(counter as usize) {
            total.fetch_add(amount, Ordering::Relaxed);
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        let value = |total: &AtomicU64| total.load(Ordering::Relaxed);
        Counter::ALL
            .iter()
            .zip(&self.0)
            .map(|(counter, total)| (counter.as_str(), value(total)))
            .collect()
    }

    /// Adds totals read from a store; names this version does not know are left alone.
    pub(crate) fn restore(&self, stored: &BTreeMap<String, u64>) {
        for counter in Counter::ALL {
            self.add(counter, stored.get(counter.as_str()).copied().unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_restore_under_the_names_they_were_stored_by() {
        let counters = Counters::default();
        for (amount, counter) in (1..).zip(Counter::ALL) {
            counters.add(counter, amount);
        }
        let mut stored: BTreeMap<String, u64> = counters
            .totals()
            .into_iter()
            .map(|(name, total)| (name.to_owned(), total))
            .collect();
        assert_eq!(stored.len(), Counter::ALL.len());
        stored.insert("of_a_newer_version".into(), 9);
        let restored = Counters::default();
        restored.restore(&stored);
        assert_eq!(restored.totals(), counters.totals());
        assert_eq!(
            restored.totals()["saved_micro_usd"],
            Counter::ALL.len() as u64
        );
    }
}
