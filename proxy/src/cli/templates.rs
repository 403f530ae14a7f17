//! `tollfree templates list|lint|coverage`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tollfree_cache::template::{library, lint};

use super::backend::{self, Backend};
use super::{Global, out, per_line};
use crate::commands::PerLine;
use crate::commands::goal::Asking;

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

/// Reports the share of a file's goals that templates answer, by category and template.
pub(super) fn coverage(global: &Global, goals: &Path) -> anyhow::Result<ExitCode> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut total, mut answered, mut bad) = (0_usize, 0_usize, 0_usize);
    let done = per_line::each(
        global,
        PerLine::Coverage,
        goals,
        &Asking::default(),
        |result| {
            if per_line::is_bad(&result) {
                bad += 1;
                return;
            }
            total += 1;
            let field = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(template), Some(category)) =
                (field("template"), field("template_category"))
            {
                answered += 1;
                *counts.entry((category, template)).or_default() += 1;
            }
        },
    )?;
    if done.is_none() {
        return Ok(ExitCode::FAILURE);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of lines")]
    let share = |count: usize| {
        if total == 0 {
            0.0
        } else {
            count as f64 / total as f64
        }
    };
    let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
    for ((category, _), count) in &counts {
        *categories.entry(category).or_default() += count;
    }
    if global.json {
        let templates: Vec<_> = counts
            .iter()
            .map(|((category, id), count)| json!({ "template": id, "category": category, "goals": count, "share": share(*count) }))
            .collect();
        let categories: Vec<_> = categories
            .iter()
            .map(|(category, count)| json!({ "category": category, "goals": count, "share": share(*count) }))
            .collect();
        out::line(&json!({ "goals": total, "answered": answered, "share": share(answered), "bad_lines": bad, "categories": categories, "templates": templates }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    out::line(&format!(
        "{answered} of {total} goals answered by a template ({:.1} %)",
        100.0 * share(answered)
    ));
    for (category, count) in &categories {
        out::line(&format!(
            "{:>6.1} %  {count:>6}  {category}",
            100.0 * share(*count)
        ));
        for ((_, id), count) in counts.iter().filter(|((of, _), _)| of == category) {
            out::line(&format!(
                "{:>6.1} %  {count:>6}    {id}",
                100.0 * share(*count)
            ));
        }
    }
    if bad > 0 {
        out::note(&format!("{bad} lines could not be read"));
    }
    Ok(ExitCode::SUCCESS)
}
