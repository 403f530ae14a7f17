//! Equal meanings: a small table of synonyms and phrases that gives every token its key.
//!
//! Only words that can stand for each other in nearly any goal are listed: a wrong synonym is a wrong answer, a missing
//! one only a miss. Names keep their own stem, so that no table can make two names one.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Goal;
use super::names::{Name, NameKind};
use super::quantities::Value;
use super::words::{self, Role, Token};

/// One group a line: the key word, then words and phrases that mean the same.
const GROUPS: &str = "
quit: stop, give up, cease, get rid of, kick, giving up, gave up
overcome: conquer, beat
improve: enhance, boost, better at, get better at, become better at, get better in, become better in, getting better at
exercise: workout, workouts, work out, working out, exercising
fit: in shape, into shape, in better shape, fitness
weight: bodyweight
fast: quickly, quick, rapidly, speedily, asap, as soon as possible, as fast as possible
easy: easily, simply, effortlessly, simple
proper: properly, correctly, effectively, efficiently, effective, efficient, well
unaided: by myself, on my own, by yourself, on your own, by oneself
home: at home, from home
buy: purchase
child: kid, kids
movie: film
store: shop
vacation: holiday
apartment: flat
car: automobile
lawyer: attorney, solicitor
doctor: physician
trash: rubbish, garbage
photo: photograph, picture, pic
phone: telephone
bike: bicycle
tv: television
email: mail
begin: commence, get started, getting started
register: sign up, enrol, enroll, signing up
enable: turn on, switch on, activate
disable: turn off, switch off, deactivate
discover: find out
wake: wake up, waking up, get up, waking
entrance: entry
employee: worker
repair: fix, mend
big: large, huge
small: little, tiny
happy: joyful
scared: afraid
fear: phobia
error: mistake
difference: distinction
increase: raise
decrease: reduce, lower, cut down on, cut back on
website: web site
internet: web
wifi: wi fi
coding: code, programming, program
stay: remain
skill: ability, abilities
weightlifting: lift weights, lifting weights
anxious: nervous
procrastinate: procrastination, procrastinating, put things off, putting things off
meditate: meditation
tidy: neat
declutter: decluttering
";

/// Verbs that say little more than the goal itself; alone on one side they do not change it.
const WEAK: [&str; 5] = ["learn", "studi", "begin", "start", "skill"];

/// Words of manner that alone on one side do not change the goal.
const MANNER: [&str; 5] = ["proper", "unaid", "easi", "success", "usual"];

/// Words that another word of the same goal already says: to quit smoking is to quit cigarettes.
const IMPLIED: [(&str, &str); 4] = [
    ("cigarett", "smoke"),
    ("tobacco", "smoke"),
    ("alcohol", "drink"),
    ("test", "exam"),
];

struct Table {
    words: HashMap<String, String>,
    /// By first word: the further words and the key; longest first.
    phrases: HashMap<String, Vec<(Vec<String>, String)>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        words: HashMap::new(),
        phrases: HashMap::new(),
    };
    for line in GROUPS.lines() {
        let Some((head, variants)) = line.split_once(':') else {
            continue;
        };
        let key = words::stem(head.trim());
        for variant in variants.split(',').map(str::trim) {
            let mut parts = variant.split_whitespace().map(str::to_owned);
            let Some(first) = parts.next() else { continue };
            let rest: Vec<String> = parts.collect();
            if rest.is_empty() {
                table.words.insert(words::stem(&first), key.clone());
            } else {
                table
                    .phrases
                    .entry(first)
                    .or_default()
                    .push((rest, key.clone()));
            }
        }
    }
    for list in table.phrases.values_mut() {
        list.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
    }
    table
});

/// Returns the key of a single lower-case word.
pub fn key_of(word: &str) -> String {
    let stem = words::stem(word);
    TABLE.words.get(&stem).cloned().unwrap_or(stem)
}

/// Says whether a key alone on one side leaves the goal the same.
pub fn is_weak(key: &str) -> bool {
    WEAK.contains(&key)
}

/// Says whether a key only tells the manner in which the goal is reached.
pub fn is_manner(key: &str) -> bool {
    MANNER.contains(&key)
}

/// Says whether a key adds nothing to a goal that holds the names, values and other keys given.
pub fn is_implied(key: &str, goal: &Goal) -> bool {
    let named = |kind: NameKind| goal.names().iter().any(|name| name.kind == kind);
    let holds = |key: &str| goal.tokens().iter().any(|token| token.key == key);
    let value = |wanted: fn(&Value) -> bool| {
        goal.quantities()
            .iter()
            .any(|quantity| wanted(&quantity.value))
    };
    match key {
        "languag" => named(NameKind::Language) || named(NameKind::Programming),
        "play" => named(NameKind::Instrument),
        "code" => named(NameKind::Programming),
        // To learn a language is to learn to speak it; to improve it is not only that.
        "speak" => {
            named(NameKind::Language) && (holds("learn") || holds("fluent") || holds("convers"))
        }
        "weight" => value(|v| matches!(v, Value::Weight { .. })),
        "money" => value(|v| matches!(v, Value::Money { .. })),
        _ => IMPLIED
            .iter()
            .any(|(implied, by)| *implied == key && holds(by)),
    }
}

/// Gives every token its key; a phrase gives its key to its first content place and merges the others into it.
pub(super) fn canonicalise(tokens: &mut [Token], names: &[Name]) {
    let mut at = 0;
    while at < tokens.len() {
        let named = names.iter().any(|name| name.tokens.contains(&at));
        if named {
            if let Some(token) = tokens.get_mut(at).filter(|token| token.role != Role::Value) {
                token.role = Role::Content;
            }
            at += 1;
            continue;
        }
        if let Some((length, key)) = phrase_at(tokens, at) {
            for (i, token) in tokens.iter_mut().skip(at).take(length).enumerate() {
                token.role = if i == 0 { Role::Content } else { Role::Merged };
                if i == 0 {
                    token.key.clone_from(&key);
                }
            }
            at += length;
            continue;
        }
        if let Some(token) = tokens
            .get_mut(at)
            .filter(|token| token.role == Role::Content)
            && let Some(key) = TABLE.words.get(&token.stem)
        {
            token.key.clone_from(key);
        }
        at += 1;
    }
}

fn phrase_at(tokens: &[Token], at: usize) -> Option<(usize, String)> {
    let first = tokens.get(at)?;
    let free = |token: &Token| !matches!(token.role, Role::Value | Role::Lead);
    let (rest, key) = TABLE.phrases.get(&first.word)?.iter().find(|(rest, _)| {
        free(first)
            && rest.iter().enumerate().all(|(i, word)| {
                tokens
                    .get(at + 1 + i)
                    .is_some_and(|t| t.word == *word && free(t))
            })
    })?;
    Some((rest.len() + 1, key.clone()))
}
