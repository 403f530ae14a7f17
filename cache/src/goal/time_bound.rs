//! Goals bound to the moment of asking: their right answer differs tomorrow, so no stored answer fits.
//!
//! A span ("in 3 months") or a starting point ("starting today", "this year") is a plan, not a moment.
//! A goal wrongly taken as bound only costs a miss.

use super::intent::Intent;
use super::quantities::TimeUnit;
use super::words::Token;

/// Says whether the right answer depends on the moment of asking.
pub(super) fn is_time_bound(tokens: &[Token], intent: Intent) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at
            .checked_sub(1)
            .and_then(|i| tokens.get(i))
            .map_or("", |t| t.word.as_str());
        let after = tokens.get(at + 1).map_or("", |t| t.word.as_str());
        let begun = tokens.iter().take(at).any(|t| starts(&t.word));
        !(begun && is_moment(&token.word)) && bound(&token.word, before, after, intent)
    }) || dated_news(tokens)
}

fn bound(word: &str, before: &str, after: &str, intent: Intent) -> bool {
    match word {
        "tonight" | "yesterday" | "tomorrow" | "weather" | "forecast" | "headlines" => true,
        "today" => !matches!(before, "from" | "since" | "of"),
        "now" => !matches!(before, "from" | "until" | "till" | "by" | "just") && after != "on",
        "latest" | "newest" => true,
        "upcoming" => !matches!(before, "my" | "our" | "your" | "an"),
        "recent" => before == "most",
        "currently" => !matches!(before, "am" | "i" | "are"),
        // What is mine at present is part of my situation.
        "current" => !matches!(before, "my" | "our" | "your" | "a"),
        "this" => matches!(
            after,
            "week"
                | "weekend"
                | "morning"
                | "afternoon"
                | "evening"
                | "minute"
                | "moment"
                | "instant"
                | "hour"
                | "monday"
                | "tuesday"
                | "wednesday"
                | "thursday"
                | "friday"
                | "saturday"
                | "sunday"
        ),
        "next" | "last" | "coming" => {
            let day = matches!(
                after,
                "weekend"
                    | "monday"
                    | "tuesday"
                    | "wednesday"
                    | "thursday"
                    | "friday"
                    | "saturday"
                    | "sunday"
                    | "night"
            );
            let span = TimeUnit::read(after).is_some() && !after.ends_with('s');
            // "over the next month" is a span; "next week" and "last year" asked as a question are dates.
            day || (span && intent != Intent::Method && before != "the")
        }
        _ => false,
    }
}

/// Says whether a word is a moment at which one may start something.
fn is_moment(word: &str) -> bool {
    matches!(word, "today" | "tonight" | "tomorrow" | "now")
}

fn starts(word: &str) -> bool {
    matches!(
        word,
        "start" | "starting" | "starts" | "begin" | "beginning"
    )
}

/// "2026 news", "world news"; learning to read the news is a plan.
fn dated_news(tokens: &[Token]) -> bool {
    let has = |word: &str| tokens.iter().any(|t| t.word == word);
    let year = tokens.iter().any(|t| {
        t.word.len() == 4 && t.word.starts_with("20") && t.word.bytes().all(|b| b.is_ascii_digit())
    });
    has("news") && (year || tokens.len() <= 3)
}
