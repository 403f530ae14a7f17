//! How long an answer lives, beyond what holds for all: by the frame of its request and the category of its goal.

use std::collections::BTreeMap;
use std::time::Duration;

use tollfree_cache::goal::Goal;
use tollfree_cache::template::{Library, Template};

use super::Lookup;

/// Similarity to a phrasing from which a goal may be of its category, by the embedding model and by the static one.
/// Questions that are no goals for a plan lie below (docs/life.md has the figures).
const NEAR: f32 = 0.4;
const NEAR_BY_SKETCH: f32 = 0.5;

/// Phrasings that have a say: more than one template of a category is near most of its goals.
const VOTERS: usize = 8;

impl Lookup {
    /// The lifetime of an answer if it is not that of all: its frame's or its category's, the shorter of both.
    pub(super) fn ttl(
        &self,
        of_frame: Option<Duration>,
        category: impl FnOnce() -> Option<String>,
    ) -> Option<Duration> {
        let of_category = if self.limits.category_ttl.is_empty() {
            None
        } else {
            category().and_then(|category| self.limits.category_ttl.get(&category).copied())
        };
        of_frame.into_iter().chain(of_category).min()
    }

    /// The category of the templates that are worded most like a goal, by its vector; `None` where none is near, and
    /// until the templates' vectors are made. Costs one dot product a phrasing.
    pub(super) fn category_of_vector(&self, vector: &[f32]) -> Option<String> {
        let (library, vectors) = self.phrasings.load()?;
        category(&library, vectors.similarities(vector), NEAR)
    }

    /// The same by the words of a goal that has no vector, which is right less often.
    pub(super) fn category_of_words(&self, goal: &Goal) -> Option<String> {
        let (library, similarities) = self
            .phrasings
            .sketch_similarities(|library| self.models.sketch(&library.mask(goal)))?;
        category(&library, similarities.into_iter(), NEAR_BY_SKETCH)
    }
}

/// The category for the similarities of all phrasings of a library.
fn category(
    library: &Library,
    similarities: impl Iterator<Item = f32>,
    near: f32,
) -> Option<String> {
    let categories: Vec<&str> = library.templates().map(Template::category).collect();
    let phrasings = library.phrasings().iter().zip(similarities);
    let candidates = phrasings.filter_map(|(phrasing, similarity)| {
        let category = categories.get(phrasing.template)?;
        Some((*category, similarity))
    });
    elect(candidates, near).map(str::to_owned)
}

/// The category with the greatest similarity in excess of `near`, summed over the most similar candidates.
fn elect<'a>(candidates: impl Iterator<Item = (&'a str, f32)>, near: f32) -> Option<&'a str> {
    let mut voters: Vec<(&str, f32)> = candidates.filter(|(_, it)| *it > near).collect();
    voters.sort_by(|left, right| right.1.total_cmp(&left.1));
    let mut sums: BTreeMap<&str, f32> = BTreeMap::new();
    for (category, similarity) in voters.into_iter().take(VOTERS) {
        *sums.entry(category).or_default() += similarity - near;
    }
    let most = sums
        .into_iter()
        .max_by(|left, right| left.1.total_cmp(&right.1));
    most.map(|(category, _)| category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_phrasings_elect_the_category_and_far_ones_have_no_say() {
        let far = [("money", 0.39), ("home", 0.1)];
        assert_eq!(elect(far.into_iter(), 0.4), None);
        let one = far.into_iter().chain([("travel", 0.41)]);
        assert_eq!(elect(one, 0.4), Some("travel"));
        // Two that are near outvote one that is a little nearer.
        let two = [("travel", 0.6), ("money", 0.58), ("money", 0.55)];
        assert_eq!(elect(two.into_iter(), 0.4), Some("money"));
        // However many there are of a category, only the nearest count.
        let many = std::iter::repeat_n(("home", 0.42), 100);
        let near = std::iter::repeat_n(("health", 0.7), 4);
        assert_eq!(elect(many.chain(near), 0.4), Some("health"));
    }
}
