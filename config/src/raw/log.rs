//! `[log]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{LogFormat, bounds};

/// What is logged, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLog {
    /// Form of the log lines. `human`: readable lines. `json`: one JSON object for each event.
    ///
    /// Default: `human`.
    #[schemars(extend("default" = defaults::LOG_FORMAT))]
    pub(crate) format: Option<LogFormat>,

    /// Least level that is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`, also by target
    /// (`info,tollfree=debug`). `TOLLFREE_LOG` replaces it.
    ///
    /// Default: `info`.
    #[schemars(extend("default" = defaults::LOG_LEVEL))]
    pub(crate) level: Option<String>,

    /// Whether the text of goals is logged, and kept with the latest decisions. Goals are private text of users.
    ///
    /// Default: `false`.
    #[schemars(extend("default" = defaults::LOG_GOALS))]
    pub(crate) goals: Option<bool>,

    /// How many of the latest decisions are kept in memory, to be explained by the id that
    /// `x-tollfree-request-id` tells. With `0` none is, and no id is told.
    ///
    /// Default: `1000`.
    #[schemars(extend("default" = defaults::LOG_DECISIONS))]
    #[schemars(range(min = bounds::LOG_DECISIONS.min(), max = bounds::LOG_DECISIONS.max()))]
    pub(crate) decisions: Option<i64>,
}
