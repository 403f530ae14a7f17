//! Which model wrote a vector.

use std::fmt;

/// The identity of a model: a name for people and a digest of everything that shapes its vectors.
///
/// Two models with equal ids write comparable vectors; vectors with different ids must never be compared. The
/// [`Display`](fmt::Display) form `name@digest` is what a store keeps beside each vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId {
    name: String,
    digest: String,
}

impl ModelId {
    /// Digests `parts`: the weights, the tokenizer, and whatever else a change of which changes vectors.
    pub fn new(name: impl Into<String>, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // The length keeps ["ab", "c"] and ["a", "bc"] apart.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest: String = hasher.finalize().to_hex().chars().take(16).collect();
        Self {
            name: name.into(),
            digest,
        }
    }

    /// Returns the name of the model, by default that of its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the first 64 bits, in 16 hexadecimal digits, of the BLAKE3 digest over the parts.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.name, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_part_makes_another_model() {
        let id = ModelId::new("m", &[b"weights", b"tokenizer"]);
        assert_eq!(id, ModelId::new("m", &[b"weights", b"tokenizer"]));
        assert_ne!(id, ModelId::new("m", &[b"weights", b"tokenizeR"]));
        assert_ne!(id, ModelId::new("m", &[b"weightstok", b"enizer"]));
        assert_ne!(id, ModelId::new("n", &[b"weights", b"tokenizer"]));
    }

    #[test]
    fn the_text_form_holds_name_and_digest() {
        let id = ModelId::new("m", &[b"weights"]);
        assert_eq!(id.to_string(), format!("m@{}", id.digest()));
        assert_eq!(id.digest().len(), 16);
    }
}
