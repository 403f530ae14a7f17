//! Measures how long the models take for a goal, on this machine and on one thread.
//!
//! `cargo run --release -p tollfree-embedder --example latency -- "$(python3 deploy/setup/fetch.py --where)"`
//!
//! The rows are measured in alternating rounds, so that another load on the machine touches all of them alike. On a
//! shared machine the minimum and the ratio of two rows say more than a median.

#![expect(clippy::print_stdout, reason = "it exists to print")]

use std::{env, hint::black_box, path::Path, time::Instant};

use anyhow::{Context, Result};
use tollfree_embedder::{
    Embedder, SameAnswer, Tokenizer,
    cross_encoder::CrossEncoder,
    minilm::{MiniLm, WordPiece},
    potion::StaticModel,
};

const ROUNDS: usize = 300;
/// A goal as sent and with its slots masked, as the proxy embeds them in one batch.
const GOAL: &str = "learn conversational Spanish in three months";
/// The same goal in other words, as the verifier compares the two.
const OTHER: &str = "I want to hold a conversation in Spanish within 90 days";
const MASKED: &str = "learn conversational language in duration";

fn main() -> Result<()> {
    let root = env::args().nth(1).context("give the assets folder")?;
    let root = Path::new(&root);
    let (minilm_dir, potion_dir) = (
        root.join("models/all-minilm-l6-v2"),
        root.join("models/potion-base-8m"),
    );

    let loading = Instant::now();
    let mut minilm = MiniLm::open(&root.join("onnxruntime/libonnxruntime.so"), &minilm_dir)?;
    println!("{:<28}{:>8.1} ms", "minilm, loading", milliseconds(loading));
    let loading = Instant::now();
    let potion = StaticModel::open(&potion_dir)?;
    println!("{:<28}{:>8.1} ms", "potion, loading", milliseconds(loading));
    let mut judge = CrossEncoder::open(&root.join("onnxruntime/libonnxruntime.so"), &minilm_dir)?;
    judge.compare(GOAL, OTHER)?;
    let word_piece = WordPiece::open(&minilm_dir)?;

    let first = Instant::now();
    minilm.embed(&[GOAL])?;
    println!(
        "{:<28}{:>8.1} ms",
        "minilm, first call",
        milliseconds(first)
    );

    let mut rows: [(&str, Vec<f64>); 6] = [
        ("minilm, 1 text", Vec::new()),
        ("minilm, 2 texts, 1 batch", Vec::new()),
        ("minilm, 2 texts, 2 calls", Vec::new()),
        ("potion, 1 text", Vec::new()),
        ("tokens counted, 1 text", Vec::new()),
        ("verifier, 1 candidate", Vec::new()),
    ];
    for _ in 0..ROUNDS {
        for (number, (_, times)) in rows.iter_mut().enumerate() {
            let start = Instant::now();
            match number {
                0 => drop(black_box(minilm.embed(&[GOAL])?)),
                1 => drop(black_box(minilm.embed(&[GOAL, MASKED])?)),
                2 => drop(black_box((
                    minilm.embed(&[GOAL])?,
                    minilm.embed(&[MASKED])?,
                ))),
                3 => drop(black_box(potion.embed(black_box(GOAL)))),
                5 => drop(black_box(judge.compare(GOAL, OTHER)?)),
                _ => drop(black_box(word_piece.count(black_box(GOAL)))),
            }
            times.push(milliseconds(start));
        }
    }
    println!(
        "{:<28}{:>8} {:>11} {:>11}   ({ROUNDS} rounds)",
        "", "minimum", "median", "p99"
    );
    for (name, mut times) in rows {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            times
                .get((share * (times.len() - 1) as f64) as usize)
                .copied()
                .unwrap_or(f64::NAN)
        };
        println!(
            "{name:<28}{:>8.4} {:>8.4} ms {:>8.4} ms",
            at(0.0),
            at(0.5),
            at(0.99)
        );
    }
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
