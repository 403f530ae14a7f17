//! A bound on wrong hits put to the test: a stream with planted errors, whose truth the cache is not told.
//!
//! Every entry is right with a probability that grows with the margin and differs from entry to entry; the stream
//! says for each request which entry would be hit and at what margin. The learned bound sees the truth of explored
//! requests only. It is compared with the best static threshold chosen with hindsight: the lowest margin at which
//! the whole stream, truth known, keeps the allowed share. The worlds differ in how wrong the prior is.

mod report;
mod rng;

use tollfree_cache::bound::{Bound, Margin, Observation, Source};
use tollfree_cache::entry::EntryId;

pub use report::{Report, Summary};
use rng::Rng;

/// How the planted errors come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The same-answer model means what it says; entries differ by a normal constant.
    Calibrated,
    /// The model is surer than it should be: half the slope.
    Overconfident,
    /// As calibrated, but one entry in ten is wrong for most, however sure the model is.
    BadEntries,
    /// As calibrated, until half-way all entries become worse.
    Drift,
}

impl World {
    /// All of them, in the order they are reported.
    pub const ALL: [Self; 4] = [
        Self::Calibrated,
        Self::Overconfident,
        Self::BadEntries,
        Self::Drift,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated",
            Self::Overconfident => "overconfident",
            Self::BadEntries => "bad entries",
            Self::Drift => "drift",
        }
    }
}

/// The size of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Share of wrong answers allowed among hits.
    pub max_wrong: f64,
    /// Streams for each world, seeded 1, 2, 3...
    pub seeds: u64,
    /// Would-be hits in a stream.
    pub requests: usize,
    /// Entries, asked for by Zipf's law.
    pub entries: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_wrong: 0.01,
            seeds: 200,
            requests: 20_000,
            entries: 500,
        }
    }
}

/// What one stream gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Run {
    /// Would-be hits.
    pub requests: usize,
    /// Hits served under the learned bound, and the wrong ones among them.
    pub served: usize,
    /// Wrong ones among them.
    pub wrong: usize,
    /// Hits of the best static threshold with hindsight at the share that is allowed.
    pub static_served: usize,
    /// The same at the share that the learned bound really had.
    pub static_at_same: usize,
}

impl Run {
    /// The share of wrong ones among the hits served; 0 of none.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn wrong_share(&self) -> f64 {
        self.wrong as f64 / self.served.max(1) as f64
    }
}

/// Runs every world with every seed.
pub fn run(options: &Options) -> Report {
    let worlds = World::ALL
        .into_iter()
        .map(|world| {
            let runs: Vec<Run> = (1..=options.seeds)
                .map(|seed| simulate(world, options, seed))
                .collect();
            Summary::new(world.as_str(), options.max_wrong, &runs)
        })
        .collect();
    Report::new(*options, worlds)
}

/// Runs one stream. The same seed gives the same stream and the same decisions.
pub fn simulate(world: World, options: &Options, seed: u64) -> Run {
    let mut rng = Rng::new(seed);
    let effects: Vec<f64> = (0..options.entries)
        .map(|_| {
            if world == World::BadEntries && rng.uniform() < 0.1 {
                -8.0
            } else {
                2.0 * rng.normal()
            }
        })
        .collect();
    let popularity = rng::zipf(options.entries);
    let bound = Bound::new(Some(options.max_wrong));
    let mut run = Run {
        requests: options.requests,
        ..Run::default()
    };
    let mut truth = Vec::with_capacity(options.requests);
    for step in 0..options.requests {
        let entry = rng.pick(&popularity);
        // Would-be hits: from the bar upwards, most of them well above it.
        let margin = (6.0 * rng.uniform().max(rng.uniform())).min(6.0);
        let (intercept, slope) = match world {
            World::Overconfident => (1.0, 0.5),
            World::Drift if step > options.requests / 2 => (-1.0, 1.0),
            World::Calibrated | World::BadEntries | World::Drift => (1.0, 1.0),
        };
        let log_odds = intercept + slope * margin + effects.get(entry).copied().unwrap_or(0.0);
        let right = rng.uniform() < 1.0 / (1.0 + (-log_odds).exp());
        truth.push((margin, right));
        #[expect(clippy::cast_possible_truncation, reason = "a margin of at most 6")]
        let margin = Margin::from_log_odds(margin as f32);
        let id = EntryId::from_u64(entry as u64);
        if bound.is_blocked(id) {
            continue;
        }
        let decision = bound.decide(id, margin, rng.uniform());
        if decision.serve {
            run.served += 1;
            run.wrong += usize::from(!right);
        } else {
            let audited = (decision.exploration < 1.0).then_some(decision.risk);
            bound.observe(
                id,
                Observation { margin, right },
                Source::Comparison,
                audited,
            );
        }
    }
    truth.sort_by(|a, b| b.0.total_cmp(&a.0));
    run.static_served = best_static(&truth, options.max_wrong);
    run.static_at_same = best_static(&truth, run.wrong_share());
    run
}

/// Hits of the lowest margin from which on at most the allowed share is wrong.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn best_static(truth: &[(f64, bool)], max_wrong: f64) -> usize {
    let (mut wrong, mut best) = (0_usize, 0);
    for (index, (_, right)) in truth.iter().enumerate() {
        wrong += usize::from(!right);
        if wrong as f64 <= max_wrong * (index + 1) as f64 {
            best = index + 1;
        }
    }
    best
}

#[cfg(test)]
mod tests;
