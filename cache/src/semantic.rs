//! The semantic tier's candidates: vectors of goals, searched within one compatibility key.
//!
//! A flat scan is exact and fastest for a few thousand rows; above that a navigable small-world graph takes over.
//! Both stand behind [`index::VectorIndex`]. Similarity is the dot product of unit vectors, in [-1, 1].

pub mod compact;
pub mod dot;
pub mod flat;
pub mod hnsw;
pub mod index;
pub(crate) mod partition;
pub(crate) mod partitions;
pub(crate) mod rows;
pub(crate) mod snapshot;
