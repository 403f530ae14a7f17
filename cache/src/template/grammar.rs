//! Grammar that changes a goal: for whom it is, how much of it, and who is told to do it.
//!
//! Function words hold a sentence together and are explained by themselves, but for these.

use crate::goal::{Role, Token, lexicon};

/// Strong words beside those that the verifier compares.
const STRONG: [&str; 4] = ["again", "both", "else", "whom"];

/// Another person's goal, or another person as its object.
const OTHERS: [&str; 16] = [
    "he",
    "him",
    "his",
    "she",
    "her",
    "hers",
    "they",
    "them",
    "their",
    "theirs",
    "someone",
    "somebody",
    "anyone",
    "anybody",
    "everyone",
    "everybody",
];

/// Words for people in general, who may have "their" goals ("how does one improve their spelling").
const PEOPLE: [&str; 5] = ["one", "someone", "anyone", "people", "you"];

/// Words that strengthen, weaken or repeat what is said, and change no plan.
const FILLERS: [&str; 44] = [
    "definitely",
    "totally",
    "truly",
    "honestly",
    "genuinely",
    "constantly",
    "always",
    "daily",
    "everyday",
    "often",
    "regularly",
    "consistently",
    "frequently",
    "absolutely",
    "completely",
    "fully",
    "certainly",
    "probably",
    "maybe",
    "perhaps",
    "hopefully",
    "lot",
    "lots",
    "bit",
    "much",
    "anymore",
    "overall",
    "generally",
    "especially",
    "literally",
    "once",
    "continue",
    "continuing",
    "fucking",
    "freaking",
    "damn",
    "goddamn",
    "af",
    "lol",
    "lmao",
    "haha",
    "omg",
    "tho",
    "though",
];

/// Pronouns that turn back to the speaker.
const REFLEXIVE: [&str; 3] = ["myself", "yourself", "ourselves"];

/// Keys of words of content that turn a goal round.
const TURNING: [&str; 9] = [
    "quit", "bad", "worst", "lose", "gain", "increas", "decreas", "avoid", "hate",
];

/// Keys of verbs that say little without their object.
const LIGHT: [&str; 22] = [
    "be", "becom", "keep", "make", "do", "take", "have", "get", "give", "put", "set", "stay",
    "use", "bring", "let", "turn", "come", "go", "hold", "pull", "run", "stand",
];

/// Words that make another verb of the verb before them.
const PARTICLES: [&str; 14] = [
    "on", "up", "over", "through", "along", "ahead", "back", "away", "down", "around", "by", "in",
    "together", "forward",
];

/// Grammar that can be the object of a verb of all work ("keep being me", "get it done").
const OBJECTS: [&str; 8] = [
    "me",
    "it",
    "that",
    "this",
    "something",
    "everything",
    "done",
    "what",
];

/// Says whether the key of a word is a verb of all work, which says nothing without its object.
pub(super) fn is_light(key: &str) -> bool {
    LIGHT.contains(&key)
}

/// Says whether a key praises whatever stands beside it, and says nothing about it.
pub(super) fn is_praise(key: &str) -> bool {
    matches!(key, "good" | "better" | "best" | "great")
}

/// Says whether a word of grammar makes another verb of the one before it ("move on").
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

/// Says whether a word of grammar can be the object of a verb of all work.
pub(super) fn is_object(word: &str) -> bool {
    OBJECTS.contains(&word)
}

/// Says whether the key of a word of content turns a goal round.
pub(super) fn is_turning(key: &str) -> bool {
    TURNING.contains(&key)
}

/// Says whether a word is explained in any goal, though it is no grammar.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

/// Says whether a word turns the goal back to the speaker: "love myself" is another goal than "love".
pub(super) fn is_reflexive(word: &str) -> bool {
    REFLEXIVE.contains(&word)
}

/// Says whether a function word changes the goal, so that a goal with it needs a phrasing or vocabulary with it, and a
/// phrasing with it a goal.
pub(super) fn is_strong(word: &str) -> bool {
    lexicon::is_strong(word) || STRONG.contains(&word)
}

/// Says whether a word of grammar makes the goal another person's ("help her", "how can he").
pub(super) fn is_of_others(token: &Token, tokens: &[Token]) -> bool {
    let asks_for_people = || {
        tokens
            .iter()
            .any(|token| token.role == Role::Lead && PEOPLE.contains(&token.word.as_str()))
    };
    match token.role {
        Role::Function => {
            OTHERS.contains(&token.word.as_str())
                && !(matches!(token.word.as_str(), "they" | "their" | "them") && asks_for_people())
        }
        Role::Lead => matches!(token.word.as_str(), "he" | "she" | "they"),
        Role::Content | Role::Value | Role::Merged => false,
    }
}

/// Says whether a goal tells somebody to do something now ("please get off my phone"): a request for a plan is led in
/// ("please help me"), or ends in its courtesy.
pub(super) fn is_order(tokens: &[Token]) -> bool {
    let polite = |token: &Token| matches!(token.word.as_str(), "please" | "pls" | "plz" | "kindly");
    match tokens {
        [first, second, ..] => {
            polite(first) && first.role == Role::Function && second.role != Role::Lead
        }
        _ => false,
    }
}
