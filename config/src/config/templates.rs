//! The valid form of `[templates]`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::types::Similarity;

/// Which templates answer, and from which similarity on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Templates {
    pub(crate) enabled: bool,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) min_similarity: Similarity,
}

impl Templates {
    /// Tells whether templates answer.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// Returns the folder of further templates, not checked to exist; `None` means only the compiled-in ones.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Returns the threshold of the template tier.
    pub fn min_similarity(&self) -> Similarity {
        self.min_similarity
    }
}
