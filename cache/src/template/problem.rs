//! What is wrong with a template, where, and what to do about it.

use std::fmt;

/// One problem of a template file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or template it was found in.
    pub template: String,
    /// The path of the field (`plan.milestones[2].end`); empty when it concerns the whole file.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to change.
    pub remedy: String,
}

impl Problem {
    /// Makes a problem.
    pub fn new(
        template: impl Into<String>,
        field: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            template: template.into(),
            field: field.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.template)?;
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}\n  remedy: {}", self.message, self.remedy)
    }
}

impl std::error::Error for Problem {}
