//! Characters that people cannot see and models can read.
//!
//! A language model follows an instruction written in tag characters or variation selectors; a tokenizer drops most
//! of them, so that the goal with the instruction and the goal without it have one vector. Who plants the first
//! would answer the second. The ranges are those of Unicode's `Default_Ignorable_Code_Point` (Unicode 16.0,
//! `DerivedCoreProperties.txt`), the interlinear annotations and the control characters but for line breaks and tabs.

/// Says whether a text holds a character without a visible form.
///
/// A single variation selector after another character is how emoji are written, and is none.
pub fn has_hidden(text: &str) -> bool {
    if text.is_ascii() {
        return text.bytes().any(is_control);
    }
    let mut after_selector = true;
    text.chars().any(|c| {
        let selector = matches!(c, '\u{fe0e}' | '\u{fe0f}');
        let stacked = selector && after_selector;
        after_selector = selector;
        stacked || (!selector && is_hidden(c))
    })
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::has_hidden;

    #[test]
    fn what_people_see_is_not_hidden() {
        for text in [
            "",
            "learn Spanish",
            "Größe, 日本語, العربية",
            "I ❤\u{fe0f} tea",
            "a\tb\r\nc",
            "5\u{a0}kg",
        ] {
            assert!(!has_hidden(text), "{text:?}");
        }
    }

    #[test]
    fn what_only_a_model_reads_is_hidden() {
        for hidden in [
            "\u{e0073}\u{e0061}",
            "\u{200b}",
            "\u{feff}",
            "\u{202e}",
            "\u{fe0f}\u{fe0e}",
            "\u{1}",
            "\u{7f}",
            "\u{85}",
            "\u{3164}",
            "\u{e0101}",
        ] {
            assert!(has_hidden(&format!("learn Spanish{hidden}")), "{hidden:?}");
        }
        assert!(
            has_hidden("\u{fe0f}learn"),
            "a selector that selects nothing"
        );
        assert!(has_hidden("learn\u{0}"));
    }
}
