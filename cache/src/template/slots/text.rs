//! Free text within limits: what a goal says where a phrasing has the slot.
//!
//! The words before the slot in a phrasing are its anchor: "write a book about {topic}" reads what follows "book about".
//! The text ends where another slot's value or a new sentence begins.

use std::ops::Range;

use crate::goal::{Goal, Role, Token};
use crate::template::{grammar, mask};

/// Most words before the slot that a goal must hold too.
const ANCHOR_WORDS: usize = 2;

/// Words that join a second wish or a reason to the first: beyond them the text would be more than a topic.
const JOINS: [&str; 16] = [
    "and", "or", "but", "because", "so", "that", "which", "who", "how", "why", "when", "while",
    "if", "then", "to", "than",
];

/// What a text slot accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeText {
    /// Most words.
    pub max_words: usize,
    /// Words and phrases that may not stand in it, lower case.
    pub refuse: Vec<String>,
    /// What its first word must end in ("ing" for something one does).
    pub ending: Option<String>,
    /// A typical text, for phrasings.
    pub example: String,
    /// What stands for it when goals are compared.
    pub noun: String,
    /// The keys of the words before the slot, one list a phrasing.
    pub anchors: Vec<Vec<String>>,
    /// The keys of the first words after the slot; the text ends before one of them.
    pub tails: Vec<String>,
}

/// Why a text is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than the slot allows.
    TooLong(String),
    /// It holds a refused word.
    Refused(String),
}

impl FreeText {
    /// Notes the words before the slot in a phrasing; a phrasing that begins with the slot has none and reads nothing.
    pub(in crate::template) fn anchor(&mut self, slot: &str, phrasing: &str) {
        let Some((before, after)) = phrasing.split_once(&format!("{{{slot}}}")) else {
            return;
        };
        // "Eat {food} more often": a preposition ("in 3 weeks") may as well belong to the text.
        let after = Goal::analyse(after);
        let tail = after
            .tokens()
            .first()
            .filter(|token| token.role == Role::Content || grammar::is_strong(&token.word));
        if let Some(tail) = tail.map(|token| token.key.clone())
            && !self.tails.contains(&tail)
        {
            self.tails.push(tail);
        }
        let goal = Goal::analyse(before);
        let keys: Vec<String> = goal
            .tokens()
            .iter()
            .rev()
            .take(ANCHOR_WORDS)
            .rev()
            .map(|token| token.key.clone())
            .collect();
        if !keys.is_empty() && !self.anchors.contains(&keys) {
            self.anchors.push(keys);
        }
    }

    /// Finds the text in a goal whose other slots have taken their tokens.
    pub(super) fn read(
        &self,
        goal: &Goal,
        taken: &[bool],
    ) -> Result<Option<(Range<usize>, String)>, Fault> {
        let tokens = goal.tokens();
        let is_taken = |at: usize| taken.get(at).copied().unwrap_or(false);
        let anchored = |keys: &Vec<String>, at: usize| {
            keys.iter()
                .enumerate()
                .all(|(i, key)| tokens.get(at + i).is_some_and(|token| token.key == *key))
        };
        let start = (0..tokens.len())
            .flat_map(|at| self.anchors.iter().map(move |keys| (at, keys)))
            .filter(|(at, keys)| anchored(keys, *at))
            // The last anchor is the most particular: "stop eating so much {food}" after "stop {habit}".
            .max_by_key(|(at, keys)| (at + keys.len(), keys.len()))
            .map(|(at, keys)| at + keys.len());
        let Some(mut start) = start else {
            return Ok(None);
        };
        while tokens.get(start).is_some_and(is_determiner) {
            start += 1;
        }
        let stops = |at: usize| {
            is_taken(at)
                || tokens
                    .get(at)
                    .is_some_and(|token| token.role == Role::Value)
        };
        let mut end = (start..tokens.len())
            .find(|&at| {
                let token = tokens.get(at);
                stops(at)
                    || (at > start && token.is_some_and(|t| self.tails.contains(&t.key)))
                    || (at > 0 && token.is_some_and(|t| t.starts_sentence))
            })
            .unwrap_or(tokens.len());
        if stops(end) {
            end = mask::span_start(tokens, end).max(start);
        }
        let words = tokens.get(start..end).unwrap_or_default();
        let changes = |token: &Token| {
            JOINS.contains(&token.word.as_str())
                // What is said to the one who answers is no topic.
                || matches!(token.word.as_str(), "you" | "your" | "yours")
                || matches!(token.role, Role::Value | Role::Lead)
                || (token.role == Role::Function
                    && (grammar::is_strong(&token.word) || grammar::is_of_others(token, tokens)))
        };
        if !words.iter().any(|token| token.role == Role::Content) || words.iter().any(changes) {
            return Ok(None);
        }
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return Ok(None);
        };
        // "On the first day": what begins with a preposition tells how, not what.
        if first.role != Role::Content {
            return Ok(None);
        }
        if self
            .ending
            .as_ref()
            .is_some_and(|ending| !first.word.ends_with(ending))
        {
            return Ok(None);
        }
        let text = goal
            .text()
            .get(first.range.start..last.range.end)
            .unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.len() > self.max_words {
            return Err(Fault::TooLong(text));
        }
        let spoken: Vec<&str> = words.iter().map(|token| token.word.as_str()).collect();
        let padded = format!(" {} ", spoken.join(" "));
        let stemmed: Vec<&str> = words.iter().map(|token| token.stem.as_str()).collect();
        let refused = self.refuse.iter().find(|refused| {
            padded.contains(&format!(" {refused} "))
                || stemmed.contains(&crate::goal::words::stem(refused).as_str())
        });
        match refused {
            Some(refused) => Err(Fault::Refused(refused.clone())),
            None => Ok(Some((start..end, text))),
        }
    }
}

fn is_determiner(token: &Token) -> bool {
    matches!(
        token.word.as_str(),
        "a" | "an" | "the" | "my" | "our" | "some"
    )
}
