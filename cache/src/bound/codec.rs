//! Labels and curve as they are stored.

use super::curve::Curve;
use super::entry::Labels;
use super::margin::NUM_BINS;
use crate::codec::{Reader, Writer};
use crate::entry::EntryId;
use crate::error::Result;

const LABELS_VERSION: u8 = 1;
const CURVE_VERSION: u8 = 1;

/// What the curve is sealed with; there is one.
const CURVE_KEY: &[u8] = b"curve";

impl Labels {
    pub(crate) fn encode(&self, id: EntryId) -> Vec<u8> {
        let mut writer = Writer::default();
        let (right, wrong) = self.bins();
        for count in right.iter().chain(wrong) {
            writer.u8(*count);
        }
        writer.seal(LABELS_VERSION, &id.as_u64().to_le_bytes())
    }

    /// # Errors
    /// [`crate::Error::Corrupt`] for bytes that are no labels of this entry.
    pub(crate) fn decode(id: EntryId, sealed: &[u8]) -> Result<Self> {
        let key = id.as_u64().to_le_bytes();
        let mut reader = Reader::open("labels", LABELS_VERSION, &key, sealed)?;
        let mut bins = [[0; NUM_BINS]; 2];
        for count in bins.iter_mut().flatten() {
            *count = reader.u8()?;
        }
        reader.end()?;
        let [right, wrong] = bins;
        Ok(Self::from_counts(right, wrong))
    }
}

impl Curve {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let (right, wrong) = self.bins();
        for count in right.iter().chain(wrong) {
            writer.u64(count.to_bits());
        }
        writer.seal(CURVE_VERSION, CURVE_KEY)
    }

    /// # Errors
    /// [`crate::Error::Corrupt`] for bytes that are no curve.
    pub(crate) fn decode(sealed: &[u8]) -> Result<Self> {
        let mut reader = Reader::open("curve", CURVE_VERSION, CURVE_KEY, sealed)?;
        let mut bins = [[0.0; NUM_BINS]; 2];
        for count in bins.iter_mut().flatten() {
            *count = f64::from_bits(reader.u64()?);
            if !count.is_finite() || *count < 0.0 {
                return Err(reader.corrupt("a count is none"));
            }
        }
        reader.end()?;
        let [right, wrong] = bins;
        Ok(Self::from_counts(right, wrong))
    }
}
