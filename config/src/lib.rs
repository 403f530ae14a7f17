//! Typed, validated configuration of Tollfree.
//!
//! A configuration file goes through three steps, each a module: `document` parses the TOML and remembers
//! where everything stands, `raw` is its exact shape (and, through its doc comments, the JSON Schema), and
//! `validate` turns it into a [`Config`] that cannot be wrong.
//! Each step goes on after a problem, so that a user sees every problem of a file at once.
//!
//! Invariants: a value of a public type here was checked when it was made and is never checked again; a secret
//! never appears in the output of `Debug`, `Display` or `Serialize`; nothing here reads the process
//! environment but [`env::Environment::process`].

pub mod config;
pub mod types;

pub mod defaults;
pub mod env;

pub mod assets;
pub mod load;
pub mod schema;

pub mod error;
pub mod problem;

mod document;
mod raw;
mod validate;

pub use config::Config;
pub use load::Overrides;
pub use problem::{Invalid, Problem};
