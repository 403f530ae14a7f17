//! Who an answer was learned from, so that one caller's answer need not be trusted by all.

use std::fmt;
use std::sync::LazyLock;

/// A hasher with its context taken in, which costs as much as hashing the credential.
static CREDENTIAL: LazyLock<blake3::Hasher> = LazyLock::new(|| {
    blake3::Hasher::new_derive_key("tollfree 2026 contributor of a credential v1")
});

/// The source of an answer: the digest of a credential, or one of three that have none.
///
/// The credential cannot be read back from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contributor(u128);

impl Contributor {
    /// Somebody, before contributors were noted.
    pub const UNKNOWN: Self = Self(0);

    /// The operator of the proxy, who warms the cache; trusted by all.
    pub const OPERATOR: Self = Self(1);

    /// All callers without a credential; nobody can tell one from another, so they count as one.
    pub const ANONYMOUS: Self = Self(2);

    /// Derives the contributor that a credential stands for.
    pub fn of_credential(credential: &[u8]) -> Self {
        let digest = CREDENTIAL.clone().update(credential).finalize();
        let mut number = [0; 16];
        for (to, from) in number.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(u128::from_le_bytes(number))
    }

    /// Wraps a number read back from a store.
    pub fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// Returns the number it is stored as.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// Reads a credential's contributor from the 32 hexadecimal digits it is written as; `None` for anything else.
    pub fn of_digits(text: &str) -> Option<Self> {
        let is_written_so = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok()?;
        Some(Self(number)).filter(|it| is_written_so && it.is_credential())
    }

    /// Whether its word counts beside another's: it is a credential, not one of those who have none.
    pub fn is_credential(self) -> bool {
        ![Self::UNKNOWN, Self::OPERATOR, Self::ANONYMOUS].contains(&self)
    }
}

impl fmt::Display for Contributor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UNKNOWN => f.write_str("unknown"),
            Self::OPERATOR => f.write_str("operator"),
            Self::ANONYMOUS => f.write_str("anonymous"),
            Self(number) => write!(f, "{number:032x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_count_as_independent() {
        let one = Contributor::of_credential(b"one");
        assert_eq!(one, Contributor::of_credential(b"one"));
        assert_ne!(one, Contributor::of_credential(b"two"));
        assert!(one.is_credential());
        assert_eq!(Contributor::of_digits(&one.to_string()), Some(one));
        for none in [
            Contributor::UNKNOWN,
            Contributor::OPERATOR,
            Contributor::ANONYMOUS,
        ] {
            assert!(!none.is_credential(), "{none}");
            assert_eq!(Contributor::of_digits(&none.to_string()), None);
            assert_eq!(
                Contributor::of_digits(&format!("{:032x}", none.as_u128())),
                None
            );
        }
    }
}
