//! Listening in on an upstream's reply as it passes, to keep its answer if it may be kept.

use super::Protocol;
use super::reply::{FinishReason, NotStorable, Reply, StreamDecoder, StreamEvent, TokenCounts};
use tollfree_cache::entry::Answer;

/// A whole reply may be this many times longer than its text: JSON escapes one byte as six.
const MAX_ESCAPED: usize = 6;

/// What a whole reply may hold besides its text.
const MAX_AROUND_TEXT_BYTES: usize = 1 << 16;

/// Collects one reply.
pub struct Capture {
    protocol: Protocol,
    max_bytes: usize,
    state: State,
}

enum State {
    /// Nothing but blanks so far.
    Start,
    Whole(Vec<u8>),
    Stream(Box<dyn StreamDecoder>, Collected),
    Given(NotStorable),
}

#[derive(Default)]
struct Collected {
    text: String,
    finish: Option<FinishReason>,
    usage: Option<TokenCounts>,
    model: Option<String>,
    unstorable: Option<NotStorable>,
    ended: bool,
}

impl Capture {
    /// Starts on a reply with this HTTP status; its text may have at most `max_bytes`.
    ///
    /// The bytes must be free of any content coding. The form of the reply shows in its first byte.
    pub fn new(protocol: Protocol, status: u16, max_bytes: usize) -> Self {
        let state = if status == 200 {
            State::Start
        } else {
            State::Given(NotStorable::Status)
        };
        Self {
            protocol,
            max_bytes,
            state,
        }
    }

    /// Takes more bytes. Memory stays within about six times `max_bytes`, whatever comes.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Start) {
            self.state = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'{') => State::Whole(Vec::new()),
                Some(_) => {
                    State::Stream(self.protocol.codec().stream_decoder(), Collected::default())
                }
            };
        }
        let given_up = match &mut self.state {
            State::Start | State::Given(_) => None,
            State::Whole(body) => {
                let max_bytes = self
                    .max_bytes
                    .saturating_mul(MAX_ESCAPED)
                    .saturating_add(MAX_AROUND_TEXT_BYTES);
                body.extend_from_slice(bytes);
                (body.len() > max_bytes).then_some(NotStorable::TooLarge)
            }
            State::Stream(decoder, collected) => {
                let mut events = Vec::new();
                decoder.push(bytes, &mut events);
                collected.take(events);
                let too_large = collected.text.len() > self.max_bytes;
                collected
                    .unstorable
                    .or(too_large.then_some(NotStorable::TooLarge))
            }
        };
        if let Some(reason) = given_up {
            self.state = State::Given(reason);
        }
    }

    /// Tells whether there is anything left to hope for.
    pub fn is_given_up(&self) -> bool {
        matches!(self.state, State::Given(_))
    }

    /// Tells whether the reply has come to the end its own protocol marks, before the body has.
    pub fn is_complete(&self) -> bool {
        matches!(&self.state, State::Stream(_, collected) if collected.ended)
    }

    /// Ends the reply and gives its answer. Only for a body that came to its proper end.
    ///
    /// # Errors
    /// Why the answer may not be stored.
    pub fn finish(self) -> Result<Answer, NotStorable> {
        let answer = match self.state {
            State::Start => return Err(NotStorable::Incomplete),
            State::Given(reason) => return Err(reason),
            State::Whole(body) => self
                .protocol
                .codec()
                .decode_reply(&body)
                .map_err(|_| NotStorable::Malformed)?
                .into_answer()?,
            State::Stream(mut decoder, mut collected) => {
                let mut events = Vec::new();
                decoder.finish(&mut events);
                collected.take(events);
                collected.into_reply()?.into_answer()?
            }
        };
        if answer.text.len() > self.max_bytes {
            Err(NotStorable::TooLarge)
        } else {
            Ok(answer)
        }
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Capture")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl Collected {
    fn take(&mut self, events: Vec<StreamEvent>) {
        for event in events {
            match event {
                // Text behind the protocol's end mark belongs to no answer.
                StreamEvent::Text(_) if self.ended => self.give_up(NotStorable::Malformed),
                StreamEvent::Text(text) => self.text.push_str(&text),
                StreamEvent::ToolCall(_) => self.give_up(NotStorable::ToolCalls),
                StreamEvent::Finish(finish) => self.finish = Some(finish),
                StreamEvent::Usage(usage) => self.usage = Some(usage),
                StreamEvent::Model(model) => self.model = Some(model),
                StreamEvent::Unstorable(reason) => self.give_up(reason),
                StreamEvent::Error(_) => self.give_up(NotStorable::Error),
                StreamEvent::Malformed => self.give_up(NotStorable::Malformed),
                StreamEvent::Done => self.ended = true,
            }
        }
    }

    fn give_up(&mut self, reason: NotStorable) {
        self.unstorable.get_or_insert(reason);
    }

    fn into_reply(self) -> Result<Reply, NotStorable> {
        if let Some(reason) = self.unstorable {
            return Err(reason);
        }
        Ok(Reply {
            text: self.text,
            finish: self.finish.ok_or(NotStorable::Incomplete)?,
            usage: self.usage,
            model: self.model,
            tool_calls: Vec::new(),
            unstorable: None,
        })
    }
}

#[cfg(test)]
mod tests;
