//! `[server]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{AuthMode, Duration, bounds};

/// Listeners, limits and who is answered.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawServer {
    /// Address on which clients are served: a numeric IP address and a port. Port 0 takes a free port.
    /// `--listen` and `TOLLFREE_LISTEN` replace it.
    ///
    /// Default: `127.0.0.1:8080`.
    #[schemars(extend("default" = defaults::LISTEN))]
    pub(crate) listen: Option<String>,

    /// Address of the admin pages, metrics and health checks. It asks for no credential, so that an address other
    /// than loopback needs `expose_open`. Port 0 takes a free port. `--admin-listen` and `TOLLFREE_ADMIN_LISTEN`
    /// replace it.
    ///
    /// Default: `127.0.0.1:9090`.
    #[schemars(extend("default" = defaults::ADMIN_LISTEN))]
    pub(crate) admin_listen: Option<String>,

    /// Folder of the store; made when it is missing. Relative to the folder of this file; the default is relative
    /// to the working directory. `--data-dir` and `TOLLFREE_DATA_DIR` replace it.
    ///
    /// Default: `./data`.
    #[schemars(extend("default" = defaults::DATA_DIR))]
    pub(crate) data_dir: Option<String>,

    /// Number of threads that serve requests; 0 means one for each core.
    ///
    /// Default: `0`.
    #[schemars(extend("default" = defaults::THREADS))]
    #[schemars(range(min = bounds::THREADS.min(), max = bounds::THREADS.max()))]
    pub(crate) threads: Option<i64>,

    /// Longest request body in bytes that is held in memory and looked up in the cache. A longer one streams through
    /// unread where the only upstream takes it as it is; with several upstreams it is refused with 413.
    ///
    /// Default: `33554432` (32 MiB).
    #[schemars(extend("default" = defaults::MAX_BODY_BYTES))]
    #[schemars(range(min = bounds::MAX_BODY_BYTES.min(), max = bounds::MAX_BODY_BYTES.max()))]
    pub(crate) max_body_bytes: Option<i64>,

    /// Who is answered from the cache. `open`: everyone who reaches the listener. `passthrough`: a client whose
    /// credential an upstream has accepted within `auth_ttl`; until then its requests go to upstreams with
    /// `credential = "client"` only, never to one that would be called with a key of yours.
    ///
    /// Default: `open`.
    #[schemars(extend("default" = defaults::AUTH))]
    pub(crate) auth: Option<AuthMode>,

    /// How long a credential counts as accepted after an upstream has accepted it (`passthrough` only). A revoked
    /// key gets hits for at most this long.
    ///
    /// Default: `10m`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::AUTH_TTL))]
    pub(crate) auth_ttl: Option<String>,

    /// Allows listeners that ask for no credential (open mode, and the admin listener in any mode) on an address
    /// other than loopback: everyone on that network is then answered.
    ///
    /// Default: `false`.
    #[schemars(extend("default" = defaults::EXPOSE_OPEN))]
    pub(crate) expose_open: Option<bool>,
}
