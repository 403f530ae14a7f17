//! Reads the files of a model folder.

use std::{fs, path::Path};

use crate::{Error, Result};

/// Reads one file of the model in `dir`.
pub(crate) fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
    let path = dir.join(name);
    fs::read(&path).map_err(|source| Error::ModelFile { path, source })
}

/// Returns the name of the folder, which names the model in logs and in stored vectors.
pub(crate) fn name(dir: &Path) -> String {
    dir.file_name()
        .unwrap_or(dir.as_os_str())
        .to_string_lossy()
        .into_owned()
}
