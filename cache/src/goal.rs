//! A goal, analysed once: words, values, names, negation, language, and what kind of answer it asks for.
//!
//! The verifier, the templates and the bypass rules all ask about the same few facts of a text.
//! They are computed here, together and deterministically, so that a cached goal and an asked goal can never be
//! read by different rules.
//! Nothing here knows an embedding: the analysis is what agrees, or does not, with a similarity.

pub mod detect;
pub mod hidden;
pub mod intent;
pub mod lexicon;
pub mod names;
pub mod negation;
pub mod numbers;
pub mod phrases;
pub mod quantities;
pub mod synonyms;
pub mod time_bound;
pub mod words;

#[cfg(test)]
mod tests;

pub use intent::Intent;
pub use names::{Name, NameKind};
pub use quantities::{Quantity, Value};
pub use words::{Kind, Role, Token};

use crate::language::Language;

/// The analysed text of one goal.
///
/// All offsets are byte offsets into [`Goal::text`], which is the NFKC form of what the user wrote.
#[derive(Debug, Clone)]
pub struct Goal {
    text: String,
    tokens: Vec<Token>,
    quantities: Vec<Quantity>,
    names: Vec<Name>,
    intent: Intent,
    negated: bool,
    language: Language,
    time_bound: bool,
    hidden: bool,
}

impl Goal {
    /// Analyses a goal.
    ///
    /// Never fails: any text, also an empty one, is a goal.
    /// Cost: about one microsecond a word, plus the language detection of text that is not plainly English.
    pub fn analyse(text: &str) -> Self {
        let hidden = hidden::has_hidden(text);
        let text = words::normalise(text);
        let mut tokens = words::tokenise(&text);
        let quantities = quantities::find(&tokens);
        for quantity in &quantities {
            words::assign(&mut tokens, quantity.tokens.clone(), Role::Value);
        }
        let names = names::find(&tokens);
        let intent = intent::find(&text, &mut tokens);
        synonyms::canonicalise(&mut tokens, &names);
        let negated = negation::is_negated(&tokens);
        let language = detect::detect(&text, &tokens);
        let time_bound = time_bound::is_time_bound(&tokens, intent);
        Self {
            text,
            tokens,
            quantities,
            names,
            intent,
            negated,
            language,
            time_bound,
            hidden,
        }
    }

    /// Returns the NFKC form of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the tokens in order.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Returns the stems in order, one a token.
    pub fn stems(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.stem.as_str())
    }

    /// Returns the typed values in order of appearance.
    pub fn quantities(&self) -> &[Quantity] {
        &self.quantities
    }

    /// Returns the names (languages, instruments, programming languages, unknown proper names) in order.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Returns what kind of answer is asked for.
    pub fn intent(&self) -> Intent {
        self.intent
    }

    /// Says whether the goal holds a negation ("not", "never", "without").
    pub fn negated(&self) -> bool {
        self.negated
    }

    /// Returns the language the goal is written in.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// Says whether the right answer depends on the moment of asking ("today", "latest").
    pub fn time_bound(&self) -> bool {
        self.time_bound
    }

    /// Says whether the text holds characters that people cannot see ([`hidden`]).
    pub fn hides_text(&self) -> bool {
        self.hidden
    }

    /// Returns the tokens that carry the meaning: no function words, lead-in phrases or typed values.
    pub fn content(&self) -> impl Iterator<Item = &Token> {
        self.tokens
            .iter()
            .filter(|token| token.role == Role::Content)
    }
}
