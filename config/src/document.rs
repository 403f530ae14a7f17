//! A configuration file as parsed TOML that knows where everything stands.
//!
//! Structural problems (unknown fields, wrong types, missing fields) are found by a [walk] over the document beside
//! the JSON Schema of [`crate::raw`], so that all of them are reported and not only serde's first; the walk takes
//! out what it refuses, and serde reads the rest.

pub(crate) mod path;
pub(crate) mod suggest;

mod lines;
mod walk;

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problem;
use crate::raw::RawConfig;
use lines::Lines;
use path::{FieldPath, Segment};

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Document<'i> {
    file: Option<PathBuf>,
    lines: Lines<'i>,
    root: Spanned<DeTable<'i>>,
}

impl<'i> Document<'i> {
    /// Parses the text of `file`; every syntax error is a problem, at most one for each line.
    pub(crate) fn parse(text: &'i str, file: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let lines = Lines::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = Vec::new();
        for error in errors {
            let (line, column) = lines.position(error.span().map_or(0, |span| span.start));
            // The parser goes on after an error, and what it reports next on the same line mostly follows from it.
            if problems.iter().all(|problem| problem.line != Some(line)) {
                problems.push(Problem {
                    file: file.map(Path::to_owned),
                    line: Some(line),
                    column: Some(column),
                    field: String::new(),
                    message: format!("not valid TOML: {}", error.message()),
                    remedy: "check the quotes, brackets, equal signs and repeated keys here"
                        .to_owned(),
                });
            }
        }
        if problems.is_empty() {
            Ok(Self {
                file: file.map(Path::to_owned),
                lines,
                root,
            })
        } else {
            Err(problems)
        }
    }

    /// Reads the document into the raw structs and reports every structural problem.
    ///
    /// What was reported is left out of the result, which can be validated all the same.
    pub(crate) fn read(&self) -> (RawConfig, Vec<Problem>) {
        let mut root = self.root.clone();
        let mut problems: Vec<Problem> = walk::check(root.get_mut())
            .into_iter()
            .map(|found| self.problem_at(found.offset, &found.path, found.message, found.remedy))
            .collect();
        let raw = serde::Deserialize::deserialize(toml::Deserializer::from(root)).unwrap_or_else(
            |error| {
                // The walk accepts nothing that serde refuses, as far as we know; what we do not know is reported.
                let error: toml::de::Error = error;
                let offset = error.span().map_or(0, |span| span.start);
                let remedy =
                    "compare the file with the JSON Schema of the configuration".to_owned();
                problems.push(self.problem_at(
                    offset,
                    &FieldPath::root(),
                    error.message().to_owned(),
                    remedy,
                ));
                RawConfig::default()
            },
        );
        (raw, problems)
    }

    /// Makes a problem with the field at `path`; it points at the value, or at the nearest table around it when the
    /// field is not there.
    pub(crate) fn problem(&self, path: &FieldPath, message: String, remedy: String) -> Problem {
        self.problem_at(self.locate(path), path, message, remedy)
    }

    fn problem_at(
        &self,
        offset: usize,
        path: &FieldPath,
        message: String,
        remedy: String,
    ) -> Problem {
        let (line, column) = self.lines.position(offset);
        let known = self.file.is_some();
        Problem {
            file: self.file.clone(),
            line: known.then_some(line),
            column: known.then_some(column),
            field: path.to_string(),
            message,
            remedy,
        }
    }

    /// Returns the offset at which the value of a field starts.
    fn locate(&self, path: &FieldPath) -> usize {
        let mut offset = self.root.span().start;
        let mut segments = path.segments().iter();
        let Some(Segment::Key(first)) = segments.next() else {
            return offset;
        };
        let mut value = self.root.get_ref().get(first.as_str());
        while let Some(found) = value {
            offset = found.span().start;
            value = match (segments.next(), found.get_ref()) {
                (Some(Segment::Key(key)), DeValue::Table(table)) => table.get(key.as_str()),
                (Some(Segment::Index(index)), DeValue::Array(array)) => array.get(*index),
                _ => None,
            };
        }
        offset
    }
}
