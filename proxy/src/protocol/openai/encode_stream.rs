//! The bytes of a stream of `chat.completion.chunk` events.
//!
//! Order and members are OpenAI's own: a chunk with the role, the pieces, a chunk with the finish reason, the usage
//! if asked for, `[DONE]`. One id and one time in all of them.

use serde::Serialize;

use super::error;
use super::response::{WireUsage, finish_word};
use crate::protocol::codec::ChunkWriter;
use crate::protocol::error::ApiError;
use crate::protocol::reply::{FinishReason, ReplyForm, Stamp, TokenCounts, ToolCallDelta};
use crate::protocol::text;

/// Writer of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    id: String,
    stamp: Stamp,
    include_usage: bool,
    begun: bool,
    has_calls: bool,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    /// Absent, null or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<WireUsage>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text::serialize"
    )]
    content: Option<&'a str>,
    /// Null in the first chunk, absent in the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<()>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Call<'a>; 1]>,
}

#[derive(Serialize)]
struct Call<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

impl Writer {
    pub(super) fn new(form: ReplyForm, stamp: Stamp) -> Self {
        Self {
            id: format!("chatcmpl-{}", stamp.id),
            stamp,
            include_usage: form.include_usage,
            begun: false,
            has_calls: false,
        }
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<WireUsage>, out: &mut Vec<u8>) {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.stamp.created,
            model: &self.stamp.model,
            choices,
            usage: self.include_usage.then_some(usage),
        };
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&serde_json::to_vec(&chunk).unwrap_or_default());
        out.extend_from_slice(b"\n\n");
    }

    fn delta(&self, delta: Delta<'_>, finish: Option<&'static str>, out: &mut Vec<u8>) {
        self.chunk(
            &[Choice {
                index: 0,
                delta,
                logprobs: None,
                finish_reason: finish,
            }],
            None,
            out,
        );
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            let delta = Delta {
                role: Some("assistant"),
                content: Some(""),
                refusal: Some(None),
                ..Delta::default()
            };
            self.delta(delta, None, out);
        }
    }
}

impl ChunkWriter for Writer {
    fn text(&mut self, text: &str, _usage: Option<&TokenCounts>, out: &mut Vec<u8>) {
        self.begin(out);
        self.delta(
            Delta {
                content: Some(text),
                ..Delta::default()
            },
            None,
            out,
        );
    }

    fn tool_call(&mut self, call: ToolCallDelta, out: &mut Vec<u8>) {
        self.begin(out);
        self.has_calls = true;
        let first = call.name.is_some();
        let call = Call {
            index: call.index,
            id: call
                .id
                .or_else(|| first.then(|| format!("call_{}_{}", self.stamp.id, call.index))),
            r#type: first.then_some("function"),
            function: Function {
                name: call.name.as_deref(),
                arguments: &call.arguments,
            },
        };
        self.delta(
            Delta {
                tool_calls: Some([call]),
                ..Delta::default()
            },
            None,
            out,
        );
    }

    fn end(
        &mut self,
        last_text: &str,
        finish: &FinishReason,
        usage: Option<&TokenCounts>,
        out: &mut Vec<u8>,
    ) {
        self.begin(out);
        if !last_text.is_empty() {
            self.text(last_text, usage, out);
        }
        let finish = if self.has_calls {
            "tool_calls"
        } else {
            finish_word(finish)
        };
        self.delta(Delta::default(), Some(finish), out);
        if self.include_usage {
            self.chunk(
                &[],
                Some(WireUsage::from(&usage.copied().unwrap_or_default())),
                out,
            );
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn error(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&error::encode(error));
        out.extend_from_slice(b"\n\n");
    }
}
