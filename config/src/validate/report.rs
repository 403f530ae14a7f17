//! The problems found so far.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::document::path::FieldPath;
use crate::error::{Error, Result};
use crate::problem::{Invalid, Problem};
use crate::types::Name;

/// Where a value came from.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A field of the file, or its default.
    Field(FieldPath),
    /// A flag or a variable.
    Outside(&'static str),
}

/// Collects problems and gives each its place.
#[derive(Debug)]
pub(super) struct Report<'a> {
    document: &'a Document<'a>,
    problems: Vec<Problem>,
}

impl<'a> Report<'a> {
    /// Starts with the problems that are known already.
    pub(super) fn new(document: &'a Document<'a>, problems: Vec<Problem>) -> Self {
        Self { document, problems }
    }

    /// Returns the configuration when there was no problem.
    pub(super) fn finish<T>(self, valid: T) -> Result<T, Invalid> {
        if self.problems.is_empty() {
            Ok(valid)
        } else {
            Err(Invalid::new(self.problems))
        }
    }

    /// Adds a problem with a field.
    pub(super) fn add(
        &mut self,
        path: &FieldPath,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems
            .push(self.document.problem(path, message.into(), remedy.into()));
    }

    /// Adds a problem with a value from anywhere.
    pub(super) fn add_at(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        match place {
            Place::Field(path) => self.add(path, message, remedy),
            Place::Outside(name) => self.problems.push(Problem {
                file: None,
                line: None,
                column: None,
                field: (*name).to_owned(),
                message: message.into(),
                remedy: remedy.into(),
            }),
        }
    }

    /// Returns the value of a check, or adds its problem.
    pub(super) fn check<T>(&mut self, path: &FieldPath, result: Result<T>) -> Option<T> {
        self.check_at(&Place::Field(path.clone()), result)
    }

    /// Returns the value of a check of a value from anywhere, or adds its problem.
    pub(super) fn check_at<T>(&mut self, place: &Place, result: Result<T>) -> Option<T> {
        result
            .map_err(|error: Error| self.add_at(place, error.to_string(), error.remedy()))
            .ok()
    }

    /// Returns the checked value of a field; the default when it is absent or was refused.
    pub(super) fn field<R, T>(
        &mut self,
        path: &FieldPath,
        raw: Option<R>,
        default: T,
        check: impl FnOnce(R) -> Result<T>,
    ) -> T {
        raw.and_then(|raw| self.check(path, check(raw)))
            .unwrap_or(default)
    }

    /// Checks the name of an item of an array and that no item before it has the same; `taken` maps each name to
    /// the path of its item.
    pub(super) fn unique_name(
        &mut self,
        path: &FieldPath,
        raw: Option<&str>,
        taken: &mut BTreeMap<String, FieldPath>,
    ) -> Option<Name> {
        let text = raw?;
        let name = self.check(path, Name::new(text));
        if let Some(first) = taken.get(text) {
            self.add(
                path,
                format!("name \"{text}\" is already used by {first}"),
                "give each its own name",
            );
            return None;
        }
        taken.insert(text.to_owned(), path.clone());
        name
    }
}
