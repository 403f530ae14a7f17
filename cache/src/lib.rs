//! Keys, entries, templates, the vector index, verification and the store. Knows vectors, never models.

pub mod error;
pub mod key;
pub mod language;
pub mod namespace;
pub mod request;
