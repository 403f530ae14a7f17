//! A whole `chat.completion`, read and written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error;
use crate::protocol::reply::{
    BrokenReply, FinishReason, NotStorable, Reply, Stamp, TokenCounts, ToolCall,
};
use crate::protocol::text;

/// Token counts on the wire.
#[derive(Debug, Serialize)]
pub(super) struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

/// The members of a message, or of a stream's delta, that matter to us.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WireMessage {
    #[serde(default)]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) refusal: Option<String>,
    #[serde(default)]
    pub(super) tool_calls: Option<Vec<WireToolCall>>,
    #[serde(default)]
    pub(super) function_call: Option<Value>,
    #[serde(default)]
    pub(super) audio: Option<Value>,
    #[serde(default)]
    pub(super) annotations: Option<Vec<Value>>,
}

/// A call, whole or in pieces.
#[derive(Debug, Deserialize)]
pub(super) struct WireToolCall {
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) function: Option<WireFunction>,
}

/// The function of a call.
#[derive(Debug, Deserialize)]
pub(super) struct WireFunction {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) arguments: Option<String>,
}

#[derive(Deserialize)]
struct WireReply {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Option<Vec<WireChoice>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct WireChoice {
    #[serde(default)]
    message: Option<WireMessage>,
    #[serde(default)]
    finish_reason: Option<String>,
}

/// Reads token counts. Counts are never worth refusing a reply for, so whatever is not a number counts as absent.
pub(super) fn token_counts(usage: &Value) -> Option<TokenCounts> {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    Some(TokenCounts {
        input: count("/prompt_tokens")?,
        output: count("/completion_tokens").unwrap_or(0),
        cached: count("/prompt_tokens_details/cached_tokens"),
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
    })
}

impl From<&TokenCounts> for WireUsage {
    fn from(counts: &TokenCounts) -> Self {
        Self {
            prompt_tokens: counts.input,
            completion_tokens: counts.output,
            total_tokens: counts.total(),
            prompt_tokens_details: counts.cached.map(|cached| PromptDetails {
                cached_tokens: cached,
            }),
            completion_tokens_details: counts.reasoning.map(|reasoning| CompletionDetails {
                reasoning_tokens: reasoning,
            }),
        }
    }
}

impl WireMessage {
    /// Tells what in this message, or delta, an entry would lose.
    pub(super) fn unstorable(&self) -> Option<NotStorable> {
        if self
            .refusal
            .as_ref()
            .is_some_and(|refusal| !refusal.is_empty())
        {
            return Some(NotStorable::Refusal);
        }
        if self.function_call.is_some() {
            return Some(NotStorable::ToolCalls);
        }
        let has_annotations = self
            .annotations
            .as_ref()
            .is_some_and(|annotations| !annotations.is_empty());
        (self.audio.is_some() || has_annotations).then_some(NotStorable::NotTextAlone)
    }
}

/// Reads a finish reason.
pub(super) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// Writes a finish reason; one that OpenAI does not have becomes `stop`.
pub(super) fn finish_word(finish: &FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop | FinishReason::Other(_) => "stop",
        FinishReason::Length => "length",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::ToolCalls => "tool_calls",
    }
}

/// Reads a whole body of status 200.
pub(super) fn decode(body: &[u8]) -> Result<Reply, BrokenReply> {
    let reply: WireReply =
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => BrokenReply::NoAnswer,
            _ => BrokenReply::NotJson,
        })?;
    if reply.error.is_some() {
        return Err(BrokenReply::Error(error::decode(500, body)));
    }
    let mut choices = reply.choices.unwrap_or_default().into_iter();
    let choice = choices.next().ok_or(BrokenReply::NoAnswer)?;
    let message = choice.message.ok_or(BrokenReply::NoAnswer)?;
    let unstorable = message
        .unstorable()
        .or(choices.next().map(|_| NotStorable::MultipleChoices));
    let calls = message.tool_calls.unwrap_or_default().into_iter();
    let tool_calls = calls
        .filter_map(|call| {
            let function = call.function?;
            Some(ToolCall {
                id: call.id,
                name: function.name?,
                arguments: function.arguments.unwrap_or_default(),
            })
        })
        .collect();
    Ok(Reply {
        text: [message.content, message.refusal]
            .into_iter()
            .flatten()
            .collect(),
        finish: match choice.finish_reason {
            Some(word) => finish_reason(&word),
            None => FinishReason::Other("none".to_owned()),
        },
        usage: reply.usage.as_ref().and_then(token_counts),
        model: reply.model,
        tool_calls,
        unstorable,
    })
}

/// Writes a whole body.
pub(super) fn encode(reply: &Reply, stamp: &Stamp) -> Vec<u8> {
    let calls: Vec<_> = reply
        .tool_calls
        .iter()
        .enumerate()
        .map(|(index, call)| OutCall::of(index, call))
        .collect();
    let only_calls = reply.text.is_empty() && !calls.is_empty();
    let message = OutMessage {
        role: "assistant",
        content: (!only_calls).then_some(reply.text.as_str()),
        refusal: None,
        tool_calls: (!calls.is_empty()).then_some(calls),
    };
    let finish = if reply.tool_calls.is_empty() {
        finish_word(&reply.finish)
    } else {
        "tool_calls"
    };
    let body = OutReply {
        id: format!("chatcmpl-{}", stamp.id),
        object: "chat.completion",
        created: stamp.created,
        model: &stamp.model,
        choices: [OutChoice {
            index: 0,
            message,
            logprobs: None,
            finish_reason: finish,
        }],
        usage: WireUsage::from(&reply.usage.unwrap_or_default()),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Serialize)]
struct OutReply<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [OutChoice<'a>; 1],
    usage: WireUsage,
}

#[derive(Serialize)]
struct OutChoice<'a> {
    index: u32,
    message: OutMessage<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct OutMessage<'a> {
    role: &'static str,
    #[serde(serialize_with = "text::serialize")]
    content: Option<&'a str>,
    refusal: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<OutCall<'a>>>,
}

#[derive(Serialize)]
struct OutCall<'a> {
    id: String,
    r#type: &'static str,
    function: OutFunction<'a>,
}

#[derive(Serialize)]
struct OutFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> OutCall<'a> {
    fn of(index: usize, call: &'a ToolCall) -> Self {
        Self {
            id: call.id.clone().unwrap_or_else(|| format!("call_{index}")),
            r#type: "function",
            function: OutFunction {
                name: &call.name,
                arguments: &call.arguments,
            },
        }
    }
}

#[cfg(test)]
mod tests;
