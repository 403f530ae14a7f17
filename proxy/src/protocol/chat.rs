//! A chat request between two wire formats: what a decoder makes of a body, what an encoder writes upstream.
//!
//! [`ChatRequest`] is wide enough to be written in another protocol; [`ChatRequest::canonical`] narrows it to the
//! [`Request`] that keys are digested from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Protocol;
use super::bypass::BypassReason;
use super::json;
use super::reply::ReplyForm;
use tollfree_cache::contributor::Contributor;
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::{Format, Request, Role, Turn};

/// What a request body was decoded to.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The request.
    pub request: ChatRequest,
    /// Why no cache tier may see it, if so.
    pub bypass: Option<BypassReason>,
}

/// One chat request, in no protocol's words.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The protocol it came in.
    pub protocol: Protocol,
    /// Model name as asked for, without a protocol's prefix (`models/`).
    pub model: String,
    /// System texts before the first turn, one per message or part.
    pub system: Vec<String>,
    /// The conversation in order; consecutive turns of one role are not merged.
    pub messages: Vec<Message>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Cap on the tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Strings that end the answer.
    pub stop: Vec<String>,
    /// The form the answer must have.
    pub format: ResponseFormat,
    /// Functions the model may call.
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call them.
    pub tool_choice: Option<ToolChoice>,
    /// A feature that only an upstream of the client's own protocol can serve, if the request uses one.
    pub untranslatable: Option<&'static str>,
    /// How the client wants the reply framed.
    pub form: ReplyForm,
    /// Canonical name to canonical JSON text of the settings that differ from their defaults.
    pub settings: BTreeMap<String, String>,
    /// Names of settings we do not know. A request that has any is safe to serve by its exact key only: what they
    /// mean is not in the compatibility key.
    pub opaque_fields: Vec<String>,
}

/// One turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who wrote it; results of tools are the user's.
    pub role: Role,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// One part of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// An image by `data:` or other URL.
    Image {
        /// Media type, where the request says it.
        media_type: Option<String>,
        /// `data:` URL or address.
        url: String,
    },
    /// A call of a function by the model.
    ToolCall {
        /// Identifier of the call; made up from its position where the protocol gives none.
        id: String,
        /// Name of the function.
        name: String,
        /// Arguments, an object.
        arguments: Value,
    },
    /// What a called function gave back.
    ToolResult {
        /// Identifier of the call.
        id: String,
        /// Name of the function, where known.
        name: Option<String>,
        /// The result: text or an object.
        content: Value,
    },
    /// Something no other protocol can express; [`ChatRequest::untranslatable`] names it.
    Other,
}

/// How tokens are chosen; absent means the upstream's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// 0 to 2; 0 is greedy.
    pub temperature: Option<f64>,
    /// Share of the probability mass that is sampled from.
    pub top_p: Option<f64>,
    /// Number of tokens that are sampled from.
    pub top_k: Option<u32>,
    /// Seed of the sampler.
    pub seed: Option<i64>,
    /// Penalty for tokens that occurred.
    pub presence_penalty: Option<f64>,
    /// Penalty by how often tokens occurred.
    pub frequency_penalty: Option<f64>,
    /// OpenAI's word for how long to think.
    pub reasoning_effort: Option<String>,
}

/// The form the answer must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ResponseFormat {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that satisfies this JSON Schema.
    Schema(Value),
}

/// A function the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub parameters: Option<Value>,
}

/// Whether the model may call functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// It must not.
    None,
    /// As it likes.
    Auto,
    /// It must call one.
    Required,
    /// It must call one of these.
    Named(Vec<String>),
}

/// A body that is not a request of its protocol. It is passed through untouched: the upstream says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The body is no JSON document (bad syntax, bad UTF-8, too deep, number out of range).
    #[error("body is not JSON at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// The body is JSON, but no object.
    #[error("body is not a JSON object")]
    NotObject,
    /// A required field is missing.
    #[error("field {field} is missing")]
    Missing {
        /// Dotted path of the field.
        field: String,
    },
    /// A field has another type than the protocol's.
    #[error("field {field} is not {expected}")]
    WrongType {
        /// Dotted path of the field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The route names another protocol's operation.
    #[error("operation belongs to another protocol")]
    WrongOperation,
}

impl From<serde_json::Error> for Undecodable {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson {
            line: error.line(),
            column: error.column(),
        }
    }
}

/// A request that another protocol cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{feature} cannot be expressed in the protocol of this upstream")]
pub struct Untranslatable {
    /// What the request asks for.
    pub feature: &'static str,
}

impl Message {
    /// Makes a turn of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            parts: vec![Part::Text(text.into())],
        }
    }

    /// Gives the turn's texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

impl ChatRequest {
    /// Gives the text of the last user turn, its parts joined by a newline; empty if the last turn is not the user's.
    pub fn user_text(&self) -> String {
        self.messages
            .last()
            .filter(|last| last.role == Role::User)
            .map(|last| join(last.texts()))
            .unwrap_or_default()
    }

    /// Tells whether the client asked for answers that vary: an explicit temperature above zero.
    pub fn asks_for_variety(&self) -> bool {
        self.sampling
            .temperature
            .is_some_and(|temperature| temperature > 0.0)
    }

    /// Narrows to the request that keys are digested from. Means something only where no bypass applies.
    ///
    /// How texts were cut into parts does not show in the texts; where any text had several parts, the setting
    /// `text_parts` holds their lengths, so that the exact keys of two different requests differ. The caller is
    /// left anonymous: a body does not say who sent it.
    pub fn canonical(&self, namespace: Namespace) -> Request {
        let earlier = self.messages.iter().rev().skip(1).rev();
        let mut settings = self.settings.clone();
        if let Some(parts) = self.text_parts() {
            settings.insert("text_parts".to_owned(), parts);
        }
        Request {
            namespace,
            caller: Contributor::ANONYMOUS,
            model: self.model.clone(),
            system: join(self.system.iter().map(String::as_str)),
            earlier: earlier
                .map(|message| Turn {
                    role: message.role,
                    text: join(message.texts()),
                })
                .collect(),
            user: self.user_text(),
            framed: None,
            format: match &self.format {
                ResponseFormat::Text => Format::Text,
                ResponseFormat::JsonObject => Format::JsonObject,
                ResponseFormat::Schema(schema) => Format::Schema(json::canonical(schema)),
            },
            settings,
            max_tokens: self.max_tokens,
            stop: self.stop.clone(),
        }
    }

    fn text_parts(&self) -> Option<String> {
        let lengths = |texts: Vec<&str>| texts.into_iter().map(str::len).collect::<Vec<_>>();
        let mut all = vec![lengths(self.system.iter().map(String::as_str).collect())];
        all.extend(
            self.messages
                .iter()
                .map(|message| lengths(message.texts().collect())),
        );
        all.iter()
            .any(|lengths| lengths.len() > 1)
            .then(|| format!("{all:?}").replace(' ', ""))
    }
}

fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}
