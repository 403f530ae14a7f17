//! A stream of `chat.completion.chunk` events to [`StreamEvent`]s.

use serde::Deserialize;
use serde_json::Value;

use super::error;
use super::response::{self, WireMessage, finish_reason, token_counts};
use crate::protocol::reply::{BrokenReply, NotStorable, StreamDecoder, StreamEvent, ToolCallDelta};
use crate::protocol::sse::{SseDecoder, SseItem};

/// Decoder of one stream.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    sse: SseDecoder,
    bare: Vec<u8>,
    has_model: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    delta: Option<WireMessage>,
    #[serde(default)]
    finish_reason: Option<String>,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        let mut items = Vec::new();
        self.sse.push(bytes, &mut items);
        self.take(items, events);
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        let mut items = Vec::new();
        self.sse.finish(&mut items);
        self.take(items, events);
        if !self.bare.is_empty() {
            // A server that does not stream, or fails before it does, answers with one document.
            match response::decode(&std::mem::take(&mut self.bare)) {
                Ok(reply) => reply.into_events(events),
                Err(BrokenReply::Error(error)) => events.push(StreamEvent::Error(error)),
                Err(BrokenReply::NotJson | BrokenReply::NoAnswer) => {
                    events.push(StreamEvent::Malformed)
                }
            }
        }
    }
}

impl Decoder {
    fn take(&mut self, items: Vec<SseItem>, events: &mut Vec<StreamEvent>) {
        for item in items {
            match item {
                SseItem::Data(data) if data.trim_ascii() == b"[DONE]" => {
                    events.push(StreamEvent::Done)
                }
                SseItem::Data(data) if data.trim_ascii().is_empty() => {}
                SseItem::Data(data) => self.take_chunk(&data, events),
                SseItem::Bare(line) if self.bare.len() + line.len() < super::MAX_BARE_BYTES => {
                    self.bare.extend_from_slice(&line);
                    self.bare.push(b'\n');
                }
                SseItem::Bare(_) | SseItem::TooLong => events.push(StreamEvent::Malformed),
            }
        }
    }

    fn take_chunk(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) {
        let Ok(chunk) = serde_json::from_slice::<Chunk>(data) else {
            events.push(StreamEvent::Malformed);
            return;
        };
        if chunk.error.is_some() {
            events.push(StreamEvent::Error(error::decode(500, data)));
            return;
        }
        if let (Some(model), false) = (chunk.model, self.has_model) {
            self.has_model = true;
            events.push(StreamEvent::Model(model));
        }
        for choice in chunk.choices.unwrap_or_default() {
            take_choice(choice, events);
        }
        events.extend(
            chunk
                .usage
                .as_ref()
                .and_then(token_counts)
                .map(StreamEvent::Usage),
        );
    }
}

fn take_choice(choice: Choice, events: &mut Vec<StreamEvent>) {
    if choice.index != 0 {
        events.push(StreamEvent::Unstorable(NotStorable::MultipleChoices));
        return;
    }
    if let Some(delta) = choice.delta {
        events.extend(delta.unstorable().map(StreamEvent::Unstorable));
        let texts = [delta.content, delta.refusal].into_iter().flatten();
        events.extend(texts.filter(|text| !text.is_empty()).map(StreamEvent::Text));
        // Gemini's OpenAI-compatible endpoint leaves the index out: then every piece is a call of its own.
        for (position, call) in delta.tool_calls.unwrap_or_default().into_iter().enumerate() {
            let (name, arguments) = call
                .function
                .map_or((None, None), |function| (function.name, function.arguments));
            events.push(StreamEvent::ToolCall(ToolCallDelta {
                index: call.index.unwrap_or(position),
                id: call.id,
                name,
                arguments: arguments.unwrap_or_default(),
            }));
        }
    }
    events.extend(
        choice
            .finish_reason
            .map(|word| StreamEvent::Finish(finish_reason(&word))),
    );
}
