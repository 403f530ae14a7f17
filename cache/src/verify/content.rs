//! Compares the words of content of two goals.

use super::slip;
use crate::goal::{Goal, Role, lexicon};

/// Returns the asked goal's text with the slips of the pen in it spelt as the cached goal spells those words.
///
/// A small model reads a misspelt word as a rare one, and so as another word.
pub fn spelt_alike(cached: &Goal, asked: &Goal) -> String {
    let (a, b) = (words(cached), words(asked));
    let mut text = asked.text().to_owned();
    // From the end, so that what is replaced does not move what is still to come.
    for token in asked.tokens().iter().rev() {
        let Some(wrong) = b.iter().find(|word| word.word == token.word && !word.name) else {
            continue;
        };
        if a.iter().any(|word| word.key == wrong.key) {
            continue;
        }
        let right = a.iter().find(|word| {
            !word.name
                && !b.iter().any(|own| own.key == word.key)
                && slip::is_slip(&word.word, &wrong.word)
        });
        if let Some(right) = right
            && text.get(token.range.clone()).is_some()
        {
            text.replace_range(token.range.clone(), &right.word);
        }
    }
    text
}

/// A word of content as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The key after stemming and synonyms.
    pub(super) key: String,
    /// The word as written, in lower case.
    pub(super) word: String,
    /// Whether it is (part of) a name.
    pub(super) name: bool,
}

/// The words one goal holds and the other does not, both ways.
#[derive(Debug, Default)]
pub(super) struct LeftOver {
    pub(super) cached: Vec<Word>,
    pub(super) asked: Vec<Word>,
    /// How many different words both hold.
    pub(super) num_shared: usize,
}

/// Returns what each goal holds beyond the other; words one slip apart count as the same.
pub(super) fn left_over(cached: &Goal, asked: &Goal) -> LeftOver {
    let (a, b) = (words(cached), words(asked));
    let mut left = LeftOver::default();
    left.cached = a
        .iter()
        .filter(|word| !b.iter().any(|other| other.key == word.key))
        .cloned()
        .collect();
    left.asked = b
        .iter()
        .filter(|word| !a.iter().any(|other| other.key == word.key))
        .cloned()
        .collect();
    left.num_shared = a.len() - left.cached.len();
    let mut at = 0;
    while let Some(word) = left.cached.get(at) {
        let other = left
            .asked
            .iter()
            .position(|other| !(word.name && other.name) && slip::is_slip(&word.word, &other.word));
        if let Some(other) = other {
            left.cached.remove(at);
            left.asked.remove(other);
            left.num_shared += 1;
        } else {
            at += 1;
        }
    }
    join_compounds(&mut left, &a, &b);
    left
}

/// Says whether one goal repeats the other: all words in the same order by stem, but for articles, courtesy and the
/// phrases that only ask. Pronouns and prepositions count: "love him" is not "love her".
pub(super) fn is_repeat(cached: &Goal, asked: &Goal) -> bool {
    fn said(goal: &Goal) -> impl Iterator<Item = &str> {
        goal.tokens()
            .iter()
            .filter(|token| token.role != Role::Lead || lexicon::is_strong(&token.word))
            .filter(|token| {
                !matches!(
                    token.word.as_str(),
                    "a" | "an" | "the" | "um" | "uh" | "please"
                )
            })
            .map(|token| token.stem.as_str())
    }
    cached.intent() == asked.intent() && said(cached).eq(said(asked))
}

/// Returns the different words of content, and the function words that change an answer.
fn words(goal: &Goal) -> Vec<Word> {
    let mut list: Vec<Word> = Vec::new();
    for (at, token) in goal.tokens().iter().enumerate() {
        let counts = match token.role {
            Role::Content => true,
            Role::Function | Role::Lead => lexicon::is_strong(&token.word),
            Role::Value | Role::Merged => false,
        };
        // "With no sugar" and "without sugar" say the same.
        let key = if token.word == "no" {
            "without"
        } else {
            &token.key
        };
        if counts && !list.iter().any(|word| word.key == key) {
            let name = goal.names().iter().any(|name| name.tokens.contains(&at));
            list.push(Word {
                key: key.to_owned(),
                word: token.word.clone(),
                name,
            });
        }
    }
    list
}

/// "half marathon" and "halfmarathon", "wi-fi" and "wifi": two words on one side written as one on the other.
fn join_compounds(left: &mut LeftOver, a: &[Word], b: &[Word]) {
    fn join(one: &mut Vec<Word>, two: &mut Vec<Word>, all_of_two: &[Word]) {
        one.retain(|joined| {
            let pair = all_of_two.windows(2).find(|pair| {
                matches!(pair, [x, y] if joined.word.len() == x.word.len() + y.word.len()
                    && joined.word.starts_with(&x.word) && joined.word.ends_with(&y.word))
            });
            if let Some(pair) = pair {
                two.retain(|word| !pair.iter().any(|part| part.key == word.key));
            }
            pair.is_none()
        });
    }
    join(&mut left.cached, &mut left.asked, b);
    join(&mut left.asked, &mut left.cached, a);
}
