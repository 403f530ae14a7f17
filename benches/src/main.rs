//! The command line of `tollfree-bench`.

mod cli;

use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde::Serialize;
use tollfree_bench::{
    baseline, bound, embedding, eviction,
    load::{self, Mode, Requests, Target},
    scale::{goals, grow, index, rebuild, reopen, vectors::Vectors},
};
use tollfree_config::{assets::Assets, env::Environment};

use cli::{Baseline, Cli, Command, EmbedArgs, GrowArgs, LoadArgs, ReopenArgs, Scale, SourceArgs};

/// The allocator of the product, so that memory is measured as it is used there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Load(args) => {
            let json = args.json;
            print(&load::run(load_options(args)?)?, json)
        }
        Command::Baseline(Baseline::Answer { server }) => baseline::answer::serve(server.options()),
        Command::Baseline(Baseline::Pass { server, upstream }) => {
            baseline::pass::serve(server.options(), upstream)
        }
        Command::Baseline(Baseline::Upstream { server, echo }) => {
            baseline::upstream::serve(server.options(), echo)
        }
        Command::Bound(args) => {
            let options = bound::Options {
                max_wrong: args.max_wrong,
                seeds: args.seeds,
                requests: args.requests,
                entries: args.entries,
            };
            print(&bound::run(&options), args.json)
        }
        Command::Embed(args) => {
            let json = args.json;
            print(&embedding::run(&embed_options(args)?)?, json)
        }
        Command::Eviction(args) => print(
            &eviction::run(args.goals, args.requests, args.seed)?,
            args.json,
        ),
        Command::Scale(Scale::Index(args)) => {
            let (vectors, _) = source(&args.source)?;
            let report = index::run(
                &vectors,
                args.kind,
                args.entries,
                args.searches,
                args.threads,
            )?;
            print(&report, args.json)
        }
        Command::Scale(Scale::Grow(GrowArgs { sizes, store })) => {
            ensure!(
                grow::is_free(&store.directory)?,
                "{} is not empty",
                store.directory.display()
            );
            let (vectors, goals) = source(&store.source)?;
            let report = grow::run(&vectors, &goals, &sizes, &store.options())?;
            print(&report, store.json)
        }
        Command::Scale(Scale::Reopen(ReopenArgs { store, until_built })) => {
            let (vectors, _) = source(&store.source)?;
            let report = reopen::run(&vectors, &store.options(), until_built)?;
            print(&report, store.json)
        }
        Command::Scale(Scale::Rebuild(store)) => {
            let (vectors, _) = source(&store.source)?;
            print(&rebuild::run(&vectors, &store.options())?, store.json)
        }
    }
}

fn load_options(args: LoadArgs) -> Result<load::Options> {
    let target = Target::new(&args.url, &args.header)?;
    let requests = match (&args.body, &args.bodies) {
        (Some(path), _) => Requests::repeat(&target, &read(path)?, args.requests),
        (None, Some(path)) => {
            let file = read(path)?;
            let lines = file
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.trim_ascii().is_empty());
            Requests::once(&target, lines, args.requests)
        }
        (None, None) => Requests::repeat(&target, b"", args.requests),
    };
    let mode = match args.rate {
        Some(rate) => Mode::Open {
            rate,
            max_connections: args.max_connections,
        },
        None => Mode::Closed {
            connections: args.connections.unwrap_or(1),
        },
    };
    Ok(load::Options {
        target,
        requests,
        mode,
        warmup: args.warmup.get(),
        // A number of requests ends a run by itself; a time besides it is a limit.
        duration: args
            .duration
            .or(args.requests.is_none().then_some(cli::DURATION))
            .map(|duration| duration.get()),
        timeout: args.timeout.get(),
        expectations: args.expect_header,
    })
}

/// The vectors of a scale run and the goals they are made from.
fn source(args: &SourceArgs) -> Result<(Vectors, Vec<String>)> {
    let assets = Assets::locate(&Environment::process())
        .context("no assets folder: set TOLLFREE_CACHE_DIR")?;
    let goals = goals::collect(&args.goals, args.max_goals)?;
    let base = goals::embed(
        &goals,
        &args.vectors,
        &assets.runtime(),
        &assets.model_dir(),
    )?;
    Ok((Vectors::new(base, args.seed), goals))
}

fn embed_options(args: EmbedArgs) -> Result<embedding::Options> {
    let assets = Assets::locate(&Environment::process());
    let missing = "no assets folder: set TOLLFREE_CACHE_DIR, or give --runtime and --model-dir";
    let runtime = args
        .runtime
        .or_else(|| assets.as_ref().map(Assets::runtime))
        .context(missing)?;
    let model_dir = args
        .model_dir
        .or_else(|| assets.as_ref().map(Assets::model_dir))
        .context(missing)?;
    Ok(embedding::Options {
        runtime,
        model_dir,
        texts: embedding::read_texts(&args.texts)?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(!bytes.is_empty(), "{} is empty", path.display());
    Ok(bytes)
}

/// Prints a report: one JSON line, or lines for people.
fn print(report: &(impl Serialize + Display), json: bool) -> Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        writeln!(stdout, "{}", serde_json::to_string(report)?)?;
    } else {
        write!(stdout, "{report}")?;
    }
    Ok(())
}
