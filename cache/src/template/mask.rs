//! Masks the typed values of a goal by generic words, so that "learn Spanish in 3 months" and "learn Thai in a year" embed
//! alike.
//!
//! Goals and phrasings go through the same function, so both sides of a comparison agree.
//! The mask does not depend on any one template: durations, levels and lead-in phrases go away, languages become
//! "a language", and what any loaded template offers as a choice becomes that slot's noun.
//! Masking a masked text changes nothing.

use std::ops::Range;

use super::slots::{self, Alias};
use crate::goal::quantities::Value;
use crate::goal::{Goal, Kind, NameKind, Role, Token};

/// How often a text is masked again until it stays as it is; ordinary goals need two passes.
const MAX_PASSES: usize = 16;

/// The choices of all loaded templates, by their written forms.
#[derive(Debug, Default)]
pub struct Lexicon {
    choices: Vec<(Alias, String)>,
}

impl Lexicon {
    /// Adds the ways a choice is written and the noun that stands for it.
    pub fn add(&mut self, alias: &Alias, noun: &str) {
        self.choices.push((alias.clone(), noun.to_lowercase()));
    }

    /// Masks a goal.
    pub fn mask(&self, goal: &Goal) -> String {
        let mut text = self.pass(goal);
        for _ in 1..MAX_PASSES {
            let next = self.pass(&Goal::analyse(&text));
            if next == text {
                break;
            }
            text = next;
        }
        text
    }

    fn pass(&self, goal: &Goal) -> String {
        let tokens = goal.tokens();
        let mut cover = Cover {
            words: vec![None; tokens.len()],
        };
        self.choices_in(goal, &mut cover);
        for (range, _) in slots::level_words(goal) {
            cover.replace(range, "");
        }
        for quantity in goal.quantities() {
            let word = match quantity.value {
                Value::Money { .. } if quantity.per.is_none() => "money",
                Value::Weight { .. } if quantity.per.is_none() => "weight",
                Value::Distance { .. } if quantity.per.is_none() => "a distance",
                _ => "",
            };
            let span = matches!(quantity.value, Value::Duration { .. }) || quantity.per.is_some();
            let start = if span {
                span_start(tokens, quantity.tokens.start)
            } else {
                quantity.tokens.start
            };
            cover.replace(start..quantity.tokens.end, word);
        }
        for name in goal.names() {
            let word = match name.kind {
                NameKind::Language => "a language",
                NameKind::Instrument => "an instrument",
                NameKind::Programming | NameKind::Other => continue,
            };
            let article = name
                .tokens
                .start
                .checked_sub(1)
                .and_then(|at| tokens.get(at));
            let with_article =
                article.is_some_and(|t| matches!(t.word.as_str(), "a" | "an" | "the"));
            let start = name.tokens.start - usize::from(with_article);
            cover.replace(start..name.tokens.end, word);
        }
        let masked = cover.text(tokens, true);
        // A goal of nothing but lead-in words keeps them.
        if masked.is_empty() {
            cover.text(tokens, false)
        } else {
            masked
        }
    }

    fn choices_in(&self, goal: &Goal, cover: &mut Cover) {
        let tokens = goal.tokens();
        let mut at = 0;
        while at < tokens.len() {
            let longest = self
                .choices
                .iter()
                .filter(|(alias, _)| alias.is_at(goal, at))
                // The first of equals, so that the order of the library decides.
                .fold(None, |best: Option<&(Alias, String)>, choice| match best {
                    Some(best) if best.0.len() >= choice.0.len() => Some(best),
                    _ => Some(choice),
                });
            match longest {
                Some((alias, noun)) => {
                    cover.replace(at..at + alias.len(), noun);
                    at += alias.len();
                }
                None => at += 1,
            }
        }
    }
}

/// Returns where the words that lead to a span of time begin ("within less than" 3 months).
pub(super) fn span_start(tokens: &[Token], start: usize) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |t| t.word.as_str());
    let mut start = start;
    while start > 0 {
        let length = match word(start - 1) {
            "in" | "within" | "over" | "for" | "under" | "during" | "by" | "inside" | "about"
            | "around" | "just" | "only" | "the" | "a" | "an" | "next" | "coming" | "of"
            | "roughly" | "approximately" => 1,
            "than" if start > 1 && word(start - 2) == "less" => 2,
            "most" if start > 1 && word(start - 2) == "at" => 2,
            _ => break,
        };
        start -= length;
    }
    start
}

/// What stands for each token: nothing yet, or a replacement (empty for all but the first token of a range).
struct Cover {
    words: Vec<Option<String>>,
}

impl Cover {
    /// Replaces a range, unless part of it is replaced already.
    fn replace(&mut self, range: Range<usize>, word: &str) {
        let Some(words) = self.words.get_mut(range) else {
            return;
        };
        // A choice stays a choice, though it may also be a number or a name.
        let free: Vec<&mut Option<String>> =
            words.iter_mut().filter(|word| word.is_none()).collect();
        for (i, place) in free.into_iter().enumerate() {
            *place = Some(if i == 0 {
                word.to_owned()
            } else {
                String::new()
            });
        }
    }

    fn text(&self, tokens: &[Token], without_lead: bool) -> String {
        let mut out: Vec<&str> = Vec::new();
        for (token, replaced) in tokens.iter().zip(&self.words) {
            let words = match replaced {
                Some(word) => word.as_str(),
                None if without_lead && token.role == Role::Lead => "",
                None if token.kind == Kind::Word => token.word.as_str(),
                None => "",
            };
            for word in words.split_whitespace() {
                if out.last() != Some(&word) {
                    out.push(word);
                }
            }
        }
        out.join(" ")
    }
}
