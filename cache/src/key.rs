//! The digests that decide which entries a request may be answered from.
//!
//! Both keys are BLAKE3 in key-derivation mode, so that keys of different purpose or version live in different
//! domains. Every field is preceded by its length and every list by its count: two different requests can never
//! feed the same bytes. Raising a version in a context string makes all older entries unreachable.

use std::fmt;
use std::sync::LazyLock;

use crate::contributor::Contributor;

/// Hashers with their context taken in: that costs as much as hashing a short request, and an exact hit does
/// little else.
static EXACT: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("tollfree 2025 exact key v1"));
static COMPATIBILITY: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("tollfree 2025 compatibility key v1"));

/// The version in both context strings, for whoever carries keys from one data directory to another: keys of another
/// version are found by no request.
pub const VERSION: u32 = 1;

/// The same requests, as asked by one contributor: domains of their own, so that a key that only one contributor
/// can look up never equals one that everybody can.
static PRIVATE_EXACT: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("tollfree 2026 private exact key v1"));
static PRIVATE_COMPATIBILITY: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("tollfree 2026 private compatibility key v1"));

/// The digest of a whole canonical request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExactKey([u8; 32]);

/// The digest of all of a request but the goal text.
///
/// A semantic hit requires equal compatibility keys; it also names the partition of the vector index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CompatibilityKey([u8; 32]);

impl ExactKey {
    /// Wraps a digest read back from a store.
    pub fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Returns the 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the key under which an answer to this request waits for the one contributor it was learned from.
    pub fn private_to(&self, contributor: Contributor) -> Self {
        Self(private(&PRIVATE_EXACT, &self.0, contributor))
    }

    pub(crate) fn digest(feed: impl FnOnce(&mut Fields)) -> Self {
        Self(Fields::digest(&EXACT, feed))
    }
}

impl CompatibilityKey {
    /// Wraps a digest read back from a store.
    pub fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Returns the 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the key under which an answer to such a request waits for the one contributor it was learned from.
    pub fn private_to(&self, contributor: Contributor) -> Self {
        Self(private(&PRIVATE_COMPATIBILITY, &self.0, contributor))
    }

    pub(crate) fn digest(feed: impl FnOnce(&mut Fields)) -> Self {
        Self(Fields::digest(&COMPATIBILITY, feed))
    }
}

fn private(begun: &blake3::Hasher, key: &[u8; 32], contributor: Contributor) -> [u8; 32] {
    let mut hasher = begun.clone();
    hasher
        .update(key)
        .update(&contributor.as_u128().to_le_bytes());
    hasher.finalize().into()
}

/// The bytes of fields that cannot run into each other, gathered so that they are hashed in one go.
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    fn digest(begun: &blake3::Hasher, feed: impl FnOnce(&mut Self)) -> [u8; 32] {
        let mut fields = Self(Vec::with_capacity(1024));
        feed(&mut fields);
        begun.clone().update(&fields.0).finalize().into()
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.count(value.len());
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    /// Feeds the number of items that follow, or any other small number.
    pub(crate) fn count(&mut self, number: usize) -> &mut Self {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
        self
    }

    /// Feeds which alternative of a sum type follows.
    pub(crate) fn variant(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }
}

macro_rules! printable {
    ($key:ty) => {
        impl fmt::Display for $key {
            /// Writes 64 hexadecimal digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
            }
        }

        impl fmt::Debug for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($key))
            }
        }
    };
}

printable!(ExactKey);
printable!(CompatibilityKey);
