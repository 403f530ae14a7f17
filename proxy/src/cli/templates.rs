//! `tollfree templates list|lint|add|coverage|draft`.

mod coverage;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tollfree_cache::template::{Problem, library, lint};

use super::backend::{self, Backend};
use super::{Global, out, per_line};
use crate::commands::templates::Add;
pub(super) use coverage::{coverage, draft};

/// Lists the templates that would answer.
pub(super) fn list(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let list = Backend::open(config)?.templates()?;
    if global.json {
        out::line(&list.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for template in list.as_array().into_iter().flatten() {
        let field = |name: &str| {
            template
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let slots: Vec<_> = template
            .get("slots")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        out::line(&format!(
            "{:<16} {:<28} {}",
            field("category"),
            field("id"),
            slots.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks the compiled-in templates and those of `templates.dir`.
pub(super) fn lint(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    let (sources, problems) = match library::sources(config.templates().dir()) {
        Ok(sources) => {
            let problems = lint::lint(&sources);
            (sources, problems)
        }
        Err(problems) => (Vec::new(), problems),
    };
    if global.json {
        let problems: Vec<_> = problems
            .iter()
            .map(|problem| json!({ "template": problem.template, "field": problem.field, "message": problem.message, "remedy": problem.remedy }))
            .collect();
        out::line(&json!({ "templates": sources.len(), "problems": problems }).to_string());
    } else {
        problems
            .iter()
            .for_each(|problem| out::line(&problem.to_string()));
        out::line(&format!(
            "{} templates, {} problems",
            sources.len(),
            problems.len()
        ));
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Adds a template file to the running server, or to `templates.dir` when none runs.
pub(super) fn add(global: &Global, file: &Path, replace: bool) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let add = Add {
        text: per_line::read(file)?,
        replace,
    };
    let outcome = Backend::open(config)?.add_template(add)?;
    let value = match &outcome {
        Ok(value) | Err(value) => value,
    };
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if global.json {
        out::line(&value.to_string());
    } else if outcome.is_ok() {
        let serving = value.get("serving").and_then(Value::as_bool) == Some(true);
        let replaced = value.get("replaced").and_then(Value::as_bool) == Some(true);
        out::line(&format!(
            "{} {}/{} in {}, {}",
            if replaced { "replaced" } else { "added" },
            text(value, "category"),
            text(value, "id"),
            text(value, "path"),
            if serving {
                "which the running server now answers with"
            } else {
                "read at the next start"
            }
        ));
    } else {
        let problems = value.get("problems").and_then(Value::as_array);
        for problem in problems.into_iter().flatten() {
            let problem = Problem::new(
                text(problem, "template"),
                text(problem, "field"),
                text(problem, "message"),
                text(problem, "remedy"),
            );
            out::line(&problem.to_string());
        }
        let remedy = if text(value, "error").ends_with("already") {
            "; give it another id, or --replace it"
        } else {
            ""
        };
        out::note(&format!(
            "tollfree: {} is not added: {}{remedy}",
            file.display(),
            text(value, "error")
        ));
    }
    Ok(if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
