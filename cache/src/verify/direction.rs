//! Directions: "from A to B" and "from B to A" hold the same words and mean opposite things.

use crate::goal::{Goal, Role};

/// What a word of content stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    From,
    To,
    Nothing,
}

/// How the directions of two goals compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing stands in another direction.
    None,
    /// A word stands under "to" in one goal and free in the other, which may be wording.
    Moved,
    /// A word stands under "from" in one goal and under "to" in the other.
    Reversed,
}

/// Compares what stands under "from" and "to" in two goals.
pub(super) fn compare(a: &Goal, b: &Goal) -> Turn {
    let (a, b) = (directions(a), directions(b));
    let any = |list: &[(&str, Under)], under: Under| list.iter().any(|(_, u)| *u == under);
    // Only where both goals name a direction can the two contradict each other.
    let comparable = (any(&a, Under::From) || any(&a, Under::To))
        && (any(&b, Under::From) || any(&b, Under::To));
    if !comparable {
        return Turn::None;
    }
    let mut turn = Turn::None;
    for (key, under) in &a {
        let others: Vec<Under> = b
            .iter()
            .filter(|(other, _)| other == key)
            .map(|(_, u)| *u)
            .collect();
        if others.is_empty() || others.contains(under) {
            continue;
        }
        if others.iter().any(|other| *other != Under::Nothing) && *under != Under::Nothing {
            return Turn::Reversed;
        }
        if others.contains(&Under::To) || *under == Under::To {
            turn = Turn::Moved;
        }
    }
    turn
}

fn directions(goal: &Goal) -> Vec<(&str, Under)> {
    let mut under = Under::Nothing;
    let mut list = Vec::new();
    for token in goal.tokens() {
        if token.starts_sentence {
            under = Under::Nothing;
        }
        match (token.role, token.word.as_str()) {
            (Role::Function, "from") => under = Under::From,
            (Role::Function, "to" | "into" | "onto") => under = Under::To,
            // Another preposition or clause ends the direction.
            (
                Role::Function,
                "in" | "on" | "at" | "with" | "by" | "for" | "and" | "if" | "when" | "while" | "as"
                | "i",
            )
            | (Role::Lead, _) => {
                under = Under::Nothing;
            }
            (Role::Content, _) => list.push((token.key.as_str(), under)),
            _ => {}
        }
    }
    list
}
