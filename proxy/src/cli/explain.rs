//! `tollfree explain`.

use std::process::ExitCode;

use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out};
use crate::commands::goal::Asking;

/// Explains one goal, as text or JSON.
pub(super) fn run(global: &Global, goal: &str, asking: Asking) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let explanation = Backend::open(config)?.explain(&asking, goal)?;
    out::line(&if global.json {
        explanation.to_string()
    } else {
        words(&explanation)
    });
    Ok(ExitCode::SUCCESS)
}

/// Explains how a request was answered, as text or JSON.
pub(super) fn request(global: &Global, id: &str) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install_quiet(config.log());
    let backend = Backend::open(config)?;
    let worker = backend.worker();
    let decision = backend.block_on(worker.request(id))?;
    out::line(&if global.json {
        decision.to_string()
    } else {
        request_words(&decision)
    });
    Ok(ExitCode::SUCCESS)
}

fn request_words(decision: &Value) -> String {
    let text = |path: &str| match decision.pointer(path) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut lines = vec![
        format!(
            "request      {}  client's {}",
            text("/id"),
            text("/client_id")
        ),
        format!(
            "took         lookup {} us, upstream {} us, proxy in all {} us",
            text("/timings_us/lookup"),
            text("/timings_us/upstream"),
            text("/timings_us/overhead")
        ),
    ];
    if decision.get("goal_digest").is_some() {
        lines.push(format!(
            "goal digest  {}  {} bytes",
            text("/goal_digest"),
            text("/goal_bytes")
        ));
        lines.push(format!(
            "thresholds   semantic {}  template {}  asked {}",
            text("/thresholds/semantic"),
            text("/thresholds/template"),
            text("/thresholds/asked")
        ));
    }
    lines.push(words(decision));
    lines.join("\n")
}

fn words(explanation: &Value) -> String {
    let text = |path: &str| match explanation.pointer(path) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut lines = vec![
        format!("goal         {}", text("/goal")),
        format!("namespace    {}", text("/namespace")),
        format!("model        {}  ({})", text("/model"), text("/protocol")),
        format!("frame        {}  shape {}", text("/frame"), text("/shape")),
        format!(
            "language     {}  time-bound {}",
            text("/language"),
            text("/time_bound")
        ),
        format!("exact key    {}", text("/keys/exact")),
        format!("compatible   {}", text("/keys/compatibility")),
    ];
    let candidates = explanation.pointer("/candidates").and_then(Value::as_array);
    for candidate in candidates.into_iter().flatten() {
        let field = |name: &str| {
            candidate
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        let similarity = candidate
            .get("similarity")
            .and_then(Value::as_f64)
            .unwrap_or(0.0);
        lines.push(format!(
            "candidate    {similarity:.4}  {:<9} {:<24} {}\n             \u{201c}{}\u{201d}",
            field("tier"),
            field("entry"),
            match candidate.get("detail").and_then(Value::as_str) {
                Some(detail) => format!("{} ({detail})", field("verdict")),
                None => field("verdict"),
            },
            field("text"),
        ));
    }
    lines.push(format!(
        "decision     {}  {}",
        text("/decision"),
        text("/entry")
    ));
    if explanation.pointer("/reason").is_some_and(Value::is_string) {
        lines.push(format!("because      {}", text("/reason")));
    }
    lines.push(format!(
        "upstream     {}  ({})",
        text("/upstream/chosen"),
        text("/upstream/reason")
    ));
    let ruled_out = explanation
        .pointer("/upstream/ruled_out")
        .and_then(Value::as_array);
    for upstream in ruled_out.into_iter().flatten() {
        let field = |name: &str| {
            upstream
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        lines.push(format!(
            "  not        {}: {}",
            field("upstream"),
            field("reason")
        ));
    }
    lines.join("\n")
}
