//! Long texts as JSON strings, escaped fast.
//!
//! Most of an answer's bytes are its text, and most of those need no escape: blocks without one are found by a loop
//! that the compiler vectorises and are copied whole.

use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

/// Bytes looked at together.
const BLOCK: usize = 32;

/// Serialises an optional text; for `serialize_with`.
pub(super) fn serialize<S: Serializer>(
    text: &Option<&str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        None => serializer.serialize_none(),
        Some(text) => RawValue::from_string(quoted(text))
            .map_err(S::Error::custom)?
            .serialize(serializer),
    }
}

/// The text as a JSON string (RFC 8259, section 7), with the fewest escapes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 2);
    out.push('"');
    let mut clean = 0;
    let mut at = 0;
    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let block = rest.get(..BLOCK).unwrap_or(rest);
        if !block
            .iter()
            .fold(false, |found, byte| found | needs_escape(*byte))
        {
            at += block.len();
            continue;
        }
        for (offset, byte) in block
            .iter()
            .enumerate()
            .filter(|(_, byte)| needs_escape(**byte))
        {
            out.push_str(text.get(clean..at + offset).unwrap_or_default());
            push_escape(*byte, &mut out);
            clean = at + offset + 1;
        }
        at += block.len();
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
    out
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn push_escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0C => out.push_str("\\f"),
        _ => out.push_str(&format!("\\u{byte:04x}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::quoted;

    proptest! {
        #[test]
        fn a_text_is_escaped_as_serde_json_escapes_it(text in "(\\PC|[\\x00-\\x1f\"\\\\]|[a-z ]{20,60}){0,40}") {
            prop_assert_eq!(quoted(&text), serde_json::to_string(&text)?);
        }
    }
}
