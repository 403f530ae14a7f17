//! `tollfree templates coverage` and `draft`: what templates answer, what they do not, and files to begin with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use tollfree_cache::template::draft as drafts;

use super::super::backend::{self, Backend};
use super::super::{Global, out, per_line};
use crate::commands::clusters::Cluster;
use crate::commands::goal::Asking;
use crate::commands::{PerLine, lines};

/// What templates answer of the goals of a file.
struct Covered {
    total: usize,
    bad: usize,
    /// Answered goals, by category and template.
    counts: BTreeMap<(String, String), usize>,
    /// How many goals without an answer were grouped.
    clustered: usize,
    clusters: Vec<Cluster>,
}

impl Covered {
    fn answered(&self) -> usize {
        self.counts.values().sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of lines")]
    fn share(&self, count: usize) -> f64 {
        if self.total == 0 {
            0.0
        } else {
            count as f64 / self.total as f64
        }
    }
}

/// Reports the share of a file's goals that templates answer, and the largest groups of those that none does.
pub(in super::super) fn coverage(
    global: &Global,
    goals: &Path,
    clusters: usize,
) -> anyhow::Result<ExitCode> {
    let Some((_, covered)) = measure(global, goals, clusters > 0)? else {
        return Ok(ExitCode::FAILURE);
    };
    let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
    for ((category, _), count) in &covered.counts {
        *categories.entry(category).or_default() += count;
    }
    let answered = covered.answered();
    let missed = covered.total - answered;
    if global.json {
        let templates: Vec<_> = covered
            .counts
            .iter()
            .map(|((category, id), count)| json!({ "template": id, "category": category, "goals": count, "share": covered.share(*count) }))
            .collect();
        let categories: Vec<_> = categories
            .iter()
            .map(|(category, count)| json!({ "category": category, "goals": count, "share": covered.share(*count) }))
            .collect();
        let groups: Vec<_> = covered
            .clusters
            .iter()
            .take(clusters)
            .map(|cluster| json!({ "name": cluster.name, "goals": cluster.size, "share": covered.share(cluster.size), "lines": cluster.lines }))
            .collect();
        out::line(&json!({
            "goals": covered.total, "answered": answered, "share": covered.share(answered), "bad_lines": covered.bad,
            "categories": categories, "templates": templates, "clustered": covered.clustered, "clusters": groups,
        }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let percent = |count: usize| 100.0 * covered.share(count);
    out::line(&format!(
        "{answered} of {} goals answered by a template ({:.1} %)",
        covered.total,
        percent(answered)
    ));
    for (category, count) in &categories {
        out::line(&format!(
            "{:>6.1} %  {count:>6}  {category}",
            percent(*count)
        ));
        for ((_, id), count) in covered.counts.iter().filter(|((of, _), _)| of == category) {
            out::line(&format!("{:>6.1} %  {count:>6}    {id}", percent(*count)));
        }
    }
    if !covered.clusters.is_empty() && clusters > 0 {
        out::line("\nnot answered, in groups by their most typical words:");
        for cluster in covered.clusters.iter().take(clusters) {
            let examples: Vec<String> =
                cluster.lines.iter().take(3).map(Value::to_string).collect();
            out::line(&format!(
                "{:>6.1} %  {:>6}  {}  (lines {}...)",
                percent(cluster.size),
                cluster.size,
                cluster.name,
                examples.join(", ")
            ));
        }
        if covered.clustered < missed {
            out::note(&format!(
                "grouped {} evenly spaced of the {missed} goals without an answer; multiply sizes accordingly",
                covered.clustered
            ));
        }
    }
    if covered.bad > 0 {
        out::note(&format!("{} lines could not be read", covered.bad));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a draft for each of the largest groups of goals that no template answers.
pub(in super::super) fn draft(
    global: &Global,
    goals: &Path,
    out_dir: Option<&Path>,
    clusters: usize,
) -> anyhow::Result<ExitCode> {
    let Some((config_dir, covered)) = measure(global, goals, true)? else {
        return Ok(ExitCode::FAILURE);
    };
    let folder = out_dir
        .map(Path::to_owned)
        .or(config_dir)
        .unwrap_or_else(|| PathBuf::from("templates"))
        .join(drafts::CATEGORY);
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut written = Vec::new();
    for cluster in covered.clusters.iter().take(clusters) {
        let goals: Vec<&str> = cluster.goals.iter().map(String::as_str).collect();
        let path = folder.join(format!("{}.toml", drafts::id(&cluster.name)));
        // What somebody has begun to write is worth more than a new draft.
        let exists = path.exists();
        if !exists {
            std::fs::write(&path, drafts::draft(&cluster.name, &goals))
                .with_context(|| format!("writing {}", path.display()))?;
        }
        if !global.json {
            let what = if exists { "kept   " } else { "written" };
            out::line(&format!(
                "{what} {} ({} goals)",
                path.display(),
                cluster.size
            ));
        }
        written.push(json!({ "path": path, "name": cluster.name, "goals": cluster.size, "written": !exists }));
    }
    if global.json {
        out::line(&json!({ "drafts": written }).to_string());
    } else if written.is_empty() {
        out::note("no two goals without an answer are alike: nothing to draft");
    } else {
        out::note("a draft answers nothing; `tollfree templates lint` tells what is left to write");
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks for the template of every goal, and groups those without one; also returns `templates.dir`.
fn measure(
    global: &Global,
    file: &Path,
    group: bool,
) -> anyhow::Result<Option<(Option<PathBuf>, Covered)>> {
    let Some(config) = backend::configuration(global) else {
        return Ok(None);
    };
    crate::telemetry::log::install_quiet(config.log());
    let dir = config.templates().dir().map(Path::to_owned);
    let lines = lines::read(&per_line::read(file)?, "goal", &["goal"]);
    let backend = Backend::open(config)?;
    let mut covered = Covered {
        total: 0,
        bad: 0,
        counts: BTreeMap::new(),
        clustered: 0,
        clusters: Vec::new(),
    };
    let mut missed = Vec::new();
    for chunk in lines.chunks(per_line::CHUNK) {
        let results = backend.run(PerLine::Coverage, &Asking::default(), chunk.to_vec())?;
        for (line, result) in chunk.iter().zip(results) {
            if per_line::is_bad(&result) {
                covered.bad += 1;
                continue;
            }
            covered.total += 1;
            let field = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
            match (field("template"), field("template_category")) {
                (Some(template), Some(category)) => {
                    *covered.counts.entry((category, template)).or_default() += 1;
                }
                _ => missed.push(line.clone()),
            }
        }
    }
    if group && !missed.is_empty() {
        let found = backend.clusters(missed)?;
        covered.clustered = found
            .get("clustered")
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0);
        covered.clusters =
            serde_json::from_value(found.get("clusters").cloned().unwrap_or_default())
                .context("reading the groups")?;
    }
    Ok(Some((dir, covered)))
}
