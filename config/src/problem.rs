//! What a user is told about a configuration that cannot be used.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// One thing that is wrong with a configuration, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The configuration file, as it was named to the loader; `None` when the value came from elsewhere.
    pub file: Option<PathBuf>,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// Column in the line, from 1, counted in characters.
    pub column: Option<usize>,
    /// Path of the field (`upstreams[0].base_url`), or the flag or variable the value came from; empty when the
    /// file as a whole is meant.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to change.
    pub remedy: String,
}

impl fmt::Display for Problem {
    /// Writes three lines: place and field, message, remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            separator = ": ";
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ":{line}:{column}")?;
            }
        }
        if !self.field.is_empty() {
            write!(f, "{separator}{}", self.field)?;
        }
        write!(f, "\n  {}\n  help: {}", self.message, self.remedy)
    }
}

/// A configuration that cannot be used, with every problem found in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Invalid {
    /// The problems, in the order of the file, then those that belong to no file; never empty.
    pub problems: Vec<Problem>,
}

impl Invalid {
    /// Sorts problems into reading order.
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.file.is_none(), problem.line, problem.column));
        Self { problems }
    }
}

impl fmt::Display for Invalid {
    /// Writes a count and one block for each problem, with empty lines between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "1 problem in the configuration")?,
            count => write!(f, "{count} problems in the configuration")?,
        }
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

impl std::error::Error for Invalid {}
