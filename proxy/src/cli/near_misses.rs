//! `tollfree near-misses`.

use std::process::ExitCode;

use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out};

/// Prints the near misses of the running server, one a line.
pub(super) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let backend = Backend::open(config)?;
    if matches!(backend, Backend::Here { .. }) {
        out::note("no server runs on this data directory: near misses are kept in its memory only");
    }
    let near = backend.near_misses()?;
    for line in near.as_array().into_iter().flatten() {
        if global.json {
            out::line(&line.to_string());
        } else {
            print(line);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(line: &Value) {
    let candidate = line.get("candidate").unwrap_or(&Value::Null);
    let text = |value: &Value, field: &str, bytes: &str| {
        value.get(field).and_then(Value::as_str).map_or_else(
            || format!("({} bytes)", value.get(bytes).unwrap_or(&Value::Null)),
            str::to_owned,
        )
    };
    let field = |name: &str| candidate.get(name).unwrap_or(&Value::Null).clone();
    let number = |name: &str| {
        field(name)
            .as_f64()
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
    };
    out::line(&format!(
        "{} {} similarity {} confidence {} of {}: {}\n  {}\n  {}",
        line.get("request")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        field("entry").as_str().unwrap_or_default(),
        number("similarity"),
        number("confidence"),
        number("needed"),
        field("verdict").as_str().unwrap_or_default(),
        text(line, "goal", "goal_bytes"),
        text(candidate, "text", "text_bytes"),
    ));
}
