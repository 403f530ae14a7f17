//! `tollfree lookup`: the decision for each goal, without calling an upstream.

use serde_json::{Value, json};

use super::goal::Asking;
use super::{bad_line, fields, text};
use crate::app::App;
use crate::lookup::{Finding, Options};

/// The decision for one line with a `goal`; its other fields are copied through.
pub async fn line(app: &App, asking: &Asking, line: &Value) -> Value {
    let goal = match text(line, "goal") {
        Ok(goal) => goal,
        Err(error) => return bad_line(line, &error),
    };
    let request = match asking.request(app, goal) {
        Ok(request) => request,
        Err(error) => return bad_line(line, &error.to_string()),
    };
    let finding = app
        .lookup
        .find(
            &request,
            &Options {
                patient: true,
                ..Options::default()
            },
        )
        .await;
    let mut result = fields(line);
    let Finding {
        hit,
        similarity,
        reason,
        ..
    } = &finding;
    result.insert("goal".to_owned(), goal.into());
    result.insert(
        "decision".to_owned(),
        hit.as_ref()
            .map_or("miss", |hit| hit.status().as_str())
            .into(),
    );
    result.insert(
        "entry".to_owned(),
        json!(hit.as_ref().map(crate::lookup::Hit::id)),
    );
    result.insert("similarity".to_owned(), json!(similarity));
    result.insert(
        "answer".to_owned(),
        json!(hit.as_ref().map(|hit| &hit.answer().text)),
    );
    result.insert("reason".to_owned(), json!(reason));
    Value::Object(result)
}
