//! Fresh identifiers for requests and replies: unique, unguessable enough to be no counter, and cheap.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static SEEDS: LazyLock<(RandomState, RandomState)> =
    LazyLock::new(|| (RandomState::new(), RandomState::new()));
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Digits of an identifier as text.
const DIGITS: usize = 24;

/// An identifier of 96 bits, written as 24 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(u64, u32);

impl Id {
    /// A new identifier.
    ///
    /// A process-wide counter hashed with two random keys: no two are equal within a process but by a 96-bit chance.
    pub fn fresh() -> Self {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let (first, second) = (SEEDS.0.hash_one(count), SEEDS.1.hash_one(count));
        let second = (second >> 32) as u32;
        Self(first, second)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:08x}", self.0, self.1)
    }
}

/// A text that is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has {DIGITS} hexadecimal digits")]
pub struct NoId;

impl FromStr for Id {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let digits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (first, second) = text.split_at_checked(16).filter(|_| digits).ok_or(NoId)?;
        let first = u64::from_str_radix(first, 16).map_err(|_| NoId)?;
        let second = u32::from_str_radix(second, 16).map_err(|_| NoId)?;
        Ok(Self(first, second))
    }
}

/// A new identifier as text, see [`Id::fresh`].
pub fn fresh() -> String {
    Id::fresh().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_do_not_repeat() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| fresh()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == DIGITS));
    }

    #[test]
    fn identifiers_print_and_parse() {
        for id in [Id::fresh(), Id(0, 0), Id(u64::MAX, 7)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for bad in [
            "",
            "12",
            &"g".repeat(DIGITS),
            "+23456789012345678901234",
            &"0".repeat(25),
        ] {
            assert_eq!(bad.parse::<Id>(), Err(NoId), "{bad:?}");
        }
    }
}
