//! A closed range with its wording.

use std::fmt::Display;

use crate::error::{Error, Result};

/// A closed range of values, the quantity it limits and what the limits mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound<T> {
    what: &'static str,
    min: T,
    max: T,
    note: &'static str,
}

impl<T: Copy + PartialOrd + Display> Bound<T> {
    /// Makes a row of the table of bounds.
    pub(crate) const fn new(what: &'static str, min: T, max: T, note: &'static str) -> Self {
        Self {
            what,
            min,
            max,
            note,
        }
    }

    /// Returns the least value allowed.
    pub const fn min(&self) -> T {
        self.min
    }

    /// Returns the greatest value allowed.
    pub const fn max(&self) -> T {
        self.max
    }

    /// Returns `value` when it lies inside the bound.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when it lies outside, or cannot be compared (NaN).
    pub fn check(&self, value: T) -> Result<T> {
        if value >= self.min && value <= self.max {
            Ok(value)
        } else {
            Err(self.refusal(value))
        }
    }

    fn refusal(&self, value: T) -> Error {
        Error::OutOfRange {
            what: self.what,
            value: value.to_string(),
            min: self.min.to_string(),
            max: self.max.to_string(),
            note: self.note,
        }
    }
}

impl Bound<i64> {
    /// Returns `value` as a count when it lies inside the bound.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when it lies outside, or is no count on this machine.
    pub fn count(&self, value: i64) -> Result<usize> {
        usize::try_from(self.check(value)?).map_err(|_| self.refusal(value))
    }
}
