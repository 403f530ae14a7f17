//! Groups goals that want the same, to show what no template answers.
//!
//! Leader clustering: a goal joins the nearest group above a threshold, else it leads a new one; a second pass assigns
//! every goal to the nearest mean of the groups of the first. No randomness, so that the same file gives the same groups.
//! Cost: goals times groups dot products, twice; for 3,000 goals that are all unlike some seconds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tollfree_cache::goal::{Goal, Kind, lexicon};

/// Least cosine of a goal and the mean of its group, both masked.
/// At 0.55 groups mix neighbouring goals ("lose weight", "gain weight"), at 0.75 rewordings fall apart.
const MIN_SIMILARITY: f32 = 0.62;

/// Fewest goals that make a group.
const MIN_SIZE: usize = 2;

/// Words in a group's name.
const NAME_WORDS: usize = 3;

/// A goal to group.
pub struct Member {
    /// The number of its line.
    pub line: Value,
    /// Its text.
    pub text: String,
    /// The same, analysed.
    pub goal: Goal,
    /// The unit vector of the masked goal.
    pub vector: Vec<f32>,
}

/// Goals that want the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its most typical words.
    pub name: String,
    /// How many goals.
    pub size: usize,
    /// Their lines, the most typical goal first.
    pub lines: Vec<Value>,
    /// Their texts in the same order.
    pub goals: Vec<String>,
}

/// Groups goals, the largest group first.
pub fn of(members: &[Member]) -> Vec<Cluster> {
    let vectors: Vec<&[f32]> = members.iter().map(|m| m.vector.as_slice()).collect();
    let mut means: Vec<Vec<f32>> = Vec::new();
    let first = assign(&vectors, &mut means, true);
    let mut means = centres(&vectors, &first, means.len());
    let second = assign(&vectors, &mut means, false);
    let mut groups: BTreeMap<usize, Vec<(usize, f32)>> = BTreeMap::new();
    for (member, place) in second.iter().enumerate() {
        if let Some((group, similarity)) = place {
            groups
                .entry(*group)
                .or_default()
                .push((member, *similarity));
        }
    }
    let words: Vec<BTreeSet<(String, String)>> = members.iter().map(|m| words(&m.goal)).collect();
    let mut everywhere: BTreeMap<&str, usize> = BTreeMap::new();
    for (stem, _) in words.iter().flatten() {
        *everywhere.entry(stem).or_default() += 1;
    }
    let mut clusters: Vec<Cluster> = groups
        .into_values()
        .filter(|group| group.len() >= MIN_SIZE)
        .map(|mut group| {
            let name = name(&group, &words, &everywhere);
            group.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let of_group = || group.iter().filter_map(|(member, _)| members.get(*member));
            Cluster {
                name,
                size: group.len(),
                lines: of_group().map(|member| member.line.clone()).collect(),
                goals: of_group().map(|member| member.text.clone()).collect(),
            }
        })
        .collect();
    // Of equal size, the one that comes first in the file.
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.size));
    clusters
}

/// Finds the nearest group of each vector; with `lead` one without a group founds its own.
fn assign(vectors: &[&[f32]], means: &mut Vec<Vec<f32>>, lead: bool) -> Vec<Option<(usize, f32)>> {
    let mut places = Vec::with_capacity(vectors.len());
    for vector in vectors {
        let nearest = means
            .iter()
            .map(|mean| dot(vector, mean))
            .enumerate()
            .fold(None, |best: Option<(usize, f32)>, found| match best {
                Some(best) if best.1 >= found.1 => Some(best),
                _ => Some(found),
            })
            .filter(|(_, similarity)| *similarity >= MIN_SIMILARITY);
        places.push(match nearest {
            None if lead => {
                means.push(vector.to_vec());
                Some((means.len() - 1, 1.0))
            }
            nearest => nearest,
        });
    }
    places
}

/// Returns the unit mean of each group.
fn centres(vectors: &[&[f32]], places: &[Option<(usize, f32)>], groups: usize) -> Vec<Vec<f32>> {
    let dimensions = vectors.first().map_or(0, |vector| vector.len());
    let mut sums = vec![vec![0.0_f32; dimensions]; groups];
    for (vector, place) in vectors.iter().zip(places) {
        if let Some(sum) = place.and_then(|(group, _)| sums.get_mut(group)) {
            sum.iter_mut().zip(*vector).for_each(|(sum, x)| *sum += x);
        }
    }
    for sum in &mut sums {
        let length = dot(sum, sum).sqrt().max(f32::MIN_POSITIVE);
        sum.iter_mut().for_each(|x| *x /= length);
    }
    sums
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

/// The words that carry the meaning of a goal, by stem.
fn words(goal: &Goal) -> BTreeSet<(String, String)> {
    goal.content()
        .filter(|token| token.kind == Kind::Word && !lexicon::is_planning(&token.word))
        .map(|token| (token.stem.clone(), token.word.clone()))
        .collect()
}

/// Names a group by the words that are frequent in it and rare elsewhere.
fn name(
    group: &[(usize, f32)],
    words: &[BTreeSet<(String, String)>],
    everywhere: &BTreeMap<&str, usize>,
) -> String {
    let mut within: BTreeMap<&str, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for (stem, word) in group
        .iter()
        .filter_map(|(member, _)| words.get(*member))
        .flatten()
    {
        let (count, forms) = within.entry(stem).or_default();
        *count += 1;
        *forms.entry(word).or_default() += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of goals")]
    let weight = |stem: &str, count: usize| {
        let rarity =
            (words.len() as f64 / everywhere.get(stem).copied().unwrap_or(1) as f64).ln_1p();
        count as f64 * rarity
    };
    let mut ranked: Vec<(f64, &str)> = within
        .iter()
        .filter_map(|(stem, (count, forms))| {
            let form = forms
                .iter()
                .max_by_key(|(word, count)| (**count, std::cmp::Reverse(**word)))?
                .0;
            Some((weight(stem, *count), *form))
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    ranked.truncate(NAME_WORDS);
    ranked
        .into_iter()
        .map(|(_, word)| word)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(line: usize, text: &str, vector: [f32; 2]) -> Member {
        let length = dot(&vector, &vector).sqrt();
        Member {
            line: line.into(),
            text: text.to_owned(),
            goal: Goal::analyse(text),
            vector: vector.map(|x| x / length).to_vec(),
        }
    }

    #[test]
    fn goals_that_lie_close_are_one_group_named_by_its_words() {
        let members = [
            member(1, "knit a scarf", [1.0, 0.1]),
            member(2, "juggle three balls", [0.0, 1.0]),
            member(3, "how do I knit scarves", [1.0, 0.0]),
            member(4, "knit a warm scarf", [1.0, 0.2]),
            member(5, "juggle four balls", [0.1, 1.0]),
            member(6, "something else", [-1.0, -1.0]),
        ];
        let clusters = of(&members);
        let found: Vec<(usize, bool)> = clusters
            .iter()
            .map(|c| (c.size, c.name.contains("knit") || c.name.contains("juggle")))
            .collect();
        assert_eq!(found, [(3, true), (2, true)]);
        assert_eq!(
            clusters,
            of(&members),
            "the same goals give the same groups"
        );
        assert!(of(&[]).is_empty());
    }
}
