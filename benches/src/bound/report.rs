//! The table of a simulation.

use std::fmt;

use serde::Serialize;
use tollfree_cache::bound::interval::clopper_pearson;

use super::{Options, Run};

/// All worlds of a simulation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    max_wrong: f64,
    seeds: u64,
    requests: usize,
    entries: usize,
    /// One summary for each world.
    pub worlds: Vec<Summary>,
}

/// One world over all seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its name.
    pub world: &'static str,
    /// Wrong hits among all hits of all seeds.
    pub wrong_share: f64,
    /// Its exact 95 % interval.
    pub interval: (f64, f64),
    /// Wrong share of the 95th percentile of seeds.
    pub wrong_share_p95: f64,
    /// Share of seeds whose own share of wrong hits is at most the one allowed.
    pub seeds_within: f64,
    /// Hits among would-be hits.
    pub hit_rate: f64,
    /// The same of the best static threshold with hindsight, at the share that is allowed.
    pub static_hit_rate: f64,
    /// The same at the share of wrong hits that each seed really had.
    pub static_hit_rate_at_same: f64,
    /// Share of seeds in which the learned bound hits more than a static threshold of the same error.
    pub seeds_ahead: f64,
}

impl Report {
    pub(super) fn new(options: Options, worlds: Vec<Summary>) -> Self {
        Self {
            max_wrong: options.max_wrong,
            seeds: options.seeds,
            requests: options.requests,
            entries: options.entries,
            worlds,
        }
    }
}

impl Summary {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub(super) fn new(world: &'static str, max_wrong: f64, runs: &[Run]) -> Self {
        let sum = |of: fn(&Run) -> usize| runs.iter().map(of).sum::<usize>();
        let (served, wrong) = (sum(|run| run.served), sum(|run| run.wrong));
        let requests = sum(|run| run.requests).max(1) as f64;
        let seeds = runs.len().max(1) as f64;
        let mut shares: Vec<f64> = runs.iter().map(Run::wrong_share).collect();
        shares.sort_by(f64::total_cmp);
        let seeds_of = |holds: &dyn Fn(&Run) -> bool| {
            runs.iter().filter(|run| holds(run)).count() as f64 / seeds
        };
        Self {
            world,
            wrong_share: wrong as f64 / served.max(1) as f64,
            interval: clopper_pearson(wrong as u64, served as u64, 0.95),
            wrong_share_p95: shares
                .get((runs.len() * 95).div_ceil(100).saturating_sub(1))
                .copied()
                .unwrap_or(0.0),
            seeds_within: seeds_of(&|run| run.wrong_share() <= max_wrong),
            hit_rate: served as f64 / requests,
            static_hit_rate: sum(|run| run.static_served) as f64 / requests,
            static_hit_rate_at_same: sum(|run| run.static_at_same) as f64 / requests,
            seeds_ahead: seeds_of(&|run| run.served > run.static_at_same),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "max_wrong_hits {}, {} seeds of {} would-be hits on {} entries",
            self.max_wrong, self.seeds, self.requests, self.entries
        )?;
        writeln!(
            f,
            "{:<14} {:>8} {:>16} {:>8} {:>7} {:>7} {:>12} {:>13} {:>6}",
            "world",
            "wrong",
            "95 %",
            "p95 seed",
            "within",
            "hits",
            "static same",
            "static bound",
            "ahead"
        )?;
        for world in &self.worlds {
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            writeln!(
                f,
                "{:<14} {:>8} {:>16} {:>8} {:>7} {:>7} {:>12} {:>13} {:>6}",
                world.world,
                percent(world.wrong_share),
                format!(
                    "{:.2} to {:.2} %",
                    100.0 * world.interval.0,
                    100.0 * world.interval.1
                ),
                percent(world.wrong_share_p95),
                format!("{:.0} %", 100.0 * world.seeds_within),
                format!("{:.1} %", 100.0 * world.hit_rate),
                format!("{:.1} %", 100.0 * world.static_hit_rate_at_same),
                format!("{:.1} %", 100.0 * world.static_hit_rate),
                format!("{:.0} %", 100.0 * world.seeds_ahead),
            )?;
        }
        Ok(())
    }
}
