//! Finding fixed words that several recent requests of one namespace share.
//!
//! Each new sample is compared with the recent ones of its namespace that agree in the other text. The nearest of
//! them, by bytes in common at both ends, are a cluster; what all of it has in common, cut at token boundaries, is
//! proposed as fixed words. So several applications' requests may be interleaved: the nearest neighbours of a request
//! are those of its own application.
//!
//! What a goal differs in never becomes fixed: the words are a common prefix and a common suffix of every text of the
//! cluster. Texts with a second varying part (a date, a name) are recognised by the long run of equal words that
//! would be left inside their goals, and not proposed.

use std::collections::{HashMap, HashSet};

use super::affix::{common, fixed_after, fixed_before};
use super::fixed_words::{FixedWords, GoalPlace};
use super::pool::{Pool, Sample};
use crate::namespace::Namespace;

/// Samples of one kind are kept up to this many times the fewest that make a frame.
const KIND_FACTOR: usize = 4;

/// A neighbour may share this many bytes less than the nearest ones and still be of the same cluster: goals of one
/// application share words by chance.
const SLACK_BYTES: usize = 64;

/// And this share of what the nearest have in common, one part in so many.
const SLACK_DIVISOR: usize = 4;

/// Bounds and requirements of the detector.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Distinct goals that must have been seen inside the same fixed words.
    pub min_goals: usize,
    /// Least number of words before and after the goal. People's own goals share fewer by chance.
    pub min_words: usize,
    /// Samples kept of one namespace.
    pub max_samples: usize,
    /// Bytes of text kept of one namespace.
    pub max_namespace_bytes: usize,
    /// Bytes of text kept in all; beyond it, the namespace that was silent longest is forgotten.
    pub max_bytes: usize,
    /// Longest pair of system and user text that is looked at, in bytes.
    pub max_sample_bytes: usize,
}

impl Default for Limits {
    /// Eight goals, twelve words; 512 samples or 512 KiB a namespace, 16 MiB in all; texts of up to 16 KiB.
    fn default() -> Self {
        Self {
            min_goals: 8,
            min_words: 12,
            max_samples: 512,
            max_namespace_bytes: 512 * 1024,
            max_bytes: 16 * 1024 * 1024,
            max_sample_bytes: 16 * 1024,
        }
    }
}

/// Fixed words that were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The words that all samples have in common.
    pub words: FixedWords,
    /// Distinct goals seen inside them.
    pub num_goals: usize,
}

/// Learns fixed words; bounded in memory, and no sample is ever compared with another namespace's.
pub struct Detector {
    limits: Limits,
    namespaces: HashMap<Namespace, Recent>,
    num_bytes: usize,
    clock: u64,
}

#[derive(Default)]
struct Recent {
    pool: Pool,
    used: u64,
}

impl Detector {
    /// Creates a detector that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            namespaces: HashMap::new(),
            num_bytes: 0,
            clock: 0,
        }
    }

    /// Takes a sample and returns the fixed words that it is the last to show, if so; their samples are then
    /// forgotten.
    ///
    /// Cost: the texts of the namespace are read once, about a millisecond at the default bounds; not for an event
    /// loop.
    pub fn observe(&mut self, namespace: &Namespace, sample: &Sample) -> Option<Found> {
        if sample.num_bytes() > self.limits.max_sample_bytes {
            return None;
        }
        self.clock += 1;
        let recent = self.namespaces.entry(namespace.clone()).or_default();
        recent.used = self.clock;
        let before = recent.pool.num_bytes();
        let is_new = recent.pool.push(
            sample.clone(),
            self.limits.max_samples,
            self.limits.max_namespace_bytes,
            self.limits.min_goals * KIND_FACTOR,
        );
        let found = is_new
            .then(|| {
                [GoalPlace::User, GoalPlace::System]
                    .into_iter()
                    .find_map(|place| find(&recent.pool, sample, place, &self.limits))
            })
            .flatten();
        if let Some(found) = &found {
            recent
                .pool
                .drop_explained(|sample| found.words.goal(&sample.system, &sample.user).is_some());
        }
        self.num_bytes = self.num_bytes - before + recent.pool.num_bytes();
        while self.num_bytes > self.limits.max_bytes {
            self.forget_oldest();
        }
        found
    }

    /// Bytes of text now held.
    pub fn num_bytes(&self) -> usize {
        self.num_bytes
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .namespaces
            .iter()
            .min_by_key(|(_, recent)| recent.used)
            .map(|(namespace, _)| namespace.clone());
        let Some(recent) = oldest.and_then(|oldest| self.namespaces.remove(&oldest)) else {
            self.num_bytes = 0;
            return;
        };
        self.num_bytes -= recent.pool.num_bytes();
    }
}

/// One recent text and what it has in common with the new one.
struct Neighbour<'a> {
    text: &'a str,
    prefix: usize,
    suffix: usize,
}

impl Neighbour<'_> {
    fn shared(&self) -> usize {
        self.prefix + self.suffix
    }
}

fn find(pool: &Pool, sample: &Sample, place: GoalPlace, limits: &Limits) -> Option<Found> {
    let (text, other) = place.split(&sample.system, &sample.user);
    let mut neighbours: Vec<Neighbour<'_>> = pool
        .samples()
        .map(|sample| place.split(&sample.system, &sample.user))
        .filter(|(near, fixed)| *fixed == other && *near != text)
        .map(|(near, _)| {
            let (prefix, suffix) = common(text, near);
            Neighbour {
                text: near,
                prefix,
                suffix,
            }
        })
        .collect();
    neighbours.sort_by_key(|neighbour| std::cmp::Reverse(neighbour.shared()));
    // The sample itself is one of the goals.
    let nearest = neighbours.get(limits.min_goals.checked_sub(2)?)?.shared();
    let least = nearest - SLACK_BYTES.min(nearest / SLACK_DIVISOR);
    neighbours.retain(|neighbour| neighbour.shared() >= least);
    let prefix = neighbours.iter().map(|near| near.prefix).min()?;
    let suffix = neighbours.iter().map(|near| near.suffix).min()?;
    let words = FixedWords {
        place,
        other: other.to_owned(),
        before: fixed_before(text.get(..prefix)?).to_owned(),
        after: fixed_after(text.get(text.len().checked_sub(suffix)?..)?).to_owned(),
    };
    if words.num_words() < limits.min_words {
        return None;
    }
    let inner = |text: &str| {
        let end = text.len().checked_sub(words.after.len())?;
        let goal = text.get(words.before.len()..end)?.trim().to_lowercase();
        Some(goal).filter(|goal| !goal.is_empty())
    };
    let mut distinct = HashSet::new();
    // Nearest first: those are looked at for what they share.
    let goals: Vec<String> = inner(text)
        .into_iter()
        .chain(neighbours.iter().filter_map(|near| inner(near.text)))
        .filter(|goal| distinct.insert(goal.clone()))
        .collect();
    let nearest = goals.get(..limits.min_goals * 2).unwrap_or(&goals);
    if goals.len() < limits.min_goals || has_fixed_run(nearest, limits) {
        return None;
    }
    debug_assert!(words.num_bytes() <= text.len(), "prefix and suffix overlap");
    Some(Found {
        num_goals: goals.len(),
        words,
    })
}

/// Whether at least half of the goals share a run of words, as long as fixed words are, with another one: then
/// something varies outside the goal too, or several applications' words were taken for one's.
fn has_fixed_run(goals: &[String], limits: &Limits) -> bool {
    let goals: Vec<Vec<&str>> = goals
        .iter()
        .map(|goal| goal.split_whitespace().collect())
        .collect();
    let mut first_with: HashMap<&[&str], usize> = HashMap::new();
    let mut sharing = HashSet::new();
    for (index, words) in goals.iter().enumerate() {
        for run in words.windows(limits.min_words.max(1)) {
            let first = *first_with.entry(run).or_insert(index);
            if first != index {
                sharing.extend([first, index]);
            }
        }
    }
    sharing.len() * 2 >= goals.len()
}
