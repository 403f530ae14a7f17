//! Lines and columns of byte offsets.

/// A text that turns byte offsets into lines and columns.
#[derive(Debug)]
pub(super) struct Lines<'i> {
    text: &'i str,
}

impl<'i> Lines<'i> {
    pub(super) fn new(text: &'i str) -> Self {
        Self { text }
    }

    /// Returns line and column of a byte offset, both from 1, the column in characters.
    ///
    /// An offset past the end is the end; one inside a character is that character. Costs a pass over the text
    /// before it, which only a problem pays.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self
            .text
            .get(..self.text.floor_char_boundary(offset))
            .unwrap_or_default();
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_newlines() {
        let lines = Lines::new("ä = 1\r\nöö = 2\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(1), (1, 1), "inside a character");
        assert_eq!(lines.position(2), (1, 2));
        assert_eq!(lines.position(8), (2, 1));
        assert_eq!(lines.position(12), (2, 3));
        assert_eq!(lines.position(1000), (3, 1));
    }
}
