//! Every environment variable that Tollfree reads, and the one way to read them.
//!
//! A flag beats the environment, which beats the file, which beats the default. A variable set to nothing counts
//! as not set, because container tools pass unset variables on that way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Path of the configuration file; the same as `--config`. The command line reads it, the loader gets a path.
pub const TOLLFREE_CONFIG: &str = "TOLLFREE_CONFIG";

/// Address of the proxy listener, such as `127.0.0.1:8080`; the same as `--listen`, replaces `server.listen`.
pub const TOLLFREE_LISTEN: &str = "TOLLFREE_LISTEN";

/// Address of the admin listener; the same as `--admin-listen`, replaces `server.admin_listen`.
pub const TOLLFREE_ADMIN_LISTEN: &str = "TOLLFREE_ADMIN_LISTEN";

/// Folder of the store, relative to the working directory; the same as `--data-dir`, replaces `server.data_dir`.
pub const TOLLFREE_DATA_DIR: &str = "TOLLFREE_DATA_DIR";

/// Folder of what the set-up fetches (ONNX Runtime, the models); see [`crate::assets`].
pub const TOLLFREE_CACHE_DIR: &str = "TOLLFREE_CACHE_DIR";

/// Log filter, such as `info,tollfree=debug`; replaces `log.level`.
pub const TOLLFREE_LOG: &str = "TOLLFREE_LOG";

/// Key of the Gemini API; with it and without any `[[upstreams]]`, the upstream `gemini` is there.
pub const GEMINI_API_KEY: &str = "GEMINI_API_KEY";

/// Base folder of caches by the XDG base directory specification; used when [`TOLLFREE_CACHE_DIR`] is not set.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";

/// Home folder of the user; used when neither cache variable is set.
pub const HOME: &str = "HOME";

/// Where variables are looked up: the environment of the process, or a map.
#[derive(Debug, Clone)]
pub struct Environment(Lookup);

#[derive(Debug, Clone)]
enum Lookup {
    Process,
    Map(BTreeMap<String, OsString>),
}

impl Environment {
    /// Makes an environment that reads the variables of this process, at each look-up.
    pub fn process() -> Self {
        Self(Lookup::Process)
    }

    /// Makes an environment that holds the given variables and no other, for tests and embedding.
    pub fn from_map<K: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self(Lookup::Map(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        ))
    }

    /// Returns the value of a variable; `None` when it is not set or empty.
    pub fn get(&self, name: &str) -> Option<OsString> {
        let value = match &self.0 {
            Lookup::Process => std::env::var_os(name),
            Lookup::Map(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable as text; `None` when it is not set or empty.
    ///
    /// # Errors
    /// [`Error::VariableNotUnicode`] when the value is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        self.get(name)
            .map(|value| {
                value.into_string().map_err(|_| Error::VariableNotUnicode {
                    name: name.to_owned(),
                })
            })
            .transpose()
    }

    /// Returns the value of a variable as a path; `None` when it is not set or empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }
}
