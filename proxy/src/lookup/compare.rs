//! Whether two answers say the same: what labels an explored hit.
//!
//! Models word the same answer differently each time, so equality is only the first test. Then the beginnings of
//! both must be near by the embedder, and none of them may dwell on a word of its own goal that the other goal and
//! the other answer lack: plans for Spanish and for French are near each other, but only one speaks of French.
//! It errs towards *wrong*: that costs hits, the other way would cost the bound. See `docs/bound.md`.

use std::collections::HashSet;

use tokio::sync::Semaphore;

use super::models::{Models, PATIENCE};

/// How much of an answer's beginning is embedded, in characters: about what the model reads.
const HEAD_CHARS: usize = 900;

/// Least cosine of two beginnings that say the same.
const MIN_SIMILARITY: f32 = 0.85;

/// Shorter words, `and`, `the`, `how`, tell no goals apart; numbers do.
const MIN_WORD_CHARS: usize = 4;

/// Comparisons that may wait; each holds two answers in memory. Beyond, there is no label.
static WAITING: Semaphore = Semaphore::const_new(64);

/// One at a time, so that comparisons never fill the embedder's queue, which live requests wait in.
static RUNNING: Semaphore = Semaphore::const_new(1);

/// Two answers and the goals they were given for.
pub(super) struct Pair {
    pub(super) cached_goal: String,
    pub(super) asked_goal: String,
    pub(super) stored: String,
    pub(super) fresh: String,
}

/// Says whether the stored answer would have done for the goal asked; `None` when too many wait already.
///
/// # Errors
/// When the answers cannot be embedded within a minute.
pub(super) async fn same_answer(
    models: &Models,
    pair: Pair,
) -> tollfree_embedder::Result<Option<bool>> {
    let Ok(_waits) = WAITING.try_acquire() else {
        return Ok(None);
    };
    // Never closed, so that the else branch is never taken.
    let Ok(_runs) = RUNNING.acquire().await else {
        return Ok(None);
    };
    // Reading two long answers takes a millisecond: not on an event loop.
    let read = tokio::task::spawn_blocking(move || {
        if words(&pair.stored) == words(&pair.fresh) {
            return Ok(true);
        }
        if differ_by_goal(&pair) {
            return Ok(false);
        }
        Err([head(&pair.stored), head(&pair.fresh)])
    });
    let heads = match read.await {
        Ok(Ok(settled)) => return Ok(Some(settled)),
        Ok(Err(heads)) => heads,
        // Cancelled with the runtime: no label.
        Err(_) => return Ok(None),
    };
    let vectors = models.embed(heads.to_vec(), PATIENCE).await?;
    let similarity = match vectors.as_slice() {
        [a, b] => a.iter().zip(b).map(|(x, y)| x * y).sum(),
        _ => 0.0,
    };
    Ok(Some(similarity >= MIN_SIMILARITY))
}

/// The words of a text in lower case, without punctuation and markup.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether one answer speaks of a word of its goal that is foreign to the other goal and the other answer.
fn differ_by_goal(pair: &Pair) -> bool {
    let set = |text: &str| words(text).into_iter().collect::<HashSet<_>>();
    let (cached, asked) = (set(&pair.cached_goal), set(&pair.asked_goal));
    let (stored, fresh) = (set(&pair.stored), set(&pair.fresh));
    let telling = |word: &String| {
        word.chars().count() >= MIN_WORD_CHARS || word.chars().any(|c| c.is_ascii_digit())
    };
    let foreign = |own: &HashSet<String>,
                   other: &HashSet<String>,
                   says: &HashSet<String>,
                   lacks: &HashSet<String>| {
        own.difference(other)
            .any(|word| telling(word) && says.contains(word) && !lacks.contains(word))
    };
    foreign(&asked, &cached, &fresh, &stored) || foreign(&cached, &asked, &stored, &fresh)
}

/// The beginning of a text.
fn head(text: &str) -> String {
    text.chars().take(HEAD_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(cached_goal: &str, asked_goal: &str, stored: &str, fresh: &str) -> Pair {
        Pair {
            cached_goal: cached_goal.into(),
            asked_goal: asked_goal.into(),
            stored: stored.into(),
            fresh: fresh.into(),
        }
    }

    #[test]
    fn markup_and_case_do_not_make_another_answer() {
        assert_eq!(words("**Week 1**: Walk!"), words("week 1 - walk"));
        assert_ne!(words("Week 1: walk"), words("Week 2: walk"));
    }

    #[test]
    fn an_answer_that_speaks_of_what_only_its_goal_names_is_another() {
        let spanish = "Practise Spanish every day.";
        assert!(differ_by_goal(&pair(
            "learn Spanish",
            "learn French",
            spanish,
            "Practise French every day."
        )));
        assert!(differ_by_goal(&pair(
            "run 5 km",
            "run 10 km",
            "A plan for 5 km.",
            "A plan for 10 km."
        )));
        assert!(!differ_by_goal(&pair(
            "learn Spanish",
            "study Spanish",
            spanish,
            "Spanish takes practice."
        )));
    }

    #[test]
    fn a_head_ends_at_a_character() {
        assert_eq!(head(&"é".repeat(2_000)).chars().count(), HEAD_CHARS);
    }
}
