//! Reading JSON strictly and writing it canonically.
//!
//! Two properties matter for keys. A name given twice in one object is noticed: the upstream may read the other
//! value, so such a body must never be looked up. And equal values have one text: names sorted, `5.0` written `5`.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Integers from here on cannot all be told apart as `f64`: 2^53.
const EXACT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// A JSON document and what its tree no longer shows.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The document; of a repeated name the last value.
    pub(crate) value: Value,
    /// Whether some object gives a name twice.
    pub(crate) repeated_name: bool,
    /// Whether some number lost digits on the way in.
    pub(crate) inexact_number: bool,
}

/// Parses one whole JSON document; deep nesting, bad UTF-8 and numbers out of range are errors.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Parsed> {
    let seen = Seen::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(&seen).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(Parsed {
        value,
        repeated_name: seen.repeated_name.get(),
        inexact_number: seen.inexact_number.get(),
    })
}

/// Writes a value as canonical JSON text.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

/// Whether a value says nothing: null, an empty list or an empty object.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Writes a string as JSON text.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&canonical_number(number)),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            // Sorted here because the map keeps insertion order if a crate of the build asks serde_json for it.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&quoted(name));
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT_LIMIT => {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            let whole = float as i64;
            whole.to_string()
        }
        _ => number.to_string(),
    }
}

#[derive(Default)]
struct Seen {
    repeated_name: Cell<bool>,
    inexact_number: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Strict<'a>(&'a Seen);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        if value.abs() >= EXACT_LIMIT {
            self.0.inexact_number.set(true);
        }
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if map.insert(name, value).is_some() {
                self.0.repeated_name.set(true);
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical_of(text: &str) -> String {
        canonical(&parse(text.as_bytes()).unwrap().value)
    }

    #[test]
    fn number_form_and_name_order_do_not_show() {
        assert_eq!(
            canonical_of(r#"{"b":5.0,"a":[1e2,-0.0]}"#),
            r#"{"a":[100,0],"b":5}"#
        );
        assert_eq!(canonical_of("0.70"), canonical_of("0.7"));
        assert_ne!(canonical_of("0.7"), canonical_of("0.70000001"));
        assert_ne!(canonical_of("\"5\""), canonical_of("5"));
    }

    #[test]
    fn a_repeated_name_is_noticed_at_any_depth() {
        assert!(parse(br#"{"a":1,"a":1}"#).unwrap().repeated_name);
        assert!(
            parse(br#"[{"x":{"a":1,"\u0061":2}}]"#)
                .unwrap()
                .repeated_name
        );
        assert!(!parse(br#"[{"a":1},{"a":1}]"#).unwrap().repeated_name);
    }

    #[test]
    fn a_number_that_lost_digits_is_noticed() {
        assert!(parse(b"[18446744073709551617]").unwrap().inexact_number);
        assert!(parse(b"1e300").unwrap().inexact_number);
        assert!(
            !parse(b"[18446744073709551615,-9223372036854775808,0.1]")
                .unwrap()
                .inexact_number
        );
    }

    #[test]
    fn hostile_documents_are_errors() {
        assert!(parse(b"1e400").is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(format!("{}{}", "[".repeat(5000), "]".repeat(5000)).as_bytes()).is_err());
        assert!(parse(b"\"\xff\"").is_err());
        assert!(parse(br#""\ud800""#).is_err());
        assert!(parse(b"{} {}").is_err());
        assert!(parse(b"").is_err());
    }

    proptest! {
        #[test]
        fn canonical_text_parses_back_to_itself(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(parsed) = parse(&bytes) {
                let text = canonical(&parsed.value);
                prop_assert_eq!(canonical(&parse(text.as_bytes()).unwrap().value), text);
            }
        }
    }
}
