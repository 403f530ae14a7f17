//! What can go wrong between a text and what a model makes of it.

use std::{io, path::PathBuf, time::Duration};

/// A failure to load a model or to run it.
///
/// The reasons that ONNX Runtime, fastembed and model2vec give are kept as text: their error types change with every
/// release of theirs and are none of a caller's business.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The shared library of ONNX Runtime is not where it was said to be.
    #[error("onnx runtime library {} does not exist", path.display())]
    RuntimeMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is no library, no ONNX Runtime, or too old a one.
    #[error("onnx runtime library {} cannot be used: {reason}", path.display())]
    RuntimeUnusable {
        /// The file that was tried.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// A process can hold only one ONNX Runtime, and another one is loaded already.
    #[error("onnx runtime library {} cannot be loaded beside {}", asked.display(), loaded.display())]
    RuntimeAlreadyLoaded {
        /// The library asked for now.
        asked: PathBuf,
        /// The library this process runs.
        loaded: PathBuf,
    },
    /// A file of a model cannot be read.
    #[error("model file {} cannot be read", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The files of a model are there but make no usable model.
    #[error("model in {} cannot be loaded: {reason}", path.display())]
    Model {
        /// The folder of the model.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The model ran and failed.
    #[error("model failed: {reason}")]
    Run {
        /// What the model said.
        reason: String,
    },
    /// The model returned something that cannot be: not one finite vector for each text, or no probability.
    #[error("model returned {actual}, expected {expected}")]
    Malformed {
        /// What should have come back.
        expected: String,
        /// What came back.
        actual: String,
    },
    /// The model panicked; its thread goes on with a new one.
    #[error("model panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// As many jobs as are allowed to wait are waiting.
    #[error("model queue is full at {capacity} jobs")]
    QueueFull {
        /// The capacity of the queue.
        capacity: usize,
    },
    /// Nothing came back within the time the caller gave.
    #[error("no result within {deadline:?}")]
    DeadlineExceeded {
        /// The time the caller gave.
        deadline: Duration,
    },
    /// The models are still being loaded.
    #[error("model is not loaded yet")]
    NotReady,
    /// No model could be loaded, or the last one is lost. It stays so until the process is started again.
    #[error("model is unavailable: {reason}")]
    Unavailable {
        /// The failure that ended the last thread.
        reason: String,
    },
}

impl Error {
    /// Returns what the user can do about it, when that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::RuntimeMissing { .. } | Self::ModelFile { .. } => Some(
                "run `make setup`, or name the place in the [embedder] table of the configuration",
            ),
            Self::RuntimeUnusable { .. } => Some(
                "set [embedder] runtime to a libonnxruntime.so of version 1.24 or newer for this machine",
            ),
            Self::Model { .. } => {
                Some("run `python3 deploy/setup/fetch.py --check` and then `make setup`")
            }
            Self::QueueFull { .. } | Self::DeadlineExceeded { .. } => {
                Some("raise [embedder] threads, queue or deadline if this is frequent")
            }
            _ => None,
        }
    }

    /// Returns the text of this error and of all its sources, and the hint if there is one.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        match self.hint() {
            Some(hint) => format!("{text} ({hint})"),
            None => text,
        }
    }
}

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
