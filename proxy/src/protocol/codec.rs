//! What a protocol must be able to do. Each protocol's folder has one [`Codec`]; nothing else knows its bytes.

use super::chat::{ChatRequest, Decoded, Undecodable, Untranslatable};
use super::error::ApiError;
use super::reply::{
    BrokenReply, FinishReason, Framing, Reply, ReplyForm, Stamp, StreamDecoder, TokenCounts,
    ToolCallDelta,
};
use super::route::Operation;

/// A request as an upstream gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// Path and query, to be put behind the upstream's base address.
    pub target: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Reads and writes one protocol.
pub trait Codec: Send + Sync {
    /// Decodes a request body.
    ///
    /// # Errors
    /// The body is no request of this protocol; it is passed through untouched.
    fn decode_request(&self, operation: &Operation, body: &[u8]) -> Result<Decoded, Undecodable>;

    /// Encodes a request for an upstream of this protocol that calls the model `model`.
    ///
    /// # Errors
    /// The request uses a feature that only the protocol it came in can express.
    fn encode_request(
        &self,
        request: &ChatRequest,
        model: &str,
    ) -> Result<UpstreamRequest, Untranslatable>;

    /// Puts another model name into a request of this protocol and changes no other byte.
    ///
    /// `target` is path and query. `None` if the request names no model where this protocol has it.
    fn rename_model(&self, target: &str, body: &[u8], model: &str) -> Option<UpstreamRequest>;

    /// Gives the top-level member of replies and chunks that names the model.
    fn model_member(&self) -> &'static str;

    /// Decodes a whole reply of status 200.
    ///
    /// # Errors
    /// The body is no reply of this protocol, or is an error in spite of its status.
    fn decode_reply(&self, body: &[u8]) -> Result<Reply, BrokenReply>;

    /// Encodes a whole reply.
    fn encode_reply(&self, reply: &Reply, stamp: &Stamp) -> Vec<u8>;

    /// Starts reading a streamed reply.
    fn stream_decoder(&self) -> Box<dyn StreamDecoder>;

    /// Starts writing a streamed reply.
    fn chunk_writer(&self, form: ReplyForm, stamp: Stamp) -> Box<dyn ChunkWriter>;

    /// Encodes an error body for a client that expects this framing.
    fn encode_error(&self, error: &ApiError, framing: Framing) -> Vec<u8>;

    /// Gives the HTTP status of an error in this protocol.
    fn error_status(&self, error: &ApiError) -> u16;

    /// Decodes an upstream's error body.
    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError;

    /// Gives the content type of a reply, or of an error, with this framing.
    fn content_type(&self, framing: Framing) -> &'static str;
}

/// Writes the chunks of one streamed reply. [`super::stream::StreamEncoder`] decides what is written when.
pub trait ChunkWriter: Send {
    /// Writes a piece of text, with the tokens so far where known.
    fn text(&mut self, text: &str, usage: Option<&TokenCounts>, out: &mut Vec<u8>);
    /// Writes a piece of a call of a function.
    fn tool_call(&mut self, call: ToolCallDelta, out: &mut Vec<u8>);
    /// Writes the end: the last text (may be empty), the finish reason, the usage and the protocol's end mark.
    fn end(
        &mut self,
        last_text: &str,
        finish: &FinishReason,
        usage: Option<&TokenCounts>,
        out: &mut Vec<u8>,
    );
    /// Writes an error as the protocol has it in the middle of a stream; nothing may follow.
    fn error(&mut self, error: &ApiError, out: &mut Vec<u8>);
}
