//! Times one bare embedding: the floor of a semantic or template hit.

use std::{
    fmt,
    hint::black_box,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tokio::time::Instant;
use tollfree_embedder::{Embedder, minilm::MiniLm};

use crate::latency::{Latencies, Summary};

/// Embeddings before the clock runs: the first calls allocate what the later ones reuse.
const WARMUP: usize = 20;

/// What to measure.
#[derive(Debug)]
pub struct Options {
    /// The ONNX Runtime library.
    pub runtime: PathBuf,
    /// Folder of the sentence model.
    pub model_dir: PathBuf,
    /// Texts to embed, each once and alone.
    pub texts: Vec<String>,
}

/// How long one embedding took.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The model, as vectors name it.
    pub model: String,
    /// How many texts were embedded.
    pub texts: u64,
    /// Median time of one text in milliseconds, one thread.
    pub median_ms: f64,
    /// Times in microseconds.
    pub latency_us: Summary,
}

/// Embeds one text after the other on one thread, with nothing around the model.
///
/// # Errors
/// When there is no text, the model does not load or an embedding fails.
pub fn run(options: &Options) -> Result<Report> {
    let first = options.texts.first().context("there is no text to embed")?;
    let mut model = MiniLm::open(&options.runtime, &options.model_dir)?;
    let mut latencies = Latencies::new()?;
    for _ in 0..WARMUP {
        model.embed(&[first])?;
    }
    for text in &options.texts {
        let begun = Instant::now();
        black_box(model.embed(&[text])?);
        latencies.record(begun.elapsed());
    }
    let latency_us = latencies.summary();
    Ok(Report {
        model: model.model().to_string(),
        texts: latencies.len(),
        median_ms: latency_us.p50 / 1000.0,
        latency_us,
    })
}

/// Reads texts, one a line; blank lines are left out.
///
/// # Errors
/// When the file cannot be read or holds no text.
pub fn read_texts(path: &Path) -> Result<Vec<String>> {
    let file =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let texts: Vec<String> = file
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    ensure!(!texts.is_empty(), "{} holds no text", path.display());
    Ok(texts)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary {
            min, p50, p99, max, ..
        } = self.latency_us;
        writeln!(
            f,
            "{}, {} texts, one at a time on one thread",
            self.model, self.texts
        )?;
        writeln!(
            f,
            "min {min:.0}  p50 {p50:.0}  p99 {p99:.0}  max {max:.0} us"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_lines_that_are_not_blank() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("texts");
        std::fs::write(&path, "learn Spanish\n\n  \nrun a 10 km race\n")?;
        assert_eq!(read_texts(&path)?, ["learn Spanish", "run a 10 km race"]);
        std::fs::write(&path, "\n")?;
        assert!(read_texts(&path).is_err_and(|error| error.to_string().ends_with("holds no text")));
        Ok(())
    }
}
