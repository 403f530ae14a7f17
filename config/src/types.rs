//! Values that were checked when they were made, and the table of every bound.
//!
//! Each bound stands once, here, with its wording; constructors, error texts and the JSON Schema read it from
//! this table.

mod base_url;
mod bound;
mod choices;
mod duration;
mod log_filter;
mod models;
mod name;
mod price;
mod secret;
mod similarity;

pub use base_url::BaseUrl;
pub use bound::Bound;
pub use choices::{
    AuthMode, CredentialMode, LearnFrames, LogFormat, Pii, PolicyMode, SemanticMode, ShapeContent,
    UpstreamKind, Variety,
};
pub use duration::Duration;
pub use log_filter::LogFilter;
pub use models::Models;
pub use name::{Name, SettingName};
pub use price::Price;
pub use secret::Secret;
pub use similarity::Similarity;

/// The bounds of every number and duration of the configuration.
pub mod bounds {
    use super::{Bound, Duration};

    /// Threads of the proxy. More than a thousand only costs memory and switches.
    pub const THREADS: Bound<i64> =
        Bound::new("number of threads", 0, 1024, "0 means one for each core");

    /// Request bodies held in memory: below a kibibyte no chat request fits, above a gibibyte one client can
    /// exhaust the machine.
    pub const MAX_BODY_BYTES: Bound<i64> =
        Bound::new("body limit in bytes", 1024, 1 << 30, "33554432 is 32 MiB");

    /// How long an accepted credential is trusted; a key that was revoked works at most this long.
    pub const AUTH_TTL: Bound<Duration> = Bound::new(
        "trust in a credential",
        MILLISECOND,
        Duration::from_days(1),
        "the upstream is asked again after it",
    );

    /// How long an entry may be served.
    pub const TTL: Bound<Duration> = Bound::new(
        "lifetime of an entry",
        MILLISECOND,
        Duration::from_days(3650),
        "to serve no entry, set enabled = false",
    );

    /// Wait for another request's answer. The upper end is the longest an upstream may be silent.
    pub const COALESCE_WAIT: Bound<Duration> = Bound::new(
        "wait for an equal request's answer",
        MILLISECOND,
        Duration::from_secs(3600),
        "to wait for none, set coalesce = false",
    );

    /// Service of an entry after its time.
    pub const STALE_WHILE_REVALIDATE: Bound<Duration> = Bound::new(
        "service of an entry after its lifetime",
        Duration::from_millis(0),
        Duration::from_days(365),
        "0ms serves none",
    );

    /// How much earlier an entry may expire.
    pub const TTL_JITTER: Bound<f64> = Bound::new(
        "part of the lifetime",
        0.0,
        0.5,
        "0 lets all live equally long",
    );

    /// Cosine similarity of two unit vectors.
    pub const SIMILARITY: Bound<f64> =
        Bound::new("similarity", -1.0, 1.0, "1.0 means the same direction");

    /// Share of wrong answers among semantic hits. Half of them wrong is no cache.
    pub const MAX_WRONG_HITS: Bound<f64> = Bound::new(
        "share of wrong hits",
        0.0,
        0.5,
        "0.01 is one in a hundred; without the field nothing is explored",
    );

    /// Shift of the verifier's bar: beyond 10 either nothing or everything is above it.
    pub const CONFIDENCE_SHIFT: Bound<f64> = Bound::new(
        "shift in log-odds",
        -10.0,
        10.0,
        "above 0 less is served; `tollfree calibrate` names one",
    );

    /// Entries held: the vectors of a hundred million would need 150 GB.
    pub const MAX_ENTRIES: Bound<i64> = Bound::new(
        "number of entries",
        1,
        100_000_000,
        "to hold no entry, set enabled = false",
    );

    /// Latest decisions kept: each takes about a kibibyte, and a list of them is walked to find one.
    pub const LOG_DECISIONS: Bound<i64> =
        Bound::new("number of decisions", 0, 1_000_000, "0 keeps none");

    /// Length of one stored answer.
    pub const MAX_ANSWER_BYTES: Bound<i64> =
        Bound::new("answer limit in bytes", 1, 1 << 26, "1048576 is 1 MiB");

    /// Threads that embed goals.
    pub const EMBEDDER_THREADS: Bound<i64> = Bound::new(
        "number of embedding threads",
        1,
        256,
        "each holds a copy of the model",
    );

    /// Goals that wait for an embedding thread.
    pub const EMBEDDER_QUEUE: Bound<i64> = Bound::new(
        "length of the embedding queue",
        1,
        65_536,
        "a goal that finds it full is a miss",
    );

    /// Time an embedding may take before the lookup is a miss.
    pub const EMBEDDER_DEADLINE: Bound<Duration> = Bound::new(
        "embedding deadline",
        MILLISECOND,
        Duration::from_secs(60),
        "past it the lookup is a miss",
    );

    /// Share of the traffic among upstreams.
    pub const WEIGHT: Bound<i64> =
        Bound::new("weight", 0, 1_000_000, "0 means never chosen by weight");

    /// Price of a million tokens in USD.
    pub const PRICE: Bound<f64> = Bound::new(
        "price in USD per million tokens",
        0.0,
        100_000.0,
        "0 means that the tokens are free",
    );

    /// Time to connect to an upstream.
    pub const CONNECT_TIMEOUT: Bound<Duration> = Bound::new(
        "connect timeout",
        MILLISECOND,
        Duration::from_secs(600),
        "past it the request fails",
    );

    /// Silence of an upstream in the middle of an answer.
    pub const READ_TIMEOUT: Bound<Duration> = Bound::new(
        "read timeout",
        MILLISECOND,
        Duration::from_days(1),
        "it counts from byte to byte",
    );

    const MILLISECOND: Duration = Duration::from_millis(1);
}
