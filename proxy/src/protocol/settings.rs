//! Collecting the settings of a request in normal form: defaults and empties dropped, one text per value.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json;

/// Canonical names, and names for what is no field of any protocol. A client's own field of such a name is kept
/// under its quoted name, which no canonical name looks like.
const RESERVED: &[&str] = &[
    "developer_role",
    "frequency_penalty",
    "max_tokens",
    "presence_penalty",
    "reasoning_effort",
    "safety",
    "seed",
    "stop",
    "temperature",
    "text_parts",
    "thinking",
    "top_k",
    "top_p",
    "verbosity",
];

/// Settings under their canonical names.
///
/// The canonical name of a setting that both protocols have is OpenAI's (`top_p`, `max_tokens`, `stop`), so that the
/// same request has the same key in both.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    values: BTreeMap<String, String>,
    opaque: Vec<String>,
}

impl Settings {
    /// Keeps a setting unless it says nothing.
    pub(crate) fn put(&mut self, name: &str, value: &Value) {
        if !json::is_empty(value) {
            self.values.insert(name.to_owned(), json::canonical(value));
        }
    }

    /// Keeps a setting unless it is absent, says nothing or equals its default.
    pub(crate) fn put_unless<T: Into<Value> + PartialEq>(
        &mut self,
        name: &str,
        value: Option<T>,
        default: &T,
    ) {
        if let Some(value) = value.filter(|value| value != default) {
            self.put(name, &value.into());
        }
    }

    /// Keeps a setting we do not know, under the name it came by.
    pub(crate) fn put_opaque(&mut self, name: String, value: &Value) {
        if !json::is_empty(value) {
            let name = if RESERVED.contains(&name.as_str()) {
                json::quoted(&name)
            } else {
                name
            };
            self.values.insert(name.clone(), json::canonical(value));
            self.opaque.push(name);
        }
    }

    /// Gives the settings and the names of those we do not know.
    pub(crate) fn finish(self) -> (BTreeMap<String, String>, Vec<String>) {
        (self.values, self.opaque)
    }
}
