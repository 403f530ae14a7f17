//! `[templates]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::bounds;

/// Curated plans that answer common goals without any upstream.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawTemplates {
    /// Whether templates answer.
    ///
    /// Default: `true`.
    #[schemars(extend("default" = defaults::TEMPLATES_ENABLED))]
    pub(crate) enabled: Option<bool>,

    /// Folder of further templates, relative to the folder of this file. They are used beside the compiled-in ones;
    /// one with the same id replaces it.
    ///
    /// Default: absent, only the compiled-in templates.
    #[schemars(example = &"./templates")]
    pub(crate) dir: Option<String>,

    /// Least cosine similarity of a goal to a template's phrasing at which the template is a candidate; its slots
    /// and vocabulary decide then.
    ///
    /// Default: `0.7`.
    #[schemars(extend("default" = defaults::TEMPLATE_MIN_SIMILARITY))]
    #[schemars(range(min = bounds::SIMILARITY.min(), max = bounds::SIMILARITY.max()))]
    pub(crate) min_similarity: Option<f64>,
}
