//! `POST /admin/v1/feedback`: somebody says whether an answer was right.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tollfree_cache::bound::sweep::Judged;
use tollfree_cache::bound::{Margin, Observation, Source};
use tollfree_cache::decision::Bar;
use tollfree_cache::entry::EntryId;

use crate::app::App;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Feedback {
    /// The request, as `x-tollfree-request-id` named it.
    request: Option<String>,
    /// The entry, as `x-tollfree-entry` named it.
    entry: Option<String>,
    /// Whether its answer was right.
    right: bool,
    /// What the same-answer model gave it, where an entry is named and this is known.
    confidence: Option<f32>,
}

/// Feedback that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The body is not what it should be.
    #[error(
        "body: {0}; send {{\"request\": id, \"right\": true}} or {{\"entry\": id, \"right\": false}}"
    )]
    Body(String),
    /// No such request.
    #[error(
        "request {0:?} is not among the last decisions of this server; name the entry (x-tollfree-entry) instead"
    )]
    Request(String),
    /// A request that no entry answered.
    #[error("request {0:?} was answered by {1}, not by a stored entry; there is nothing to label")]
    NoEntry(String, &'static str),
    /// No such entry.
    #[error("entry {0:?} is not stored (any more)")]
    Entry(String),
}

impl Refusal {
    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Request(_) | Self::Entry(_) => StatusCode::NOT_FOUND,
            Self::NoEntry(..) => StatusCode::CONFLICT,
        }
    }
}

/// Takes feedback and says where it leaves the entry.
///
/// A label at the surest margin where no confidence is known: a wrong answer then counts against every wording, and
/// a right one for the surest only.
///
/// # Errors
/// See [`Refusal`].
pub fn give(app: &App, body: &[u8]) -> Result<Value, Refusal> {
    let feedback: Feedback =
        serde_json::from_slice(body).map_err(|error| Refusal::Body(error.to_string()))?;
    let (id, margin, request) = match (&feedback.request, &feedback.entry) {
        (Some(request), None) => {
            if feedback.confidence.is_some() {
                return Err(Refusal::Body(
                    "confidence is known of a request and goes with entry only".to_owned(),
                ));
            }
            let decided = request
                .parse()
                .ok()
                .and_then(|id| app.lookup.recent().get(id))
                .ok_or_else(|| Refusal::Request(request.clone()))?;
            let id = decided
                .entry
                .ok_or_else(|| Refusal::NoEntry(request.clone(), by(decided.decision)))?;
            let margin = match decided.judged {
                Judged::At(margin) => margin,
                Judged::Always | Judged::Never => Margin::SURE,
            };
            (id, margin, Some(decided.request))
        }
        (None, Some(entry)) => {
            let id: EntryId = entry
                .parse()
                .map_err(|error| Refusal::Body(format!("{error}")))?;
            (id, margin_of(feedback.confidence)?, None)
        }
        _ => {
            return Err(Refusal::Body(
                "name either a request or an entry".to_owned(),
            ));
        }
    };
    let observation = Observation {
        margin,
        right: feedback.right,
    };
    let cache = app.lookup.cache();
    if !cache.label(id, observation, Source::Feedback, None) {
        return Err(Refusal::Entry(id.to_string()));
    }
    if let Some(request) = request {
        app.lookup.recent().label(request, feedback.right);
    }
    let label = if feedback.right {
        "feedback_right"
    } else {
        "feedback_wrong"
    };
    app.metrics.bound_labels.with_label_values(&[label]).inc();
    let (right, wrong) = cache.bound().labels(id);
    Ok(json!({
        "entry": id.to_string(),
        "right": right,
        "wrong": wrong,
        "blocked": cache.bound().is_blocked(id),
    }))
}

fn margin_of(confidence: Option<f32>) -> Result<Margin, Refusal> {
    match confidence {
        None => Ok(Margin::SURE),
        Some(confidence) if (0.0..=1.0).contains(&confidence) => {
            Ok(Margin::new(confidence, Bar::DEFAULT.likely))
        }
        Some(confidence) => Err(Refusal::Body(format!(
            "confidence is {confidence}, outside 0 to 1"
        ))),
    }
}

fn by(decision: &'static str) -> &'static str {
    match decision {
        "template" => "a template",
        _ => "an upstream",
    }
}
