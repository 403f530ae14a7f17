//! Keys, entries, templates, the vector index, verification and the store. Knows vectors, never models.
//!
//! What a request is and what keeps answers apart: [`request`], [`key`], [`namespace`].
//! What is stored and what is not: [`entry`], [`mod@cache`], [`semantic`], [`contributor`], [`pii`]. What a goal says:
//! [`goal`]; what stands around it: [`frame`]. What may answer it: [`template`], [`verify`], [`decision`].

mod codec;
mod eviction;
mod exact;
mod resident;
mod store;

pub mod bound;
pub mod cache;
pub mod contributor;
pub mod counters;
pub mod decision;
pub mod entry;
pub mod error;
pub mod frame;
pub mod goal;
pub mod key;
pub mod language;
pub mod namespace;
pub mod pii;
pub mod request;
pub mod semantic;
pub mod template;
pub mod verify;

pub use error::{Error, Result};
pub use store::writer::WriterStats;

#[cfg(test)]
mod testing;
