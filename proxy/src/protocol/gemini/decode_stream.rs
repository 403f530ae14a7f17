//! A stream of `GenerateContentResponse` chunks to [`StreamEvent`]s: server-sent events or a JSON array.

use super::objects::{Object, Objects};
use super::response;
use crate::protocol::reply::{
    BrokenReply, FinishReason, StreamDecoder, StreamEvent, ToolCallDelta,
};
use crate::protocol::sse::{SseDecoder, SseItem};

/// Decoder of one stream; the first byte that is not blank tells the form.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    form: Form,
    sse: SseDecoder,
    objects: Objects,
    num_calls: usize,
    has_model: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Unknown,
    Sse,
    Array,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        if self.form == Form::Unknown {
            self.form = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'[' | b'{') => Form::Array,
                Some(_) => Form::Sse,
            };
        }
        if self.form == Form::Array {
            let mut objects = Vec::new();
            self.objects.push(bytes, &mut objects);
            self.take_objects(objects, events);
        } else {
            let mut items = Vec::new();
            self.sse.push(bytes, &mut items);
            self.take_items(items, events);
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        let mut items = Vec::new();
        self.sse.finish(&mut items);
        self.take_items(items, events);
        let mut objects = Vec::new();
        self.objects.finish(&mut objects);
        self.take_objects(objects, events);
    }
}

impl Decoder {
    fn take_items(&mut self, items: Vec<SseItem>, events: &mut Vec<StreamEvent>) {
        for item in items {
            match item {
                // Gemini sends no end mark; servers that imitate it may.
                SseItem::Data(data) if data.trim_ascii() == b"[DONE]" => {
                    events.push(StreamEvent::Done)
                }
                SseItem::Data(data) if data.trim_ascii().is_empty() => {}
                SseItem::Data(data) => self.take_chunk(&data, events),
                // A bare pretty-printed error after the events.
                SseItem::Bare(line) => {
                    let mut objects = Vec::new();
                    self.objects.push(&line, &mut objects);
                    self.objects.push(b"\n", &mut objects);
                    self.take_objects(objects, events);
                }
                SseItem::TooLong => events.push(StreamEvent::Malformed),
            }
        }
    }

    fn take_objects(&mut self, objects: Vec<Object>, events: &mut Vec<StreamEvent>) {
        for object in objects {
            match object {
                Object::Whole(data) => self.take_chunk(&data, events),
                Object::End => events.push(StreamEvent::Done),
                Object::Malformed => events.push(StreamEvent::Malformed),
            }
        }
    }

    fn take_chunk(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) {
        let said = match response::read(data) {
            Ok(said) => said,
            Err(BrokenReply::Error(error)) => {
                events.push(StreamEvent::Error(error));
                return;
            }
            Err(BrokenReply::NotJson | BrokenReply::NoAnswer) => {
                events.push(StreamEvent::Malformed);
                return;
            }
        };
        if let (Some(model), false) = (said.model, self.has_model) {
            self.has_model = true;
            events.push(StreamEvent::Model(model));
        }
        events.extend(said.unstorable.map(StreamEvent::Unstorable));
        // Before the text, so that a writer can put the tokens so far into the text's own chunk.
        events.extend(said.usage.map(StreamEvent::Usage));
        if !said.text.is_empty() {
            events.push(StreamEvent::Text(said.text));
        }
        for call in said.tool_calls {
            let delta = ToolCallDelta {
                index: self.num_calls,
                id: call.id,
                name: Some(call.name),
                arguments: call.arguments,
            };
            self.num_calls += 1;
            events.push(StreamEvent::ToolCall(delta));
        }
        events.extend(said.finish.map(|finish| {
            let calls = self.num_calls > 0 && finish == FinishReason::Stop;
            StreamEvent::Finish(if calls {
                FinishReason::ToolCalls
            } else {
                finish
            })
        }));
    }
}
