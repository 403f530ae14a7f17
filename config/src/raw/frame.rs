//! `[[frames]]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::types::{Duration, Name};

/// The fixed words that an application wraps around the goal.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFrame {
    /// Name of the frame in logs, keys and metrics.
    #[schemars(required, with = "Name", example = &"coach")]
    pub(crate) name: Option<String>,

    /// The exact system text of the application's requests; with `{goal}` once where the goal stands in it and not
    /// in the user text.
    ///
    /// Default: absent, the frame fits requests without system text.
    #[schemars(example = &"You are a coach.")]
    pub(crate) system: Option<String>,

    /// The exact user text of the application's requests, with `{goal}` once, where the goal stands, unless that is
    /// in the system text.
    #[schemars(required, example = &"Make a plan for this goal: {goal}")]
    pub(crate) user: Option<String>,

    /// Shape in which a template answers inside this frame: `markdown`, `json-tasks` or the name of one of
    /// `[[shapes]]`.
    ///
    /// Default: absent, no template answers inside this frame.
    #[schemars(with = "Option<Name>", example = &"json-tasks")]
    pub(crate) shape: Option<String>,

    /// How long an answer learned inside this frame may be served, counted from its creation.
    ///
    /// Default: absent, `cache.ttl`.
    #[schemars(with = "Option<Duration>", example = &"1d")]
    pub(crate) ttl: Option<String>,
}
