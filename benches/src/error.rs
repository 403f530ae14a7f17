//! What can be wrong with one request of a load run.

use std::io;

/// Why a request counts as an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with another status than 200.
    #[error("status {status} instead of 200")]
    Status {
        /// The status of the answer.
        status: u16,
    },

    /// A header of the answer is not what the run expects.
    #[error("header {name} is {found:?} instead of {expected:?}")]
    Header {
        /// Name of the header, in lower case.
        name: String,
        /// The value the run expects.
        expected: String,
        /// The value of the answer; `None` when the header is absent.
        found: Option<String>,
    },

    /// The server answered with bytes that are no HTTP/1.1 response.
    #[error("malformed response: {reason}")]
    Malformed {
        /// What is wrong with the bytes.
        reason: &'static str,
    },

    /// The server closed the connection before the response was complete.
    #[error("connection closed {}", if *.begun { "inside the response" } else { "before the response" })]
    Closed {
        /// Whether some bytes of the response had arrived.
        begun: bool,
    },

    /// The connection could not be opened, written or read.
    #[error("connection failed")]
    Connection(#[from] io::Error),

    /// The answer was not complete within the time limit, counted from the intended send time.
    #[error("no complete answer within the time limit")]
    TimedOut,
}

/// The outcome of one step of a load run.
pub type Result<T, E = Error> = std::result::Result<T, E>;
