//! A whole `GenerateContentResponse`, read and written. A streamed chunk has the same form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error;
use crate::protocol::json;
use crate::protocol::reply::{
    BrokenReply, FinishReason, NotStorable, Reply, Stamp, TokenCounts, ToolCall,
};
use crate::protocol::text;

/// What matters to us of a response or chunk.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireResponse {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Value>,
    model_version: Option<String>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
    index: u64,
    grounding_metadata: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Option<Vec<WirePart>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WirePart {
    text: Option<String>,
    thought: bool,
    function_call: Option<WireCall>,
    #[serde(flatten)]
    other: serde_json::Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireCall {
    id: Option<String>,
    name: String,
    args: Option<Value>,
}

/// What one response or chunk says, in no protocol's words.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) finish: Option<FinishReason>,
    pub(super) usage: Option<TokenCounts>,
    pub(super) model: Option<String>,
    pub(super) unstorable: Option<NotStorable>,
}

/// Reads one response or chunk.
pub(super) fn read(body: &[u8]) -> Result<Said, BrokenReply> {
    let response: WireResponse =
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => BrokenReply::NoAnswer,
            _ => BrokenReply::NotJson,
        })?;
    if response.error.is_some() {
        return Err(BrokenReply::Error(error::decode(500, body)));
    }
    let mut said = Said {
        usage: response.usage_metadata.as_ref().map(token_counts),
        model: response.model_version,
        ..Said::default()
    };
    if response
        .prompt_feedback
        .is_some_and(|feedback| feedback.block_reason.is_some())
    {
        said.finish = Some(FinishReason::ContentFilter);
        said.unstorable = Some(NotStorable::Blocked);
    }
    for candidate in response.candidates.unwrap_or_default() {
        if candidate.index != 0 {
            said.unstorable = Some(NotStorable::MultipleChoices);
            continue;
        }
        read_candidate(candidate, &mut said);
    }
    Ok(said)
}

fn read_candidate(candidate: Candidate, said: &mut Said) {
    if candidate
        .grounding_metadata
        .is_some_and(|metadata| !json::is_empty(&metadata))
    {
        said.unstorable = Some(NotStorable::NotTextAlone);
    }
    for part in candidate
        .content
        .and_then(|content| content.parts)
        .unwrap_or_default()
    {
        if part.thought {
            continue;
        }
        if let Some(call) = part.function_call {
            said.tool_calls.push(ToolCall {
                id: call.id,
                name: call.name,
                arguments: call
                    .args
                    .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
                    .to_string(),
            });
        }
        // A thought signature is for the turn that follows; without it an answer is still whole.
        if part.other.keys().any(|name| name != "thoughtSignature") {
            said.unstorable = Some(NotStorable::NotTextAlone);
        }
        said.text.push_str(part.text.as_deref().unwrap_or_default());
    }
    if let Some(word) = candidate.finish_reason {
        said.finish = Some(finish_reason(&word));
    }
}

/// Reads a finish reason. The caller turns STOP into tool calls where there are any: Gemini does not say so.
fn finish_reason(word: &str) -> FinishReason {
    match word {
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" | "CONTINUATION" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" => {
            FinishReason::ContentFilter
        }
        image if image.starts_with("IMAGE_") => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// Writes a finish reason.
pub(super) fn finish_word(finish: &FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop | FinishReason::ToolCalls => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter => "SAFETY",
        FinishReason::Other(_) => "OTHER",
    }
}

fn token_counts(usage: &Value) -> TokenCounts {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
    let thoughts = count("thoughtsTokenCount");
    TokenCounts {
        input: count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount")),
        output: count("candidatesTokenCount").saturating_add(thoughts),
        cached: Some(count("cachedContentTokenCount")),
        reasoning: Some(thoughts),
    }
}

/// Reads a whole body of status 200.
pub(super) fn decode(body: &[u8]) -> Result<Reply, BrokenReply> {
    let said = read(body)?;
    let finish = said.finish.ok_or(BrokenReply::NoAnswer)?;
    let calls = !said.tool_calls.is_empty() && finish == FinishReason::Stop;
    Ok(Reply {
        text: said.text,
        finish: if calls {
            FinishReason::ToolCalls
        } else {
            finish
        },
        usage: said.usage,
        model: said.model,
        tool_calls: said.tool_calls,
        unstorable: said.unstorable,
    })
}

/// Writes a whole body.
pub(super) fn encode(reply: &Reply, stamp: &Stamp) -> Vec<u8> {
    write(
        &reply.text,
        &reply.tool_calls,
        Some(&reply.finish),
        Some(&reply.usage.unwrap_or_default()),
        stamp,
    )
}

/// Writes one response or chunk.
pub(super) fn write(
    text: &str,
    calls: &[ToolCall],
    finish: Option<&FinishReason>,
    usage: Option<&TokenCounts>,
    stamp: &Stamp,
) -> Vec<u8> {
    let mut parts = Vec::with_capacity(calls.len() + 1);
    if !text.is_empty() || calls.is_empty() {
        parts.push(OutPart {
            text: Some(text),
            function_call: None,
        });
    }
    parts.extend(calls.iter().map(|call| OutPart {
        text: None,
        function_call: Some(OutCall::of(call)),
    }));
    let body = OutResponse {
        candidates: [OutCandidate {
            content: OutContent {
                parts,
                role: "model",
            },
            finish_reason: finish.map(finish_word),
            index: 0,
        }],
        usage_metadata: usage.map(OutUsage::from),
        model_version: &stamp.model,
        response_id: &stamp.id,
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutResponse<'a> {
    candidates: [OutCandidate<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<OutUsage>,
    model_version: &'a str,
    response_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutCandidate<'a> {
    content: OutContent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u32,
}

#[derive(Serialize)]
struct OutContent<'a> {
    parts: Vec<OutPart<'a>>,
    role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutPart<'a> {
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "text::serialize"
    )]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<OutCall<'a>>,
}

#[derive(Serialize)]
struct OutCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Value,
}

/// Members that are zero are absent, as Gemini has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutUsage {
    #[serde(skip_serializing_if = "is_zero")]
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    candidates_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    total_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
}

impl<'a> OutCall<'a> {
    /// Arguments that are no JSON object (a model's slip) are kept as text: `args` must be an object.
    fn of(call: &'a ToolCall) -> Self {
        let parsed = serde_json::from_str(&call.arguments)
            .ok()
            .filter(Value::is_object);
        let empty = call.arguments.trim().is_empty();
        let args = parsed.unwrap_or_else(|| match empty {
            true => serde_json::json!({}),
            false => serde_json::json!({"arguments": call.arguments}),
        });
        Self {
            id: call.id.as_deref(),
            name: &call.name,
            args,
        }
    }
}

impl From<&TokenCounts> for OutUsage {
    fn from(counts: &TokenCounts) -> Self {
        let thoughts = counts.reasoning.unwrap_or(0);
        Self {
            prompt_token_count: counts.input,
            candidates_token_count: counts.output.saturating_sub(thoughts),
            total_token_count: counts.total(),
            thoughts_token_count: thoughts,
            cached_content_token_count: counts.cached.unwrap_or(0),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
