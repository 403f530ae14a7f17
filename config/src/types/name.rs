//! Names of things in a configuration.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Error, Result};

/// The longest name, in bytes; names become labels of metrics and parts of headers.
const MAX_LENGTH: usize = 64;

/// The name of an upstream, frame, shape or namespace: `[a-z0-9][a-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Makes a name.
    ///
    /// # Errors
    /// [`Error::NameText`] when the text has another form.
    pub fn new(text: &str) -> Result<Self> {
        let inner =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if first && text.len() <= MAX_LENGTH && text.chars().all(inner) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::NameText {
                text: text.to_owned(),
            })
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" })
    }
}

/// The canonical name of a request setting, such as `temperature` or `top_p`: `[a-z][a-z0-9_]*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SettingName(String);

impl SettingName {
    /// Makes a setting name.
    ///
    /// # Errors
    /// [`Error::SettingName`] when the text has another form.
    pub fn new(text: &str) -> Result<Self> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.len() <= MAX_LENGTH
            && text.chars().all(inner)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::SettingName {
                text: text.to_owned(),
            })
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_and_start_with_a_letter_or_digit() {
        for text in ["a", "7b", "gemini-2.5_flash", &"a".repeat(64)] {
            assert_eq!(Name::new(text).as_ref().map(Name::as_str), Ok(text));
        }
        for text in [
            "",
            "A",
            "-a",
            ".a",
            "_a",
            "a b",
            "ä",
            "a/b",
            "a\n",
            &"a".repeat(65),
        ] {
            assert!(Name::new(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn setting_names_are_identifiers() {
        for text in ["temperature", "top_p", "n2"] {
            assert_eq!(
                SettingName::new(text).as_ref().map(SettingName::as_str),
                Ok(text)
            );
        }
        for text in ["", "topP", "_a", "2n", "top-p"] {
            assert!(SettingName::new(text).is_err(), "{text:?} was accepted");
        }
    }
}
