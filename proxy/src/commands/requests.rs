//! `tollfree explain --request ID`: why a request was answered as it was.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::explain;
use crate::app::App;
use crate::decisions::{Decision, Looked};

/// Decisions of a list unless the caller asks for more or fewer.
const DEFAULT_LIMIT: usize = 100;

/// Which of the latest decisions to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latest {
    /// How many at most; 100 unless given.
    pub limit: Option<usize>,
    /// Only those with this value of `x-tollfree-cache`.
    pub decision: Option<String>,
}

/// The latest decisions, the latest first.
pub fn latest(app: &App, latest: &Latest) -> Value {
    let limit = latest.limit.unwrap_or(DEFAULT_LIMIT);
    let decisions = app.decisions.latest(limit, |decision| {
        latest
            .decision
            .as_deref()
            .is_none_or(|wanted| decision.status.as_str() == wanted)
    });
    let decisions: Vec<Value> = decisions
        .iter()
        .map(|decision| show(app, decision))
        .collect();
    json!({ "kept": app.decisions.capacity(), "requests": decisions })
}

/// The decision of one request.
///
/// # Errors
/// That there is none, with the remedy.
pub fn one(app: &App, id: &str) -> Result<Value, String> {
    if !app.decisions.is_on() {
        return Err(
            "no decision is kept; set log.decisions to the number of latest ones to keep"
                .to_owned(),
        );
    }
    app.decisions
        .find(id)
        .map(|decision| show(app, &decision))
        .ok_or_else(|| {
            format!(
                "no decision is kept for request {id:?}; give the x-tollfree-request-id of one of the latest {} requests \
                 (log.decisions) since the server's start, or the x-request-id that its client sent",
                app.decisions.capacity()
            )
        })
}

fn show(app: &App, decision: &Decision) -> Value {
    let mut shown = decision
        .looked
        .as_deref()
        .map_or_else(|| json!({}), |looked| lookup(app, looked));
    let routed = decision.routed.as_deref();
    let ruled_out: Vec<Value> = routed
        .into_iter()
        .flat_map(|routed| &routed.ruled_out)
        .map(|(name, reason)| json!({ "upstream": name, "reason": reason }))
        .collect();
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).ok();
    let facts = json!({
        "id": decision.id.to_string(),
        "client_id": decision.alias.as_deref(),
        "at_ms": decision.at_ms,
        "protocol": decision.protocol.as_str(),
        "decision": decision.status.as_str(),
        "entry": decision.entry,
        "similarity": decision.similarity,
        "reason": decision.reason,
        "saved_usd": decision.saved_usd,
        "upstream": {
            "chosen": decision.upstream,
            "model": routed.and_then(|routed| routed.model.as_deref()),
            "reason": routed.map(|routed| routed.reason.as_str()),
            "ruled_out": ruled_out,
        },
        "timings_us": {
            "lookup": decision.looked.as_deref().and_then(|looked| micros(looked.took)),
            "upstream": routed.and_then(|_| micros(decision.waited)),
            "overhead": micros(decision.overhead),
        },
    });
    if let (Some(shown), Value::Object(facts)) = (shown.as_object_mut(), facts) {
        shown.extend(facts);
    }
    shown
}

fn lookup(app: &App, looked: &Looked) -> Value {
    let threshold = |own: f32| looked.asked_similarity.map_or(own, |asked| asked.max(own));
    let candidates: Vec<Value> = looked.considered.iter().map(explain::candidate).collect();
    json!({
        "goal": looked.goal,
        "goal_digest": blake3::Hash::from_bytes(looked.goal_digest).to_hex().as_str(),
        "goal_bytes": looked.goal_bytes,
        "namespace": looked.namespace.as_str(),
        "model": looked.model,
        "frame": looked.frame.as_ref().map(|(frame, _)| frame),
        "shape": looked.frame.as_ref().map_or("markdown", |(_, shape)| shape),
        "language": looked.language.as_ref().map(tollfree_cache::language::Language::as_str),
        "keys": {
            "exact": looked.exact.to_string(),
            "compatibility": looked.compatibility.map(|key| key.to_string()),
        },
        "thresholds": {
            "semantic": threshold(app.config.cache().min_similarity().get()),
            "template": threshold(app.config.templates().min_similarity().get()),
            "asked": looked.asked_similarity,
        },
        "candidates": candidates,
    })
}
