//! The language of a goal, as the compatibility key and the templates compare it.

/// A language by its ISO 639-1 code (639-3 where no two-letter code exists), `und` when unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(String);

impl Language {
    /// Makes a language from its code.
    pub fn new(code: &str) -> Self {
        Self(code.to_ascii_lowercase())
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
