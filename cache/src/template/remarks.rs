//! Reads a goal past what is said beside it: remarks ("Wish me luck!"), labels ("#fitfam"), reasons ("because ...") and
//! words that only say how one goes about it ("work on", "in my life").
//!
//! Each step gives a further reading of the same goal, from what was written to what is left of it.
//! A template answers the first reading that it explains in full, so nothing is left out where all can be explained.
//! What tells a circumstance (an illness, a number, another person) is never left out.

use super::noise;
use super::remark_words as lists;
use crate::goal::words::{self, Kind};
use crate::goal::{Goal, Role};

/// Most readings of one goal; ordinary goals have one.
const MAX_READINGS: usize = 8;

/// Longest text that is read in parts, in bytes; beyond it a goal is a document.
const MAX_BYTES: usize = 600;

/// Returns the readings of a goal, the fullest first; never empty.
///
/// Cost: some microseconds for a plain goal, some tens for a post of several sentences.
pub(super) fn readings(goal: &Goal) -> Vec<Goal> {
    let text = goal.text();
    let mut texts: Vec<String> = Vec::new();
    let mut push = |text: String| {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    };
    let whole = noise::without(text).unwrap_or_else(|| text.to_owned());
    push(whole.clone());
    if text.len() <= MAX_BYTES {
        let post = is_post(text) || noise::announces(text);
        let untagged = without_labels(text).filter(|_| !tells_circumstance(text));
        for text in [Some(text.to_owned()), untagged].into_iter().flatten() {
            let bare = noise::without(&text).unwrap_or_else(|| text.clone());
            push(bare.clone());
            let sentence = only_wish(&text, post).map(|sentence| {
                noise::without(&sentence).unwrap_or_else(|| sentence.trim().to_owned())
            });
            for text in [Some(bare), sentence].into_iter().flatten() {
                push(text.clone());
                let reason = without_reason(&text);
                push(reason.clone());
                push(without_manner(&reason));
                push(without_manner(without_item(&reason)));
            }
        }
    }
    if texts.is_empty() {
        return vec![goal.clone()];
    }
    texts
        .iter()
        .take(MAX_READINGS)
        .map(|reading| {
            if reading == text {
                goal.clone()
            } else {
                Goal::analyse(reading)
            }
        })
        .collect()
}

/// Says whether a text bears the marks of a post: tags, handles, a repost.
fn is_post(text: &str) -> bool {
    text.split_whitespace().any(|piece| {
        noise::is_repost(piece) || noise::is_handle(piece) || noise::tag(piece).is_some()
    })
}

/// Returns a text without the tags at its end; `None` when there is none, or nothing else.
fn without_labels(text: &str) -> Option<String> {
    let pieces: Vec<&str> = text.split_whitespace().collect();
    let last = pieces.iter().rposition(|piece| {
        !noise::is_mark(piece)
            && noise::tag(piece).is_none()
            && piece.chars().any(char::is_alphanumeric)
    })?;
    let kept = pieces.get(..=last)?;
    (kept.len() < pieces.len()).then(|| kept.join(" "))
}

/// Says whether a text tells something that would change nearly any plan.
fn tells_circumstance(text: &str) -> bool {
    let lower = text.to_lowercase();
    lists::CIRCUMSTANCES.iter().any(|part| lower.contains(part))
}

/// Splits a text into sentences, bracketed and quoted parts included.
fn sentences(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    let blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        let ends = match c {
            '.' | '!' | '?' => {
                blank(next) || matches!(bytes.get(next), Some(b'"' | b')' | b'.' | b'!' | b'?'))
            }
            ';' | '\n' | '(' | ')' | '"' | '\u{2026}' | '~' | '|' => true,
            '-' => at > 0 && blank(at - 1) && blank(next),
            _ => false,
        };
        if ends {
            parts.push(text.get(start..next).unwrap_or_default());
            start = next;
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.retain(|part| part.chars().any(char::is_alphabetic));
    parts
}

/// Returns the only sentence that states a wish, when all others are remarks; `None` when there is but one sentence, or
/// when the others may be more than remarks.
///
/// In a post, which speaks to others, sentences about its writer count as remarks too.
fn only_wish(text: &str, post: bool) -> Option<String> {
    let parts = sentences(text);
    if parts.len() < 2 {
        return None;
    }
    let announced: Vec<usize> = (0..parts.len())
        .filter(|at| parts.get(*at).is_some_and(|part| noise::announces(part)))
        .collect();
    let is_wish = |at: usize, part: &str| match announced.as_slice() {
        [only] if *only == at => true,
        _ => !(is_remark(part) || (post && is_statement(part)) || is_saying(part)),
    };
    let mut wishes = parts
        .iter()
        .enumerate()
        .filter(|(at, part)| is_wish(*at, part));
    match (wishes.next(), wishes.next()) {
        (Some((_, wish)), None) => Some((*wish).to_owned()),
        _ => None,
    }
}

/// Says whether every word of a sentence is one of those by which people comment what they say.
fn is_remark(sentence: &str) -> bool {
    let tokens = words::tokenise(sentence);
    let counts = |word: &str| lists::REMARKS.contains(word) || noise::is_year(word);
    // "Be happy", "new job": of the same words, but a wish.
    let wishes = match tokens.as_slice() {
        [first, second, ..] => {
            lists::WISHING.contains(&first.word.as_str())
                && !matches!(second.word.as_str(), "year" | "years" | "me" | "you")
        }
        _ => false,
    };
    !wishes
        && !tokens
            .iter()
            .any(|token| lists::DENIALS.contains(&token.word.as_str()))
        && tokens.iter().all(|token| match token.kind {
            Kind::Word => token.role == Role::Function || counts(&token.word),
            Kind::Number(_) | Kind::Ordinal(_) => noise::is_year(&token.word),
            Kind::Clock(_) | Kind::Symbol(_) => false,
        })
}

/// Says whether a sentence of a post tells about its writer or asks its readers, and neither wishes nor tells a
/// circumstance.
fn is_statement(sentence: &str) -> bool {
    let goal = Goal::analyse(sentence);
    let opens = goal
        .tokens()
        .first()
        .is_some_and(|token| lists::OPENINGS.contains(&token.word.as_str()));
    let wishes = goal.tokens().iter().any(|token| {
        lists::WISHES.contains(&token.word.as_str())
            || lists::DENIALS.contains(&token.word.as_str())
    });
    opens && !wishes && goal.quantities().is_empty() && !tells_circumstance(sentence)
}

/// Says whether a sentence is a saying: it states something of nobody, and neither wishes nor tells a circumstance.
fn is_saying(sentence: &str) -> bool {
    let tokens = words::tokenise(sentence);
    let states = tokens.iter().skip(1).any(|token| {
        matches!(
            token.word.as_str(),
            "is" | "are" | "happens" | "was" | "makes" | "gets"
        )
    });
    let personal = tokens.iter().any(|token| {
        lists::PERSONAL.contains(&token.word.as_str())
            || lists::WISHES.contains(&token.word.as_str())
            || lists::DENIALS.contains(&token.word.as_str())
            || token.kind != Kind::Word
    });
    states && !personal && tokens.len() <= 12 && !tells_circumstance(sentence)
}

/// Returns a goal without the reason at its end, unless that tells a circumstance or a number.
fn without_reason(text: &str) -> String {
    let tokens = words::tokenise(text);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.word.as_str());
    let start = (2..tokens.len()).find(|&at| {
        let next = word(at + 1);
        match word(at) {
            "because" | "cause" | "cuz" | "coz" | "bc" | "cos" | "since" => {
                next != "of" || word(at) == "because"
            }
            "so" => matches!(next, "i" | "that" | "we"),
            _ => false,
        }
    });
    let (Some(first), Some(before)) = (
        start.and_then(|at| tokens.get(at)),
        start.and_then(|at| tokens.get(at - 1)),
    ) else {
        return text.to_owned();
    };
    let reason = text.get(first.range.start..).unwrap_or_default();
    let plain = Goal::analyse(reason).quantities().is_empty() && !tells_circumstance(reason);
    // Behind the reason something else may be wished.
    let ends = start.is_some_and(|at| tokens.iter().skip(at).all(|token| !token.starts_sentence));
    // "So much that", "ever since": part of the goal.
    match text.get(..before.range.end) {
        Some(rest) if plain && ends && before.word != "ever" => rest.to_owned(),
        _ => text.to_owned(),
    }
}

/// Returns a goal without what is left of a list or of a removed tag before it ("2 follow my dreams", "My Be kind").
fn without_item(text: &str) -> &str {
    let tokens = words::tokenise(text);
    let second = tokens.get(1).map_or(text.len(), |token| token.range.start);
    let item = tokens.first().is_some_and(|token| match token.kind {
        Kind::Number(number) => (0.0..50.0).contains(&number),
        Kind::Word => {
            token.word == "my"
                && tokens
                    .get(1)
                    .is_some_and(|next| next.capital || next.word == "be")
        }
        _ => false,
    });
    match text.get(second..).filter(|rest| item && !rest.is_empty()) {
        Some(rest) => rest,
        None => text,
    }
}

/// Returns a goal without the words around it that only say how one goes about it.
fn without_manner(text: &str) -> String {
    let mut rest = text;
    for _ in 0..3 {
        let tokens = words::tokenise(rest);
        let lead = lists::leading(&tokens).filter(|length| *length < tokens.len());
        let tail = lists::trailing(&tokens).filter(|at| *at > 0);
        let start = lead
            .and_then(|length| tokens.get(length))
            .map(|token| token.range.start);
        let end = tail
            .and_then(|at| tokens.get(at - 1))
            .map(|token| token.range.end);
        let (start, end) = (start.unwrap_or(0), end.unwrap_or(rest.len()));
        match rest.get(start..end).filter(|part| part.len() < rest.len()) {
            Some(part) => rest = part,
            None => break,
        }
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> String {
        readings(&Goal::analyse(text))
            .last()
            .map(|goal| goal.text().to_lowercase())
            .unwrap_or_default()
    }

    #[test]
    fn what_is_said_beside_a_goal_is_left_out() {
        for (text, goal) in [
            ("Quit smoking. Wish me luck!", "quit smoking"),
            (
                "My resolution is to eat better. I love food so much.",
                "eat better",
            ),
            ("Quit smoking (again)", "quit smoking"),
            ("Run a marathon #fitfam #running", "run a marathon"),
            ("exercise more because I sit all day", "exercise more"),
            (
                "learn the cello so I can play with friends",
                "learn the cello",
            ),
            ("continue to work on my patience in my life", "my patience"),
            ("I want to quit smoking. No excuses!!", "quit smoking"),
            ("\"My resolution is to be kind.\" What is yours?", "be kind"),
        ] {
            assert_eq!(
                last(text).trim_end_matches(['.', '!', '?', '(', ' ']),
                goal,
                "{text}"
            );
        }
    }

    #[test]
    fn what_may_change_the_plan_is_kept() {
        for text in [
            "I want to lose weight. I am diabetic.",
            "Run a marathon. I have never run more than 5 km.",
            "run a marathon because I am 60 years old",
            "My resolution is to lose weight. Not!",
            "My resolution is to be vegan. Just kidding!",
            "Learn Spanish. Quit smoking.",
            "lose weight #postpregnancy",
        ] {
            let end = text.rsplit(' ').next().unwrap_or_default().to_lowercase();
            let end = end.trim_start_matches('#');
            for reading in readings(&Goal::analyse(text)) {
                let reading = reading.text().to_lowercase();
                assert!(reading.ends_with(end), "{text}: {reading}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_readings_and_the_first_is_the_fullest(text in ".{0,80}") {
            let goal = Goal::analyse(&text);
            let readings = readings(&goal);
            proptest::prop_assert!(readings.len() <= MAX_READINGS);
            for reading in &readings {
                proptest::prop_assert!(reading.text().len() <= goal.text().len() * 4 + 8);
            }
        }
    }
}
