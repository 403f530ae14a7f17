//! The valid form of one of `[[shapes]]`.

use serde::Serialize;

use crate::types::{Name, ShapeContent};

/// A configured format of a template's plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shape {
    pub(crate) name: Name,
    pub(crate) template: String,
    pub(crate) content: ShapeContent,
}

impl Shape {
    /// Returns the name, unlike that of any other shape and of the built-in ones.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the minijinja text, not empty; whether it compiles is for the cache to say.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Returns what the template writes.
    pub fn content(&self) -> ShapeContent {
        self.content
    }
}
