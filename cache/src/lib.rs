//! Keys, entries, templates, the vector index, verification and the store. Knows vectors, never models.

mod codec;
mod exact;
mod resident;
mod store;

pub mod cache;
pub mod counters;
pub mod entry;
pub mod error;
pub mod key;
pub mod language;
pub mod namespace;
pub mod request;
pub mod semantic;

pub use store::writer::WriterStats;

#[cfg(test)]
mod testing;
