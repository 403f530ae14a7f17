//! `api_key`: reading a key from where the configuration says it is.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::Around;
use super::report::Report;
use crate::document::path::FieldPath;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::raw::RawApiKey;
use crate::types::Secret;

/// The longest key file in bytes; no key is near it, and a wrong path must not fill the memory.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Reads the key; `None` after a problem.
pub(super) fn read(
    raw: RawApiKey,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Option<Secret> {
    const ONE: &str = "write api_key = { env = \"NAME\" } or api_key = { file = \"PATH\" }";
    match (raw.env, raw.file) {
        (Some(name), None) => {
            report.check(&path.key("env"), from_variable(&name, around.environment))
        }
        (None, Some(file)) => {
            let key = around.resolve(&file).and_then(|file| from_file(&file));
            report.check(&path.key("file"), key)
        }
        (Some(_), Some(_)) => {
            report.add(
                path,
                "key has two sources, env and file",
                format!("keep one: {ONE}"),
            );
            None
        }
        (None, None) => {
            report.add(path, "key has no source", ONE);
            None
        }
    }
}

fn from_variable(name: &str, environment: &Environment) -> Result<Secret> {
    let inner = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    // Lower case is refused although systems allow it: it tells a variable from a key pasted in its place, which
    // must not be repeated in an error.
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(inner)
    {
        return Err(Error::VariableName);
    }
    let text = environment
        .text(name)?
        .filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| Error::VariableUnset {
        name: name.to_owned(),
    })?;
    Secret::new(&text, &format!("environment variable {name}"))
}

fn from_file(path: &Path) -> Result<Secret> {
    let refuse = |problem: String| Error::KeyFile {
        path: path.to_owned(),
        problem,
    };
    let mut bytes = Vec::new();
    let file =
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    file.map_err(|error| {
        refuse(match error.kind() {
            ErrorKind::NotFound => "does not exist".to_owned(),
            ErrorKind::PermissionDenied => "may not be read".to_owned(),
            ErrorKind::IsADirectory => "is a folder".to_owned(),
            _ => format!("cannot be read: {error}"),
        })
    })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse(format!("is longer than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("is not valid UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(refuse("is empty".to_owned()));
    }
    Secret::new(&text, &format!("file {}", path.display()))
}
