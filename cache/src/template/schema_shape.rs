//! The caller's schema as a shape: a plan written into a JSON Schema nobody here has seen before.
//!
//! Three steps, each of which may refuse. `limits` reads the schema and turns away what could cost time or reach
//! out ("what a template can be written into" is a small part of JSON Schema). `fill` matches property names with
//! what a plan holds (`words`). The result is then validated against the whole schema; a rendering that does not
//! validate is a miss, so that a wrong guess of ours never reaches a client that parses strictly.

mod fill;
mod limits;
mod subject;
mod words;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::plan::Plan;

/// Compiled size of one `pattern`, in bytes.
const MAX_PATTERN_BYTES: usize = 64 * 1024;

/// A compiled schema of a caller.
#[derive(Debug)]
pub struct SchemaShape {
    schema: Value,
    validator: Validator,
}

/// Why a plan is not written into a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The schema is larger, deeper or more branched than we look into.
    #[error("schema has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// The schema uses a keyword whose meaning we do not write into.
    #[error("schema uses `{keyword}`")]
    Keyword {
        /// The keyword.
        keyword: String,
    },
    /// A reference leads out of the schema, to nothing, or round in a circle.
    #[error("schema has a reference that cannot be followed: {reference:?}")]
    Reference {
        /// The reference.
        reference: String,
    },
    /// The schema is no JSON Schema.
    #[error("schema is not valid: {detail}")]
    NoSchema {
        /// What is wrong with it.
        detail: String,
    },
    /// A plan has nothing for a required property.
    #[error("a plan holds nothing for {path}")]
    Unfillable {
        /// JSON pointer to the property.
        path: String,
    },
    /// There is no place in it for the tasks or milestones of a plan.
    #[error("schema has no place for a plan's steps")]
    NoSteps,
    /// What was written does not satisfy the schema.
    #[error("the rendering does not satisfy the schema at {path:?}")]
    Unsatisfied {
        /// JSON pointer into the rendering.
        path: String,
    },
}

impl SchemaShape {
    /// Checks and compiles a schema. Costs up to some milliseconds: not for an event loop.
    ///
    /// Nothing is ever fetched: references must stay inside the schema. Patterns run in linear time.
    ///
    /// # Errors
    /// Says why nothing is written into this schema.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        limits::check(schema)?;
        let patterns = PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_pattern_options(patterns)
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| SchemaError::NoSchema {
                detail: error.to_string(),
            })?;
        Ok(Self {
            schema: schema.clone(),
            validator,
        })
    }

    /// Writes a plan into the schema.
    ///
    /// # Errors
    /// Says which part of the schema a plan cannot satisfy.
    pub fn render(&self, plan: &Plan) -> Result<Value, SchemaError> {
        let value = fill::fill(&self.schema, plan)?;
        match self.validator.validate(&value) {
            Ok(()) => Ok(value),
            Err(error) => Err(SchemaError::Unsatisfied {
                path: error.instance_path().to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
