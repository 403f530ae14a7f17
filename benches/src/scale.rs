//! How the cache behaves from a thousand entries to a million: search time, recall against the exact answer, memory,
//! rebuilds and opening.
//!
//! [`goals`] and [`vectors`] make the data: embeddings of real goals, and seeded neighbours of them at cosines at
//! which rewordings lie. [`index`] measures one kind of index alone, [`grow`] the whole cache with its store.

pub mod exact;
pub mod goals;
pub mod grow;
pub mod index;
pub mod process;
pub mod vectors;
