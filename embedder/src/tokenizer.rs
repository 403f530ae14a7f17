//! The trait that counts tokens without running a model.

/// Counts tokens as a model does.
pub trait Tokenizer: Send + Sync {
    /// Returns the number of tokens in `text`, without the special tokens a model adds around it.
    ///
    /// A text that cannot be tokenized counts as `usize::MAX`, beyond every limit. The cost is linear in the text.
    fn count(&self, text: &str) -> usize;

    /// Returns the most tokens, special ones not counted, that the model reads; it ignores what follows them.
    fn limit(&self) -> usize;

    /// Says whether the model would read only a part of `text`. Such a text has no honest vector.
    fn exceeds_limit(&self, text: &str) -> bool {
        self.count(text) > self.limit()
    }
}
