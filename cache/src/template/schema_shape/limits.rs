//! What kind of schema a plan is written into at all: small, finite, and of keywords whose cost is plain.
//!
//! A schema comes from a stranger. Every node is looked at before anything is compiled, so that neither a chain of
//! references that doubles at each step nor one that never ends reaches the compiler or the validator.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::SchemaError;

/// Schemas inside the schema, itself included.
const MAX_NODES: usize = 2_000;

/// Nesting of schemas, references not followed.
const MAX_DEPTH: usize = 32;

/// Nodes once every reference is replaced by what it leads to.
const MAX_EXPANDED: usize = 20_000;

/// Alternatives of all `anyOf` and `oneOf` together: each may be tried for every value.
const MAX_ALTERNATIVES: usize = 64;

/// Bytes of one `pattern`.
const MAX_PATTERN: usize = 256;

/// Keywords that bend the meaning of others, reach out of the schema, or cost more than they look.
const REFUSED: [&str; 21] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "contains",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "id",
    "if",
    "not",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];

/// Refuses a schema that is not worth the risk.
pub(super) fn check(root: &Value) -> Result<(), SchemaError> {
    let mut survey = Survey {
        root,
        sizes: HashMap::new(),
        nodes: 0,
        alternatives: 0,
        recursive: false,
    };
    survey.reference("#", 0, &[])?;
    limit(survey.alternatives, MAX_ALTERNATIVES, "alternatives")?;
    if survey.recursive && survey.alternatives > 0 {
        // Each level of the value would try every alternative again.
        return Err(SchemaError::TooLarge {
            what: "alternatives in a schema that holds itself",
            limit: 0,
        });
    }
    Ok(())
}

/// Follows a reference inside the schema.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Result<&'a Value, SchemaError> {
    reference
        .strip_prefix('#')
        .filter(|pointer| !pointer.contains('%'))
        .and_then(|pointer| root.pointer(pointer))
        .ok_or_else(|| SchemaError::Reference {
            reference: reference.chars().take(128).collect(),
        })
}

struct Survey<'a> {
    root: &'a Value,
    /// Expanded sizes by reference; `None` while it is being measured.
    sizes: HashMap<String, Option<usize>>,
    nodes: usize,
    alternatives: usize,
    recursive: bool,
}

impl<'a> Survey<'a> {
    /// Measures a schema; `beside` holds the references that lead here without a step into the value.
    fn schema(
        &mut self,
        schema: &'a Value,
        depth: usize,
        beside: &[&str],
    ) -> Result<usize, SchemaError> {
        self.nodes += 1;
        limit(self.nodes, MAX_NODES, "nodes")?;
        limit(depth, MAX_DEPTH, "levels")?;
        let members = match schema {
            Value::Bool(_) => return Ok(1),
            Value::Object(members) => members,
            _ => {
                return Err(SchemaError::NoSchema {
                    detail: "a schema is an object or a boolean".to_owned(),
                });
            }
        };
        let mut size = 1usize;
        for (keyword, value) in members {
            size = size.saturating_add(self.keyword(keyword, value, depth, beside)?);
            limit(size, MAX_EXPANDED, "nodes behind its references")?;
        }
        Ok(size)
    }

    fn keyword(
        &mut self,
        keyword: &str,
        value: &'a Value,
        depth: usize,
        beside: &[&str],
    ) -> Result<usize, SchemaError> {
        match (keyword, value) {
            ("$ref", Value::String(reference)) => self.reference(reference, depth, beside),
            ("properties", Value::Object(members)) => self.members(members, depth),
            ("$defs" | "definitions", Value::Object(members)) => {
                // They weigh nothing but where they are used.
                self.members(members, depth).map(|_| 0)
            }
            ("items" | "additionalProperties", Value::Object(_) | Value::Bool(_)) => {
                self.schema(value, depth + 1, &[])
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => {
                if keyword != "allOf" {
                    self.alternatives += schemas.len();
                }
                schemas.iter().try_fold(0usize, |sum, schema| {
                    Ok(sum.saturating_add(self.schema(schema, depth + 1, beside)?))
                })
            }
            ("pattern", Value::String(pattern)) => {
                limit(pattern.len(), MAX_PATTERN, "bytes in a pattern").map(|()| 0)
            }
            (
                "$ref"
                | "properties"
                | "$defs"
                | "definitions"
                | "items"
                | "additionalProperties"
                | "anyOf"
                | "oneOf"
                | "allOf"
                | "pattern",
                _,
            ) => Err(SchemaError::Keyword {
                keyword: keyword.to_owned(),
            }),
            (keyword, _) if REFUSED.contains(&keyword) => Err(SchemaError::Keyword {
                keyword: keyword.to_owned(),
            }),
            _ => Ok(0),
        }
    }

    fn members(
        &mut self,
        members: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<usize, SchemaError> {
        members.values().try_fold(0usize, |sum, schema| {
            Ok(sum.saturating_add(self.schema(schema, depth + 1, &[])?))
        })
    }

    fn reference(
        &mut self,
        reference: &str,
        depth: usize,
        beside: &[&str],
    ) -> Result<usize, SchemaError> {
        if beside.contains(&reference) {
            return Err(SchemaError::Reference {
                reference: reference.to_owned(),
            });
        }
        match self.sizes.get(reference) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                self.recursive = true;
                return Ok(1);
            }
            None => {}
        }
        let target = resolve(self.root, reference)?;
        self.sizes.insert(reference.to_owned(), None);
        let mut beside = beside.to_vec();
        beside.push(reference);
        let size = self.schema(target, depth + 1, &beside)?;
        self.sizes.insert(reference.to_owned(), Some(size));
        Ok(size)
    }
}

fn limit(value: usize, limit: usize, what: &'static str) -> Result<(), SchemaError> {
    if value > limit {
        Err(SchemaError::TooLarge { what, limit })
    } else {
        Ok(())
    }
}
