//! Adds a template to the library that answers: checked, embedded, written to `templates.dir`, then swapped in.
//!
//! Whatever fails on the way leaves the library and the folder as they were.

use std::path::{Path, PathBuf};

use tollfree_cache::template::{self, Addition, Problem};

use super::{Lookup, phrasings};

/// A template that was added.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Whether it took the place of another.
    pub replaced: bool,
    /// Its file.
    pub path: PathBuf,
    /// How many templates there are now.
    pub templates: usize,
}

/// Why a template was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// There is nowhere to keep it.
    #[error(
        "templates.dir is not set, so the template would not outlive a restart; set [templates] dir in the configuration"
    )]
    NoFolder,
    /// It is not right, has the id of another, or cannot be written.
    #[error(transparent)]
    Refused(#[from] template::AddError),
    /// Its phrasings cannot be embedded.
    #[error("its phrasings cannot be embedded")]
    Embedder(#[from] tollfree_embedder::Error),
    /// The check was broken off.
    #[error("the check was broken off")]
    Stopped,
}

impl AddError {
    /// The problems of the file, if these are why.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(template::AddError::Problems(problems)) => problems,
            _ => &[],
        }
    }
}

impl Lookup {
    /// Adds a template file, or puts it in the place of the one with its id.
    ///
    /// With `serving` its phrasings are embedded and it answers once this returns; else it is only written.
    ///
    /// # Errors
    /// See [`AddError`].
    pub async fn add_template(
        &self,
        dir: Option<&Path>,
        text: String,
        replace: bool,
        serving: bool,
    ) -> Result<Added, AddError> {
        let dir = dir.ok_or(AddError::NoFolder)?.to_owned();
        // Two additions at once would each be checked without the other.
        let _turn = self.phrasings.turn.lock().await;
        let folder = dir.clone();
        let checked =
            tokio::task::spawn_blocking(move || Addition::check(&folder, &text, replace)).await;
        let addition = checked.map_err(|_| AddError::Stopped)??;
        let (file, library) = addition.into_parts();
        let templates = library.templates().len();
        let ready = if serving {
            Some(phrasings::ready(self, library).await?)
        } else {
            None
        };
        let written = tokio::task::spawn_blocking(move || {
            let path = file.write(&dir)?;
            Ok::<_, template::AddError>((file, path))
        });
        let (file, path) = written.await.map_err(|_| AddError::Stopped)??;
        if let Some(ready) = ready {
            phrasings::put(self, ready);
        }
        Ok(Added {
            id: file.id,
            category: file.category,
            replaced: file.replaces,
            path,
            templates,
        })
    }
}
