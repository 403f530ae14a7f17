//! Which models an upstream serves, and under which names.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, Result};

/// The character that stands for any text, also for none.
const WILDCARD: char = '*';

/// A map from patterns of requested model names to the upstream's names.
///
/// A pattern has at most one `*`; the upstream's name may repeat it, and then takes over the text it stood for
/// (`"gpt-*" = "openai/gpt-*"`). A name without `*` wins over a pattern, and a pattern with more fixed characters
/// over one with fewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Models(BTreeMap<String, String>);

impl Models {
    /// Makes the default map: every model under the name that was requested.
    pub fn any() -> Self {
        Self(BTreeMap::from([(
            WILDCARD.to_string(),
            WILDCARD.to_string(),
        )]))
    }

    /// Makes a map from pattern to the upstream's name.
    ///
    /// # Errors
    /// [`Error::Models`] when the map is empty, or for the first pair that [`Models::check`] refuses.
    pub fn new(models: BTreeMap<String, String>) -> Result<Self> {
        if models.is_empty() {
            return Err(Error::Models {
                problem: "no model is mapped, so that the upstream would get no request".to_owned(),
                remedy: "leave the field out to map every model to itself, or add a pattern",
            });
        }
        models
            .iter()
            .try_for_each(|(pattern, name)| Self::check(pattern, name))?;
        Ok(Self(models))
    }

    /// Checks one pair of a map.
    ///
    /// # Errors
    /// [`Error::Models`] when pattern or name is empty or holds more than one `*`, or the name holds one that the
    /// pattern does not.
    pub fn check(pattern: &str, name: &str) -> Result<()> {
        let stars = |text: &str| text.matches(WILDCARD).count();
        let refuse = |problem: String, remedy| Err(Error::Models { problem, remedy });
        if pattern.is_empty() {
            return refuse(
                "model pattern is empty".to_owned(),
                "write a model name, or \"*\" for every model",
            );
        }
        if name.is_empty() {
            return refuse(
                format!("upstream's name for model {pattern:?} is empty"),
                "write the upstream's name, or \"*\" to keep what the \"*\" of the pattern stood for",
            );
        }
        if stars(pattern) > 1 {
            return refuse(
                format!("model pattern {pattern:?} holds more than one \"*\""),
                "keep one \"*\"; use several patterns where one is not enough",
            );
        }
        if stars(name) > stars(pattern) {
            return refuse(
                format!("upstream's name {name:?} holds more \"*\" than its pattern {pattern:?}"),
                "use one \"*\" in the name, and only where the pattern has one",
            );
        }
        Ok(())
    }

    /// Returns the upstream's name for a requested model; `None` when no pattern fits.
    pub fn resolve(&self, requested: &str) -> Option<String> {
        if let Some(name) = self
            .0
            .get(requested)
            .filter(|_| !requested.contains(WILDCARD))
        {
            return Some(name.clone());
        }
        let fits = self
            .0
            .iter()
            .filter_map(|(pattern, name)| Some((pattern, name, captured(pattern, requested)?)));
        let best = fits.max_by_key(|(pattern, ..)| pattern.len());
        best.map(|(_, name, text)| name.replacen(WILDCARD, text, 1))
    }

    /// Returns the pairs of pattern and upstream's name, by pattern.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(pattern, name)| (pattern.as_str(), name.as_str()))
    }
}

/// Returns what the `*` of `pattern` stands for in `requested`.
fn captured<'a>(pattern: &str, requested: &'a str) -> Option<&'a str> {
    let (head, tail) = pattern.split_once(WILDCARD)?;
    requested.strip_prefix(head)?.strip_suffix(tail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed constructor fails the test")]

    use super::*;

    fn models(pairs: &[(&str, &str)]) -> Result<Models> {
        Models::new(
            pairs
                .iter()
                .map(|(pattern, name)| ((*pattern).to_owned(), (*name).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn the_most_specific_pattern_names_the_model() {
        let models = models(&[
            ("*", "small"),
            ("gpt-*", "openai/gpt-*"),
            ("gpt-4o*", "big"),
            ("gpt-4o-mini", "gemini-2.5-flash-lite"),
            ("*-embed", "*"),
        ])
        .unwrap();
        let check = |requested, expected: &str| {
            assert_eq!(models.resolve(requested).as_deref(), Some(expected))
        };
        check("gpt-4o-mini", "gemini-2.5-flash-lite");
        check("gpt-4o-2024", "big");
        check("gpt-4o", "big");
        check("gpt-5", "openai/gpt-5");
        check("text-embed", "text");
        check("llama", "small");
    }

    #[test]
    fn a_model_that_fits_no_pattern_has_no_name() {
        let models = models(&[("gpt-*", "*"), ("a*a", "x")]).unwrap();
        assert_eq!(models.resolve("llama"), None);
        assert_eq!(
            models.resolve("a"),
            None,
            "head and tail of a pattern may not share a character"
        );
        assert_eq!(models.resolve("aa").as_deref(), Some("x"));
    }

    #[test]
    fn the_default_keeps_every_name() {
        assert_eq!(
            Models::any().resolve("gemini-2.5-flash").as_deref(),
            Some("gemini-2.5-flash")
        );
        assert_eq!(
            Models::any().resolve("odd*name").as_deref(),
            Some("odd*name")
        );
    }

    #[test]
    fn ambiguous_and_empty_pairs_are_refused() {
        let pairs = [("*a*", "x"), ("", "x"), ("a", ""), ("a", "*"), ("*", "**")];
        assert!(pairs.iter().all(|pair| models(&[*pair]).is_err()));
        assert!(models(&[]).is_err());
    }
}
