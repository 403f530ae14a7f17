//! An upstream's reply in the client's protocol, where the two differ.

mod errors;

use super::Protocol;
use super::reply::{BrokenReply, ReplyForm, Stamp, StreamDecoder, StreamEvent};
use super::stream::StreamEncoder;

pub use errors::{TranslatedError, translate_error};

/// Translates a whole reply of status 200.
///
/// # Errors
/// The body is no reply of the upstream's protocol, or an error in spite of its status.
pub fn translate_reply(
    from: Protocol,
    to: Protocol,
    body: &[u8],
    stamp: &Stamp,
) -> Result<Vec<u8>, BrokenReply> {
    let reply = from.codec().decode_reply(body)?;
    Ok(to.codec().encode_reply(&reply, stamp))
}

/// Translates a streamed reply of status 200 as it passes.
pub struct StreamTranslator {
    decoder: Box<dyn StreamDecoder>,
    encoder: StreamEncoder,
}

impl StreamTranslator {
    /// Starts a reply; `form` is what the client asked for.
    pub fn new(from: Protocol, to: Protocol, form: ReplyForm, stamp: Stamp) -> Self {
        Self {
            decoder: from.codec().stream_decoder(),
            encoder: StreamEncoder::new(to, form, stamp),
        }
    }

    /// Takes bytes of the upstream, cut anywhere, and gives bytes for the client, maybe none.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut events = Vec::new();
        self.decoder.push(bytes, &mut events);
        self.encode(events)
    }

    /// Takes the end of the upstream's body, proper or not, and gives the last bytes for the client.
    ///
    /// An answer that is not complete ends with an error, as the client's protocol has it inside a stream.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut events = Vec::new();
        self.decoder.finish(&mut events);
        let mut out = self.encode(events);
        self.encoder.finish(&mut out);
        out
    }

    fn encode(&mut self, events: Vec<StreamEvent>) -> Vec<u8> {
        let mut out = Vec::new();
        for event in events {
            self.encoder.push(event, &mut out);
        }
        out
    }
}

impl std::fmt::Debug for StreamTranslator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StreamTranslator")
            .field("encoder", &self.encoder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
