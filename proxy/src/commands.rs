//! What the commands do, as plain functions from JSON to JSON.
//!
//! A command runs the same function whether it opens the data directory itself or a running server does the
//! work for it through the admin API: the two cannot disagree.

pub mod calibrate;
pub mod clusters;
pub mod explain;
pub mod feedback;
pub mod frames;
pub mod goal;
pub mod lines;
pub mod lookup;
pub mod near_misses;
pub mod pairs;
pub mod portable;
pub mod purge;
pub mod release;
pub mod requests;
pub mod stats;
pub mod templates;
pub mod warm;

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use goal::Asking;

/// A call of a command, as the admin API receives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// How the goals are asked.
    #[serde(default)]
    pub asking: Asking,
    /// Input lines, each an object.
    #[serde(default)]
    pub lines: Vec<Value>,
}

/// Lines that need no asking, as the admin API receives them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Input lines, each an object.
    pub lines: Vec<Value>,
}

impl Lines {
    /// The lines with their numbers: those they came with, or else their places, from 1.
    pub fn numbered(self) -> Vec<Value> {
        let mut lines = self.lines;
        for (index, line) in lines.iter_mut().enumerate() {
            if let Some(object) = line.as_object_mut() {
                object
                    .entry(lines::LINE_NUMBER)
                    .or_insert_with(|| (index + 1).into());
            }
        }
        lines
    }
}

/// A command that has an answer for each input line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerLine {
    /// The decision for a goal.
    Lookup,
    /// Whether an answer for `a` would be served for `b`.
    Pairs,
    /// The template that would answer a goal.
    Coverage,
    /// Whether a goal has to be asked ahead of traffic, and what that would cost.
    WarmPlan,
    /// Asks an upstream for a goal ahead of traffic and keeps its answer.
    Warm,
}

impl PerLine {
    /// The last part of its admin path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Pairs => "pairs",
            Self::Coverage => "coverage",
            Self::WarmPlan => "warm-plan",
            Self::Warm => "warm",
        }
    }

    /// Runs it: one result for each line, in order.
    ///
    /// # Errors
    /// When `asking` names a frame or shape that is not configured. A bad line is a result of its own.
    pub async fn run(self, app: &App, call: &Call) -> Result<Vec<Value>, goal::Unknown> {
        call.asking.check(app)?;
        let mut results = Vec::with_capacity(call.lines.len());
        for line in &call.lines {
            results.push(match self {
                Self::Lookup => lookup::line(app, &call.asking, line).await,
                Self::Pairs => pairs::line(app, &call.asking, line).await,
                Self::Coverage => templates::coverage_line(app, &call.asking, line).await,
                Self::WarmPlan => warm::plan_line(app, &call.asking, line).await,
                Self::Warm => warm::line(app, &call.asking, line).await,
            });
        }
        Ok(results)
    }
}

/// Waits until what was taken in or out so far is on the disk. A store that takes no writes is logged: entries
/// then live in memory.
pub(crate) async fn make_durable(app: &App) {
    let lookup = app.lookup.clone();
    match tokio::task::spawn_blocking(move || lookup.cache().flush_blocking()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %crate::error::chain(&error), "not durable yet");
        }
        Err(error) => tracing::warn!(%error, "not durable yet"),
    }
}

/// A result that says what is wrong with its line.
pub(crate) fn bad_line(line: &Value, error: &str) -> Value {
    let mut result = serde_json::Map::new();
    if let Some(number) = line.get(lines::LINE_NUMBER) {
        result.insert("line".to_owned(), number.clone());
    }
    result.insert("error".to_owned(), error.into());
    Value::Object(result)
}

/// The fields of an input line, copied through to its result.
pub(crate) fn fields(line: &Value) -> serde_json::Map<String, Value> {
    let mut fields = line.as_object().cloned().unwrap_or_default();
    fields.remove(lines::LINE_NUMBER);
    fields
}

/// A text field of a line that must be there and not be empty.
pub(crate) fn text<'a>(line: &'a Value, field: &str) -> Result<&'a str, String> {
    if let Some(error) = line.get(lines::LINE_ERROR).and_then(Value::as_str) {
        return Err(error.to_owned());
    }
    match line.get(field) {
        None => Err(format!(
            "field `{field}` is missing; give JSON lines with it or TSV whose header names it"
        )),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(Value::String(_)) => Err(format!("field `{field}` is empty")),
        Some(_) => Err(format!("field `{field}` must be a text")),
    }
}
