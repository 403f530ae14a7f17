//! The trait of models that judge a candidate.

use crate::{ModelId, Result};

/// Judges whether the answer to one request would do for another.
///
/// The order matters: a stored answer that leaves out what the new request asks for does not do for it.
pub trait SameAnswer: Send {
    /// Returns which model judges. Probabilities of different models must never be compared.
    fn model(&self) -> &ModelId;

    /// Returns how probable it is, in [0, 1], that the answer to `cached` is right and complete for `asked`.
    ///
    /// # Errors
    /// When the model fails. It stays usable.
    fn compare(&mut self, cached: &str, asked: &str) -> Result<f32>;
}
