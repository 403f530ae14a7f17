//! The folder of what the set-up fetches: ONNX Runtime and the embedding models.
//!
//! It lies outside the checkout and the store, since it is large, the same for all and can be fetched again.

use std::path::{Path, PathBuf};

use crate::env::{self, Environment};

/// The assets folder and the places inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    root: PathBuf,
}

impl Assets {
    /// Names the folder to use; it need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Finds the folder: `TOLLFREE_CACHE_DIR`, else `$XDG_CACHE_HOME/tollfree`, else `~/.cache/tollfree`;
    /// `None` when none of the variables is set.
    ///
    /// A relative `XDG_CACHE_HOME` is ignored, as the XDG base directory specification asks.
    pub fn locate(environment: &Environment) -> Option<Self> {
        let own = environment.path(env::TOLLFREE_CACHE_DIR);
        let xdg = || {
            environment
                .path(env::XDG_CACHE_HOME)
                .filter(|path| path.is_absolute())
                .map(|p| p.join("tollfree"))
        };
        let home = || {
            environment
                .path(env::HOME)
                .map(|path| path.join(".cache").join("tollfree"))
        };
        own.or_else(xdg).or_else(home).map(Self::new)
    }

    /// Returns the folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of the ONNX Runtime library.
    pub fn runtime(&self) -> PathBuf {
        self.root.join("onnxruntime").join("libonnxruntime.so")
    }

    /// Returns the folder of the sentence model (all-MiniLM-L6-v2).
    pub fn model_dir(&self) -> PathBuf {
        self.root.join("models").join("all-minilm-l6-v2")
    }

    /// Returns the folder of the static model of the prefilter (potion-base-8M).
    pub fn prefilter_dir(&self) -> PathBuf {
        self.root.join("models").join("potion-base-8m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(variables: &[(&str, &str)]) -> Option<PathBuf> {
        Assets::locate(&Environment::from_map(variables.iter().copied())).map(|assets| assets.root)
    }

    #[test]
    fn the_most_specific_variable_decides_the_folder() {
        let home = ("HOME", "/home/user");
        let xdg = ("XDG_CACHE_HOME", "/var/cache/user");
        let own = ("TOLLFREE_CACHE_DIR", "assets");
        assert_eq!(located(&[home, xdg, own]), Some("assets".into()));
        assert_eq!(
            located(&[home, xdg]),
            Some("/var/cache/user/tollfree".into())
        );
        assert_eq!(located(&[home]), Some("/home/user/.cache/tollfree".into()));
        assert_eq!(located(&[]), None);
    }

    #[test]
    fn empty_variables_and_a_relative_xdg_folder_are_passed_over() {
        let home = ("HOME", "/home/user");
        assert_eq!(
            located(&[home, ("XDG_CACHE_HOME", "cache")]),
            Some("/home/user/.cache/tollfree".into())
        );
        assert_eq!(
            located(&[home, ("TOLLFREE_CACHE_DIR", "")]),
            Some("/home/user/.cache/tollfree".into())
        );
    }
}
