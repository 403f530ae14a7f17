//! Curated plans that answer a goal without any model.
//!
//! A template is written once ([`parse`]: TOML to a checked [`Template`]) and answers every goal of its kind:
//! its typed slots are read out of the goal ([`slots`]), and its texts are rendered over them ([`plan`], [`shape`]).
//! Goals and phrasings are masked by one function ([`mask`]), embedded by the caller, and compared here ([`matching`]).
//! A similarity only proposes; a template answers when every word and value of the goal is explained by it.

pub mod adding;
pub mod draft;
mod engine;
mod grammar;
pub mod library;
pub mod lint;
pub mod mask;
pub mod matching;
mod noise;
pub mod parse;
pub mod plan;
pub mod problem;
mod raw;
mod remark_words;
mod remarks;
pub mod repeat;
pub mod schema_shape;
pub mod shape;
pub mod slots;
pub mod vectors;

#[cfg(test)]
mod tests;

pub use adding::{AddError, AddedFile, Addition};
pub use library::{Hit, Library, Phrasing, Source, TemplateCandidate, TemplateOutcome};
pub use matching::{Misfit, Refusal};
pub use parse::Template;
pub use plan::Plan;
pub use problem::Problem;
pub use repeat::Repeat;
pub use schema_shape::{SchemaError, SchemaShape};
pub use shape::{Content, Shape, ShapeError};
pub use slots::{SlotValue, Slots};
pub use vectors::PhrasingVectors;
