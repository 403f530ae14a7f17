//! What two texts have in common at both ends, and where in it the fixed words may end.
//!
//! Equal letters are not fixed words yet: "learn Spanish" and "learn Spain" share "learn Spa". The cut falls where a
//! token ends, so that no word and no number is ever torn, and a few words that a goal itself may well begin or end
//! with ("I want to learn") are given back to it where a stronger mark (a line break, a colon, a quote, a bracket)
//! stands just before them. Giving back is always safe: what stays in the goal is compared.

/// Words at most that are given back to the goal.
const GIVE_BACK_WORDS: usize = 4;

/// Lengths in bytes of the longest common prefix and, of what is then left of both, the longest common suffix.
///
/// Both end on character boundaries, and together they fit into either text.
pub(super) fn common(left: &str, right: &str) -> (usize, usize) {
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let (left_bytes, right_bytes) = (left.as_bytes(), right.as_bytes());
    let mut prefix = left_bytes.iter().zip(right_bytes).take_while(same).count();
    while !left.is_char_boundary(prefix) {
        prefix -= 1;
    }
    let room = left.len().min(right.len()) - prefix;
    let reversed = left_bytes.iter().rev().zip(right_bytes.iter().rev());
    let mut suffix = reversed.take(room).take_while(same).count();
    while !left.is_char_boundary(left.len() - suffix) {
        suffix -= 1;
    }
    (prefix, suffix)
}

/// The part of a common prefix that may be fixed words: up to the end of its last whole token, less what is given
/// back.
pub(super) fn fixed_before(prefix: &str) -> &str {
    let end = last_boundary(prefix, opens);
    let prefix = prefix.get(..end).unwrap_or_default();
    let strong = last_boundary(prefix, opens_strongly);
    let (head, tail) = prefix.split_at_checked(strong).unwrap_or((prefix, ""));
    if !head.is_empty() && (1..=GIVE_BACK_WORDS).contains(&tail.split_whitespace().count()) {
        // White space after the mark stays with it.
        let blank = tail.len() - tail.trim_start().len();
        return prefix.get(..strong + blank).unwrap_or_default();
    }
    prefix
}

/// The part of a common suffix that may be fixed words: from the end of its first token on, less what is given back.
pub(super) fn fixed_after(suffix: &str) -> &str {
    let suffix = suffix
        .get(first_boundary(suffix, closes)..)
        .unwrap_or_default();
    let strong = first_boundary(suffix, closes_strongly);
    let (head, tail) = suffix.split_at_checked(strong).unwrap_or(("", suffix));
    if !tail.is_empty() && (1..=GIVE_BACK_WORDS).contains(&head.split_whitespace().count()) {
        return tail;
    }
    suffix
}

/// The end of the last character that `is_boundary` with the one before it; 0 when there is none.
fn last_boundary(text: &str, is_boundary: fn(Option<char>, char) -> bool) -> usize {
    let mut characters = text.char_indices().rev().peekable();
    while let Some((index, c)) = characters.next() {
        if is_boundary(characters.peek().map(|(_, before)| *before), c) {
            return index + c.len_utf8();
        }
    }
    0
}

/// The start of the first character that `is_boundary` with the one after it; the length when there is none.
fn first_boundary(text: &str, is_boundary: fn(char, Option<char>) -> bool) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((index, c)) = characters.next() {
        if is_boundary(c, characters.peek().map(|(_, next)| *next)) {
            return index;
        }
    }
    text.len()
}

/// Whether a goal may begin after `c`. A colon in "3:30" and an apostrophe in "don't" stand inside a token.
fn opens(before: Option<char>, c: char) -> bool {
    c.is_whitespace() || opens_strongly(before, c)
}

/// Whether a goal most likely begins after `c`.
fn opens_strongly(before: Option<char>, c: char) -> bool {
    match c {
        '\n' | '"' | '`' | '<' | '>' | '[' | '{' | '(' | '|' | '“' | '„' | '«' | '‹' | '「'
        | '『' | '：' => true,
        ':' => !before.is_some_and(|before| before.is_ascii_digit()),
        '\'' | '‘' | '*' => !before.is_some_and(char::is_alphanumeric),
        _ => false,
    }
}

/// Whether a goal may end before `c`.
fn closes(c: char, next: Option<char>) -> bool {
    c.is_whitespace() || closes_strongly(c, next)
}

/// Whether a goal most likely ends before `c`.
fn closes_strongly(c: char, next: Option<char>) -> bool {
    match c {
        '\n' | '"' | '`' | '<' | '>' | ']' | '}' | ')' | '|' | '”' | '»' | '›' | '」' | '』' => {
            true
        }
        '\'' | '’' | '*' => !next.is_some_and(char::is_alphanumeric),
        _ => false,
    }
}
