//! Counts tokens as MiniLM does, without a session.

use std::path::Path;

use super::MAX_TOKENS;
use crate::{Error, Result, Tokenizer, model_files};

/// `[CLS]` before and `[SEP]` behind every text.
const SPECIAL_TOKENS: usize = 2;
/// A text of more bytes is over the limit whatever it holds: 254 words of 100 letters, the longest that WordPiece
/// splits, stay below. It keeps a request of megabytes from being tokenized only to be found too long.
const MAX_BYTES: usize = 64 * 1024;

/// The WordPiece tokenizer of all-MiniLM-L6-v2.
#[derive(Debug)]
pub struct WordPiece {
    tokenizer: tokenizers::Tokenizer,
}

impl WordPiece {
    /// Loads `tokenizer.json` from the folder of the model.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when the file cannot be read, [`Error::Model`] when it is no tokenizer.
    pub fn open(dir: &Path) -> Result<Self> {
        let file = model_files::read(dir, "tokenizer.json")?;
        let broken = |error: tokenizers::Error| Error::Model {
            path: dir.to_owned(),
            reason: error.to_string(),
        };
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(file).map_err(broken)?;
        // The file asks for truncation and padding, which would make every count the same.
        tokenizer.with_truncation(None).map_err(broken)?;
        tokenizer.with_padding(None);
        Ok(Self { tokenizer })
    }
}

impl Tokenizer for WordPiece {
    fn count(&self, text: &str) -> usize {
        self.tokenizer
            .encode_fast(text, false)
            .map_or(usize::MAX, |encoding| encoding.len())
    }

    fn limit(&self) -> usize {
        MAX_TOKENS - SPECIAL_TOKENS
    }

    fn exceeds_limit(&self, text: &str) -> bool {
        text.len() > MAX_BYTES || self.count(text) > self.limit()
    }
}
