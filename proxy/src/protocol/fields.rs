//! Taking the known fields out of a JSON object, so that what is left is exactly what we do not know.

use serde_json::{Map, Value};

use super::chat::Undecodable;

/// The members of one JSON object that have not been taken yet. A null member counts as absent.
#[derive(Debug)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    path: String,
}

impl Fields {
    /// Opens the object at `path` (dotted, for error texts; empty at the top).
    pub(crate) fn open(value: Value, path: impl Into<String>) -> Result<Self, Undecodable> {
        let path = path.into();
        match value {
            Value::Object(members) => Ok(Self { members, path }),
            _ if path.is_empty() => Err(Undecodable::NotObject),
            _ => Err(Undecodable::WrongType {
                field: path,
                expected: "an object",
            }),
        }
    }

    /// Gives the dotted path of a member.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Takes a member of any type.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a member and tells whether it said anything: not null, not empty, not false, not zero.
    pub(crate) fn take_set(&mut self, name: &str) -> bool {
        self.take(name).is_some_and(|value| match &value {
            Value::Bool(flag) => *flag,
            Value::Number(number) => number.as_f64() != Some(0.0),
            other => !super::json::is_empty(other),
        })
    }

    /// Takes a member whose type does not matter to us and forgets it.
    pub(crate) fn drop(&mut self, names: &[&str]) {
        for name in names {
            self.members.remove(*name);
        }
    }

    /// Takes a string.
    pub(crate) fn take_string(&mut self, name: &str) -> Result<Option<String>, Undecodable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    /// Takes a boolean.
    pub(crate) fn take_bool(&mut self, name: &str) -> Result<Option<bool>, Undecodable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// Takes a finite number.
    pub(crate) fn take_f64(&mut self, name: &str) -> Result<Option<f64>, Undecodable> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .map(Some)
                .ok_or_else(|| self.wrong(name, "a number")),
        }
    }

    /// Takes a whole number, also when written `5.0` or, as proto-JSON allows, `"5"`.
    pub(crate) fn take_integer(&mut self, name: &str) -> Result<Option<i64>, Undecodable> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => integer(&value)
                .map(Some)
                .ok_or_else(|| self.wrong(name, "a whole number")),
        }
    }

    /// Takes a count; more than `u32::MAX` counts as that.
    pub(crate) fn take_count(&mut self, name: &str) -> Result<Option<u32>, Undecodable> {
        match self.take_integer(name)? {
            None => Ok(None),
            Some(count) if count < 0 => Err(self.wrong(name, "zero or more")),
            Some(count) => Ok(Some(u32::try_from(count).unwrap_or(u32::MAX))),
        }
    }

    /// Takes a list.
    pub(crate) fn take_list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Undecodable> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.wrong(name, "a list")),
        }
    }

    /// Takes an object.
    pub(crate) fn take_object(&mut self, name: &str) -> Result<Option<Self>, Undecodable> {
        let path = self.path_of(name);
        self.take(name)
            .map(|value| Self::open(value, path))
            .transpose()
    }

    /// Makes the error for a member of another type than expected.
    pub(crate) fn wrong(&self, name: &str, expected: &'static str) -> Undecodable {
        Undecodable::WrongType {
            field: self.path_of(name),
            expected,
        }
    }

    /// Makes the error for a member that must be there.
    pub(crate) fn missing(&self, name: &str) -> Undecodable {
        Undecodable::Missing {
            field: self.path_of(name),
        }
    }

    /// Gives what nobody took, under its dotted path. A name that could be taken for a path is quoted, so that two
    /// different members never have one path.
    pub(crate) fn rest(self) -> impl Iterator<Item = (String, Value)> {
        let Self { members, path } = self;
        members.into_iter().map(move |(name, value)| {
            let name = if name.contains(['.', '"']) {
                super::json::quoted(&name)
            } else {
                name
            };
            if path.is_empty() {
                (name, value)
            } else {
                (format!("{path}.{name}"), value)
            }
        })
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(whole),
            // Above i64 every cap and count means "no cap".
            (None, Some(float)) if number.is_u64() || float >= 9.3e18 => Some(i64::MAX),
            (None, Some(float)) if float.fract() == 0.0 && float.abs() < 9.2e18 => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "whole and within the range of i64"
                )]
                let whole = float as i64;
                Some(whole)
            }
            _ => None,
        },
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_come_in_three_forms() {
        for (value, expected) in [
            (json!(5), Some(5)),
            (json!(5.0), Some(5)),
            (json!("5"), Some(5)),
            (json!(-3), Some(-3)),
            (json!(5.5), None),
            (json!("five"), None),
            (json!(true), None),
            (json!(u64::MAX), Some(i64::MAX)),
            (json!(1e300), Some(i64::MAX)),
        ] {
            assert_eq!(integer(&value), expected, "{value}");
        }
    }

    #[test]
    fn errors_name_the_field_by_its_path() {
        let mut fields = Fields::open(json!({"a": {"b": "x"}}), "").unwrap();
        let mut inner = fields.take_object("a").unwrap().unwrap();
        assert_eq!(
            inner.take_bool("b").unwrap_err().to_string(),
            "field a.b is not true or false"
        );
    }

    #[test]
    fn a_name_that_looks_like_a_path_is_told_from_the_path() {
        let nested = Fields::open(json!({"b": 1}), "a").unwrap();
        let flat = Fields::open(json!({"a.b": 1}), "").unwrap();
        assert_eq!(nested.rest().next().unwrap().0, "a.b");
        assert_eq!(flat.rest().next().unwrap().0, "\"a.b\"");
    }
}
