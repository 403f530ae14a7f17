//! Wire formats: bytes in, plain types out, and back. No network, no clock, no randomness.
//!
//! Between the protocols stand neutral types: a [`chat::ChatRequest`] for what a client asks, a [`reply::Reply`] or
//! [`reply::StreamEvent`]s for what a model says, an [`error::ApiError`] for what went wrong. Each protocol is one
//! folder with one [`codec::Codec`]; to add one means a folder, a [`Protocol`] and its paths in [`route()`].
//!
//! Three invariants hold:
//! - two requests that may get different answers never become equal [`tollfree_cache::request::Request`]s: what a decoder does not
//!   know it keeps, and what it cannot tell apart it bypasses;
//! - only a complete answer becomes an [`tollfree_cache::entry::Answer`];
//! - no bytes make a decoder panic, and none make it hold more than a bounded amount of memory.

pub mod bypass;
pub mod capture;
pub mod chat;
pub mod codec;
mod draft;
pub mod error;
mod fields;
mod gemini;
mod json;
mod nesting;
mod openai;
pub mod rename;
pub mod reply;
pub mod route;
mod schema;
mod settings;
mod splice;
mod sse;
pub mod stream;
mod text;
pub mod translate;

pub use codec::Codec;
pub use route::route;

/// A client's or an upstream's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// OpenAI chat completions.
    OpenAi,
    /// Gemini `generateContent`.
    Gemini,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Gemini];

    /// Gives the name used in configuration, metrics and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
        }
    }

    /// Gives what reads and writes this protocol.
    pub fn codec(self) -> &'static dyn Codec {
        match self {
            Self::OpenAi => &openai::OpenAi,
            Self::Gemini => &gemini::Gemini,
        }
    }
}

#[cfg(test)]
mod tests;
