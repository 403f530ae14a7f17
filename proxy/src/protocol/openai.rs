//! OpenAI chat completions (also vLLM and every other server that speaks them).

mod decode_stream;
mod encode_request;
mod encode_stream;
mod error;
mod messages;
mod request;
mod response;

use super::chat::{ChatRequest, Decoded, Undecodable, Untranslatable};
use super::codec::{ChunkWriter, Codec, UpstreamRequest};
use super::error::ApiError;
use super::reply::{BrokenReply, Framing, Reply, ReplyForm, Stamp, StreamDecoder};
use super::route::Operation;
use super::splice;

/// A document in the place of a stream that is longer than this is cut off and malformed.
const MAX_BARE_BYTES: usize = 16 << 20;

/// The protocol's codec.
#[derive(Debug)]
pub(super) struct OpenAi;

impl Codec for OpenAi {
    fn decode_request(&self, operation: &Operation, body: &[u8]) -> Result<Decoded, Undecodable> {
        match operation {
            Operation::ChatCompletions => request::decode(body),
            Operation::Generate { .. } | Operation::StreamGenerate { .. } => {
                Err(Undecodable::WrongOperation)
            }
        }
    }

    fn encode_request(
        &self,
        request: &ChatRequest,
        model: &str,
    ) -> Result<UpstreamRequest, Untranslatable> {
        encode_request::encode(request, model)
    }

    fn rename_model(&self, target: &str, body: &[u8], model: &str) -> Option<UpstreamRequest> {
        let body = splice::replace_member(body, "model", model)?;
        Some(UpstreamRequest {
            target: target.to_owned(),
            body,
        })
    }

    fn model_member(&self) -> &'static str {
        "model"
    }

    fn decode_reply(&self, body: &[u8]) -> Result<Reply, BrokenReply> {
        response::decode(body)
    }

    fn encode_reply(&self, reply: &Reply, stamp: &Stamp) -> Vec<u8> {
        response::encode(reply, stamp)
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder> {
        Box::new(decode_stream::Decoder::default())
    }

    fn chunk_writer(&self, form: ReplyForm, stamp: Stamp) -> Box<dyn ChunkWriter> {
        Box::new(encode_stream::Writer::new(form, stamp))
    }

    fn encode_error(&self, error: &ApiError, _framing: Framing) -> Vec<u8> {
        error::encode(error)
    }

    fn error_status(&self, error: &ApiError) -> u16 {
        error.status
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }

    fn content_type(&self, framing: Framing) -> &'static str {
        match framing {
            Framing::Whole | Framing::Array => "application/json",
            Framing::Sse => "text/event-stream; charset=utf-8",
        }
    }
}
