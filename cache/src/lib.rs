//! Keys, entries, templates, the vector index, verification and the store. Knows vectors, never models.
