//! `[policy]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{Name, PolicyMode};

/// How an upstream is chosen.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawPolicy {
    /// How one upstream is chosen among those that fit a request. `weighted`: at random, in proportion to the
    /// weights.
    ///
    /// Default: `weighted`.
    #[schemars(extend("default" = defaults::POLICY_MODE))]
    pub(crate) mode: Option<PolicyMode>,

    /// Name of the upstream that gets requests on paths the proxy does not decode.
    ///
    /// Default: absent, the first of `[[upstreams]]`.
    #[schemars(with = "Option<Name>", example = &"gemini")]
    pub(crate) default_upstream: Option<String>,
}
