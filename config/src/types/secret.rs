//! Keys of upstreams.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// What stands for a secret in every output.
const REDACTED: &str = "***";

/// A key that shows itself only through [`expose`](Secret::expose); everything else prints `***`.
///
/// It is one or more visible ASCII characters, hence fit for a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret from text out of `origin` (a variable or a file), without the white space around it, since
    /// an editor ends a file with a newline.
    ///
    /// # Errors
    /// [`Error::KeyText`] when nothing is left or a character cannot stand in a header.
    pub fn new(text: &str, origin: &str) -> Result<Self> {
        let key = text.trim();
        if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key.to_owned()))
        } else {
            Err(Error::KeyText {
                origin: origin.to_owned(),
            })
        }
    }

    /// Returns the key itself, for the header of a request and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed constructor fails the test")]

    use super::*;

    #[test]
    fn no_output_shows_the_key() {
        let secret = Secret::new("sk-visible\n", "KEY").unwrap();
        assert_eq!(secret.expose(), "sk-visible");
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
    }

    #[test]
    fn a_key_unfit_for_a_header_is_refused_without_being_shown() {
        for text in ["", " \n", "two words", "line\nbreak", "schlüssel", "nul\0"] {
            let error = Secret::new(text, "KEY").unwrap_err();
            assert_eq!(
                error.to_string(),
                "key from KEY holds a character that cannot stand in a header"
            );
        }
    }
}
