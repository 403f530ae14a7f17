//! Masks the typed values of a goal by generic words, so that "learn Spanish in 3 months" and "learn Thai in a year" embed
//! alike.
//!
//! Goals and phrasings go through the same function, so both sides of a comparison agree.
//! Durations, levels and lead-in phrases go away, languages become "a language", and what a template offers as a choice
//! becomes that slot's noun: a phrasing is masked by the choices of its own template, a goal by those of the templates
//! that fit it, so that no template's choices hide what another one reads.
//! Masking a masked text changes nothing.

use std::ops::Range;

use super::noise;
use super::slots::{self, Alias};
use crate::goal::quantities::Value;
use crate::goal::{Goal, Kind, NameKind, Role, Token};

/// How often a text is masked again until it stays as it is; ordinary goals need two passes.
const MAX_PASSES: usize = 16;

/// The choices of all loaded templates, by their written forms.
#[derive(Debug, Default)]
pub struct Lexicon {
    choices: Vec<Choice>,
}

/// A written form, the noun that stands for it, and the place of its template.
#[derive(Debug)]
struct Choice {
    alias: Alias,
    noun: String,
    template: usize,
}

impl Lexicon {
    /// Adds a way in which a choice of a template is written, and the noun that stands for it.
    pub fn add(&mut self, template: usize, alias: &Alias, noun: &str) {
        self.choices.push(Choice {
            alias: alias.clone(),
            noun: noun.to_lowercase(),
            template,
        });
    }

    /// Masks a goal, by the choices of those templates that `counts` names by their place.
    pub fn mask(&self, goal: &Goal, counts: impl Fn(usize) -> bool) -> String {
        let choices: Vec<&Choice> = self
            .choices
            .iter()
            .filter(|choice| counts(choice.template))
            .collect();
        let mut text = Self::pass(&choices, &noise::plain(goal));
        for _ in 1..MAX_PASSES {
            let next = Self::pass(&choices, &noise::plain(&Goal::analyse(&text)));
            if next == text {
                break;
            }
            text = next;
        }
        text
    }

    fn pass(choices: &[&Choice], goal: &Goal) -> String {
        let tokens = goal.tokens();
        let mut cover = Cover {
            words: vec![None; tokens.len()],
        };
        choices_in(choices, goal, &mut cover);
        for (range, _) in slots::level_words(goal) {
            cover.replace(range, "");
        }
        for (range, _) in slots::date::find(goal) {
            cover.replace(range, "");
        }
        for (range, _) in slots::place::find(goal) {
            cover.replace(range, "a place");
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
}

fn choices_in(choices: &[&Choice], goal: &Goal, cover: &mut Cover) {
    let tokens = goal.tokens();
    let mut at = 0;
    while at < tokens.len() {
        let longest = choices
            .iter()
            .filter(|choice| choice.alias.is_at(goal, at))
            // The first of equals, so that the order of the library decides.
            .fold(None, |best: Option<&&Choice>, choice| match best {
                Some(best) if best.alias.len() >= choice.alias.len() => Some(best),
                _ => Some(choice),
            });
        match longest {
            Some(choice) => {
                cover.replace(at..at + choice.alias.len(), &choice.noun);
                at += choice.alias.len();
            }
            None => at += 1,
        }
    }
}

/// Puts nouns in the place of free texts; `None` when there are none.
pub(super) fn without_texts(goal: &Goal, texts: &[(Range<usize>, String)]) -> Option<Goal> {
    let mut text = goal.text().to_owned();
    let mut texts: Vec<_> = texts.iter().collect();
    texts.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, noun) in &texts {
        let first = goal.tokens().get(range.start)?;
        let last = goal.tokens().get(range.end.wrapping_sub(1))?;
        text.replace_range(first.range.start..last.range.end, noun);
    }
    (!texts.is_empty()).then(|| Goal::analyse(&text))
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
