//! Takes away what a goal says besides itself: the marks of a message (handles, addresses, tags, smileys) and the
//! announcement that it is a resolution for a new year.
//!
//! "RT @ann: My #NewYearsResolution is to learn Spanish in 2015 :)" is the goal "learn Spanish".
//! Only what stands before or after the goal goes away: a handle or tag within a sentence is one of its words.
//! Only templates read goals this way; exact keys and the verifier see what the user wrote.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::goal::Goal;
use crate::goal::phrases::Pattern;
use crate::goal::words::{self, Token};

/// How many announcements may follow each other ("Happy new year! My resolution for 2015: I vow to").
const MAX_ANNOUNCEMENTS: usize = 6;

/// What may stand before a goal and only announces it; "I want to" is left to the analysis, which learns from it what
/// kind of answer is wanted.
/// `YEAR` is a calendar year, `THIS` the coming one, `QUALITY` what people call their resolutions, `NAME` the thing itself.
const LEADING: [(&str, Says); 18] = [
    ("QUALITY* my|our QUALITY* to", Says::Resolution),
    (
        "QUALITY* my|our QUALITY* for|in? THIS? is|will|would|was be? to?",
        Says::Resolution,
    ),
    (
        "my|our|the|one|a? of? my|our? QUALITY* NAME for|in|of? THIS? is|are|will|would|was be? to?",
        Says::Resolution,
    ),
    ("QUALITY* NAME for|in|of? THIS? to", Says::Resolution),
    ("THIS is|will the|my|be* year i will?", Says::Resolution),
    ("in|for|of? THIS? NAME number? to?", Says::Resolution),
    (
        "in|for? the? new year i|we am|will? going? to?",
        Says::Resolution,
    ),
    (
        "in|for? this? YEAR i|we? am|will? going? to?",
        Says::Resolution,
    ),
    ("this year i|we am|will going? to?", Says::Resolution),
    (
        "this year i|we want|need|plan|hope|would|resolve like? to",
        Says::Resolution,
    ),
    (
        "happy new year|years everyone|all|everybody|guys|friends|to|you*",
        Says::Resolution,
    ),
    ("new year|years new me|you", Says::Resolution),
    (
        "i|we resolve|resolved|vow|promise|pledge|swear|intend|am resolving|determined? to",
        Says::Nothing,
    ),
    ("it? is? time for? me? to", Says::Nothing),
    ("note to self", Says::Nothing),
    ("to", Says::Nothing),
    ("i|we? gotta", Says::Nothing),
    (
        "really|just|still|also* need|want|going|hoping|trying|try|hope|plan|planning|have to",
        Says::Nothing,
    ),
];

/// What may stand after a goal; the second half only where something else says that it is a resolution.
const TRAILING: [(&str, bool); 4] = [
    ("in|for|of|during? the? new|coming? year|years? YEAR", true),
    ("in|for|during? the new year", true),
    (
        "in|for|during? this|the|next|coming new|coming|upcoming* year",
        false,
    ),
    ("this new|coming|upcoming? year", false),
];

/// Smileys that hold a letter or digit; the others hold no word anyway.
const SMILEYS: [&str; 12] = [
    ":d", ":p", ":-d", ":-p", ";d", ";p", "xd", "<3", "=d", "=p", ":o", ":3",
];

/// Parts of a tag that only say that it is a new-year resolution.
const TAGS: [&str; 8] = [
    "resolution",
    "newyear",
    "nye",
    "newme",
    "newyou",
    "hashtagoftheweek",
    "lifegoals",
    "goalsfor",
];

/// What an announcement tells about the rest of the goal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// It is a resolution, so "this year" is no span of time to plan for.
    Resolution,
    /// Nothing.
    Nothing,
}

static LEADS: LazyLock<Vec<(Pattern, Says)>> = LazyLock::new(|| compile(&LEADING));

static TRAILS: LazyLock<Vec<(Pattern, bool)>> = LazyLock::new(|| compile(&TRAILING));

fn compile<T: Copy>(patterns: &[(&str, T)]) -> Vec<(Pattern, T)> {
    patterns
        .iter()
        .map(|(text, tells)| (Pattern::new(&expand(text)), *tells))
        .collect()
}

/// What a calendar year is called in patterns.
const YEAR: &str = "<year>";

/// Splits a text into tokens in which every calendar year has the same word.
fn dated(text: &str) -> Vec<Token> {
    let mut tokens = words::tokenise(text);
    for token in &mut tokens {
        if is_year(&token.word) {
            YEAR.clone_into(&mut token.word);
        }
    }
    tokens
}

/// Says whether a word is a year that a resolution may be for.
pub(super) fn is_year(word: &str) -> bool {
    word.len() == 4
        && word
            .parse()
            .is_ok_and(|year: u32| (2010..2050).contains(&year))
}

/// Writes the named parts of a pattern out.
fn expand(pattern: &str) -> String {
    let years = YEAR;
    let parts: Vec<String> = pattern
        .split(' ')
        .map(|part| {
            let (name, ending) = match part.strip_suffix(['?', '*']) {
                Some(name) => (name, part.get(name.len()..).unwrap_or_default()),
                None => (part, ""),
            };
            match (name, ending) {
                ("YEAR", _) => format!("{years}{ending}"),
                ("THIS", "?") => {
                    format!("this|the|next|coming|new* year|{years}?")
                }
                ("THIS", _) => format!("this|the|next|coming|new* year|{years}"),
                ("QUALITY", _) => "one|first|second|only|main|big|biggest|real|actual|usual|official|personal|top|new|number|\
                                   annual|simple|ny|nye|cliche|year|years"
                    .to_owned()
                    + ending,
                ("NAME", _) => format!("resolution|resolutions|goal|goals|res{ending}"),
                _ => part.to_owned(),
            }
        })
        .collect();
    parts.join(" ")
}

/// Reads a goal without what surrounds it.
pub(super) fn plain(goal: &Goal) -> Cow<'_, Goal> {
    match without(goal.text()) {
        Some(text) => Cow::Owned(Goal::analyse(&text)),
        None => Cow::Borrowed(goal),
    }
}

/// Returns the goal without what surrounds it; `None` when nothing does, or when nothing would be left.
///
/// Cost: some microseconds for a text without marks.
pub(super) fn without(text: &str) -> Option<String> {
    let (unmarked, tagged) = unmark(text);
    let mut rest = unmarked.as_str();
    let mut resolution = tagged;
    for _ in 0..MAX_ANNOUNCEMENTS {
        let Some((after, says)) = announced(rest) else {
            break;
        };
        resolution |= says == Says::Resolution;
        rest = after;
    }
    rest = closed(rest, resolution);
    (!rest.is_empty() && rest != text).then(|| rest.to_owned())
}

/// Drops marks; also says whether one of them told that this is a resolution.
fn unmark(text: &str) -> (String, bool) {
    let mut tagged = false;
    let mut pieces: Vec<String> = Vec::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_word = |piece: &&str| piece.chars().any(char::is_alphanumeric) && !is_mark(piece);
    let first = words.iter().position(is_word).unwrap_or(0);
    let last = words.iter().rposition(is_word).unwrap_or(words.len());
    let first_mark = words
        .iter()
        .position(|piece| !piece.chars().all(|c| c.is_ascii_punctuation()));
    let first_mark = first_mark.unwrap_or(0);
    for (at, piece) in words.iter().enumerate() {
        if at == first_mark && is_repost(piece) && words.len() > 1 {
            continue;
        }
        if is_entity(piece) {
            continue;
        }
        if is_joined_greeting(piece) {
            tagged = true;
            continue;
        }
        if let Some(tag) = tag(piece) {
            if is_new_year(tag) {
                tagged = true;
                continue;
            }
            pieces.push(split_capitals(tag));
        } else if (is_handle(piece) && !(first..=last).contains(&at))
            || is_address(piece)
            || is_smiley(piece)
        {
            continue;
        } else if *piece == "&amp;" {
            pieces.push("and".to_owned());
        } else {
            pieces.push(without_mojibake(piece).to_owned());
        }
    }
    let joined = pieces.join(" ");
    let unchanged = !tagged && pieces.len() == words.len() && joined.len() == text.trim().len();
    if unchanged {
        (text.to_owned(), false)
    } else {
        (joined, tagged)
    }
}

/// Says whether a piece is a mark and no word of the goal.
pub(super) fn is_mark(piece: &str) -> bool {
    is_repost(piece)
        || is_entity(piece)
        || tag(piece).is_some_and(is_new_year)
        || is_handle(piece)
        || is_address(piece)
        || is_smiley(piece)
}

/// Says whether a piece marks a repeated message ("RT:").
pub(super) fn is_repost(piece: &str) -> bool {
    piece.trim_start_matches('"').trim_end_matches(':') == "RT"
}

/// Says whether a piece is a sign that lost its rendering ("&gt;").
fn is_entity(piece: &str) -> bool {
    matches!(piece, "&gt;" | "&lt;" | "&lt;3" | "&lt;3!" | "&quot;")
}

/// Says whether a piece is a greeting for the new year that lost its tag ("HappyNewYear").
fn is_joined_greeting(piece: &str) -> bool {
    let bare = piece.trim_end_matches(['!', '.', ',', ':']);
    bare.len() > 7
        && bare.chars().all(char::is_alphanumeric)
        && bare.chars().skip(1).any(char::is_uppercase)
        && is_new_year(bare)
}

/// Returns the letters of a tag ("#Goals2015!").
pub(super) fn tag(piece: &str) -> Option<&str> {
    let body = piece
        .trim_start_matches(['"', '\'', '(', '.'])
        .strip_prefix('#')?;
    let end = body
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(body.len());
    // "#1" is a number, and "c#" no tag.
    body.get(..end)
        .filter(|tag| tag.chars().any(char::is_alphabetic) || tag.len() == 4)
}

fn is_new_year(tag: &str) -> bool {
    let lower = tag.to_lowercase();
    let bare = lower.trim_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits: String = lower.chars().filter(char::is_ascii_digit).collect();
    let has_year = is_year(&digits);
    TAGS.iter().any(|part| lower.contains(part))
        || (has_year && matches!(bare, "" | "goal" | "goals" | "happy" | "hello" | "in"))
}

/// "#QuitSmoking" says "Quit Smoking".
fn split_capitals(tag: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in tag.chars() {
        if c == '_' {
            out.push(' ');
        } else {
            if c.is_uppercase() && before.is_lowercase() {
                out.push(' ');
            }
            out.push(c);
        }
        before = c;
    }
    out
}

pub(super) fn is_handle(piece: &str) -> bool {
    piece
        .strip_prefix('@')
        .is_some_and(|name| name.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn is_address(piece: &str) -> bool {
    let piece = piece.trim_start_matches(['(', '"']);
    // Messages are cut off within an address.
    let cut = ["http", "htt", "ht"].iter().any(|head| {
        piece
            .strip_prefix(head)
            .is_some_and(|rest| rest.starts_with(['?', '\u{2026}', '\u{fffd}']))
    });
    cut || piece.starts_with("http://")
        || piece.starts_with("https://")
        || piece.starts_with("www.")
        || piece == "http"
}

/// Says whether a piece is a smiley, or a picture that lost its encoding ("_???").
fn is_smiley(piece: &str) -> bool {
    let lower = piece.to_lowercase();
    if SMILEYS.contains(&lower.as_str()) {
        return true;
    }
    let wordless = !piece.chars().any(char::is_alphanumeric);
    let signs = piece.chars().count();
    let lost = signs > 1
        && piece
            .chars()
            .all(|c| matches!(c, '?' | '_' | '.' | ':' | '"'));
    let face = signs > 1
        && piece.starts_with([':', ';', '=', '8'])
        && piece.ends_with([')', '(', '/', '\\', '|', ']', '*', '\'']);
    wordless && ((lost && piece.contains(['?', '_'])) || face)
}

/// Cuts the remains of a picture off a word ("things_???").
fn without_mojibake(piece: &str) -> &str {
    let end = piece.find("_?").or_else(|| piece.find("?_"));
    match end {
        Some(end) => piece.get(..end).unwrap_or(piece),
        None => piece,
    }
}

/// Says whether a text begins by announcing a resolution.
pub(super) fn announces(text: &str) -> bool {
    let (unmarked, _) = unmark(text);
    let mut rest = unmarked.as_str();
    for _ in 0..MAX_ANNOUNCEMENTS {
        match announced(rest) {
            Some((_, Says::Resolution)) => return true,
            Some((after, Says::Nothing)) => rest = after,
            None => return false,
        }
    }
    false
}

/// Returns what stands after an announcement that the text begins with.
fn announced(text: &str) -> Option<(&str, Says)> {
    let bare = text.trim_start_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '$' | '\u{20ac}' | '\u{a3}')
    });
    let tokens = dated(bare);
    // "My: to stay calm", "2015 - run a marathon", "1. lose weight": the sign after it makes it an announcement.
    if let Some(first) = tokens.first() {
        let rest = bare.get(first.range.end..).unwrap_or_default();
        let sign = rest.trim_start();
        let is_year = first.word == YEAR;
        let item = first.word.len() <= 2 && first.word.bytes().all(|b| b.is_ascii_digit());
        let heads = match first.word.as_str() {
            "my" | "our" | "resolution" | "resolutions" | "goal" | "goals" | "rt" => true,
            _ => is_year,
        };
        let opens =
            sign.starts_with([':', '-', ',', '=', '?']) || (sign.starts_with('.') && !is_year);
        if heads && (opens || (is_year && sign.starts_with('.'))) {
            return Some((signs_off(rest), Says::Resolution)).filter(|(rest, _)| !rest.is_empty());
        }
        if item
            && (rest.starts_with(['.', ')', ':']) && !rest.starts_with(".."))
            && !rest
                .trim_start_matches(['.', ')', ':'])
                .starts_with(|c: char| c.is_ascii_digit())
        {
            return Some((signs_off(rest), Says::Nothing)).filter(|(rest, _)| !rest.is_empty());
        }
    }
    let (length, says) = LEADS
        .iter()
        .filter_map(|(pattern, says)| Some((pattern.match_at(&tokens, 0)?, *says)))
        .max_by_key(|(length, _)| *length)?;
    let last = tokens.get(length - 1)?;
    // Half of a contraction cannot be taken away.
    if tokens
        .get(length)
        .is_none_or(|next| next.range == last.range)
    {
        return None;
    }
    Some((signs_off(bare.get(last.range.end..)?), says))
}

fn signs_off(text: &str) -> &str {
    text.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | '-' | ',' | '.' | '!' | ')' | '"' | '\'')
    })
}

/// Returns the text without a year at its end that only dates the resolution.
fn closed(text: &str, resolution: bool) -> &str {
    if !text.contains("year") && !text.contains("20") {
        return text.trim();
    }
    let tokens = dated(text);
    let ends = |pattern: &Pattern, at: usize| {
        pattern
            .match_at(&tokens, at)
            .is_some_and(|length| at + length == tokens.len())
    };
    let start = (1..tokens.len()).find(|&at| {
        TRAILS
            .iter()
            .any(|(pattern, always)| (*always || resolution) && ends(pattern, at))
            && dates(&tokens, at)
    });
    let before = start.and_then(|at| tokens.get(at - 1));
    match before.and_then(|token| text.get(..token.range.end)) {
        // What asks keeps its question mark elsewhere in the analysis; a dated question is no resolution.
        Some(cut) if !text.contains('?') || resolution => cut,
        _ => text.trim(),
    }
}

/// Says whether the words from a place on date the goal: "by 2030" is a term, "the class of 2015" a name.
fn dates(tokens: &[Token], at: usize) -> bool {
    let word = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .map_or("", |t| t.word.as_str())
    };
    let before = word(at.checked_sub(1));
    word(Some(at)) != "of"
        && !matches!(
            before,
            "by" | "before" | "until" | "since" | "of" | "from" | "after"
        )
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn the_marks_of_a_message_and_its_announcement_go_away() {
        for (text, goal) in [
            (
                "RT @ann: My #NewYearsResolution is to learn Spanish in 2015 :)",
                "learn Spanish",
            ),
            ("My to exercise more", "exercise more"),
            ("My : to save money", "save money"),
            (
                "My new year's resolution is to quit smoking",
                "quit smoking",
            ),
            (
                "my only resolution for 2031 will be to sleep more",
                "sleep more",
            ),
            ("2015: read more books _???", "read more books"),
            ("#newyearsresolution learn the guitar", "learn the guitar"),
            ("In 2015 I will run a marathon", "run a marathon"),
            ("This year I want to lose weight", "lose weight"),
            ("Happy New Year! I resolve to quit smoking", "quit smoking"),
            ("1. Lose weight", "Lose weight"),
            ("gotta save money &amp; travel", "save money and travel"),
            ("#QuitSmoking this year #resolutions", "Quit Smoking"),
            ("lose weight https://example.org/a?b", "lose weight"),
            ("need to cook more at home", "cook more at home"),
            (
                "One of my resolutions is to drink less coffee",
                "drink less coffee",
            ),
        ] {
            assert_eq!(without(text).as_deref(), Some(goal), "{text}");
        }
    }

    #[test]
    fn what_belongs_to_the_goal_stays() {
        for text in [
            "learn Spanish",
            "help @bob lose weight",
            "learn Spanish this year",
            "be debt free by 2030",
            "save 3.5 thousand dollars",
            "learn C# in 3 months",
            "my dog",
            "How do I learn Spanish?",
            "run 5 km",
            "2015",
            "my resolution",
            "I want to start to code. Where do I begin?",
        ] {
            let rest = without(text);
            assert!(
                rest.is_none() || text == "help @bob lose weight" && rest.is_none(),
                "{text}: {rest:?}"
            );
        }
    }

    #[test]
    fn any_text_can_be_read_and_what_is_left_is_part_of_it() {
        for text in [
            "",
            "   ",
            "@",
            "#",
            "RT",
            "RT :",
            "???",
            "my",
            "my to",
            "\u{1f600}",
            "#\u{e9}t\u{e9}",
            "1.",
            "2015 2015 2015",
        ] {
            if let Some(rest) = without(text) {
                assert!(!rest.is_empty(), "{text}");
            }
        }
    }
}
