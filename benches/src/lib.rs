//! Load, baselines and bare measurements: what every speed claim of Tollfree is checked with.
//!
//! [`load`] drives any HTTP/1.1 endpoint at a fixed rate or a fixed concurrency and reports latencies, [`baseline`]
//! holds the servers that Tollfree is compared with, [`embedding`] times one bare embedding, [`bound`] simulates what
//! `cache.max_wrong_hits` promises, [`eviction`] replays a trace against the cache, and [`scale`] measures it up to a
//! million entries. All of them are one
//! binary, so that both sides of a ratio are built once, by the same compiler with the same profile.
//!
//! Nothing here is part of the request path of the product.

pub mod baseline;
pub mod bound;
pub mod embedding;
pub mod error;
pub mod eviction;
pub mod latency;
pub mod load;
pub mod scale;

pub use error::{Error, Result};
