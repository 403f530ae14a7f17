//! The valid form of `[embedder]`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::types::{Duration, Similarity};

/// The models that turn a goal into a vector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Embedder {
    pub(crate) runtime: PathBuf,
    pub(crate) model_dir: PathBuf,
    pub(crate) prefilter_dir: PathBuf,
    pub(crate) threads: usize,
    pub(crate) queue: usize,
    pub(crate) deadline: Duration,
    pub(crate) prefilter_similarity: Similarity,
}

impl Embedder {
    /// Returns the path of the ONNX Runtime library; it need not exist.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// Returns the folder of the sentence model; it need not exist.
    pub fn model_dir(&self) -> &Path {
        &self.model_dir
    }

    /// Returns the folder of the static model; it need not exist.
    pub fn prefilter_dir(&self) -> &Path {
        &self.prefilter_dir
    }

    /// Returns the number of embedding threads, at least 1.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns the number of goals that may wait for a thread, at least 1.
    pub fn queue(&self) -> usize {
        self.queue
    }

    /// Returns how long a lookup waits for its vector.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Returns the threshold of the static model.
    pub fn prefilter_similarity(&self) -> Similarity {
        self.prefilter_similarity
    }
}
