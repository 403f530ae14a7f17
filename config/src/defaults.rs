//! Defaults of the configuration, each with its unit and reason.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::types::{
    AuthMode, CredentialMode, Duration, LearnFrames, LogFormat, Pii, PolicyMode, SemanticMode,
    ShapeContent, Similarity, Variety,
};

/// Address of the proxy listener: loopback, because open mode answers everyone who reaches it.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Address of the admin listener: loopback, because it asks for no credential.
pub const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);

/// Folder of the store, relative to the working directory, so that a trial needs no rights elsewhere.
pub const DATA_DIR: &str = "./data";

/// Threads of the proxy; 0 is one for each core.
pub const THREADS: usize = 0;

/// Longest request body in bytes: 32 MiB, above the 20 MB that the Gemini API takes inline.
pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Open mode, so that the proxy answers before anything is configured; safe because the listener is loopback.
pub const AUTH: AuthMode = AuthMode::Open;

/// Trust in an accepted credential: long enough that few hits wait for an upstream, short enough that a revoked
/// key soon stops working.
pub const AUTH_TTL: Duration = Duration::from_secs(10 * 60);

/// Open mode on the network has to be asked for.
pub const EXPOSE_OPEN: bool = false;

/// The cache is what the proxy is for.
pub const CACHE_ENABLED: bool = true;

/// Lifetime of an entry: a week, after which models and facts may have moved on.
pub const TTL: Duration = Duration::from_days(7);

/// Equal misses at the same time cost one call.
pub const COALESCE: bool = true;

/// Wait for another request's answer: what most answers take, and less than most clients' patience.
pub const COALESCE_WAIT: Duration = Duration::from_secs(30);

/// An answer whose time is over is not served, unless asked for.
pub const STALE_WHILE_REVALIDATE: Duration = Duration::from_millis(0);

/// Spread of lifetimes: a tenth turns the expiry of an hour's answers into that of a day's, at little loss.
pub const TTL_JITTER: f64 = 0.1;

/// Who shares a namespace trusts the others, unless told otherwise.
pub const QUARANTINE: bool = false;

/// Personal data is not kept: what is not there cannot leak.
pub const PII: Pii = Pii::Refuse;

/// Threshold of the semantic tier: thorough rewordings of one goal lie as low as this, and the verifier tells them from
/// their neighbours. Below it, hits are too rare to pay for the verifications.
pub const MIN_SIMILARITY: Similarity = Similarity::literal(0.6);

/// Shift of the verifier's bar in log-odds: the shipped operating point.
pub const CONFIDENCE_SHIFT: f32 = 0.0;

/// Rewordings are answered.
pub const SEMANTIC: SemanticMode = SemanticMode::Serve;

/// Entries held: with their vectors and texts about half a gigabyte.
pub const MAX_ENTRIES: usize = 100_000;

/// Longest stored answer in bytes: 1 MiB, far above any plan; longer ones are passed on and not stored.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// An explicit temperature does not keep a goal from being answered from the cache.
pub const VARIETY: Variety = Variety::Ignore;

/// Frames are proposed: finding them costs nothing that a client waits for, and an operator decides.
pub const LEARN_FRAMES: LearnFrames = LearnFrames::Propose;

/// Embedding threads: one keeps the other cores for the proxy and does some hundreds of goals a second.
pub const EMBEDDER_THREADS: usize = 1;

/// Goals that may wait for an embedding thread: as many as one thread embeds within the deadline.
pub const EMBEDDER_QUEUE: usize = 64;

/// Time an embedding may take: less than what a hit saves, so that a slow embedder never costs the client.
pub const EMBEDDER_DEADLINE: Duration = Duration::from_millis(250);

/// Threshold of the static prefilter: low, since it only spares the model goals that resemble nothing stored.
pub const PREFILTER_SIMILARITY: Similarity = Similarity::literal(0.22);

/// Templates answer from the first request on.
pub const TEMPLATES_ENABLED: bool = true;

/// Threshold of the template tier: lower than for entries, because slots and vocabulary are checked word by word.
pub const TEMPLATE_MIN_SIMILARITY: Similarity = Similarity::literal(0.70);

/// What a shape writes unless it says JSON.
pub const SHAPE_CONTENT: ShapeContent = ShapeContent::Text;

/// Shapes that are compiled in; a configured shape cannot take their names.
pub const BUILT_IN_SHAPES: [&str; 2] = ["markdown", "json-tasks"];

/// An upstream uses its own key unless it is marked for the client's.
pub const CREDENTIAL: CredentialMode = CredentialMode::Own;

/// Share of the traffic: the same for all.
pub const WEIGHT: u32 = 1;

/// Answers of an upstream are stored.
pub const ADMIT: bool = true;

/// Time to connect to an upstream: an answer within the round trip, or another upstream is the better choice.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Silence of an upstream: ten minutes, as the SDKs wait, because a reasoning model may think long before the first
/// byte.
pub const READ_TIMEOUT: Duration = Duration::from_secs(600);

/// Name of the upstream that `GEMINI_API_KEY` alone brings.
pub const GEMINI_NAME: &str = "gemini";

/// Base URL of the upstream that `GEMINI_API_KEY` alone brings.
pub const GEMINI_BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// How an upstream is chosen.
pub const POLICY_MODE: PolicyMode = PolicyMode::Weighted;

/// Log lines for people; machines ask for JSON.
pub const LOG_FORMAT: LogFormat = LogFormat::Human;

/// Log level: the life of the process and what an operator must know, nothing for each request.
pub const LOG_LEVEL: &str = "info";

/// Goals are private text and stay out of the log.
pub const LOG_GOALS: bool = false;

/// Latest decisions kept: an hour of a quiet server, some hundred kilobytes.
pub const LOG_DECISIONS: usize = 1_000;
