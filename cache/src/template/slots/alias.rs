//! The values of a choice slot and the ways they are written.

use std::collections::BTreeMap;

use crate::goal::{Goal, Kind, Quantity, Token, lexicon, words};

/// One value of a choice slot.
#[derive(Debug, Clone)]
pub struct ChoiceValue {
    /// How it is written in the plan.
    pub name: String,
    /// The ways it is written in goals, the name among them.
    pub aliases: Vec<Alias>,
    /// Further facts of the value for the plan's expressions.
    pub data: BTreeMap<String, minijinja::Value>,
}

/// A sequence of words that stands for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    words: Vec<(String, String)>,
    /// Whether the single word is also a common word ("go", "sat"), so that it counts only where it is plainly a name.
    ambiguous: bool,
}

/// English words that are also the names of languages, tests or tools.
const COMMON: [&str; 12] = [
    "sat", "act", "gate", "cat", "mat", "swift", "rust", "ruby", "bass", "recorder", "pearl",
    "basic",
];

/// Words after which a common word is meant as a name.
const ANNOUNCES: [&str; 14] = [
    "learn",
    "study",
    "learning",
    "studying",
    "code",
    "program",
    "programming",
    "coding",
    "pass",
    "ace",
    "take",
    "speak",
    "play",
    "playing",
];

impl Alias {
    /// Makes an alias from its written form; `None` when there is no word in it.
    pub fn new(written: &str) -> Option<Self> {
        let tokens = words::tokenise(&words::normalise(written));
        let words: Vec<(String, String)> = tokens
            .iter()
            .map(|t| (t.word.clone(), t.stem.clone()))
            .collect();
        let ambiguous = match tokens.as_slice() {
            [] => return None,
            [one] => {
                let short = one.kind == Kind::Word && one.word.chars().count() == 1;
                short || lexicon::is_function(&one.word) || COMMON.contains(&one.word.as_str())
            }
            _ => false,
        };
        Some(Self { words, ambiguous })
    }

    /// Returns how many tokens the alias takes.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Says whether the alias has no word, which [`Alias::new`] never makes.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Says whether the alias stands at a token of a goal and cuts no typed value apart ("5k" in "$5k").
    pub fn is_at(&self, goal: &Goal, at: usize) -> bool {
        let tokens = goal.tokens();
        let end = at + self.words.len();
        let cuts = |q: &Quantity| {
            q.tokens.start < end && at < q.tokens.end && (q.tokens.start < at || q.tokens.end > end)
        };
        if goal.quantities().iter().any(cuts) {
            return false;
        }
        let same = |(i, (word, stem)): (usize, &(String, String))| {
            tokens
                .get(at + i)
                .is_some_and(|t| t.word == *word || (t.kind == Kind::Word && t.stem == *stem))
        };
        self.words.iter().enumerate().all(same) && (!self.ambiguous || is_name(tokens, at))
    }
}

/// Says whether a common word is written or announced as a name here.
fn is_name(tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at) else {
        return false;
    };
    let after_capital = at
        .checked_sub(1)
        .and_then(|i| tokens.get(i))
        .is_some_and(|t| t.capital);
    // In a heading every word has a capital, so it says nothing of "Go".
    let capital_counts =
        !lexicon::is_function(&token.word) || !(token.starts_sentence || after_capital);
    if token.capital && capital_counts {
        return true;
    }
    let next = tokens.get(at + 1).map_or("", |t| t.stem.as_str());
    if token.capital
        && matches!(
            next,
            "program" | "learn" | "code" | "languag" | "develop" | "test" | "exam"
        )
    {
        return true;
    }
    let before = |back: usize| {
        at.checked_sub(back)
            .and_then(|i| tokens.get(i))
            .map_or("", |t| t.word.as_str())
    };
    let before = if before(1) == "the" || before(1) == "in" {
        before(2)
    } else {
        before(1)
    };
    ANNOUNCES.contains(&before)
}
