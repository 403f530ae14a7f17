//! A model's reply between two wire formats, whole or as events.

use super::error::ApiError;
use tollfree_cache::entry::{Answer, Finish, Usage};

/// How a reply's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// One JSON document.
    Whole,
    /// Server-sent events.
    Sse,
    /// A JSON array that grows by one element per chunk (Gemini without `alt=sse`).
    Array,
}

/// How a client wants its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyForm {
    /// Whole or streamed.
    pub framing: Framing,
    /// Whether an OpenAI stream ends with a chunk that holds the usage.
    pub include_usage: bool,
}

/// What every reply mints anew, so that this module needs neither clock nor randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Unique identifier without a protocol's prefix.
    pub id: String,
    /// Unix time in seconds.
    pub created: u64,
    /// The model name the client sees: the one it asked for.
    pub model: String,
}

/// A complete reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The visible text; thoughts are left out.
    pub text: String,
    /// Why the model stopped.
    pub finish: FinishReason,
    /// What it cost, where the upstream says.
    pub usage: Option<TokenCounts>,
    /// The model that wrote it, where the upstream says.
    pub model: Option<String>,
    /// Calls of functions.
    pub tool_calls: Vec<ToolCall>,
    /// What keeps the reply out of the cache, apart from its finish, text and calls.
    pub unstorable: Option<NotStorable>,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It said all it had to say, or met a stop string.
    Stop,
    /// It met the token cap.
    Length,
    /// A filter stopped it, or blocked the request.
    ContentFilter,
    /// It calls functions.
    ToolCalls,
    /// Another reason, in the upstream's word.
    Other(String),
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Identifier, where the protocol has one.
    pub id: Option<String>,
    /// Name of the function.
    pub name: String,
    /// Arguments as JSON text.
    pub arguments: String,
}

/// A piece of a call of a function in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCallDelta {
    /// Which call, from 0.
    pub index: usize,
    /// Identifier, in the first piece.
    pub id: Option<String>,
    /// Name of the function, in the first piece.
    pub name: Option<String>,
    /// More of the arguments' JSON text.
    pub arguments: String,
}

/// Token counts as the upstream gave them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Tokens written, thoughts included.
    pub output: u64,
    /// Part of `input` that the upstream had cached.
    pub cached: Option<u64>,
    /// Part of `output` that are thoughts.
    pub reasoning: Option<u64>,
}

/// One thing that a stream says.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// The model that writes. Said once.
    Model(String),
    /// More text. Never empty.
    Text(String),
    /// More of a call of a function.
    ToolCall(ToolCallDelta),
    /// Why the model stopped.
    Finish(FinishReason),
    /// Tokens so far; the last one counts.
    Usage(TokenCounts),
    /// Something that keeps the answer out of the cache.
    Unstorable(NotStorable),
    /// The upstream reports an error.
    Error(ApiError),
    /// An event that is not of the protocol.
    Malformed,
    /// The protocol's own end mark.
    Done,
}

/// Why a reply may not become an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotStorable {
    /// The status is not 200.
    #[error("status is not 200")]
    Status,
    /// The reply ended before the answer did.
    #[error("reply is incomplete")]
    Incomplete,
    /// The model stopped for another reason than having said all.
    #[error("finish reason is not stop")]
    Finish,
    /// The reply calls functions.
    #[error("reply has tool calls")]
    ToolCalls,
    /// The model refused.
    #[error("reply is a refusal")]
    Refusal,
    /// The prompt was blocked.
    #[error("request was blocked")]
    Blocked,
    /// There are several answers.
    #[error("reply has several choices")]
    MultipleChoices,
    /// The reply has parts that are not text, or sources that belong to it.
    #[error("reply is not text alone")]
    NotTextAlone,
    /// There is no text.
    #[error("reply has no text")]
    Empty,
    /// The upstream reported an error inside the reply.
    #[error("reply holds an error")]
    Error,
    /// The reply is not of its protocol.
    #[error("reply is malformed")]
    Malformed,
    /// The reply is larger than allowed.
    #[error("reply is too large")]
    TooLarge,
}

/// A body of status 200 that is no reply of its protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenReply {
    /// It is not JSON.
    #[error("reply is not JSON")]
    NotJson,
    /// It is JSON, but holds no answer.
    #[error("reply holds no answer")]
    NoAnswer,
    /// It is an error.
    #[error("reply is an error: {}", .0.message)]
    Error(ApiError),
}

/// Reads a stream of one protocol, cut anywhere.
pub trait StreamDecoder: Send + Sync {
    /// Takes more bytes and appends what they say.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>);
    /// Takes the end of the body and appends what was still open.
    fn finish(&mut self, events: &mut Vec<StreamEvent>);
}

impl NotStorable {
    /// Gives the value of metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Incomplete => "incomplete",
            Self::Finish => "finish",
            Self::ToolCalls => "tool_calls",
            Self::Refusal => "refusal",
            Self::Blocked => "blocked",
            Self::MultipleChoices => "multiple_choices",
            Self::NotTextAlone => "not_text_alone",
            Self::Empty => "empty",
            Self::Error => "error",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }
}

impl TokenCounts {
    /// Tokens read and written.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl Reply {
    /// Makes the reply that a stored answer stands for.
    pub fn from_answer(answer: &Answer) -> Self {
        let Finish::Stop = answer.finish;
        Self {
            text: answer.text.clone(),
            finish: FinishReason::Stop,
            usage: Some(TokenCounts {
                input: answer.usage.input_tokens,
                output: answer.usage.output_tokens,
                cached: None,
                reasoning: None,
            }),
            model: Some(answer.model.clone()),
            tool_calls: Vec::new(),
            unstorable: None,
        }
    }

    /// Appends the events of a stream that says the same.
    pub(crate) fn into_events(self, events: &mut Vec<StreamEvent>) {
        events.extend(self.model.map(StreamEvent::Model));
        events.extend(self.unstorable.map(StreamEvent::Unstorable));
        events.extend(self.usage.map(StreamEvent::Usage));
        events.extend((!self.text.is_empty()).then_some(StreamEvent::Text(self.text)));
        for (index, call) in self.tool_calls.into_iter().enumerate() {
            let ToolCall {
                id,
                name,
                arguments,
            } = call;
            events.push(StreamEvent::ToolCall(ToolCallDelta {
                index,
                id,
                name: Some(name),
                arguments,
            }));
        }
        events.push(StreamEvent::Finish(self.finish));
    }

    /// Gives the answer to store.
    ///
    /// # Errors
    /// The first reason why the reply may not be stored.
    pub fn into_answer(self) -> Result<Answer, NotStorable> {
        if let Some(reason) = self.unstorable {
            return Err(reason);
        }
        if !self.tool_calls.is_empty() {
            return Err(NotStorable::ToolCalls);
        }
        if self.finish != FinishReason::Stop {
            return Err(NotStorable::Finish);
        }
        if self.text.trim().is_empty() {
            return Err(NotStorable::Empty);
        }
        let counts = self.usage.unwrap_or_default();
        Ok(Answer {
            text: self.text,
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: counts.input,
                output_tokens: counts.output,
            },
            model: self.model.unwrap_or_default(),
        })
    }
}
