//! The valid form of one of `[[frames]]`.

use serde::Serialize;

use crate::types::{Duration, Name};

/// Stands for the goal in one of the texts of a frame.
pub const GOAL: &str = "{goal}";

/// The fixed words that an application wraps around the goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    pub(crate) name: Name,
    pub(crate) system: FrameText,
    pub(crate) user: FrameText,
    pub(crate) shape: Option<Name>,
    pub(crate) ttl: Option<Duration>,
}

/// One text of a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameText {
    /// The whole text; empty where requests have none.
    Fixed(String),
    /// The text around the goal.
    Around {
        /// The text before the goal.
        before: String,
        /// The text after it.
        after: String,
    },
}

impl Frame {
    /// Returns the name, unlike that of any other frame.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the system text. Either this or [`Self::user`] is around the goal, never both.
    pub fn system(&self) -> &FrameText {
        &self.system
    }

    /// Returns the user text.
    pub fn user(&self) -> &FrameText {
        &self.user
    }

    /// Returns the shape in which a template answers, built-in or configured; `None` means that none does.
    pub fn shape(&self) -> Option<&Name> {
        self.shape.as_ref()
    }

    /// Returns how long an answer learned inside it lives; `None` means as long as any.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }
}
