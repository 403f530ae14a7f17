//! Gemini `generateContent` and `streamGenerateContent`.

mod contents;
mod decode_stream;
mod encode_request;
mod encode_stream;
mod error;
mod names;
mod objects;
mod path;
mod request;
mod response;
mod tools;

use super::chat::{ChatRequest, Decoded, Undecodable, Untranslatable};
use super::codec::{ChunkWriter, Codec, UpstreamRequest};
use super::error::ApiError;
use super::reply::{BrokenReply, Framing, Reply, ReplyForm, Stamp, StreamDecoder};
use super::route::Operation;

/// The protocol's codec.
#[derive(Debug)]
pub(super) struct Gemini;

impl Codec for Gemini {
    fn decode_request(&self, operation: &Operation, body: &[u8]) -> Result<Decoded, Undecodable> {
        match operation {
            Operation::Generate { model } => request::decode(model, Framing::Whole, body),
            Operation::StreamGenerate { model, sse: true } => {
                request::decode(model, Framing::Sse, body)
            }
            Operation::StreamGenerate { model, sse: false } => {
                request::decode(model, Framing::Array, body)
            }
            Operation::ChatCompletions => Err(Undecodable::WrongOperation),
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
        Some(UpstreamRequest {
            target: path::rename(target, model)?,
            body: body.to_vec(),
        })
    }

    fn model_member(&self) -> &'static str {
        "modelVersion"
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

    fn encode_error(&self, error: &ApiError, framing: Framing) -> Vec<u8> {
        let body = error::encode(error);
        match framing {
            Framing::Array => [b"[", body.as_slice(), b"]"].concat(),
            Framing::Whole | Framing::Sse => body,
        }
    }

    fn error_status(&self, error: &ApiError) -> u16 {
        error::status(error)
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }

    fn content_type(&self, framing: Framing) -> &'static str {
        match framing {
            Framing::Whole | Framing::Array => "application/json; charset=UTF-8",
            Framing::Sse => "text/event-stream",
        }
    }
}
