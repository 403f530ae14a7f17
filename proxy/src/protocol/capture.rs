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
    body_ended: bool,
    listening: bool,
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
    /// Events nobody has fetched yet, where somebody listens.
    heard: Option<Vec<StreamEvent>>,
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
            body_ended: false,
            listening: false,
        }
    }

    /// Takes more bytes. Memory stays within about six times `max_bytes`, whatever comes.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Start) {
            self.state = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return,
                Some(b'{') => State::Whole(Vec::new()),
                Some(_) => {
                    let collected = Collected {
                        heard: self.listening.then(Vec::new),
                        ..Collected::default()
                    };
                    State::Stream(self.protocol.codec().stream_decoder(), collected)
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
                if collected.text.len() > self.max_bytes {
                    collected.give_up(NotStorable::TooLarge);
                    collected.text = String::new();
                }
                // Who listens hears the stream to its end, kept or not.
                collected.unstorable.filter(|_| collected.heard.is_none())
            }
        };
        if let Some(reason) = given_up {
            self.state = State::Given(reason);
        }
    }

    /// Keeps what a stream says for [`Self::heard`], and decodes it to its end, even if its answer may not be stored.
    pub fn listening(self) -> Self {
        Self {
            listening: true,
            ..self
        }
    }

    /// Gives what a stream has said since the last call. A reply that is no stream says nothing.
    pub fn heard(&mut self) -> Vec<StreamEvent> {
        match &mut self.state {
            State::Stream(_, collected) => collected
                .heard
                .as_mut()
                .map(std::mem::take)
                .unwrap_or_default(),
            State::Start | State::Whole(_) | State::Given(_) => Vec::new(),
        }
    }

    /// Takes the end of a body, for [`Self::heard`]; [`Self::finish`] does it too.
    pub fn end(&mut self) {
        if let State::Stream(decoder, collected) = &mut self.state
            && !std::mem::replace(&mut self.body_ended, true)
        {
            let mut events = Vec::new();
            decoder.finish(&mut events);
            collected.take(events);
        }
    }

    /// Tells whether there is nothing left to be stored.
    pub fn is_given_up(&self) -> bool {
        match &self.state {
            State::Given(_) => true,
            State::Stream(_, collected) => collected.unstorable.is_some(),
            State::Start | State::Whole(_) => false,
        }
    }

    /// Tells whether the reply has come to the end its own protocol marks, before the body has.
    pub fn is_complete(&self) -> bool {
        matches!(&self.state, State::Stream(_, collected) if collected.ended)
    }

    /// Ends the reply and gives its answer. Only for a body that came to its proper end.
    ///
    /// # Errors
    /// Why the answer may not be stored.
    pub fn finish(mut self) -> Result<Answer, NotStorable> {
        self.end();
        let answer = match self.state {
            State::Start => return Err(NotStorable::Incomplete),
            State::Given(reason) => return Err(reason),
            State::Whole(body) => self
                .protocol
                .codec()
                .decode_reply(&body)
                .map_err(|_| NotStorable::Malformed)?
                .into_answer()?,
            State::Stream(_, collected) => collected.into_reply()?.into_answer()?,
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
        if let Some(heard) = &mut self.heard {
            heard.extend(events.iter().cloned());
        }
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
