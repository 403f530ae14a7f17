//! The isolation boundary between callers. It is part of every key, so no answer crosses it.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Longest namespace in bytes. Room for a tenant, a separator and a name chosen by the client.
const MAX_BYTES: usize = 256;

/// Separates namespaces derived from a credential from configured names, which cannot hold a colon.
const CREDENTIAL_PREFIX: &str = "key:";

const CREDENTIAL_CONTEXT: &str = "tollfree 2025 namespace of a credential v1";

/// The name of an isolation boundary: 1 to 256 bytes of printable text.
///
/// Cheap to clone; every entry of a namespace shares the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`Error::Namespace`] for an empty name, one over 256 bytes, or one with a control character.
    pub fn new(name: &str) -> Result<Self> {
        let reason = if name.is_empty() {
            "is empty"
        } else if name.len() > MAX_BYTES {
            "is longer than 256 bytes"
        } else if name.chars().any(char::is_control) {
            "holds a control character"
        } else {
            return Ok(Self(name.into()));
        };
        Err(Error::Namespace {
            value: name.chars().take(64).collect(),
            reason,
        })
    }

    /// Returns the namespace of callers without a credential.
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// Derives the namespace of a credential: `key:` and 32 hexadecimal digits of its digest.
    ///
    /// The credential cannot be read back from it, and no configured name can equal it.
    pub fn of_credential(credential: &[u8]) -> Self {
        let digest = blake3::Hasher::new_derive_key(CREDENTIAL_CONTEXT)
            .update(credential)
            .finalize()
            .to_hex();
        let digits = digest.get(..32).unwrap_or_default();
        Self(format!("{CREDENTIAL_PREFIX}{digits}").into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_names_are_refused() {
        for name in ["", "a\nb", &"x".repeat(257)] {
            assert!(
                matches!(Namespace::new(name), Err(Error::Namespace { .. })),
                "{name:?}"
            );
        }
        assert!(Namespace::new(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn different_credentials_get_different_namespaces_that_hide_the_credential() {
        let first = Namespace::of_credential(b"sk-first");
        assert_eq!(first, Namespace::of_credential(b"sk-first"));
        assert_ne!(first, Namespace::of_credential(b"sk-second"));
        assert_ne!(first, Namespace::anonymous());
        assert_eq!(first.as_str().len(), 36);
        assert!(!first.as_str().contains("sk-first"));
    }
}
