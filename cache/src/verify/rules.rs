//! The rules, in the order in which they are asked: cheap and certain ones first.

use super::content::{self, LeftOver, Word};
use super::direction::{self, Turn};
use super::{Reason, Verdict, Verifier, scope};
use crate::goal::{Goal, Quantity, Value, negation, synonyms};

/// Similarity above which a word of mere manner ("properly", "by myself") may stand on one side only.
const MANNER_SIMILARITY: f32 = 0.85;

/// Verifies by exact rules over the analysed goals. Costs a few microseconds and needs no model.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleVerifier;

/// Up to this many words unlike, two goals are taken for the same sentence with something exchanged: there a reversed
/// direction or an opposite is the whole difference. In a thorough rewording it may be an accident of wording.
const MINIMAL_CHANGE: usize = 4;

impl Verifier for RuleVerifier {
    fn verify(&self, cached: &Goal, asked: &Goal, similarity: f32) -> Verdict {
        let left = content::left_over(cached, asked);
        let minimal = left.cached.len() + left.asked.len() <= MINIMAL_CHANGE;
        match first_difference(cached, asked, &left, similarity) {
            None if content::is_repeat(cached, asked) => Verdict::Same,
            None => Verdict::Likely,
            Some(reason @ Reason::Opposite) if !minimal => Verdict::Unsure { reason },
            Some(reason @ Reason::Direction)
                if !minimal || direction::compare(cached, asked) == Turn::Moved =>
            {
                Verdict::Unsure { reason }
            }
            Some(reason) if reason.is_exact() => Verdict::Different { reason },
            Some(reason) => Verdict::Unsure { reason },
        }
    }
}

fn first_difference(
    cached: &Goal,
    asked: &Goal,
    left: &LeftOver,
    similarity: f32,
) -> Option<Reason> {
    if cached.language() != asked.language() {
        return Some(Reason::Language);
    }
    if !values_agree(cached.quantities(), asked.quantities()) {
        let typed = |goal: &Goal| {
            goal.quantities()
                .iter()
                .any(|q| !matches!(q.value, Value::Number { .. } | Value::Count { .. }))
        };
        return Some(if typed(cached) || typed(asked) {
            Reason::Unit
        } else {
            Reason::Number
        });
    }
    if direction::compare(cached, asked) != Turn::None {
        return Some(Reason::Direction);
    }
    if let Some(reason) = opposite_or_name(&left.cached, &left.asked) {
        return Some(reason);
    }
    if negation::are_at_other_times(cached.tokens(), asked.tokens()) {
        return Some(Reason::Opposite);
    }
    if negation::count(cached) != negation::count(asked) {
        return Some(Reason::Negation);
    }
    if cached.intent() != asked.intent() {
        return Some(Reason::Intent);
    }
    let counts = |word: &&Word, own: &Goal| {
        let manner = similarity >= MANNER_SIMILARITY && synonyms::is_manner(&word.key);
        !manner && !synonyms::is_implied(&word.key, own)
    };
    let more_cached: Vec<&Word> = left
        .cached
        .iter()
        .filter(|word| counts(word, cached))
        .collect();
    let more_asked: Vec<&Word> = left
        .asked
        .iter()
        .filter(|word| counts(word, asked))
        .collect();
    if let Some(reason) = unlike(&more_cached, &more_asked) {
        return Some(reason);
    }
    // Nothing in common but grammar: only the same grammar is the same goal.
    if left.num_shared == 0 && cached.quantities().is_empty() && !same_words(cached, asked) {
        return Some(Reason::Unsure);
    }
    None
}

/// Says whether every value of one goal has its equal in the other. A bare "one" may stand for "a".
fn values_agree(a: &[Quantity], b: &[Quantity]) -> bool {
    let mut free: Vec<&Quantity> = b.iter().collect();
    let all_found = a.iter().all(|value| {
        let found = free.iter().position(|other| value.agrees_with(other));
        if let Some(found) = found {
            free.remove(found);
        }
        found.is_some() || value.is_bare_one()
    });
    all_found && free.iter().all(|left| left.is_bare_one())
}

fn opposite_or_name(cached: &[Word], asked: &[Word]) -> Option<Reason> {
    let opposite = cached
        .iter()
        .any(|x| asked.iter().any(|y| negation::are_opposite(&x.key, &y.key)));
    if opposite {
        return Some(Reason::Opposite);
    }
    cached
        .iter()
        .chain(asked)
        .any(|word| word.name)
        .then_some(Reason::Name)
}

/// Judges the words that one goal holds and the other lacks.
fn unlike(cached: &[&Word], asked: &[&Word]) -> Option<Reason> {
    let says = |words: &[&Word]| words.iter().any(|word| !synonyms::is_weak(&word.key));
    let verbs = |words: &[&Word]| {
        words
            .iter()
            .all(|w| matches!(w.key.as_str(), "learn" | "studi" | "begin" | "start"))
    };
    match (says(cached), says(asked)) {
        // A weak word on each side is a replacement too, unless both only say that one learns or begins.
        (false, false)
            if cached.is_empty() || asked.is_empty() || (verbs(cached) && verbs(asked)) =>
        {
            None
        }
        _ if cached
            .iter()
            .chain(asked)
            .any(|word| scope::sets_scope(&word.key)) =>
        {
            Some(Reason::Scope)
        }
        _ if cached.is_empty() || asked.is_empty() => Some(Reason::Narrower),
        _ => Some(Reason::Substitution),
    }
}

fn same_words(a: &Goal, b: &Goal) -> bool {
    a.stems().eq(b.stems())
}
