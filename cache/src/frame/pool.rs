//! Recent texts of one namespace that no frame explains yet.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Words of one run, and runs that stand for a text, in the sketch that tells kinds of requests apart.
const RUN_WORDS: usize = 3;
const SKETCH_RUNS: usize = 3;

/// The texts of one request that may hold a goal among fixed words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// The system text.
    pub system: String,
    /// The last user text.
    pub user: String,
}

impl Sample {
    /// Length in bytes of both texts.
    pub fn num_bytes(&self) -> usize {
        self.system.len() + self.user.len()
    }

    fn digest(&self) -> u64 {
        digest(self)
    }

    /// Requests whose texts are mostly equal are of one kind, but for a few; a guess that only evens out how many of
    /// each are kept. It is a bottom-k sketch (Broder, 1997): the smallest digests of all runs of words.
    fn kind(&self) -> u64 {
        let mut smallest = [u64::MAX; SKETCH_RUNS];
        for text in [&self.system, &self.user] {
            let words: Vec<&str> = text.split_whitespace().collect();
            for run in words.windows(RUN_WORDS) {
                let mut run = digest(&run);
                if smallest.contains(&run) {
                    continue;
                }
                for kept in &mut smallest {
                    if run < *kept {
                        std::mem::swap(&mut run, kept);
                    }
                }
            }
        }
        digest(&smallest)
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

struct Kept {
    digest: u64,
    kind: u64,
    sample: Sample,
}

/// Distinct samples in order of arrival, bounded in number and bytes.
#[derive(Default)]
pub(super) struct Pool {
    kept: VecDeque<Kept>,
    num_bytes: usize,
}

impl Pool {
    /// Keeps a sample unless it is there already; drops the oldest of its kind beyond `max_of_kind`, then the oldest
    /// of all beyond the other two bounds. Returns whether it is new.
    pub(super) fn push(
        &mut self,
        sample: Sample,
        max_samples: usize,
        max_bytes: usize,
        max_of_kind: usize,
    ) -> bool {
        let (digest, kind) = (sample.digest(), sample.kind());
        if self.kept.iter().any(|kept| kept.digest == digest) {
            return false;
        }
        let of_kind = self.kept.iter().filter(|kept| kept.kind == kind).count();
        if of_kind >= max_of_kind
            && let Some(oldest) = self.kept.iter().position(|kept| kept.kind == kind)
            && let Some(dropped) = self.kept.remove(oldest)
        {
            self.num_bytes -= dropped.sample.num_bytes();
        }
        self.num_bytes += sample.num_bytes();
        self.kept.push_back(Kept {
            digest,
            kind,
            sample,
        });
        while self.kept.len() > max_samples || self.num_bytes > max_bytes {
            let Some(dropped) = self.kept.pop_front() else {
                break;
            };
            self.num_bytes -= dropped.sample.num_bytes();
        }
        true
    }

    /// The samples, oldest first.
    pub(super) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.kept.iter().map(|kept| &kept.sample)
    }

    /// Drops the samples for which `explained` holds.
    pub(super) fn drop_explained(&mut self, explained: impl Fn(&Sample) -> bool) {
        self.kept.retain(|kept| !explained(&kept.sample));
        self.num_bytes = self.samples().map(Sample::num_bytes).sum();
    }

    /// Length in bytes of all texts kept.
    pub(super) fn num_bytes(&self) -> usize {
        self.num_bytes
    }
}
