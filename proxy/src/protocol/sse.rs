//! Server-sent events, cut anywhere: bytes in, whole lines and events out.
//!
//! Line ends are LF, CRLF or CR. Comments and the fields `event`, `id` and `retry` are skipped; several `data` lines
//! of one event are joined by LF. Reference: WHATWG HTML, section 9.2.

/// An event (or a line outside of any event) longer than this is cut off and reported as [`SseItem::TooLong`].
const MAX_EVENT_BYTES: usize = 16 << 20;

/// What a stream of server-sent events holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SseItem {
    /// The data of one event.
    Data(Vec<u8>),
    /// A line that is no field: Gemini puts a bare JSON error after the last event.
    Bare(Vec<u8>),
    /// More bytes without an end than any real event has.
    TooLong,
}

/// Incremental decoder of server-sent events.
#[derive(Debug, Default)]
pub(crate) struct SseDecoder {
    lines: Lines,
    data: Option<Vec<u8>>,
    in_bare: bool,
}

impl SseDecoder {
    /// Takes more bytes and appends what they complete.
    pub(crate) fn push(&mut self, bytes: &[u8], items: &mut Vec<SseItem>) {
        let Self {
            lines,
            data,
            in_bare,
        } = self;
        let complete = lines.push(bytes, |line| take_line(line, data, in_bare, items));
        if !complete {
            items.push(SseItem::TooLong);
        }
    }

    /// Takes the end of the stream and appends what was still open.
    ///
    /// An event without its empty line counts: it is whole if its JSON is.
    pub(crate) fn finish(&mut self, items: &mut Vec<SseItem>) {
        let Self {
            lines,
            data,
            in_bare,
        } = self;
        lines.finish(|line| take_line(line, data, in_bare, items));
        items.extend(self.data.take().map(SseItem::Data));
    }
}

fn take_line(
    line: &[u8],
    data: &mut Option<Vec<u8>>,
    in_bare: &mut bool,
    items: &mut Vec<SseItem>,
) {
    if line.is_empty() {
        items.extend(data.take().map(SseItem::Data));
        return;
    }
    // Once a bare document has begun, its lines are not fields whatever they look like.
    if *in_bare || (data.is_none() && matches!(line.first(), Some(b'{' | b'['))) {
        *in_bare = true;
        items.push(SseItem::Bare(line.to_vec()));
        return;
    }
    let value = match line.strip_prefix(b"data") {
        Some([]) => &[][..],
        Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
        _ => return,
    };
    match data {
        None => *data = Some(value.to_vec()),
        Some(data) if data.len() + value.len() < MAX_EVENT_BYTES => {
            data.push(b'\n');
            data.extend_from_slice(value);
        }
        Some(_) => {
            *data = None;
            items.push(SseItem::TooLong);
        }
    }
}

/// Splits bytes into lines.
#[derive(Debug, Default)]
struct Lines {
    open: Vec<u8>,
    after_cr: bool,
    begun: bool,
}

impl Lines {
    /// Calls `line` for every line that the bytes complete; false if the open line grew too long and was dropped.
    fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) -> bool {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(end);
            if self.open.is_empty() {
                line(self.without_mark(head));
            } else {
                let mut whole = std::mem::take(&mut self.open);
                whole.extend_from_slice(head);
                line(self.without_mark(&whole));
            }
            self.begun = true;
            rest = match tail {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        if self.open.len() + rest.len() > MAX_EVENT_BYTES {
            self.open = Vec::new();
            return false;
        }
        self.open.extend_from_slice(rest);
        true
    }

    fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        let open = std::mem::take(&mut self.open);
        if !open.is_empty() {
            line(self.without_mark(&open));
        }
    }

    /// A byte order mark may stand before the first line.
    fn without_mark<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        if self.begun {
            line
        } else {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<SseItem> {
        let mut decoder = SseDecoder::default();
        let mut items = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut items);
        }
        decoder.finish(&mut items);
        items
    }

    fn data(texts: &[&str]) -> Vec<SseItem> {
        texts
            .iter()
            .map(|text| SseItem::Data(text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn every_form_that_servers_send_is_read() {
        for (stream, expected) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            ("data:a\n\n", vec!["a"]),
            ("data:  a\n\n", vec![" a"]),
            ("data: a\ndata: b\n\n", vec!["a\nb"]),
            ("\n\n\r\n\ndata: a\n\n\n\n", vec!["a"]),
            (
                ": OPENROUTER PROCESSING\n\nevent: x\nid: 3\nretry: 1\ndata: a\n\n",
                vec!["a"],
            ),
            ("data\n\n", vec![""]),
            ("database: a\n\n", vec![]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            ("data: a", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(decode(&[stream.as_bytes()]), data(&expected), "{stream:?}");
        }
    }

    #[test]
    fn a_bare_document_after_the_events_is_kept_apart() {
        let items = decode(&[b"data: a\r\n\r\n{\n \"error\": {\n\"data\": 1\n}}\n"]);
        let bare = ["{", " \"error\": {", "\"data\": 1", "}}"]
            .map(|line| SseItem::Bare(line.as_bytes().to_vec()));
        assert_eq!(items, [data(&["a"]), bare.to_vec()].concat());
    }

    #[test]
    fn an_endless_line_is_dropped_and_reported() {
        let mut decoder = SseDecoder::default();
        let mut items = Vec::new();
        for _ in 0..=MAX_EVENT_BYTES / 65536 {
            decoder.push(&[b'x'; 65536], &mut items);
        }
        assert_eq!(items, [SseItem::TooLong]);
    }

    proptest! {
        #[test]
        fn cutting_anywhere_changes_nothing(
            stream in "(data: ?[ab{]{0,3}|: c|event: e|\\{x|)(\r\n|\n|\r)((data:[ab]{0,2}|)(\r\n|\n|\r)){0,6}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let bytes = stream.as_bytes();
            let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            ends.push(bytes.len());
            ends.sort_unstable();
            let mut start = 0;
            let pieces: Vec<_> = ends.iter().map(|end| {
                let piece = bytes.get(start..*end).unwrap_or_default();
                start = *end;
                piece
            }).collect();
            prop_assert_eq!(decode(&pieces), decode(&[bytes]));
        }
    }
}
