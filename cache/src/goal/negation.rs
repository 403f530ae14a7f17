//! Negation and opposites.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Goal;
use super::synonyms;
use super::words::Token;

/// Words that turn a statement round.
const NEGATIONS: [&str; 9] = [
    "not", "no", "never", "nor", "without", "non", "nobody", "nothing", "none",
];

/// Pairs of opposite words. One of them on each side makes two goals opposites.
const OPPOSITES: &str = "start/quit begin/quit start/end open/close gain/lose win/lose increase/decrease increase/reduce \
    raise/lower grow/shrink buy/sell lend/borrow enable/disable on/off in/out up/down before/after with/without \
    include/exclude allow/ban allow/forbid allow/prohibit permit/forbid accept/decline accept/reject accept/refuse \
    approve/reject add/remove insert/remove install/uninstall mute/unmute lock/unlock archive/unarchive block/unblock \
    subscribe/unsubscribe follow/unfollow hide/show public/private best/worst better/worse good/bad most/least more/less \
    more/fewer maximum/minimum maximize/minimize upgrade/downgrade import/export upload/download encode/decode \
    encrypt/decrypt do/undo hot/cold warm/cool old/new young/old safe/unsafe safe/dangerous legal/illegal \
    lawful/unlawful possible/impossible benefit/drawback advantage/disadvantage pro/con strength/weakness \
    compulsory/optional mandatory/optional required/optional internal/external inside/outside indoor/outdoor \
    pause/resume stop/continue keep/quit early/late first/last left/right above/below over/under true/false \
    cheap/expensive rich/poor easy/hard easy/difficult strong/weak love/hate remember/forget build/destroy create/delete \
    arrive/leave enter/leave enter/exit push/pull send/receive attack/defend inner/outer short/long short/tall \
    high/low fast/slow big/small day/night summer/winter morning/evening male/female man/woman husband/wife boy/girl \
    introvert/extrovert beginner/advanced member/non full/half";

static PAIRS: LazyLock<HashSet<(String, String)>> = LazyLock::new(|| {
    OPPOSITES
        .split_whitespace()
        .filter_map(|pair| pair.split_once('/'))
        .map(|(a, b)| (synonyms::key_of(a), synonyms::key_of(b)))
        .flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)])
        .collect()
});

/// Words that place something in time, each excluding the others.
const TIMES: [&str; 5] = ["before", "after", "within", "during", "until"];

/// Says whether two goals place things at different sides of a time: "within the period" and "after the period".
pub fn are_at_other_times(a: &[Token], b: &[Token]) -> bool {
    let times = |tokens: &[Token]| TIMES.map(|time| tokens.iter().any(|token| token.word == time));
    let (a, b) = (times(a), times(b));
    a.contains(&true) && b.contains(&true) && !a.iter().zip(b).any(|(x, y)| *x && y)
}

/// Says whether any word of a goal negates.
pub fn is_negated(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .any(|token| NEGATIONS.contains(&token.word.as_str()))
}

/// Returns how many words of a goal negate. The "no" of "No, it does not" only repeats the other.
pub fn count(goal: &Goal) -> usize {
    let answers = |token: &Token| {
        token.word == "no"
            && token.starts_sentence
            && goal
                .text()
                .get(token.range.end..)
                .is_some_and(|rest| rest.starts_with(','))
    };
    goal.tokens()
        .iter()
        .filter(|token| NEGATIONS.contains(&token.word.as_str()) && !answers(token))
        .count()
}

/// Says whether two keys are opposites, by the table or by a negating prefix ("safe", "unsafe").
pub fn are_opposite(a: &str, b: &str) -> bool {
    if PAIRS.contains(&(a.to_owned(), b.to_owned())) {
        return true;
    }
    let prefixed = |long: &str, short: &str| {
        short.len() >= 3
            && ["un", "non", "in", "im", "ir", "il", "dis", "de", "mis"]
                .iter()
                .any(|p| long.strip_prefix(p) == Some(short))
    };
    prefixed(a, b) || prefixed(b, a)
}
