//! `tollfree check` and `tollfree schema`.

use std::process::ExitCode;

use serde_json::json;

use super::{Global, backend, out};
use crate::app;

/// Validates the configuration and all it refers to; prints every problem with file, line, field and remedy.
pub(super) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let config = match backend::load(global) {
        Ok(config) => config,
        Err(invalid) => {
            if global.json {
                out::line(&json!({ "valid": false, "problems": invalid.problems }).to_string());
            } else {
                out::line(&invalid.to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let problems: Vec<String> = [
        app::load_library(&config).err(),
        app::load_shapes(&config).err(),
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect();
    if global.json {
        let problems: Vec<_> = problems
            .iter()
            .map(|message| json!({ "message": message }))
            .collect();
        out::line(&json!({ "valid": problems.is_empty(), "problems": problems }).to_string());
    } else if problems.is_empty() {
        out::line("the configuration is valid");
    } else {
        problems.iter().for_each(|problem| out::line(problem));
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints the JSON Schema of the configuration.
pub(super) fn schema() -> anyhow::Result<ExitCode> {
    out::line(tollfree_config::schema::json_schema().trim_end());
    Ok(ExitCode::SUCCESS)
}
