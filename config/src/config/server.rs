//! The valid form of `[server]`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::types::{AuthMode, Duration};

/// Listeners, limits and who is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) threads: usize,
    pub(crate) max_body_bytes: usize,
    pub(crate) auth: AuthMode,
    pub(crate) auth_ttl: Duration,
    pub(crate) expose_open: bool,
}

impl Server {
    /// Returns the address of the proxy listener; port 0 means a free port.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Returns the address of the admin listener; port 0 means a free port.
    pub fn admin_listen(&self) -> SocketAddr {
        self.admin_listen
    }

    /// Returns the folder of the store; it need not exist.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Returns the longest request body that is decoded, in bytes.
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// Returns who is answered from the cache.
    pub fn auth(&self) -> AuthMode {
        self.auth
    }

    /// Returns how long an accepted credential is trusted.
    pub fn auth_ttl(&self) -> Duration {
        self.auth_ttl
    }

    /// Tells whether listeners without credentials may leave loopback.
    pub fn expose_open(&self) -> bool {
        self.expose_open
    }

    /// Returns the number of threads that serve requests, at least 1; a configured 0 becomes the number of cores.
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
