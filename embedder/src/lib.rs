//! Text to unit vectors in process: models, tokenizers and the threads they run on.
//!
//! [`Embedder`] and [`SameAnswer`] are the narrow traits that models implement, [`Pool`] runs models on its own threads
//! behind a bounded queue with deadlines, [`minilm`] is the model that finds candidates, [`cross_encoder`] the one that
//! judges them and [`potion`] the static one that rejects unrelated texts in microseconds. This crate knows models and never cache entries: it meets the cache only in the
//! proxy. Its failures are values, so that a caller can treat every one of them as a miss.

pub mod cross_encoder;
mod embedder;
mod error;
mod guard;
pub mod minilm;
mod model_files;
mod model_id;
mod pool;
pub mod potion;
mod runtime;
mod same_answer;
mod tokenizer;

pub use embedder::Embedder;
pub use error::{Error, Result};
pub use model_id::ModelId;
pub use pool::{Embedding, Judging, Pool, PoolOptions, Role};
pub use same_answer::SameAnswer;
pub use tokenizer::Tokenizer;
