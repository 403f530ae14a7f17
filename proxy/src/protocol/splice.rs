//! Replacing one member of a JSON object without touching any other byte.
//!
//! A body is never re-serialised: float forms and member order matter to the upstream's own cache.

use std::ops::Range;

use super::json;

/// Replaces the string value of every top-level member `name`.
///
/// `None` if the bytes are no JSON object, have no such member, or its value is no string.
pub(crate) fn replace_member(object: &[u8], name: &str, value: &str) -> Option<Vec<u8>> {
    let spans = string_members(object, name)?;
    let quoted = json::quoted(value);
    let mut spliced = Vec::with_capacity(object.len() + quoted.len());
    let mut copied = 0;
    for span in &spans {
        spliced.extend_from_slice(object.get(copied..span.start)?);
        spliced.extend_from_slice(quoted.as_bytes());
        copied = span.end;
    }
    spliced.extend_from_slice(object.get(copied..)?);
    (!spans.is_empty()).then_some(spliced)
}

fn string_members(object: &[u8], name: &str) -> Option<Vec<Range<usize>>> {
    let mut scanner = Scanner {
        bytes: object,
        at: 0,
    };
    let mut spans = Vec::new();
    scanner.blank();
    scanner.expect(b'{')?;
    scanner.blank();
    if scanner.peek()? == b'}' {
        return Some(spans);
    }
    loop {
        scanner.blank();
        let found = is_name(object.get(scanner.string()?)?, name);
        scanner.blank();
        scanner.expect(b':')?;
        scanner.blank();
        if found && scanner.peek()? != b'"' {
            return None;
        }
        let span = scanner.value()?;
        if found {
            spans.push(span);
        }
        scanner.blank();
        match scanner.next()? {
            b',' => {}
            b'}' => return Some(spans),
            _ => return None,
        }
    }
}

/// Compares a quoted name, which may hold escapes.
fn is_name(quoted: &[u8], name: &str) -> bool {
    if quoted.contains(&b'\\') {
        serde_json::from_slice::<String>(quoted).is_ok_and(|text| text == name)
    } else {
        quoted.get(1..quoted.len().saturating_sub(1)) == Some(name.as_bytes())
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.next()? {
                b'\\' => {
                    self.next()?;
                }
                b'"' => return Some(start..self.at),
                _ => {}
            }
        }
    }

    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' if depth == 0 => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                break;
            }
        }
        (self.at > start).then_some(start..self.at)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_top_level_value_changes() {
        for (before, after) in [
            (r#"{"model":"a"}"#, Some(r#"{"model":"b\"c"}"#)),
            (
                "{ \"x\" : [ {\"model\":\"no\"} ], \"t\":1.50 ,\r\n\"model\" :\t\"a\\\"\" , \"z\":{}}\n",
                Some(
                    "{ \"x\" : [ {\"model\":\"no\"} ], \"t\":1.50 ,\r\n\"model\" :\t\"b\\\"c\" , \"z\":{}}\n",
                ),
            ),
            (r#"{"mod\u0065l":"a"}"#, Some(r#"{"mod\u0065l":"b\"c"}"#)),
            (
                r#"{"model":"a","model":"z"}"#,
                Some(r#"{"model":"b\"c","model":"b\"c"}"#),
            ),
            (r#"{"models":"a","x":"model"}"#, None),
            (r#"{"model":{"a":1}}"#, None),
            (r#"["model"]"#, None),
            (r#"{"model":"a""#, None),
            ("{}", None),
            ("", None),
        ] {
            let spliced = replace_member(before.as_bytes(), "model", "b\"c");
            assert_eq!(spliced.as_deref(), after.map(str::as_bytes), "{before}");
        }
    }

    proptest! {
        #[test]
        fn splicing_the_same_value_back_changes_nothing(
            before in "[ \n]{0,2}", members in "(\"[a-z]{1,3}\":(1\\.50|\\[\\{\"model\":\"x\"\\}\\]|\"\\\\\"\"), ?){0,4}",
        ) {
            let body = format!("{before}{{{members}\"model\" : \"old\" }}");
            let there = replace_member(body.as_bytes(), "model", "new").unwrap();
            prop_assert_ne!(&there, body.as_bytes());
            prop_assert_eq!(replace_member(&there, "model", "old").unwrap(), body.as_bytes());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = replace_member(&bytes, "model", "new");
            let _ = replace_member(&[b"{\"model\":\"", bytes.as_slice()].concat(), "model", "new");
        }
    }
}
