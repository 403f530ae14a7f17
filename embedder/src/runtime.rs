//! The one ONNX Runtime of the process, opened by path.
//!
//! ort loads the library on first use and panics when it is missing or too old. So it is opened here, before
//! anything else touches ort, by the one call that returns an error, and the environment is kept for good: ort allows
//! one per process.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::environment::Environment;

use crate::{Error, Result, guard};

static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Opens the library at `path`, or returns the environment of an earlier call with the same path.
pub(crate) fn open(path: &Path) -> Result<Environment> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((library, environment)) = loaded.as_ref() {
        if library == path {
            return Ok(environment.clone());
        }
        return Err(Error::RuntimeAlreadyLoaded {
            asked: path.to_owned(),
            loaded: library.clone(),
        });
    }
    // dlopen searches the system for a bare name; ours is always a file.
    if !path.is_file() {
        return Err(Error::RuntimeMissing {
            path: path.to_owned(),
        });
    }
    let unusable = |reason: String| Error::RuntimeUnusable {
        path: path.to_owned(),
        reason,
    };
    let environment = guard::catch(|| build(path))
        .map_err(unusable)?
        .map_err(|error| unusable(error.to_string()))?;
    *loaded = Some((path.to_owned(), environment.clone()));
    Ok(environment)
}

fn build(path: &Path) -> Result<Environment, Box<dyn std::error::Error>> {
    Ok(ort::init_from(path)?
        .with_name("tollfree")
        .with_telemetry(false)
        .build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_an_error_that_names_it() {
        let error = open(Path::new("/nowhere/libonnxruntime.so"))
            .err()
            .map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("onnx runtime library /nowhere/libonnxruntime.so does not exist")
        );
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error_that_names_it() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("libonnxruntime.so");
        std::fs::write(&path, "not a library")?;
        let Err(error) = open(&path) else {
            anyhow::bail!("a text file was loaded")
        };
        assert!(matches!(error, Error::RuntimeUnusable { .. }), "{error}");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
        Ok(())
    }
}
