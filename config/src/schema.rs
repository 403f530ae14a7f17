//! The JSON Schema of a configuration file, made from the raw structs and their doc comments.
//!
//! A copy is committed as `config/schema.json`, for editors; a test fails when it is stale.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde_json::Value;

use crate::raw::RawConfig;

/// Returns the JSON Schema (draft 2020-12) as indented JSON with sorted keys and a newline at the end.
pub fn json_schema() -> String {
    // The alternate form is indented JSON, and unlike the serializer it cannot fail.
    format!("{:#}\n", schema())
}

/// Returns the schema with every subschema in place, so that it can be walked without following references.
pub(crate) fn schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings
        .with_transform(tidy)
        .into_generator()
        .into_root_schema_for::<RawConfig>();
    schema.insert("title".to_owned(), "Tollfree configuration".into());
    let mut schema = schema.to_value();
    // Whether maps keep their order depends on what else is built in the workspace.
    schema.sort_all_objects();
    schema
}

/// Takes `null` out of a schema, since TOML has none, and joins the lines of descriptions.
fn tidy(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(mut options)) = schema.remove("anyOf") {
        options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
        match options.as_slice() {
            [Value::Object(only)] => {
                for (key, value) in only {
                    if schema.get(key).is_none() {
                        schema.insert(key.clone(), value.clone());
                    }
                }
            }
            _ => {
                schema.insert("anyOf".to_owned(), options.into());
            }
        }
    }
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let paragraphs: Vec<String> = text
            .split("\n\n")
            .map(|lines| lines.replace('\n', " "))
            .collect();
        schema.insert("description".to_owned(), paragraphs.join("\n\n").into());
    }
    transform_subschemas(&mut tidy, schema);
}
