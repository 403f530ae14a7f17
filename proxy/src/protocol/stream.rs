//! Decides what a streamed reply consists of; the protocol's [`ChunkWriter`] decides how it looks.
//!
//! The end is written once, when the upstream's stream has ended: only then are the finish reason and the usage
//! both known. A stream that ends without a finish reason ends with an error: the client must never take a cut
//! answer for a whole one.

use super::Protocol;
use super::codec::ChunkWriter;
use super::error::ApiError;
use super::reply::{FinishReason, Framing, Reply, ReplyForm, Stamp, StreamEvent, TokenCounts};
use tollfree_cache::entry::Answer;

/// Writes one streamed reply from events.
pub struct StreamEncoder {
    writer: Box<dyn ChunkWriter>,
    finish: Option<FinishReason>,
    usage: Option<TokenCounts>,
    closed: bool,
}

impl StreamEncoder {
    /// Starts a reply; nothing is written yet.
    pub fn new(protocol: Protocol, form: ReplyForm, stamp: Stamp) -> Self {
        Self {
            writer: protocol.codec().chunk_writer(form, stamp),
            finish: None,
            usage: None,
            closed: false,
        }
    }

    /// Takes one event and appends the bytes that can be written now.
    pub fn push(&mut self, event: StreamEvent, out: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        match event {
            StreamEvent::Text(text) => self.writer.text(&text, self.usage.as_ref(), out),
            StreamEvent::ToolCall(call) => self.writer.tool_call(call, out),
            StreamEvent::Finish(finish) => self.finish = Some(finish),
            StreamEvent::Usage(usage) => self.usage = Some(usage),
            StreamEvent::Error(error) => self.fail(&error, out),
            StreamEvent::Malformed => self.fail(&ApiError::malformed(), out),
            StreamEvent::Done => {
                // The upstream says that this was all, if not why: no cut answer, so no error.
                self.finish
                    .get_or_insert_with(|| FinishReason::Other("none".to_owned()));
                self.finish(out);
            }
            // The client sees the name it asked for; what may be stored is not its concern.
            StreamEvent::Model(_) | StreamEvent::Unstorable(_) => {}
        }
    }

    /// Appends the end of the reply, or an error if the answer is not complete. Further calls append nothing.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        match self.finish.take() {
            Some(finish) => {
                self.closed = true;
                self.writer.end("", &finish, self.usage.as_ref(), out);
            }
            None => self.fail(&ApiError::ended_early(), out),
        }
    }

    /// Appends an error and closes the reply.
    pub fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            self.writer.error(error, out);
        }
    }

    /// Tells whether the reply has been ended, well or not.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl std::fmt::Debug for StreamEncoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StreamEncoder")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// Renders a stored answer as the whole body of a reply, streamed or not.
pub fn encode_answer(
    protocol: Protocol,
    answer: &Answer,
    form: ReplyForm,
    stamp: Stamp,
) -> Vec<u8> {
    let reply = Reply::from_answer(answer);
    if form.framing == Framing::Whole {
        return protocol.codec().encode_reply(&reply, &stamp);
    }
    let mut out = Vec::with_capacity(reply.text.len() + 1024);
    let mut writer = protocol.codec().chunk_writer(form, stamp);
    writer.end(&reply.text, &reply.finish, reply.usage.as_ref(), &mut out);
    out
}
