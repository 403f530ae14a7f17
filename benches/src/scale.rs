//! How the cache behaves from a thousand entries to a million: search time, recall against the exact answer, memory,
//! rebuilds and opening.
//!
//! [`goals`] and [`vectors`] make the data: embeddings of real goals, and seeded neighbours of them at cosines at
//! which rewordings lie. [`index`] measures one kind of index alone; [`grow`] fills the whole cache with its store,
//! which [`reopen`] opens again and [`rebuild`] shrinks, each as a process of its own.

pub mod exact;
pub mod goals;
pub mod grow;
pub mod index;
pub mod process;
pub mod rebuild;
pub mod reopen;
pub mod report;
mod subject;
pub mod vectors;

pub use subject::Options;
