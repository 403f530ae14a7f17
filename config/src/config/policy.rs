//! The valid form of `[policy]`.

use serde::Serialize;

use crate::types::{Name, PolicyMode};

/// How an upstream is chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    pub(crate) mode: PolicyMode,
    pub(crate) default_upstream: Option<Name>,
}

impl Policy {
    /// Returns how one upstream is chosen among those that fit.
    pub fn mode(&self) -> PolicyMode {
        self.mode
    }

    /// Returns the upstream of paths that are not decoded; `None` only when there is no upstream.
    pub fn default_upstream(&self) -> Option<&Name> {
        self.default_upstream.as_ref()
    }
}
