//! What a good answer carries.

use std::str::FromStr;

use http::HeaderName;

use crate::{Error, Result};

/// A header and the value that an answer must have in it; anything else counts as an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    name: HeaderName,
    value: String,
}

impl FromStr for Expectation {
    type Err = String;

    /// Reads `name=value`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not name=value"))?;
        let name = name
            .trim()
            .parse()
            .map_err(|_| format!("{name:?} is no header name"))?;
        Ok(Self {
            name,
            value: value.trim().to_owned(),
        })
    }
}

impl Expectation {
    /// Compares the headers of an answer with this.
    ///
    /// # Errors
    /// [`Error::Header`] when the header is absent or another.
    pub(super) fn check(&self, headers: &[httparse::Header<'_>]) -> Result<()> {
        let found = headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(self.name.as_str()));
        if found.is_some_and(|header| header.value == self.value.as_bytes()) {
            return Ok(());
        }
        Err(Error::Header {
            name: self.name.to_string(),
            expected: self.value.clone(),
            found: found.map(|header| String::from_utf8_lossy(header.value).into_owned()),
        })
    }
}
