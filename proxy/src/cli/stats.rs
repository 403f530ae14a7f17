//! `tollfree cache stats`.

use std::process::ExitCode;

use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out};

/// Prints the figures of the cache.
pub(super) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let stats = Backend::open(config)?.stats()?;
    if global.json {
        out::line(&stats.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print("", &stats);
    Ok(ExitCode::SUCCESS)
}

fn print(prefix: &str, value: &Value) {
    let Some(object) = value.as_object() else {
        return;
    };
    for (name, value) in object {
        let name = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Object(_) => print(&name, value),
            Value::Null => {}
            Value::String(text) => out::line(&format!("{name:<36} {text}")),
            other => out::line(&format!("{name:<36} {other}")),
        }
    }
}
