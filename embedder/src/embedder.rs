//! The trait between models and the threads that run them.

use crate::{ModelId, Result};

/// Turns texts into unit vectors.
///
/// An embedder is owned by one thread and called with `&mut self`: a model may keep scratch memory, and no lock is
/// needed. The trait is narrow enough that an embedder for a test takes ten lines.
pub trait Embedder: Send {
    /// Returns which model writes the vectors. Vectors of different models must never be compared.
    fn model(&self) -> &ModelId;

    /// Returns the length of every vector that [`embed`](Self::embed) returns.
    fn dimensions(&self) -> usize;

    /// Embeds `texts` in one batch: one vector of Euclidean length 1 for each text, in order.
    ///
    /// A text beyond the model's limit is truncated; see [`Tokenizer::exceeds_limit`](crate::Tokenizer::exceeds_limit).
    ///
    /// # Errors
    /// When the model fails. The embedder stays usable.
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>>;
}
