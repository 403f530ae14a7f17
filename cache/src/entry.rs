//! One stored answer with its keys and provenance, and the vectors it is found by.
//!
//! In memory an [`Entry`] carries no vector: the index owns the rows, the store keeps the durable copy, and
//! neither is held twice.

mod codec;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::contributor::Contributor;
pub(crate) use crate::entry::codec::ENTRY_VERSION;
use crate::error::{Error, Result};
use crate::key::{CompatibilityKey, ExactKey};
use crate::language::Language;
use crate::namespace::Namespace;

/// How far the norm of a unit vector may be from 1: well above rounding in f32, well below any real mistake.
const NORM_TOLERANCE: f32 = 1e-3;

/// The printable identity of an entry: 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(u64);

impl EntryId {
    /// Derives an id from the exact key, the time of creation (unix ms) and a nonce that tells apart two entries
    /// equal in both.
    pub(crate) fn derive(exact: &ExactKey, created_at_ms: u64, nonce: u64) -> Self {
        let digest = blake3::Hasher::new()
            .update(exact.as_bytes())
            .update(&created_at_ms.to_le_bytes())
            .update(&nonce.to_le_bytes())
            .finalize();
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(u64::from_be_bytes(id))
    }

    /// Wraps a number read back from a store.
    pub fn from_u64(id: u64) -> Self {
        Self(id)
    }

    /// Returns the number whose hexadecimal form is printed.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({self})")
    }
}

impl FromStr for EntryId {
    type Err = Error;

    /// Reads the printed form.
    ///
    /// # Errors
    /// [`Error::EntryId`] for anything but 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        let well_formed = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(id) if well_formed => Ok(Self(id)),
            _ => Err(Error::EntryId {
                value: text.chars().take(64).collect(),
            }),
        }
    }
}

/// How an answer ended. An answer that was cut off or withheld is never stored, so there is one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finish {
    /// The model said all it had to say.
    Stop,
}

/// Tokens an answer took, as the upstream counted them; 0 where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer, thinking included.
    pub output_tokens: u64,
}

/// What an upstream answered, independent of the protocol it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The whole text.
    pub text: String,
    /// How it ended.
    pub finish: Finish,
    /// What it took.
    pub usage: Usage,
    /// The model that really wrote it; empty when the upstream did not say.
    pub model: String,
}

impl Answer {
    /// Says whether the upstream could have given this very answer under a token cap and stop strings: it is not
    /// longer than the cap and holds no stop string.
    ///
    /// An answer of unknown token count is taken for as many tokens as it has bytes, the most it can be. Empty
    /// stop strings are ignored, as the providers do.
    pub fn fits(&self, max_tokens: Option<u32>, stop: &[String]) -> bool {
        let tokens = match self.usage.output_tokens {
            0 => self.text.len() as u64,
            counted => counted,
        };
        max_tokens.is_none_or(|cap| tokens <= u64::from(cap))
            && !stop
                .iter()
                .any(|stop| !stop.is_empty() && self.text.contains(stop.as_str()))
    }
}

/// A unit vector and the model that made it. Vectors of different models are never compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    model: Arc<str>,
    values: Vec<f32>,
}

impl Vector {
    /// Checks and wraps the output of an embedder.
    ///
    /// # Errors
    /// [`Error::NotUnit`] unless the norm is 1 within 0.001 and every value is finite.
    pub fn new(model: &str, values: Vec<f32>) -> Result<Self> {
        let norm = norm(&values);
        // Written so that a NaN is refused too.
        if (norm - 1.0).abs() <= NORM_TOLERANCE {
            Ok(Self {
                model: model.into(),
                values,
            })
        } else {
            Err(Error::NotUnit { norm })
        }
    }

    /// Returns the id of the model that made it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

fn norm(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Whether a caller's slice can be compared with unit vectors.
pub(crate) fn is_unit(values: &[f32]) -> bool {
    (norm(values) - 1.0).abs() <= NORM_TOLERANCE
}

/// The vectors of one entry, on their way to the index and the store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Embedding {
    pub(crate) vector: Vector,
    pub(crate) sketch: Option<Vec<f32>>,
}

impl Embedding {
    /// Pairs a vector with its sketch; a sketch that is no unit vector (a text of unknown words) counts as absent.
    pub(crate) fn new(vector: Vector, sketch: Option<Vec<f32>>) -> Self {
        Self {
            vector,
            sketch: sketch.filter(|sketch| is_unit(sketch)),
        }
    }
}

/// The keys under which an answer will be found by others than its contributor, once it may be.
///
/// Until then the entry lies under keys that only its contributor can make ([`ExactKey::private_to`]), so that no
/// lookup of anybody else's can reach it, whatever it forgets to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// The request it answers.
    pub exact: ExactKey,
    /// The requests it may answer if the goals agree.
    pub compatibility: CompatibilityKey,
}

/// One stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its identity.
    pub id: EntryId,
    /// The isolation boundary it belongs to.
    pub namespace: Namespace,
    /// The request it answers; in quarantine, that request as its contributor asks it.
    pub exact: ExactKey,
    /// The requests it may answer if the goals agree; in quarantine, those of its contributor.
    pub compatibility: CompatibilityKey,
    /// The goal it was given for.
    pub goal: String,
    /// What is served.
    pub answer: Answer,
    /// Name of the upstream that gave it.
    pub upstream: String,
    /// The model the client asked for.
    pub model_requested: String,
    /// When it was admitted, in unix milliseconds.
    pub created_at_ms: u64,
    /// When it stops being served, in unix milliseconds.
    pub expires_at_ms: u64,
    /// The language of the goal.
    pub language: Language,
    /// Who it was learned from.
    pub contributor: Contributor,
    /// What it waits for while it is served to its contributor only; `None` for an entry that all may find.
    pub quarantine: Option<Box<Quarantine>>,
}

impl Entry {
    /// Says whether the entry may no longer be served at a time given in unix milliseconds.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_at_ms
    }

    /// Returns how long ago it was admitted; zero for a clock that went back.
    pub fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.created_at_ms))
    }

    /// Estimates the bytes it takes in memory with its place in the maps, without vectors.
    pub(crate) fn bytes(&self) -> usize {
        // Two map slots, the expiry list and three allocation headers, measured roughly on 64 bits.
        const OVERHEAD: usize = 256;
        size_of::<Self>()
            + OVERHEAD
            + self
                .quarantine
                .as_ref()
                .map_or(0, |_| size_of::<Quarantine>())
            + self.goal.len()
            + self.answer.text.len()
            + self.answer.model.len()
            + self.upstream.len()
            + self.model_requested.len()
            + self.namespace.as_str().len()
    }
}

/// An answer to be admitted, with all that identifies it.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The isolation boundary of the request.
    pub namespace: Namespace,
    /// [`crate::request::Request::exact_key`].
    pub exact: ExactKey,
    /// [`crate::request::Request::compatibility_key`].
    pub compatibility: CompatibilityKey,
    /// [`crate::request::Request::goal`].
    pub goal: String,
    /// The complete answer.
    pub answer: Answer,
    /// Name of the upstream that gave it.
    pub upstream: String,
    /// The model the client asked for.
    pub model_requested: String,
    /// The language of the goal.
    pub language: Language,
    /// Who it was learned from.
    pub contributor: Contributor,
    /// Whether it is kept from everybody else until a second contributor confirms it.
    pub quarantine: bool,
    /// How long it may be served at most; `None` takes the cache's default.
    pub ttl: Option<Duration>,
    /// The embedded goal. Without it the entry is found by its exact key only.
    pub vector: Option<Vector>,
    /// The static embedding of the goal for the prefilter; used only beside a vector.
    pub sketch: Option<Vec<f32>>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    fn answer(text: &str, output_tokens: u64) -> Answer {
        Answer {
            text: text.into(),
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: 3,
                output_tokens,
            },
            model: "m".into(),
        }
    }

    #[test]
    fn an_answer_fits_up_to_the_token_cap() {
        assert!(answer("one two", 2).fits(None, &[]));
        assert!(answer("one two", 2).fits(Some(2), &[]));
        assert!(!answer("one two", 2).fits(Some(1), &[]));
    }

    #[test]
    fn an_answer_of_unknown_length_fits_only_when_it_must() {
        assert!(answer("four", 0).fits(Some(4), &[]));
        assert!(!answer("four", 0).fits(Some(3), &[]));
    }

    #[test]
    fn an_answer_that_holds_a_stop_string_does_not_fit() {
        assert!(!answer("one\n\ntwo", 2).fits(None, &["END".into(), "\n\n".into()]));
        assert!(answer("one two", 2).fits(None, &["END".into(), String::new()]));
    }

    #[test]
    fn ids_print_and_parse_and_differ_by_time_and_nonce() {
        let key = ExactKey::from_bytes([7; 32]);
        let id = EntryId::derive(&key, 1, 0);
        assert_eq!(id.to_string().len(), 16);
        assert_eq!(id.to_string().parse::<EntryId>().unwrap(), id);
        assert_ne!(id, EntryId::derive(&key, 2, 0));
        assert_ne!(id, EntryId::derive(&key, 1, 1));
        for bad in [
            "",
            "12",
            "+123456789abcdef",
            "0123456789abcdeg",
            "0123456789abcdef0",
        ] {
            assert!(
                matches!(bad.parse::<EntryId>(), Err(Error::EntryId { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn only_unit_vectors_are_accepted() {
        assert!(Vector::new("m", vec![0.6, 0.8]).is_ok());
        for bad in [
            vec![],
            vec![0.0, 0.0],
            vec![1.0, 1.0],
            vec![f32::NAN, 1.0],
            vec![f32::INFINITY],
        ] {
            assert!(
                matches!(Vector::new("m", bad.clone()), Err(Error::NotUnit { .. })),
                "{bad:?}"
            );
        }
    }
}
