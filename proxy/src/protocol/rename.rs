//! Putting the model name the client asked for into a reply of its own protocol, and changing no other byte.
//!
//! Needed where a configured upstream calls the model by another name and speaks the client's protocol: translating
//! such a reply would lose what we do not know, so it is spliced as it passes.

use super::Protocol;
use super::nesting::Nesting;
use super::splice;

/// What is held back until it is whole never grows beyond this; a longer piece passes unchanged.
const MAX_HELD_BYTES: usize = 16 << 20;

/// Renames the model in one reply, streamed or not, cut anywhere.
#[derive(Debug)]
pub struct ReplyRenamer {
    member: &'static str,
    model: String,
    form: Form,
    held: Vec<u8>,
    nesting: Nesting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Unknown,
    /// Objects, alone or in a list: each is held until it is closed.
    Objects,
    /// Server-sent events: each line is held until its end.
    Lines,
}

impl ReplyRenamer {
    /// Starts on a reply of this protocol; `model` is the name the client shall see.
    pub fn new(protocol: Protocol, model: impl Into<String>) -> Self {
        Self {
            member: protocol.codec().model_member(),
            model: model.into(),
            form: Form::Unknown,
            held: Vec::new(),
            nesting: Nesting::default(),
        }
    }

    /// Takes more bytes and gives those that may pass on.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.held.len());
        for &byte in bytes {
            if self.form == Form::Unknown && !byte.is_ascii_whitespace() {
                self.form = if matches!(byte, b'{' | b'[') {
                    Form::Objects
                } else {
                    Form::Lines
                };
            }
            match self.form {
                Form::Unknown => out.push(byte),
                Form::Objects => self.step_objects(byte, &mut out),
                Form::Lines => self.step_lines(byte, &mut out),
            }
        }
        out
    }

    /// Takes the end of the reply and gives what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.release(&mut out);
        out
    }

    fn step_objects(&mut self, byte: u8, out: &mut Vec<u8>) {
        // The list around the objects does not count: only an object opens the nesting.
        if self.nesting.depth() == 0 && byte != b'{' {
            out.push(byte);
            return;
        }
        self.nesting.step(byte);
        self.hold(byte, out);
        if self.nesting.depth() == 0 {
            self.release(out);
        }
    }

    fn step_lines(&mut self, byte: u8, out: &mut Vec<u8>) {
        if matches!(byte, b'\n' | b'\r') {
            self.release(out);
            out.push(byte);
        } else {
            self.hold(byte, out);
        }
    }

    fn hold(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.held.len() >= MAX_HELD_BYTES {
            out.append(&mut self.held);
        }
        self.held.push(byte);
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let start = if held.starts_with(b"data:") { 5 } else { 0 };
        let (field, object) = held.split_at_checked(start).unwrap_or_default();
        match splice::replace_member(object, self.member, &self.model) {
            Some(renamed) => {
                // The splice keeps what stands before the object, so the space after the colon is still there.
                out.extend_from_slice(field);
                out.extend_from_slice(&renamed);
            }
            None => out.extend_from_slice(&held),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename(protocol: Protocol, pieces: &[&[u8]]) -> String {
        let mut renamer = ReplyRenamer::new(protocol, "asked");
        let mut out: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| renamer.push(piece))
            .collect();
        out.extend(renamer.finish());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn only_the_model_changes_whatever_the_form_and_the_cuts() {
        let whole = "{\n \"id\": \"x\", \"model\":\"real\", \"choices\":[{\"model\":\"real\", \"logit\":1.50}]}\n";
        let sse = "data: {\"model\":\"real\",\"x\":1}\n\n: note\n\ndata:{\"choices\":[]}\r\n\r\ndata: [DONE]\n\n";
        let list = "[{\n  \"modelVersion\": \"real\",\n \"x\":[\"}\"]}\n,\r\n{\"modelVersion\":\"real\"}\n]";
        let cut = "data: {\"model\":\"real\",\"x\"";
        for (protocol, reply, expected) in [
            (Protocol::OpenAi, whole, whole.replacen("real", "asked", 1)),
            (Protocol::OpenAi, sse, sse.replace("real", "asked")),
            (Protocol::Gemini, list, list.replace("real", "asked")),
            (Protocol::OpenAi, cut, cut.to_owned()),
            (
                Protocol::OpenAi,
                "<html>model</html>",
                "<html>model</html>".to_owned(),
            ),
        ] {
            assert_eq!(rename(protocol, &[reply.as_bytes()]), expected);
            for cut in 0..reply.len() {
                let (head, tail) = reply.as_bytes().split_at(cut);
                assert_eq!(rename(protocol, &[head, tail]), expected, "cut at {cut}");
            }
        }
    }

    #[test]
    fn an_event_passes_on_as_soon_as_its_line_is_whole() {
        let mut renamer = ReplyRenamer::new(Protocol::OpenAi, "asked");
        assert_eq!(
            renamer.push(b"data: {\"model\":\"real\"}\n\ndata: {"),
            b"data: {\"model\":\"asked\"}\n\n"
        );
    }
}
