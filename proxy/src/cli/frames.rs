//! `tollfree frames`.

use std::process::ExitCode;

use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out};
use crate::commands::frames::Decision;

/// Prints the frames found in traffic.
pub(super) fn list(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(backend) = open(global)? else {
        return Ok(ExitCode::FAILURE);
    };
    let listed = backend.frames()?;
    if global.json {
        out::line(&listed.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let frames = listed.get("frames").and_then(Value::as_array);
    for frame in frames.into_iter().flatten() {
        print(frame);
    }
    if frames.is_none_or(Vec::is_empty) {
        let mode = text(&listed, "learn_frames");
        out::note(&format!(
            "no frame has been found in traffic (cache.learn_frames is {mode})"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Approves or rejects a frame.
pub(super) fn decide(global: &Global, id: &str, decision: Decision) -> anyhow::Result<ExitCode> {
    let Some(backend) = open(global)? else {
        return Ok(ExitCode::FAILURE);
    };
    let frame = backend.decide_frame(id, decision)?;
    if global.json {
        out::line(&frame.to_string());
    } else {
        print(&frame);
    }
    Ok(ExitCode::SUCCESS)
}

fn open(global: &Global) -> anyhow::Result<Option<Backend>> {
    let Some(config) = backend::configuration(global) else {
        return Ok(None);
    };
    crate::telemetry::log::install_quiet(config.log());
    Backend::open(config).map(Some)
}

fn print(frame: &Value) {
    let number = |name: &str| {
        let value = frame.pointer(&format!("/fixed_characters/{name}"));
        value.and_then(Value::as_u64).unwrap_or_default()
    };
    let in_force = frame.get("in_force").and_then(Value::as_bool) == Some(true);
    out::line(&format!(
        "{id}  {state}{force}  {samples} samples  namespace {namespace}  goal in the {place} text, {before} fixed \
         characters before it, {after} after it, {other} in the other text",
        id = text(frame, "id"),
        state = text(frame, "state"),
        force = if in_force { ", in force" } else { "" },
        samples = frame
            .get("samples")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
        namespace = text(frame, "namespace"),
        place = text(frame, "goal_in"),
        before = number("before"),
        after = number("after"),
        other = number("other"),
    ));
    match frame.get("toml").and_then(Value::as_str) {
        Some(block) => out::line(block),
        None => out::line(
            "(the fixed words hold {goal} themselves: no [[frames]] block can say that)\n",
        ),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
