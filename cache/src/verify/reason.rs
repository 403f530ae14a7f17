//! Why two goals are different: a closed set, for metrics and explanations.

use std::fmt;

/// The rule that told two goals apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// They are written in different languages.
    Language,
    /// They ask for different kinds of answer ("how" and "why").
    Intent,
    /// A number differs or stands on one side only.
    Number,
    /// A value with a unit differs: a duration, an amount, a weight, a distance, a time.
    Unit,
    /// A name differs or stands on one side only.
    Name,
    /// One is negated, the other not.
    Negation,
    /// A word on one side is the opposite of a word on the other.
    Opposite,
    /// A word that sets the scope differs ("beginners", "at home").
    Scope,
    /// The same things stand in opposite directions ("from A to B").
    Direction,
    /// A word of content was replaced by another.
    Substitution,
    /// One goal holds a word of content that narrows it.
    Narrower,
    /// The words left to compare are too few, or the similarity too low for what is left.
    Unsure,
}

/// How much an unexplained difference says against one answer for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A word was replaced: a synonym as often as not.
    Light,
    /// A word stands on one side only, or the question is put in another form.
    Medium,
    /// Another name or scope: another answer far more often than not.
    Grave,
}

impl Reason {
    /// Says whether the difference is one of facts, which no wording explains away, or too little is said to tell.
    pub fn is_exact(self) -> bool {
        matches!(
            self,
            Self::Language
                | Self::Number
                | Self::Unit
                | Self::Opposite
                | Self::Direction
                | Self::Unsure
        )
    }

    /// Returns how much a difference of this kind says against one answer for both, where a model may overrule it.
    pub fn weight(self) -> Weight {
        match self {
            Self::Substitution => Weight::Light,
            Self::Narrower | Self::Intent | Self::Negation => Weight::Medium,
            Self::Name | Self::Scope => Weight::Grave,
            Self::Language
            | Self::Number
            | Self::Unit
            | Self::Opposite
            | Self::Direction
            | Self::Unsure => Weight::Grave,
        }
    }

    /// Returns the name used in metrics and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Intent => "intent",
            Self::Number => "number",
            Self::Unit => "unit",
            Self::Name => "name",
            Self::Negation => "negation",
            Self::Opposite => "opposite",
            Self::Scope => "scope",
            Self::Direction => "direction",
            Self::Substitution => "substitution",
            Self::Narrower => "narrower",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
