//! Gemini's `responseSchema` (an OpenAPI subset with upper-case types) as plain JSON Schema.

use serde_json::{Map, Value};

/// Rewrites an OpenAPI-style schema: types in lower case, keyword names in camel case.
///
/// Only keywords are touched: names of properties, examples, defaults and enum values stay as they are.
pub(crate) fn to_json_schema(schema: Value) -> Value {
    let Value::Object(members) = schema else {
        return schema;
    };
    let rewritten: Map<_, _> = members
        .into_iter()
        .map(|(name, value)| {
            let name = camel(&name);
            let value = match name.as_str() {
                "type" => lower(value),
                "items" | "additionalProperties" => to_json_schema(value),
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => each(value),
                "properties" | "$defs" | "defs" => members_of(value),
                _ => value,
            };
            (name, value)
        })
        .collect();
    Value::Object(rewritten)
}

fn lower(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_ascii_lowercase()),
        Value::Array(items) => items.into_iter().map(lower).collect(),
        other => other,
    }
}

fn each(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(to_json_schema).collect(),
        other => other,
    }
}

fn members_of(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, schema)| (name, to_json_schema(schema)))
                .collect(),
        ),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_lowered_and_keywords_camelled_but_names_and_values_stay() {
        let schema = json!({
            "type": "OBJECT",
            "property_ordering": ["TYPE_A"],
            "properties": {
                "type": {"type": "STRING", "enum": ["OBJECT", "B_C"]},
                "due_date": {"type": "ARRAY", "min_items": 1, "items": {"type": "INTEGER"}},
            },
            "example": {"type": "OBJECT", "due_date": []},
        });
        let expected = json!({
            "type": "object",
            "propertyOrdering": ["TYPE_A"],
            "properties": {
                "type": {"type": "string", "enum": ["OBJECT", "B_C"]},
                "due_date": {"type": "array", "minItems": 1, "items": {"type": "integer"}},
            },
            "example": {"type": "OBJECT", "due_date": []},
        });
        assert_eq!(to_json_schema(schema), expected);
    }

    #[test]
    fn the_two_spellings_of_a_schema_are_one() {
        let upper =
            json!({"type": "ARRAY", "items": {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}]}});
        let lower =
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "number"}]}});
        assert_eq!(to_json_schema(upper), to_json_schema(lower));
    }
}
