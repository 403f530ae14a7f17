//! `tollfree lookup` and `tollfree pairs`: one JSON line out for each line in, in order.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out};
use crate::commands::goal::Asking;
use crate::commands::{PerLine, lines};

/// Lines sent to a server at once: a few hundred milliseconds of its time.
const CHUNK: usize = 32;

/// Exit code when a line could not be read.
pub(super) const BAD_LINE: u8 = 2;

/// Runs the command over a file.
pub(super) fn run(
    global: &Global,
    command: PerLine,
    file: &Path,
    asking: Asking,
) -> anyhow::Result<ExitCode> {
    let mut bad = false;
    let Some(()) = each(global, command, file, &asking, |result| {
        bad |= is_bad(&result);
        out::line(&result.to_string());
    })?
    else {
        return Ok(ExitCode::FAILURE);
    };
    Ok(if bad {
        ExitCode::from(BAD_LINE)
    } else {
        ExitCode::SUCCESS
    })
}

/// Calls `with` for the result of every line; `None` when the configuration is not valid.
pub(super) fn each(
    global: &Global,
    command: PerLine,
    file: &Path,
    asking: &Asking,
    mut with: impl FnMut(Value),
) -> anyhow::Result<Option<()>> {
    let Some(config) = backend::configuration(global) else {
        return Ok(None);
    };
    crate::telemetry::log::install_quiet(config.log());
    let text = read(file)?;
    let columns: &[&str] = match command {
        PerLine::Pairs => &["a", "b"],
        _ => &["goal"],
    };
    let lines = lines::read(&text, "goal", columns);
    let backend = Backend::open(config)?;
    for chunk in lines.chunks(CHUNK) {
        backend
            .run(command, asking, chunk.to_vec())?
            .into_iter()
            .for_each(&mut with);
    }
    Ok(Some(()))
}

/// Whether a result stands for a line that could not be read.
pub(super) fn is_bad(result: &Value) -> bool {
    result.as_object().is_some_and(|object| {
        object.len() == 2 && object.contains_key("line") && object.contains_key("error")
    })
}

/// Reads a whole input file, or standard input for `-`.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("reading standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    }
    // A byte that is not UTF-8 spoils its own line at most.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
