//! The committed schema and the example say the same as the code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tollfree_config::env::Environment;
use tollfree_config::schema::json_schema;
use tollfree_config::{Config, Overrides};

const COMMITTED: &str = "schema.json";
const EXAMPLE: &str = "tollfree.example.toml";

/// Returns every field that is no table of ours, by its path (`upstreams.price.input`), with whether it is required.
fn fields(schema: &Value) -> BTreeMap<String, (Value, bool)> {
    fn collect(schema: &Value, prefix: &str, all: &mut BTreeMap<String, (Value, bool)>) {
        let schema = schema.get("items").unwrap_or(schema);
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            let required = schema["required"]
                .as_array()
                .is_some_and(|required| required.contains(&name.as_str().into()));
            all.insert(path.clone(), (field.clone(), required));
            collect(field, &path, all);
        }
    }
    let mut all = BTreeMap::new();
    collect(schema, "", &mut all);
    all.retain(|_, (field, _)| {
        field.get("properties").is_none() && field["items"].get("properties").is_none()
    });
    all
}

fn description(field: &Value) -> &str {
    field["description"].as_str().unwrap_or_default()
}

/// Writes a default as descriptions and comments do.
fn default_text(default: &Value) -> String {
    match default {
        Value::String(text) => text.clone(),
        Value::Object(_) => "{ \"*\" = \"*\" }".to_owned(),
        other => other.to_string(),
    }
}

#[test]
fn the_committed_schema_is_that_of_the_code() -> Result<()> {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(COMMITTED, json_schema())?;
    }
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    ensure!(
        committed == json_schema(),
        "config/{COMMITTED} is stale; run UPDATE_SCHEMA=1 cargo test --release -p tollfree-config --test schema"
    );
    Ok(())
}

#[test]
fn every_field_says_what_it_does_and_what_holds_without_it() -> Result<()> {
    let all = fields(&serde_json::from_str(&json_schema())?);
    ensure!(all.len() > 50, "only {} fields were found", all.len());
    for (path, (field, required)) in all {
        let text = description(&field);
        ensure!(text.len() > 20, "{path} is not described");
        ensure!(
            required != text.contains("\n\nDefault: "),
            "{path} is required or says its default, not both"
        );
        if let Some(default) = field.get("default") {
            let shown = default_text(default);
            ensure!(
                text.contains(&format!("\n\nDefault: `{shown}`")),
                "{path} says another default than {shown}"
            );
        }
    }
    Ok(())
}

#[test]
fn every_number_has_both_its_bounds() -> Result<()> {
    let numbers = fields(&serde_json::from_str(&json_schema())?)
        .into_iter()
        .filter(|(_, (field, _))| field["type"] == "integer" || field["type"] == "number");
    let mut count = 0;
    for (path, (field, _)) in numbers {
        ensure!(
            field["minimum"].is_number() && field["maximum"].is_number(),
            "{path} has no bounds: {field}"
        );
        count += 1;
    }
    ensure!(count >= 12, "only {count} numbers were found");
    Ok(())
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_built_in_configuration() -> Result<()> {
    let environment = Environment::from_map([("HOME", "/home/user")]);
    let config = Config::load(None, &Overrides::default(), &environment)?.redacted_json();
    let mut compared = 0;
    for (path, (field, _)) in fields(&serde_json::from_str(&json_schema())?) {
        if let (Some(default), Some(value)) = (
            field.get("default"),
            config.pointer(&format!("/{}", path.replace('.', "/"))),
        ) {
            ensure!(
                default == value,
                "{path}: the schema says {default}, the configuration {value}"
            );
            compared += 1;
        }
    }
    ensure!(compared >= 25, "only {compared} defaults were compared");
    Ok(())
}

/// Copies the example into a folder where the key file that it names exists.
fn load_example(folder: &Path) -> Result<Config> {
    fs::create_dir(folder.join("secrets"))?;
    fs::write(folder.join("secrets/openai.key"), "sk-file\n")?;
    let example = folder.join(EXAMPLE);
    fs::copy(EXAMPLE, &example)?;
    let environment =
        Environment::from_map([("HOME", "/home/user"), ("GEMINI_API_KEY", "AIza-variable")]);
    Ok(Config::load(
        Some(&example),
        &Overrides::default(),
        &environment,
    )?)
}

#[test]
fn the_example_loads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = load_example(folder.path())?;
    ensure!(
        config.upstreams().len() == 2 && config.shapes().len() == 1 && config.frames().len() == 1
    );
    ensure!(config.templates().dir() == Some(folder.path().join("./templates").as_path()));
    let shown = config.redacted_json().to_string();
    ensure!(
        shown.contains("***") && !shown.contains("sk-file") && !shown.contains("AIza"),
        "a key is shown: {shown}"
    );
    Ok(())
}

/// Returns the comment above each field of the example, by the path of the field.
fn comments(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let (mut section, mut comment) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            comment.push_str(words);
            comment.push(' ');
        } else if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            comment.clear();
        } else {
            let comment = std::mem::take(&mut comment);
            if let Some((name, _)) = line.split_once(" = ") {
                all.entry(format!("{section}.{name}")).or_insert(comment);
            }
        }
    }
    all
}

#[test]
fn the_example_shows_every_field_with_its_default_in_the_comment_above() -> Result<()> {
    let text = fs::read_to_string(EXAMPLE)?;
    let comments = comments(&text);
    // Fields of inline tables share the comment of the table.
    let inner = |path: &str| path.matches('.').count() > 1;
    let fields = fields(&serde_json::from_str(&json_schema())?);
    for (path, (field, required)) in fields.iter().filter(|(path, _)| !inner(path)) {
        let comment = comments
            .get(path)
            .with_context(|| format!("{path} is not in {EXAMPLE}"))?;
        ensure!(comment.len() > 10, "{path} has no comment above it");
        ensure!(
            *required != comment.contains("Default: "),
            "{path} is required or says its default, not both"
        );
        if let Some(default) = field.get("default") {
            let shown = default_text(default);
            ensure!(
                comment.contains(&shown),
                "{path} says another default than {shown}"
            );
        }
    }
    for (path, _) in fields.iter().filter(|(path, _)| inner(path)) {
        let (table, name) = path.rsplit_once('.').context("a path without a table")?;
        let name_in_table = format!("{{ {name} = ");
        let shown = text.contains(&name_in_table) || text.contains(&format!(", {name} = "));
        ensure!(
            comments.contains_key(table) && shown,
            "{path} is not in {EXAMPLE}"
        );
    }
    Ok(())
}
