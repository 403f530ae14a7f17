//! How entries and their vectors are stored; a reader knows just the versions it names.
//!
//! Entries have version 2, which added the contributor and the quarantine. Version 1 is read too: its entries are
//! of an unknown contributor and were shared from the first.

use crate::codec::{Reader, Writer};
use crate::contributor::Contributor;
use crate::entry::{Answer, Embedding, Entry, EntryId, Finish, Quarantine, Usage, Vector};
use crate::error::Result;
use crate::key::{CompatibilityKey, ExactKey};
use crate::language::Language;
use crate::namespace::Namespace;

/// What [`Entry::encode`] writes.
pub(crate) const ENTRY_VERSION: u8 = 2;
const ENTRY_VERSION_1: u8 = 1;
const EMBEDDING_VERSION: u8 = 1;

impl Entry {
    /// Writes all but the id, which is the key it is stored under.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Finish::Stop = self.answer.finish;
        let mut writer = Writer::default();
        writer
            .text(self.namespace.as_str())
            .array(self.exact.as_bytes())
            .array(self.compatibility.as_bytes())
            .text(&self.goal)
            .text(&self.answer.text)
            .u64(self.answer.usage.input_tokens)
            .u64(self.answer.usage.output_tokens)
            .text(&self.answer.model)
            .text(&self.upstream)
            .text(&self.model_requested)
            .u64(self.created_at_ms)
            .u64(self.expires_at_ms)
            .text(self.language.as_str())
            .u128(self.contributor.as_u128());
        match &self.quarantine {
            None => writer.u8(0),
            Some(keys) => writer
                .u8(1)
                .array(keys.exact.as_bytes())
                .array(keys.compatibility.as_bytes()),
        };
        writer.seal(ENTRY_VERSION, &self.id.as_u64().to_le_bytes())
    }

    /// Reads what this or the previous version of [`Entry::encode`] wrote for this id.
    ///
    /// # Errors
    /// [`crate::error::Error::Corrupt`] for any other bytes.
    pub(crate) fn decode(id: EntryId, sealed: &[u8]) -> Result<Self> {
        let (version, mut reader) = Reader::open_any(
            "entry",
            &[ENTRY_VERSION, ENTRY_VERSION_1],
            &id.as_u64().to_le_bytes(),
            sealed,
        )?;
        let namespace = Namespace::new(reader.text()?)?;
        let exact = ExactKey::from_bytes(reader.array()?);
        let compatibility = CompatibilityKey::from_bytes(reader.array()?);
        let goal = reader.text()?.to_owned();
        let text = reader.text()?.to_owned();
        let usage = Usage {
            input_tokens: reader.u64()?,
            output_tokens: reader.u64()?,
        };
        let answer = Answer {
            text,
            finish: Finish::Stop,
            usage,
            model: reader.text()?.to_owned(),
        };
        let mut entry = Self {
            id,
            namespace,
            exact,
            compatibility,
            goal,
            answer,
            upstream: reader.text()?.to_owned(),
            model_requested: reader.text()?.to_owned(),
            created_at_ms: reader.u64()?,
            expires_at_ms: reader.u64()?,
            language: Language::new(reader.text()?),
            contributor: Contributor::UNKNOWN,
            quarantine: None,
        };
        if version >= ENTRY_VERSION {
            entry.contributor = Contributor::from_u128(reader.u128()?);
            entry.quarantine = match reader.u8()? {
                0 => None,
                1 => Some(Box::new(Quarantine {
                    exact: ExactKey::from_bytes(reader.array()?),
                    compatibility: CompatibilityKey::from_bytes(reader.array()?),
                })),
                _ => return Err(reader.corrupt("its quarantine is neither there nor absent")),
            };
        }
        reader.end()?;
        Ok(entry)
    }
}

impl Embedding {
    /// Writes model, vector and sketch, values as little-endian f32.
    pub(crate) fn encode(&self, id: EntryId) -> Vec<u8> {
        let mut writer = Writer::default();
        writer
            .text(self.vector.model())
            .floats(self.vector.values());
        match &self.sketch {
            None => writer.u8(0),
            Some(sketch) => writer.u8(1).floats(sketch),
        };
        writer.seal(EMBEDDING_VERSION, &id.as_u64().to_le_bytes())
    }

    /// Reads what [`Embedding::encode`] wrote for this id.
    ///
    /// # Errors
    /// [`crate::error::Error::Corrupt`] for any other bytes, [`crate::error::Error::NotUnit`] for a vector that
    /// could not have been admitted.
    pub(crate) fn decode(id: EntryId, sealed: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(
            "vector",
            EMBEDDING_VERSION,
            &id.as_u64().to_le_bytes(),
            sealed,
        )?;
        let vector = Vector::new(reader.text()?, reader.floats()?)?;
        let sketch = match reader.u8()? {
            0 => None,
            1 => Some(reader.floats()?),
            _ => return Err(reader.corrupt("its sketch is neither there nor absent")),
        };
        reader.end()?;
        Ok(Self::new(vector, sketch))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn entry()(
            id in any::<u64>(), namespace in "[a-z\u{e9}]{1,20}", exact in any::<[u8; 32]>(), compatibility in any::<[u8; 32]>(),
            (goal, text, model, upstream, model_requested) in any::<(String, String, String, String, String)>(),
            (input_tokens, output_tokens) in any::<(u64, u64)>(),
            (created_at_ms, expires_at_ms) in any::<(u64, u64)>(), language in "[a-z]{2,3}",
            contributor in any::<u128>(), quarantine in prop::option::of(any::<([u8; 32], [u8; 32])>())
        ) -> Entry {
            Entry {
                id: EntryId::from_u64(id),
                namespace: Namespace::new(&namespace).unwrap(),
                exact: ExactKey::from_bytes(exact),
                compatibility: CompatibilityKey::from_bytes(compatibility),
                goal, answer: Answer { text, finish: Finish::Stop, usage: Usage { input_tokens, output_tokens }, model },
                upstream, model_requested, created_at_ms, expires_at_ms,
                language: Language::new(&language),
                contributor: Contributor::from_u128(contributor),
                quarantine: quarantine.map(|(exact, compatibility)| Box::new(Quarantine {
                    exact: ExactKey::from_bytes(exact),
                    compatibility: CompatibilityKey::from_bytes(compatibility),
                })),
            }
        }
    }

    fn embedding() -> Embedding {
        Embedding::new(
            Vector::new("minilm", vec![0.6, 0.0, 0.8]).unwrap(),
            Some(vec![0.0, 1.0]),
        )
    }

    proptest! {
        #[test]
        fn entries_come_back_as_they_were_stored(entry in entry()) {
            prop_assert_eq!(&Entry::decode(entry.id, &entry.encode()).unwrap(), &entry);
        }

        #[test]
        fn an_entry_with_one_changed_byte_is_refused(entry in entry(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = entry.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Entry::decode(entry.id, &bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), id in any::<u64>()) {
            let id = EntryId::from_u64(id);
            prop_assert!(Entry::decode(id, &bytes).is_err());
            prop_assert!(Embedding::decode(id, &bytes).is_err());
            // The same bytes behind a digest that matches reach the fields themselves.
            let mut writer = Writer::default();
            for byte in &bytes {
                writer.u8(*byte);
            }
            let sealed = writer.seal(ENTRY_VERSION, &id.as_u64().to_le_bytes());
            prop_assert!(Entry::decode(id, &sealed).is_err());
            let _ = Embedding::decode(id, &sealed);
        }
    }

    #[test]
    fn vectors_come_back_bit_for_bit() {
        let id = EntryId::from_u64(1);
        assert_eq!(
            Embedding::decode(id, &embedding().encode(id)).unwrap(),
            embedding()
        );
    }

    #[test]
    fn a_value_under_another_key_is_refused() {
        let bytes = embedding().encode(EntryId::from_u64(1));
        assert!(Embedding::decode(EntryId::from_u64(2), &bytes).is_err());
    }

    #[test]
    fn a_truncated_value_is_refused_at_every_length() {
        let id = EntryId::from_u64(1);
        let bytes = embedding().encode(id);
        for length in 0..bytes.len() {
            assert!(Embedding::decode(id, &bytes[..length]).is_err(), "{length}");
        }
    }
}
