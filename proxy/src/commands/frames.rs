//! `tollfree frames`: the frames found in traffic, and an operator's word on them.

use serde::Deserialize;
use serde_json::{Value, json};

use tollfree_cache::frame::{FixedWords, GoalPlace};
use tollfree_config::config::GOAL;

use crate::app::App;
use crate::frame::learned::{Error, LearnedFrame, State};

/// An operator's word on a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It counts from now on.
    Approve {
        /// The shape in which templates answer inside it; without one none does.
        shape: Option<String>,
    },
    /// It never counts.
    Reject,
}

/// Why it had no effect, or not the whole one.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such shape.
    #[error(
        "no shape is named {0:?}; use markdown, json-tasks or one of [[shapes]] in the configuration"
    )]
    Shape(String),
    /// The frames have something against it.
    #[error(transparent)]
    Frame(#[from] Error),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    shape: Option<String>,
}

impl Decision {
    /// Reads the last part of a path and the body, which may be empty or name a `shape`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(verb: &str, body: &[u8]) -> Result<Self, String> {
        let body: Body = if body.trim_ascii().is_empty() {
            Body::default()
        } else {
            // An object first: a struct would be read from an array as well.
            serde_json::from_slice::<serde_json::Map<String, Value>>(body)
                .and_then(|object| serde_json::from_value(Value::Object(object)))
                .map_err(|error| format!("body: {error}"))?
        };
        match (verb, body.shape) {
            ("approve", shape) => Ok(Self::Approve { shape }),
            ("reject", None) => Ok(Self::Reject),
            ("reject", Some(_)) => Err("shape: a rejected frame has none; leave it out".to_owned()),
            _ => Err(format!("{verb:?} is neither approve nor reject")),
        }
    }

    /// The last part of its path.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Reject => "reject",
        }
    }

    /// The body that [`Self::parse`] reads.
    pub fn body(&self) -> Value {
        match self {
            Self::Approve { shape: Some(shape) } => json!({ "shape": shape }),
            _ => json!({}),
        }
    }
}

/// All learned frames.
pub fn list(app: &App) -> Value {
    let learned = app.frames.learned();
    let frames: Vec<Value> = learned
        .list()
        .iter()
        .map(|frame| describe(app, frame))
        .collect();
    json!({ "learn_frames": learned.mode().as_str(), "frames": frames })
}

/// Takes an operator's word and gives the frame as it is now.
///
/// # Errors
/// See [`Refusal`].
pub fn decide(app: &App, id: &str, decision: Decision) -> Result<Value, Refusal> {
    let (state, shape) = match decision {
        Decision::Approve { shape } => (State::Approved, shape),
        Decision::Reject => (State::Rejected, None),
    };
    if let Some(unknown) = shape.as_ref().filter(|shape| !app.lookup.has_shape(shape)) {
        return Err(Refusal::Shape(unknown.clone()));
    }
    let learned = app.frames.learned();
    learned.decide(id, state, shape)?;
    let frame = learned.list().into_iter().find(|frame| frame.id == id);
    Ok(frame.map_or(Value::Null, |frame| describe(app, &frame)))
}

fn describe(app: &App, frame: &LearnedFrame) -> Value {
    let words = &frame.words;
    let other = match words.place {
        GoalPlace::User => "system",
        GoalPlace::System => "user",
    };
    let mut described = json!({
        "id": frame.id,
        "name": frame.name(),
        "namespace": frame.namespace.as_str(),
        "state": frame.state.as_str(),
        "in_force": app.frames.learned().is_in_force(frame),
        "samples": frame.num_samples,
        "shape": frame.shape,
        "goal_in": words.place.as_str(),
        "before": words.before,
        "after": words.after,
        "fixed_characters": {
            "before": words.before.chars().count(),
            "after": words.after.chars().count(),
            "other": words.other.chars().count(),
        },
        "toml": toml(frame),
    });
    if let Some(object) = described.as_object_mut() {
        object.insert(other.to_owned(), words.other.clone().into());
    }
    described
}

/// The frame as a part of a configuration; `None` when the fixed words hold `{goal}` themselves, which a
/// configuration cannot say.
fn toml(frame: &LearnedFrame) -> Option<String> {
    let FixedWords {
        place,
        other,
        before,
        after,
    } = &frame.words;
    if [other, before, after]
        .iter()
        .any(|text| text.contains(GOAL))
    {
        return None;
    }
    let around = format!("{before}{GOAL}{after}");
    let (system, user) = match place {
        GoalPlace::User => (other, &around),
        GoalPlace::System => (&around, other),
    };
    let mut lines = vec!["[[frames]]".to_owned(), field("name", &frame.name())];
    if !system.is_empty() {
        lines.push(field("system", system));
    }
    lines.push(field("user", user));
    if let Some(shape) = &frame.shape {
        lines.push(field("shape", shape));
    }
    Some(lines.join("\n") + "\n")
}

/// A JSON string is a TOML basic string but for U+007F, which TOML wants escaped.
fn field(name: &str, text: &str) -> String {
    let quoted = Value::from(text).to_string();
    format!("{name} = {}", quoted.replace('\u{7f}', "\\u007f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_from_path_and_body() {
        let approve = |shape: Option<&str>| Decision::Approve {
            shape: shape.map(str::to_owned),
        };
        assert_eq!(Decision::parse("approve", b""), Ok(approve(None)));
        assert_eq!(Decision::parse("approve", b" {} "), Ok(approve(None)));
        let body = br#"{"shape":"markdown"}"#;
        assert_eq!(
            Decision::parse("approve", body),
            Ok(approve(Some("markdown")))
        );
        assert_eq!(Decision::parse("reject", b"{}"), Ok(Decision::Reject));
        for (verb, body) in [
            ("reject", &body[..]),
            ("approve", &b"[]"[..]),
            ("approve", &br#"{"form":"x"}"#[..]),
            ("keep", &b""[..]),
        ] {
            assert!(Decision::parse(verb, body).is_err(), "{verb}");
        }
    }
}
