//! `tollfree warm`: answers the goals of a file ahead of traffic.
//!
//! Goals of the same meaning are grouped first; of each group one is asked. What is done is noted in a journal, so
//! that a run that was killed goes on where it stopped.

mod budget;
mod journal;
mod meter;
mod plan;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::backend::worker::Worker;
use super::backend::{self, Backend};
use super::{AskingArgs, Global, per_line};
use crate::app::App;
use crate::commands::goal::Asking;
use crate::commands::lines;
use crate::lookup::phrasings;
use budget::Budget;
use journal::Journal;
use meter::Meter;

/// Options of `warm`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// Text, JSON lines with `goal` and maybe `answer`, or TSV with these columns; `-` for standard input
    #[arg(long, value_name = "FILE")]
    goals: PathBuf,
    #[command(flatten)]
    asking: AskingArgs,
    /// Spend at most this much, in US dollars, earlier runs on the same file included
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_usd: Option<f64>,
    /// Call upstreams at most this often, earlier runs on the same file included
    #[arg(long, value_name = "N")]
    max_requests: Option<u64>,
    /// Calls under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Begin at most this many calls a minute
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    per_minute: Option<u32>,
    /// Stop after so many calls in a row that an upstream refused (429) or failed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    give_up_after: u32,
    /// Stop where an upstream asks for a longer pause than this
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    max_wait: tollfree_config::types::Duration,
    /// Tokens that an answer is taken for in estimates until answers tell better
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    answer_tokens: u64,
    /// Forget what earlier runs on this file have done
    #[arg(long)]
    restart: bool,
    /// Only say what would be asked, and what it would cost
    #[arg(long)]
    dry_run: bool,
}

fn usd(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("not an amount of dollars, such as 2.50".to_owned()),
    }
}

/// Exit code after Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Warms.
pub(super) fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    if !config.cache().enabled() {
        bail!("the cache is off (cache.enabled = false): there is nothing to warm");
    }
    let data_dir = config.server().data_dir().to_owned();
    let text = per_line::read(&args.goals)?;
    let asking: Asking = args.asking.clone().into();
    let lines = lines::read(&text, "goal", &["goal"]);
    if !args.dry_run {
        backend::make_data_dir(&config)?;
    }
    // What it was asked with is part of what was done.
    let key = journal::key(&text, &asking);
    let mut journal = if args.dry_run {
        Journal::look(&data_dir, &key)?
    } else {
        Journal::open(&data_dir, &key, args.restart)?
    };
    let backend = Backend::open(config.clone())?;
    let worker = backend.worker();
    let mut meter = Meter::new(global.json);
    backend.block_on(async {
        worker.prepare().await?;
        // The goals are compared by this process even beside a server: its embedder is for its clients.
        let app = match &worker {
            Worker::Here(app) => Arc::clone(app),
            Worker::Server { .. } => {
                let app = App::open_in_memory(Arc::new(config))?;
                phrasings::prepare(&app.lookup).await?;
                Arc::new(app)
            }
        };
        asking.check(&app)?;
        let mut plan = plan::group(&app, &asking, &lines, &mut meter).await;
        drop(app);
        plan.resume(&journal);
        plan.look_up(&worker, &asking, &mut meter).await?;
        let budget = Budget::new(args.max_usd, args.max_requests, args.answer_tokens, &journal);
        plan.announce(&budget, &mut meter);
        if args.dry_run {
            plan.dry_results(&mut meter);
            return Ok(if plan.has_bad_lines() {
                ExitCode::from(per_line::BAD_LINE)
            } else {
                ExitCode::SUCCESS
            });
        }
        if let Some(name) = plan.unpriced().filter(|_| args.max_usd.is_some()) {
            bail!(
                "--max-usd cannot be kept: upstream {name:?} has no price; set upstreams.price, or use --max-requests"
            );
        }
        let ended = run::run(&worker, &asking, &args, &mut plan, budget, &mut journal, &mut meter).await?;
        meter.summary(&plan, &ended);
        if ended.is_complete() {
            journal.finish();
        }
        Ok(if ended.interrupted {
            ExitCode::from(INTERRUPTED)
        } else if ended.is_broken() {
            ExitCode::FAILURE
        } else if plan.has_bad_lines() {
            ExitCode::from(per_line::BAD_LINE)
        } else {
            ExitCode::SUCCESS
        })
    })
}
