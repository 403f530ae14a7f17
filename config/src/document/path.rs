//! Paths of fields, such as `upstreams[1].price.input`.

use std::borrow::Cow;
use std::fmt;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A key of a table.
    Key(String),
    /// A place in an array, from 0.
    Index(usize),
}

/// The way from the top of a file to a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// Returns the path of the file itself.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// Returns the path of a field of this table.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// Returns the path of an item of this array.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// Returns the steps.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for FieldPath {
    /// Writes keys as TOML does: quoted where they are not bare.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    let dot = if place == 0 { "" } else { "." };
                    write!(f, "{dot}{}", self::key(key))?;
                }
            }
        }
        Ok(())
    }
}

/// Writes a key as TOML has it: in quotes unless it is bare.
pub(crate) fn key(name: &str) -> Cow<'_, str> {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.into()
    } else {
        format!("{name:?}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_keys_and_places() {
        let path = FieldPath::root()
            .key("upstreams")
            .index(1)
            .key("models")
            .key("gpt-*");
        assert_eq!(path.to_string(), "upstreams[1].models.\"gpt-*\"");
        assert_eq!(FieldPath::root().to_string(), "");
    }
}
