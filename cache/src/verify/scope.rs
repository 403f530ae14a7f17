//! Words that set for whom, where or with what an answer is meant.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::goal::synonyms;

const SCOPE: &str = "beginner beginners intermediate advanced expert professional kids children child adults adult women \
    woman men man teen teenager teenagers seniors senior elderly toddler baby babies student students pregnant vegan \
    vegetarian diabetic home gym office school outdoors indoors outdoor indoor online offline abroad remote equipment free \
    paid business personal family partner wife husband son daughter mother father friend dog cat puppy kitten";

static KEYS: LazyLock<HashSet<String>> =
    LazyLock::new(|| SCOPE.split_whitespace().map(synonyms::key_of).collect());

/// Says whether a key sets the scope of a goal.
pub(super) fn sets_scope(key: &str) -> bool {
    KEYS.contains(key)
}
