//! Fields that take one of a few words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is answered from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Everyone who reaches the listener.
    Open,
    /// Who has a credential that an upstream has accepted within `auth_ttl`.
    Passthrough,
}

/// What an explicit temperature above 0 does to the lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Variety {
    /// Nothing: every tier is looked up.
    Ignore,
    /// Only the exact tier is looked up.
    Exact,
    /// No tier is looked up and nothing is admitted.
    Bypass,
}

/// What the semantic tier does with what it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SemanticMode {
    /// It answers.
    Serve,
    /// It decides, counts and compares its answer with the upstream's, and answers nothing.
    Shadow,
    /// It does not decide.
    Off,
}

/// What happens to an answer with personal data or a secret in it, or in its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pii {
    /// It is passed on and not stored.
    Refuse,
    /// It is stored as any other.
    Allow,
}

/// What becomes of the fixed words that requests of one namespace share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LearnFrames {
    /// Nothing is learned; frames approved before stay in force.
    Off,
    /// A frame is proposed and counts once an operator has approved it.
    Propose,
    /// A frame counts as soon as it is found, unless an operator has rejected it.
    Use,
}

impl LearnFrames {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Propose => "propose",
            Self::Use => "use",
        }
    }
}

/// The kind of text that a shape's template writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShapeContent {
    /// Plain text or Markdown.
    Text,
    /// One JSON value; a rendered text that is none is not served.
    Json,
}

/// The protocol that an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UpstreamKind {
    /// OpenAI chat completions: OpenAI itself, vLLM and every compatible server.
    Openai,
    /// Gemini `generateContent` and `streamGenerateContent`.
    Gemini,
}

impl UpstreamKind {
    /// Returns the word of the configuration, for logs and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Gemini => "gemini",
        }
    }
}

/// Whose credential a request to an upstream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialMode {
    /// The upstream's own `api_key`, or none where it needs none.
    Own,
    /// The one the client sent, when the client speaks the upstream's protocol.
    Client,
}

/// How an upstream is chosen among those that fit a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMode {
    /// At random, in proportion to the weights.
    Weighted,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line for each event.
    Human,
    /// One JSON object for each event.
    Json,
}
