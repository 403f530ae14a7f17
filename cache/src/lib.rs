//! Keys, entries, templates, the vector index, verification and the store. Knows vectors, never models.

pub mod goal;
pub mod language;
pub mod template;
pub mod verify;
