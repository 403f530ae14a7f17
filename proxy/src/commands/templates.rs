//! `tollfree templates list`, `coverage`, the clusters of what is not covered, and `add`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollfree_cache::goal::Goal;

use super::clusters::{self, Member};
use super::goal::Asking;
use super::{bad_line, fields, text};
use crate::app::App;
use crate::lookup::models::PATIENCE;
use crate::lookup::{AddError, Added, Hit, Options};

/// Most goals that are clustered at once; of more, evenly spaced ones are.
pub const MAX_CLUSTERED: usize = 3_000;

/// Texts embedded in one call, so that requests find their turn between them.
const BATCH: usize = 8;

/// A template file to add.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Its TOML.
    pub text: String,
    /// Whether it may take the place of one with its id.
    #[serde(default)]
    pub replace: bool,
}

/// Adds a template; with `serving` it answers from then on, else only its file is written.
///
/// # Errors
/// See [`AddError`].
pub async fn add(app: &App, add: Add, serving: bool) -> Result<Value, AddError> {
    let dir = app.config.templates().dir();
    let Added {
        id,
        category,
        replaced,
        path,
        templates,
    } = app
        .lookup
        .add_template(dir, add.text, add.replace, serving)
        .await?;
    Ok(json!({
        "id": id, "category": category, "replaced": replaced, "path": path, "templates": templates, "serving": serving,
    }))
}

/// What is said of a template that was not added.
pub fn refusal(error: &AddError) -> Value {
    let problems: Vec<Value> = error
        .problems()
        .iter()
        .map(|problem| json!({ "template": problem.template, "field": problem.field, "message": problem.message, "remedy": problem.remedy }))
        .collect();
    json!({ "error": crate::error::chain(error).to_string(), "problems": problems })
}

/// Groups goals that want the same, the largest group first: what to write a template for.
///
/// Cost: one embedding a goal, for up to [`MAX_CLUSTERED`] of them.
///
/// # Errors
/// When the embedder cannot be loaded or fails.
pub async fn clusters(app: &App, lines: &[Value]) -> tollfree_embedder::Result<Value> {
    let library = app.lookup.library();
    let goals: Vec<(&Value, &str)> = lines
        .iter()
        .filter_map(|line| Some((line, text(line, "goal").ok()?)))
        .collect();
    let step = goals.len().div_ceil(MAX_CLUSTERED).max(1);
    let mut members = Vec::new();
    let taken: Vec<_> = goals.iter().step_by(step).collect();
    app.lookup.models().pool().ready().await?;
    for batch in taken.chunks(BATCH) {
        let goals: Vec<Goal> = batch.iter().map(|(_, goal)| Goal::analyse(goal)).collect();
        let masked = goals.iter().map(|goal| library.mask(goal)).collect();
        let vectors = app.lookup.models().embed(masked, PATIENCE).await?;
        members.extend(goals.into_iter().zip(vectors).zip(batch).map(
            |((goal, vector), (line, text))| {
                Member {
                    line: line
                        .get(super::lines::LINE_NUMBER)
                        .cloned()
                        .unwrap_or_default(),
                    text: (*text).to_owned(),
                    goal,
                    vector,
                }
            },
        ));
    }
    let (goals, clustered) = (goals.len(), members.len());
    let found = tokio::task::spawn_blocking(move || clusters::of(&members)).await;
    Ok(json!({ "goals": goals, "clustered": clustered, "clusters": found.unwrap_or_default() }))
}

/// Every loaded template as one list.
pub fn list(app: &App) -> Value {
    let library = app.lookup.library();
    library
        .templates()
        .map(|template| {
            json!({
                "id": template.id(),
                "category": template.category(),
                "language": template.language().as_str(),
                "slots": template.slots().keys().collect::<Vec<_>>(),
                "phrasings": template.phrasings().len(),
            })
        })
        .collect()
}

/// Which template answers the goal of a line, whatever else is stored.
pub async fn coverage_line(app: &App, asking: &Asking, line: &Value) -> Value {
    let goal = match text(line, "goal") {
        Ok(goal) => goal,
        Err(error) => return bad_line(line, &error),
    };
    let request = match asking.request(app, goal) {
        Ok(request) => request,
        Err(error) => return bad_line(line, &error.to_string()),
    };
    let options = Options {
        patient: true,
        template_only: true,
        ..Options::default()
    };
    let finding = app.lookup.find(&request, &options).await;
    let template = match &finding.hit {
        Some(Hit::Template { id, .. }) => Some(id),
        _ => None,
    };
    let library = app.lookup.library();
    let category = template
        .and_then(|id| library.templates().find(|template| template.id() == id))
        .map(|template| template.category());
    let mut result = fields(line);
    result.insert("goal".to_owned(), goal.into());
    result.insert("template".to_owned(), json!(template));
    result.insert("template_category".to_owned(), json!(category));
    result.insert("similarity".to_owned(), json!(finding.similarity));
    result.insert("reason".to_owned(), json!(finding.reason));
    Value::Object(result)
}
