//! `tollfree near-misses`: what came near to being served, and what kept it from it.

use serde_json::{Value, json};

use crate::app::App;

/// The recent decisions with a near miss, the newest first.
pub fn list(app: &App) -> Value {
    let near: Vec<Value> = app
        .lookup
        .recent()
        .all()
        .into_iter()
        .filter_map(|decided| {
            let near = decided.near?;
            Some(json!({
                "request": decided.request.to_string(),
                "at_ms": decided.at_ms,
                "goal": decided.goal,
                "goal_bytes": decided.goal_bytes,
                "candidate": near,
            }))
        })
        .collect();
    Value::Array(near)
}
