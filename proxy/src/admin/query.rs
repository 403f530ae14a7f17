//! The query of an admin request as typed fields.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::protocol::route::percent_decoded;

/// Reads `name=value&...`; a value of digits alone is a number where the field wants one.
///
/// # Errors
/// Which field is not known or cannot be read, worded for people.
pub(super) fn parse<T: DeserializeOwned>(text: Option<&str>) -> Result<T, String> {
    let pairs = text.unwrap_or_default().split('&');
    let fields: Map<String, Value> = pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(&value.replace('+', " ")).into_owned();
            (percent_decoded(name).into_owned(), value)
        })
        .map(|(name, value)| {
            // `limit` is the only number there is; every other field is a text, digits or not.
            let number = (name == "limit")
                .then(|| value.parse::<u64>().ok())
                .flatten();
            (name, number.map_or(Value::String(value), Value::from))
        })
        .collect();
    serde_json::from_value(Value::Object(fields)).map_err(|error| format!("query: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::portable::Page;

    #[test]
    fn fields_are_decoded_and_unknown_ones_are_told() {
        let page: Result<Page, _> = parse(Some("namespace=a%2Fb+c&limit=7&after=0012"));
        let page = page.unwrap_or_default();
        assert_eq!(page.namespace.as_deref(), Some("a/b c"));
        assert_eq!((page.limit, page.after.as_deref()), (Some(7), Some("0012")));
        assert!(parse::<Page>(None).is_ok());
        for bad in ["limit=x", "limit=-1", "naemspace=a"] {
            let error = parse::<Page>(Some(bad)).err().unwrap_or_default();
            assert!(error.starts_with("query: "), "{bad}: {error}");
        }
    }
}
