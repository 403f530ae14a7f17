//! The walk over a document beside the JSON Schema of the raw structs.
//!
//! The schema is made from the same structs that serde fills, hence the two cannot disagree about a field. Only the
//! parts of JSON Schema that our structs produce are known here: `type`, `properties`, `additionalProperties`,
//! `required`, `items` and choices by `enum` or `oneOf`; bounds and patterns are for validation.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::path::{FieldPath, key};
use super::suggest::{listed, nearest};
use crate::schema;

/// A structural problem and the byte offset of what it is about.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) offset: usize,
    pub(super) path: FieldPath,
    pub(super) message: String,
    pub(super) remedy: String,
}

/// Reports every structural problem of the document and takes out what they are about.
pub(super) fn check(root: &mut DeTable<'_>) -> Vec<Found> {
    let schema = schema::schema();
    let mut walk = Walk {
        top: &schema,
        found: Vec::new(),
    };
    walk.table(root, &schema, &FieldPath::root(), 0);
    walk.found
}

struct Walk<'s> {
    top: &'s Value,
    found: Vec<Found>,
}

impl<'s> Walk<'s> {
    /// Checks one table and takes refused fields out of it.
    fn table(
        &mut self,
        table: &mut DeTable<'_>,
        schema: &'s Value,
        path: &FieldPath,
        offset: usize,
    ) {
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for name in required
            .filter_map(Value::as_str)
            .filter(|name| !table.contains_key(*name))
        {
            let path = path.key(name);
            let remedy = format!("add {}", sample(name, property(schema, name)));
            self.report(
                offset,
                path,
                format!("required field \"{name}\" is missing"),
                remedy,
            );
        }
        let mut refused = Vec::new();
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            let path = path.key(name);
            let kept = match property(schema, name).or_else(|| of_map(schema)) {
                Some(schema) => self.value(value, schema, &path, (name, schema)),
                None => {
                    let remedy = self.unknown_field_remedy(name, schema);
                    self.report(
                        key.span().start,
                        path,
                        format!("unknown field \"{name}\""),
                        remedy,
                    );
                    false
                }
            };
            if !kept {
                refused.push(name.to_owned());
            }
        }
        for name in &refused {
            table.remove(name.as_str());
        }
    }

    /// Checks one value; `false` means that it has to be taken out.
    ///
    /// `field` is the name and schema of the field that remedies show: for an item of an array, the array.
    fn value(
        &mut self,
        value: &mut Spanned<DeValue<'_>>,
        schema: &'s Value,
        path: &FieldPath,
        field: (&str, &'s Value),
    ) -> bool {
        let offset = value.span().start;
        let kind = schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("string");
        match (kind, value.get_mut()) {
            ("object", DeValue::Table(table)) => self.table(table, schema, path, offset),
            ("array", DeValue::Array(array)) => {
                let Some(items) = schema.get("items") else {
                    return true;
                };
                let before = self.found.len();
                for (index, item) in array.iter_mut().enumerate() {
                    let kept = self.value(item, items, &path.index(index), field);
                    // A refused item leaves an empty table behind, lest the items after it change their place.
                    if !kept && item_kind(schema) == Some("object") {
                        *item.get_mut() = DeValue::Table(DeTable::new());
                    }
                }
                return item_kind(schema) == Some("object") || self.found.len() == before;
            }
            ("string", DeValue::String(text)) => {
                let known = choices(schema);
                if !known.is_empty() && !known.contains(&text.as_ref()) {
                    let meant = nearest(text, known.iter().copied());
                    let meant = meant
                        .map(|word| format!("did you mean \"{word}\"? "))
                        .unwrap_or_default();
                    let remedy = format!("{meant}allowed here: {}", listed(known));
                    self.report(
                        offset,
                        path.clone(),
                        format!("unknown value {text:?}"),
                        remedy,
                    );
                    return false;
                }
            }
            ("integer", DeValue::Integer(number)) => {
                if i64::from_str_radix(number.as_str(), number.radix()).is_err() {
                    let remedy = "use a smaller number".to_owned();
                    self.report(
                        offset,
                        path.clone(),
                        format!("integer {number} is too large"),
                        remedy,
                    );
                    return false;
                }
            }
            ("number", DeValue::Integer(_) | DeValue::Float(_))
            | ("boolean", DeValue::Boolean(_)) => {}
            (kind, other) => {
                let message = format!("expected {}, found {}", expected(kind), found(other));
                let (name, schema) = field;
                let remedy = if item_kind(schema) == Some("object") {
                    format!("write [[{name}]] with two brackets before each")
                } else {
                    format!("write it as in {}", sample(name, Some(schema)))
                };
                self.report(offset, path.clone(), message, remedy);
                return false;
            }
        }
        true
    }

    /// Says what an unknown field may have been meant to be: a near name here, the same name elsewhere, or any name
    /// known here.
    fn unknown_field_remedy(&self, name: &str, schema: &Value) -> String {
        let here: Vec<&str> = properties(schema).map(|(name, _)| name).collect();
        let elsewhere = properties(self.top).find(|(_, section)| {
            property(section, name)
                .or_else(|| property(section.get("items").unwrap_or(&Value::Null), name))
                .is_some()
        });
        match (nearest(name, here.iter().copied()), elsewhere) {
            (Some(near), _) => format!("did you mean \"{near}\"?"),
            (None, Some((section, schema))) if schema.get("items").is_some() => {
                format!("\"{name}\" belongs into [[{section}]]")
            }
            (None, Some((section, _))) => format!("\"{name}\" belongs into [{section}]"),
            (None, None) => format!("remove it; known here: {}", listed(here)),
        }
    }

    fn report(&mut self, offset: usize, path: FieldPath, message: String, remedy: String) {
        self.found.push(Found {
            offset,
            path,
            message,
            remedy,
        });
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema))
}

fn property<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
}

/// Returns the schema of the values of a map with free keys.
fn of_map(schema: &Value) -> Option<&Value> {
    schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
}

/// Returns the type of the items of an array.
fn item_kind(schema: &Value) -> Option<&str> {
    schema.pointer("/items/type").and_then(Value::as_str)
}

/// Returns the words that a field takes; none when it takes any text.
fn choices(schema: &Value) -> Vec<&str> {
    let array = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let words = array("enum").chain(array("oneOf").flat_map(|choice| {
        choice.get("const").into_iter().chain(
            choice
                .get("enum")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        )
    }));
    words.filter_map(Value::as_str).collect()
}

fn expected(kind: &str) -> &'static str {
    match kind {
        "object" => "a table",
        "array" => "an array",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a string",
    }
}

/// Names the type of a value, never the value: it may be a key in the wrong place.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Writes a field with its example or default, as a user would.
fn sample(name: &str, schema: Option<&Value>) -> String {
    let Some(schema) = schema else {
        return name.to_owned();
    };
    let example = schema
        .get("examples")
        .and_then(|examples| examples.get(0))
        .or_else(|| schema.get("default"));
    let kind = schema.get("type").and_then(Value::as_str);
    let key = key(name);
    match (example, choices(schema).first()) {
        (Some(value), _) => format!("{key} = {}", inline(value)),
        (None, Some(word)) => format!("{key} = \"{word}\""),
        (None, None) if kind == Some("object") => format!("[{key}]"),
        (None, None) => format!("{key} = \"...\""),
    }
}

/// Writes a JSON value as inline TOML.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(inline).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}
