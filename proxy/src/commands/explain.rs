//! `tollfree explain`: everything that decides about one goal.

use serde_json::{Value, json};
use tollfree_cache::decision::Considered;

use super::goal::{Asking, Unknown};
use crate::app::App;
use crate::lookup::{Hit, Options};
use crate::policy::Need;

/// What would happen to a goal, and why.
///
/// # Errors
/// When `asking` names a frame or shape that is not configured.
pub async fn explain(app: &App, asking: &Asking, goal: &str) -> Result<Value, Unknown> {
    let protocol = asking.protocol()?;
    let request = asking.request(app, goal)?;
    let finding = app
        .lookup
        .find(
            &request,
            &Options {
                patient: true,
                thorough: true,
                ..Options::default()
            },
        )
        .await;
    let candidates: Vec<Value> = finding.considered.iter().map(candidate).collect();
    let plan = app.policy.plan(
        &Need {
            protocol,
            model: &request.model,
            known_caller: true,
            untranslatable: None,
        },
        false,
    );
    let ruled_out: Vec<Value> = plan
        .ruled_out
        .iter()
        .map(|(name, reason)| json!({ "upstream": name, "reason": reason.as_str() }))
        .collect();
    let chosen = plan.choices.first();
    let upstream_reason = plan.why(app.policy.upstreams().len());
    Ok(json!({
        "goal": request.goal(),
        "namespace": request.namespace.as_str(),
        "model": request.model,
        "protocol": protocol.as_str(),
        "frame": request.framed.as_ref().map(|framed| &framed.frame),
        "shape": request.framed.as_ref().map_or("markdown", |framed| &framed.shape),
        "keys": {
            "exact": finding.exact.to_string(),
            "compatibility": finding.compatibility.map(|key| key.to_string()),
        },
        "language": finding.goal.as_ref().map(|goal| goal.language().as_str()),
        "time_bound": finding.goal.as_ref().map(tollfree_cache::goal::Goal::time_bound),
        "candidates": candidates,
        "decision": finding.hit.as_ref().map_or("miss", |hit| hit.status().as_str()),
        "entry": finding.hit.as_ref().map(Hit::id),
        "similarity": finding.similarity,
        "confidence": finding.confidence,
        "reason": finding.reason,
        "answer": finding.hit.as_ref().map(|hit| &hit.answer().text),
        "upstream": {
            "chosen": chosen.map(|choice| &choice.upstream.name),
            "model": chosen.map(|choice| &choice.model),
            "reason": upstream_reason,
            "ruled_out": ruled_out,
        },
    }))
}

/// A candidate that was looked at, with its features and what became of it.
pub(super) fn candidate(candidate: &Considered) -> Value {
    json!({
        "tier": candidate.proposer.as_str(),
        "entry": candidate.id,
        "text": Some(&candidate.text).filter(|text| !text.is_empty()),
        "similarity": candidate.similarity,
        "confidence": candidate.confidence,
        "needed": candidate.needed,
        "verdict": candidate.verdict,
        "detail": candidate.detail,
    })
}
