//! `[[shapes]]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{Name, ShapeContent};

/// A format in which a template's plan is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawShape {
    /// Name by which frames ask for the shape; `markdown` and `json-tasks` are taken.
    #[schemars(required, with = "Name", example = &"checklist")]
    pub(crate) name: Option<String>,

    /// The shape itself: minijinja text over the plan (`title`, `summary`, `milestones`, ...).
    #[schemars(required, length(min = 1), example = &"{{ title }}")]
    pub(crate) template: Option<String>,

    /// What the template writes. `text`: plain text or Markdown. `json`: one JSON value, checked before it is
    /// served.
    ///
    /// Default: `text`.
    #[schemars(extend("default" = defaults::SHAPE_CONTENT))]
    pub(crate) content: Option<ShapeContent>,
}
