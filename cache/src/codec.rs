//! The bytes values are stored as: fixed-width little-endian numbers, and a length before everything else.
//!
//! A sealed value carries a version and a digest over its key and content, so that a flipped bit, or a value that
//! turned up under another key, is told from a good one. Written by hand because the format must outlive the
//! types, and reading must be total: no input makes it panic or allocate more than it holds.

use crate::error::{Error, Result};

/// Bytes of the digest kept in front of a sealed value.
const DIGEST_BYTES: usize = 8;

const SEAL_CONTEXT: &str = "tollfree 2025 stored value v1";

/// Collects the content of one value.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u128(&mut self, value: u128) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn array(&mut self, value: &[u8; 32]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.u64(value.len() as u64);
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    pub(crate) fn floats(&mut self, values: &[f32]) -> &mut Self {
        self.u64(values.len() as u64);
        for value in values {
            self.0.extend_from_slice(&value.to_le_bytes());
        }
        self
    }

    /// Puts version and digest in front of what was written.
    pub(crate) fn seal(&self, version: u8, key: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(1 + DIGEST_BYTES + self.0.len());
        sealed.push(version);
        sealed.extend_from_slice(&digest(version, key, &self.0));
        sealed.extend_from_slice(&self.0);
        sealed
    }
}

/// Takes the content of one value apart.
pub(crate) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Opens a sealed value of a given version; `what` names its kind in errors.
    pub(crate) fn open(
        what: &'static str,
        version: u8,
        key: &[u8],
        sealed: &'a [u8],
    ) -> Result<Self> {
        Self::open_any(what, &[version], key, sealed).map(|(_, reader)| reader)
    }

    /// Opens a sealed value of any of some versions and says of which.
    pub(crate) fn open_any(
        what: &'static str,
        versions: &[u8],
        key: &[u8],
        sealed: &'a [u8],
    ) -> Result<(u8, Self)> {
        let mut reader = Self { what, rest: sealed };
        let version = reader.u8()?;
        if !versions.contains(&version) {
            return Err(reader.corrupt("it has an unknown version"));
        }
        let expected = reader.take(DIGEST_BYTES)?;
        if expected != digest(version, key, reader.rest) {
            return Err(reader.corrupt("its digest does not match"));
        }
        Ok((version, reader))
    }

    pub(crate) fn corrupt(&self, reason: &'static str) -> Error {
        Error::Corrupt {
            what: self.what,
            reason,
        }
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.fixed::<1>()?[0])
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.fixed()?))
    }

    pub(crate) fn u128(&mut self) -> Result<u128> {
        Ok(u128::from_le_bytes(self.fixed()?))
    }

    pub(crate) fn array(&mut self) -> Result<[u8; 32]> {
        self.fixed()
    }

    pub(crate) fn text(&mut self) -> Result<&'a str> {
        let length = self.length(1)?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt("a text is not UTF-8"))
    }

    pub(crate) fn floats(&mut self) -> Result<Vec<f32>> {
        let length = self.length(4)?;
        let (values, _) = self.take(length * 4)?.as_chunks::<4>();
        Ok(values
            .iter()
            .map(|value| f32::from_le_bytes(*value))
            .collect())
    }

    /// Ends reading.
    pub(crate) fn end(self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.corrupt("bytes are left over"))
        }
    }

    /// Reads a count of items of a given width and checks that they are all there.
    fn length(&mut self, width: usize) -> Result<usize> {
        let length = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        if length
            .checked_mul(width)
            .is_some_and(|bytes| bytes <= self.rest.len())
        {
            Ok(length)
        } else {
            Err(self.corrupt("it ends too early"))
        }
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((head, rest)) = self.rest.split_first_chunk() else {
            return Err(self.corrupt("it ends too early"));
        };
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.corrupt("it ends too early"));
        };
        self.rest = rest;
        Ok(head)
    }
}

fn digest(version: u8, key: &[u8], content: &[u8]) -> [u8; DIGEST_BYTES] {
    let digest = blake3::Hasher::new_derive_key(SEAL_CONTEXT)
        .update(&[version])
        .update(&(key.len() as u64).to_le_bytes())
        .update(key)
        .update(content)
        .finalize();
    let mut short = [0; DIGEST_BYTES];
    for (to, from) in short.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    short
}
