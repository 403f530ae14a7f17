//! What eviction by value is worth: hits and money saved on a trace of requests, beside plain least recently used.
//!
//! Goals are asked by Zipf's law, and which ones are popular drifts. Each goal has a cost of its own, that of the
//! upstream's call. The cache under measurement is the real one, in memory and without vectors; the baseline is an
//! exact LRU map of as many entries. Everything follows from the seed.

mod lru;
mod trace;

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;
use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::counters::Tier;
use tollfree_cache::entry::{Answer, Finish, NewEntry, Usage};
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;

use crate::eviction::lru::Lru;
use crate::eviction::trace::Call;
pub use crate::eviction::trace::Trace;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Entries held.
    pub capacity: usize,
    /// The requests.
    pub trace: Trace,
}

/// What a policy made of a trace.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Share {
    /// Requests answered from the cache, of all.
    pub hits: f64,
    /// Cost of the requests answered from the cache, of the cost of all.
    pub saved: f64,
}

/// One trace by both policies.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Outcome {
    /// Least recently used.
    pub lru: Share,
    /// The cache.
    pub ours: Share,
}

/// One kind of trace, with goals of equal and of different costs.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Entries held.
    pub capacity: usize,
    /// Exponent of Zipf's law.
    pub exponent: f64,
    /// Requests after which the popular goals have moved on by one.
    pub drift: u64,
    /// All goals cost the same: hits are all that counts.
    pub equal: Outcome,
    /// The dearest goal costs a hundred times the cheapest: what counts is the cost saved.
    pub spread: Outcome,
}

/// All rows.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Different goals.
    pub goals: usize,
    /// Requests of each trace.
    pub requests: usize,
    /// What the traces were drawn from.
    pub seed: u64,
    /// One for each trace and capacity.
    pub rows: Vec<Row>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} goals, {} requests a trace, seed {}\n",
            self.goals, self.requests, self.seed
        )?;
        writeln!(
            f,
            "| entries | Zipf exponent | popular goals move on every | equal costs: hits, LRU | hits, by value \
             | costs 1 to 100: cost saved, LRU | cost saved, by value |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {} | {} | {:.1} % | {:.1} % | {:.1} % | {:.1} % |",
                row.capacity,
                row.exponent,
                match row.drift {
                    0 => "never".to_owned(),
                    drift => format!("{drift} requests"),
                },
                row.equal.lru.hits * 100.0,
                row.equal.ours.hits * 100.0,
                row.spread.lru.saved * 100.0,
                row.spread.ours.saved * 100.0,
            )?;
        }
        Ok(())
    }
}

/// Runs both policies over every combination of capacity, exponent and drift.
///
/// # Errors
/// When a trace has no requests or the cache takes an entry not in.
pub fn run(goals: usize, requests: usize, seed: u64) -> Result<Report> {
    ensure!(
        goals > 0 && requests > 0,
        "a trace needs goals and requests"
    );
    let mut rows = Vec::new();
    for capacity in [goals / 100, goals / 20, goals / 5] {
        for exponent in [0.7, 1.0] {
            for drift in [0, 200, 20] {
                let outcome = |cost_spread| {
                    let trace = Trace {
                        goals,
                        requests,
                        exponent,
                        drift,
                        cost_spread,
                        seed,
                    };
                    compare(&Options { capacity, trace })
                };
                rows.push(Row {
                    capacity,
                    exponent,
                    drift,
                    equal: outcome(1.0)?,
                    spread: outcome(100.0)?,
                });
            }
        }
    }
    Ok(Report {
        goals,
        requests,
        seed,
        rows,
    })
}

/// Runs both policies over one trace.
///
/// # Errors
/// When the cache takes an entry not in.
pub fn compare(options: &Options) -> Result<Outcome> {
    let mut lru = Lru::new(options.capacity);
    let cache = Cache::in_memory(CacheOptions {
        max_entries: options.capacity,
        max_answer_bytes: 1024,
        stale_while_revalidate: Duration::ZERO,
        ttl: Duration::from_secs(1 << 30),
        ttl_jitter: 0.0,
        refuse_pii: true,
        model: None,
    });
    let (mut by_lru, mut by_value) = (Tally::default(), Tally::default());
    for (now_ms, call) in (1..).zip(options.trace.calls()) {
        by_lru.add(&call, lru.ask(call.goal));
        by_value.add(&call, ask(&cache, &call, now_ms)?);
    }
    Ok(Outcome {
        lru: by_lru.share(),
        ours: by_value.share(),
    })
}

/// Asks the cache, and admits on a miss as the proxy does; says whether it was a hit.
fn ask(cache: &Cache, call: &Call, now_ms: u64) -> Result<bool> {
    let mut digest = [0; 32];
    for (word, place) in digest.chunks_mut(8).zip(0..) {
        word.copy_from_slice(&trace::mix(call.goal << 2 | place).to_le_bytes());
    }
    let exact = ExactKey::from_bytes(digest);
    if let Some(entry) = cache.exact(&exact, now_ms) {
        cache.record_hit(Some(entry.id), Tier::Exact, call.micro_usd, now_ms);
        return Ok(true);
    }
    cache.admit(
        NewEntry {
            namespace: Namespace::anonymous(),
            exact,
            compatibility: CompatibilityKey::from_bytes([0; 32]),
            goal: String::new(),
            answer: Answer {
                text: String::from("."),
                finish: Finish::Stop,
                usage: Usage {
                    input_tokens: 0,
                    output_tokens: call.micro_usd,
                },
                model: String::new(),
            },
            upstream: String::new(),
            model_requested: String::new(),
            language: Language::new("en"),
            contributor: Contributor::OPERATOR,
            quarantine: false,
            ttl: None,
            vector: None,
            sketch: None,
        },
        now_ms,
    )?;
    Ok(false)
}

#[derive(Default)]
struct Tally {
    calls: u64,
    hits: u64,
    cost: u64,
    saved: u64,
}

impl Tally {
    fn add(&mut self, call: &Call, hit: bool) {
        self.calls += 1;
        self.cost += call.micro_usd;
        self.hits += u64::from(hit);
        self.saved += if hit { call.micro_usd } else { 0 };
    }

    fn share(&self) -> Share {
        Share {
            hits: self.hits as f64 / self.calls.max(1) as f64,
            saved: self.saved as f64 / self.cost.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(drift: u64, cost_spread: f64) -> Result<Outcome> {
        let trace = Trace {
            goals: 10_000,
            requests: 100_000,
            exponent: 1.0,
            drift,
            cost_spread,
            seed: 7,
        };
        compare(&Options {
            capacity: 500,
            trace,
        })
    }

    #[test]
    fn eviction_by_value_hits_more_than_lru_on_a_drifting_zipf_trace() -> Result<()> {
        for drift in [0, 200] {
            let equal = outcome(drift, 1.0)?;
            assert!(equal.ours.hits > equal.lru.hits + 0.01, "{equal:?}");
        }
        Ok(())
    }

    #[test]
    fn eviction_by_value_saves_more_than_lru_however_fast_the_trace_drifts() -> Result<()> {
        for drift in [0, 200, 20] {
            let spread = outcome(drift, 100.0)?;
            assert!(spread.ours.saved > spread.lru.saved * 1.08, "{spread:?}");
        }
        Ok(())
    }
}
