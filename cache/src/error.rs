//! What can go wrong in the cache. None of it may fail a request: the proxy turns every error into a miss.

use std::path::PathBuf;

/// The result of a fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation of the cache that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A namespace that is empty, too long or not printable.
    #[error("namespace {value:?} {reason}")]
    Namespace {
        /// The rejected text, shortened.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text that is not the 16 hexadecimal digits of an entry id.
    #[error("entry id {value:?} is not 16 hexadecimal digits")]
    EntryId {
        /// The rejected text.
        value: String,
    },
    /// An answer above the configured limit.
    #[error("answer has {bytes} bytes, the limit is {limit}")]
    AnswerTooLarge {
        /// Length of the answer's text in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// An answer or goal with personal data or a secret in it, which is not stored.
    #[error("{kind} in goal or answer")]
    Pii {
        /// What was found. The text itself is not kept.
        kind: crate::pii::Kind,
    },
    /// A vector of another length than its neighbours.
    #[error("embedding has {actual} dimensions, index expects {expected}")]
    Dimensions {
        /// Length of the rejected vector.
        actual: usize,
        /// Length of the vectors already there.
        expected: usize,
    },
    /// A vector whose length is not 1, or that holds a value that is not finite.
    #[error("embedding has norm {norm}, expected 1")]
    NotUnit {
        /// Its Euclidean norm; NaN or infinite when a value is.
        norm: f32,
    },
    /// Stored bytes that cannot be an entry.
    #[error("stored {what} is corrupt: {reason}")]
    Corrupt {
        /// The kind of value.
        what: &'static str,
        /// What does not fit.
        reason: &'static str,
    },
    /// A store file that cannot be read at all.
    #[error("store file is damaged: {reason}")]
    Damaged {
        /// What the storage engine says.
        reason: String,
    },
    /// Another process owns the data directory.
    #[error("store {path} is in use by another process")]
    Locked {
        /// The store file.
        path: PathBuf,
    },
    /// A store written by a newer version of this program.
    #[error(
        "store has format {found}, this version reads up to {supported}: start the newer version again, or move \
         cache.redb away to begin with an empty store"
    )]
    Format {
        /// The version in the file.
        found: u64,
        /// The newest version this program knows.
        supported: u64,
    },
    /// A file operation on the data directory.
    #[error("data directory: cannot {operation} {path}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The storage engine.
    #[error("store cannot {operation}")]
    Store {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        #[source]
        source: Box<redb::Error>,
    },
    /// A flush whose group could not be committed.
    #[error("store did not accept the pending writes: {reason}")]
    Flush {
        /// The error of the last commit, with its causes.
        reason: String,
    },
}

impl Error {
    /// Whether the store file itself is unusable, so that a fresh one must be begun.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// The text of this error and of all its causes, joined by colons.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
