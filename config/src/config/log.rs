//! The valid form of `[log]`.

use serde::Serialize;

use crate::types::{LogFilter, LogFormat};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: LogFilter,
    pub(crate) goals: bool,
    pub(crate) decisions: usize,
}

impl Log {
    /// Returns the form of log lines.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// Returns the filter of events.
    pub fn level(&self) -> &LogFilter {
        &self.level
    }

    /// Tells whether the text of goals is logged.
    pub fn goals(&self) -> bool {
        self.goals
    }

    /// Returns how many of the latest decisions are kept.
    pub fn decisions(&self) -> usize {
        self.decisions
    }
}
