//! `tollfree templates list` and `coverage`.

use serde_json::{Value, json};

use super::goal::Asking;
use super::{bad_line, fields, text};
use crate::app::App;
use crate::lookup::{Hit, Options};

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
