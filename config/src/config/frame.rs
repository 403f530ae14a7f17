//! The valid form of one of `[[frames]]`.

use serde::Serialize;

use crate::types::{Duration, Name};

/// Stands for the goal in the user text of a frame.
pub const GOAL: &str = "{goal}";

/// The fixed words that an application wraps around the goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    pub(crate) name: Name,
    pub(crate) system: Option<String>,
    pub(crate) user_before: String,
    pub(crate) user_after: String,
    pub(crate) shape: Option<Name>,
    pub(crate) ttl: Option<Duration>,
}

impl Frame {
    /// Returns the name, unlike that of any other frame.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the exact system text; `None` fits requests without one.
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// Returns the shape in which a template answers, built-in or configured; `None` means that none does.
    pub fn shape(&self) -> Option<&Name> {
        self.shape.as_ref()
    }

    /// Returns how long an answer learned inside it lives; `None` means as long as any.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Returns the user text before and after the goal.
    pub fn user(&self) -> (&str, &str) {
        (&self.user_before, &self.user_after)
    }

    /// Returns the goal inside a user text; `None` when the text is not of this frame or holds no goal.
    pub fn goal<'a>(&self, user: &'a str) -> Option<&'a str> {
        let goal = user
            .strip_prefix(self.user_before.as_str())?
            .strip_suffix(self.user_after.as_str())?;
        Some(goal).filter(|goal| !goal.trim().is_empty())
    }
}
