//! From a file, flags and the environment to a [`Config`], or to every problem with them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::document::Document;
use crate::env::Environment;
use crate::problem::{Invalid, Problem};
use crate::validate;

/// Values of command line flags, each absent unless the user gave the flag. They beat the environment.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`: address of the proxy listener.
    pub listen: Option<String>,
    /// `--admin-listen`: address of the admin listener.
    pub admin_listen: Option<String>,
    /// `--data-dir`: folder of the store, relative to the working directory.
    pub data_dir: Option<PathBuf>,
}

impl Config {
    /// Loads a configuration file; `None` loads the built-in default, to which flags and environment apply as well.
    ///
    /// Whether `./tollfree.toml` is there is for the caller to see. Paths in the file are relative to its folder.
    ///
    /// # Errors
    /// [`Invalid`] with every problem of the file, the flags and the environment, when there is any. When the file
    /// cannot be read or is no TOML, the problems of the values are not known yet.
    pub fn load(
        path: Option<&Path>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Result<Self, Invalid> {
        match path {
            None => Self::from_text("", None, overrides, environment),
            Some(path) => {
                let text = read(path)?;
                Self::from_text(&text, Some(path), overrides, environment)
            }
        }
    }

    /// Loads a configuration from the text of `file`, which is not opened: it stands in problems, and paths are
    /// relative to its folder (`None`: to the working directory).
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_text(
        text: &str,
        file: Option<&Path>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> Result<Self, Invalid> {
        let document = Document::parse(text, file).map_err(Invalid::new)?;
        let (raw, structural) = document.read();
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        validate::validate(
            raw,
            &document,
            structural,
            validate::Around {
                folder,
                overrides,
                environment,
            },
        )
    }
}

/// Reads a configuration file.
fn read(path: &Path) -> Result<String, Invalid> {
    let invalid = |message: String, remedy: &str| {
        Invalid::new(vec![Problem {
            file: Some(path.to_owned()),
            line: None,
            column: None,
            field: String::new(),
            message,
            remedy: remedy.to_owned(),
        }])
    };
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => invalid(
            "file does not exist".to_owned(),
            "give the path of a file by --config",
        ),
        ErrorKind::IsADirectory => invalid(
            "is a folder, not a file".to_owned(),
            "give the path of the file inside it",
        ),
        ErrorKind::PermissionDenied => invalid(
            "file may not be read".to_owned(),
            "give the user that runs tollfree the right to read it",
        ),
        _ => invalid(
            format!("file cannot be read: {error}"),
            "give the path of a readable file by --config",
        ),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to())
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        invalid(
            format!("line {line} is not valid UTF-8"),
            "save the file in the encoding UTF-8",
        )
    })
}
