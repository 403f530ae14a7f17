//! Cosine similarity.

use std::fmt;

use serde::{Serialize, Serializer};

use super::bounds;
use crate::error::Result;

/// A cosine of two unit vectors, or a threshold on it, in [-1, 1]; never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Similarity(f32);

impl Similarity {
    /// Makes a similarity.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::error::Error::OutOfRange) outside [-1, 1] and for NaN.
    pub fn new(value: f64) -> Result<Self> {
        bounds::SIMILARITY
            .check(value)
            .map(|value| Self(value as f32))
    }

    /// Makes a default; the caller keeps it inside the bound.
    pub(crate) const fn literal(value: f32) -> Self {
        Self(value)
    }

    /// Returns the cosine.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Similarity {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        // By way of the shortest decimal, so that 0.8 is written as 0.8 and not as 0.800000011920929.
        serializer.serialize_f64(self.0.to_string().parse().unwrap_or_else(|_| self.0.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cosines_are_similarities() {
        for value in [-1.0, 0.0, 0.8, 1.0] {
            assert_eq!(
                Similarity::new(value).map(Similarity::get),
                Ok(value as f32)
            );
        }
        for value in [-1.001, 1.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Similarity::new(value).is_err(), "{value} was accepted");
        }
    }
}
