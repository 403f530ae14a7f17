//! What is logged.

use serde::Serialize;

use crate::error::{Error, Result};

/// The levels of a directive.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A filter of log events in the syntax of `tracing_subscriber::EnvFilter`, with the level of every directive
/// written out.
///
/// `EnvFilter` takes a lone word that is no level for the name of a target, so that a mistyped level would
/// silence the log; here it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LogFilter(String);

impl LogFilter {
    /// Makes a filter from directives separated by commas: `info`, or `info,tollfree=debug`.
    ///
    /// # Errors
    /// [`Error::LogLevel`] when a directive does not end with a level.
    pub fn new(text: &str) -> Result<Self> {
        for directive in text.split(',').map(str::trim) {
            let level = directive
                .rsplit_once('=')
                .map_or(directive, |(_, level)| level);
            let named = !directive.starts_with('=')
                && LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
            if !named {
                return Err(Error::LogLevel {
                    text: directive.to_owned(),
                });
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes a default; the caller writes a level.
    pub(crate) fn literal(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the directives.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_names_a_level() {
        for text in [
            "info",
            "WARN",
            "info,tollfree=debug",
            "off, tollfree_cache::index=trace",
        ] {
            assert_eq!(
                LogFilter::new(text).as_ref().map(LogFilter::as_str),
                Ok(text)
            );
        }
        for text in ["", "inof", "info,", "tollfree", "tollfree=loud", "=debug"] {
            assert!(LogFilter::new(text).is_err(), "{text:?} was accepted");
        }
    }
}
