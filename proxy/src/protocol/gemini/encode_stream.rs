//! The bytes of a stream of `GenerateContentResponse` chunks.
//!
//! Server-sent events hold nothing but `data: ` lines and empty lines: the SDKs break on anything else. The array
//! form is `[`, the objects with `\n,\r\n` between them, `\n]`.

use super::{error, response};
use crate::protocol::codec::ChunkWriter;
use crate::protocol::error::ApiError;
use crate::protocol::reply::{
    FinishReason, Framing, ReplyForm, Stamp, TokenCounts, ToolCall, ToolCallDelta,
};

/// Writer of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    framing: Framing,
    stamp: Stamp,
    begun: bool,
    /// Gemini sends a call whole, so its pieces wait for the end.
    calls: Vec<(usize, ToolCall)>,
}

impl Writer {
    pub(super) fn new(form: ReplyForm, stamp: Stamp) -> Self {
        Self {
            framing: form.framing,
            stamp,
            begun: false,
            calls: Vec::new(),
        }
    }

    fn object(&mut self, object: &[u8], out: &mut Vec<u8>) {
        if self.framing == Framing::Array {
            out.extend_from_slice(if self.begun { b"\n,\r\n" } else { b"[" });
            out.extend_from_slice(object);
        } else {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(object);
            out.extend_from_slice(b"\r\n\r\n");
        }
        self.begun = true;
    }

    fn close(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Array {
            out.extend_from_slice(b"\n]");
        }
    }
}

impl ChunkWriter for Writer {
    fn text(&mut self, text: &str, usage: Option<&TokenCounts>, out: &mut Vec<u8>) {
        let object = response::write(text, &[], None, usage, &self.stamp);
        self.object(&object, out);
    }

    fn tool_call(&mut self, delta: ToolCallDelta, _out: &mut Vec<u8>) {
        match self
            .calls
            .iter_mut()
            .find(|(index, _)| *index == delta.index)
        {
            Some((_, call)) => {
                call.arguments.push_str(&delta.arguments);
                call.name
                    .push_str(delta.name.as_deref().unwrap_or_default());
                call.id = call.id.take().or(delta.id);
            }
            None => {
                let name = delta.name.unwrap_or_default();
                self.calls.push((
                    delta.index,
                    ToolCall {
                        id: delta.id,
                        name,
                        arguments: delta.arguments,
                    },
                ));
            }
        }
    }

    fn end(
        &mut self,
        last_text: &str,
        finish: &FinishReason,
        usage: Option<&TokenCounts>,
        out: &mut Vec<u8>,
    ) {
        let calls: Vec<_> = std::mem::take(&mut self.calls)
            .into_iter()
            .map(|(_, call)| call)
            .collect();
        let usage = usage.copied().unwrap_or_default();
        let object = response::write(last_text, &calls, Some(finish), Some(&usage), &self.stamp);
        self.object(&object, out);
        self.close(out);
    }

    fn error(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.object(&error::encode(error), out);
        self.close(out);
    }
}
