//! The protocol-neutral request and answer that keys are digested from and entries are made of.
//!
//! Nothing here knows a wire format. A request that arrives as OpenAI chat and one that arrives as Gemini
//! `generateContent` become the same [`Request`] when they ask for the same thing.

use std::collections::BTreeMap;

/// Isolation boundary of keys and entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(String);

impl Namespace {
    /// Gives the namespace of callers without a credential.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }
}

/// Who wrote a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The application, after the conversation has begun.
    System,
    /// The person (or program) that asks.
    User,
    /// The model.
    Assistant,
}

/// One turn of the conversation before the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who wrote it.
    pub role: Role,
    /// Its whole text.
    pub text: String,
}

/// The form the answer must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that satisfies this JSON Schema, in canonical JSON text.
    Schema(String),
}

/// A goal found inside the fixed words of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Name of the frame.
    pub frame: String,
    /// The user's own words.
    pub goal: String,
    /// Name of the shape that the answer must have.
    pub shape: String,
}

/// The canonical request: equal requests are equal values, whatever their bytes were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Isolation boundary.
    pub namespace: Namespace,
    /// Model name as the client gave it, without a protocol's prefix (`models/`).
    pub model: String,
    /// System text; empty when there is none.
    pub system: String,
    /// All turns but the last, in order.
    pub earlier: Vec<Turn>,
    /// Text of the last user turn, as sent.
    pub user: String,
    /// The goal inside the user's text, where a frame matched.
    pub framed: Option<Framed>,
    /// The form the answer must have.
    pub format: Format,
    /// Canonical name to canonical JSON text of every setting that differs from its default.
    pub settings: BTreeMap<String, String>,
    /// Cap on the tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Strings that end the answer.
    pub stop: Vec<String>,
}

/// Why the model stopped; only complete answers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finish {
    /// The model said all it had to say.
    Stop,
}

/// Tokens that an answer cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written, thinking included.
    pub output_tokens: u64,
}

/// A complete answer, ready to be stored and rendered in any protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The whole text.
    pub text: String,
    /// Why the model stopped.
    pub finish: Finish,
    /// What it cost.
    pub usage: Usage,
    /// The real model that wrote it; empty when the upstream did not say.
    pub model: String,
}
