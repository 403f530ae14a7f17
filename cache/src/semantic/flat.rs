//! The exact index: rows one after the other in memory, all of them compared.
//!
//! At 384 dimensions and 4,096 rows a search reads 6 MiB in sequence: a tenth of a millisecond, and no build.

use std::collections::HashMap;

use parking_lot::RwLock;

use crate::entry::EntryId;
use crate::error::{Error, Result};
use crate::semantic::dot::dot;
use crate::semantic::index::VectorIndex;

/// An index that scans all its rows.
#[derive(Default)]
pub struct FlatIndex {
    rows: RwLock<Rows>,
}

/// Row `i` belongs to `ids[i]`.
#[derive(Default)]
struct Rows {
    /// Zero until the first row is there.
    dimensions: usize,
    ids: Vec<EntryId>,
    /// Shape `[ids.len(), dimensions]`, row-major.
    values: Vec<f32>,
    places: HashMap<EntryId, usize>,
}

impl FlatIndex {
    /// Makes an empty index; the first vector sets the dimensions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a copy of one row.
    pub fn row(&self, id: EntryId) -> Option<Vec<f32>> {
        let rows = self.rows.read();
        let place = *rows.places.get(&id)?;
        rows.row(place).map(<[f32]>::to_vec)
    }
}

impl Rows {
    fn row(&self, place: usize) -> Option<&[f32]> {
        let start = place * self.dimensions;
        self.values.get(start..start + self.dimensions)
    }
}

impl VectorIndex for FlatIndex {
    fn insert(&self, id: EntryId, vector: &[f32]) -> Result<()> {
        self.remove(id);
        let mut rows = self.rows.write();
        if rows.ids.is_empty() {
            rows.dimensions = vector.len();
        } else if rows.dimensions != vector.len() {
            return Err(Error::Dimensions {
                actual: vector.len(),
                expected: rows.dimensions,
            });
        }
        let place = rows.ids.len();
        rows.places.insert(id, place);
        rows.ids.push(id);
        rows.values.extend_from_slice(vector);
        Ok(())
    }

    /// Moves the last row into the gap, so that rows stay without holes.
    fn remove(&self, id: EntryId) -> bool {
        let mut rows = self.rows.write();
        let Some(place) = rows.places.remove(&id) else {
            return false;
        };
        rows.ids.swap_remove(place);
        let (dimensions, last) = (rows.dimensions, rows.ids.len());
        if let Some(moved) = rows.ids.get(place).copied() {
            rows.places.insert(moved, place);
            rows.values.copy_within(
                last * dimensions..(last + 1) * dimensions,
                place * dimensions,
            );
        }
        rows.values.truncate(last * dimensions);
        true
    }

    fn search(&self, vector: &[f32], k: usize) -> Vec<(EntryId, f32)> {
        let rows = self.rows.read();
        if k == 0 || rows.dimensions == 0 || vector.len() != rows.dimensions {
            return Vec::new();
        }
        let mut best: Vec<(EntryId, f32)> = Vec::with_capacity(k.min(rows.ids.len()) + 1);
        for (id, row) in rows
            .ids
            .iter()
            .zip(rows.values.chunks_exact(rows.dimensions))
        {
            let similarity = dot(vector, row);
            if best.len() == k && best.last().is_some_and(|(_, worst)| similarity <= *worst) {
                continue;
            }
            let place = best.partition_point(|(_, better)| *better >= similarity);
            best.insert(place, (*id, similarity));
            best.truncate(k);
        }
        best
    }

    fn contains(&self, id: EntryId) -> bool {
        self.rows.read().places.contains_key(&id)
    }

    fn len(&self) -> usize {
        self.rows.read().ids.len()
    }

    fn num_dead(&self) -> usize {
        0
    }

    fn rows(&self) -> Box<dyn Iterator<Item = (EntryId, Vec<f32>)> + '_> {
        let ids = self.rows.read().ids.clone();
        Box::new(ids.into_iter().filter_map(|id| Some((id, self.row(id)?))))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(id: u64) -> EntryId {
        EntryId::from_u64(id)
    }

    #[test]
    fn the_most_similar_come_first_and_no_more_than_asked_for() {
        let index = FlatIndex::new();
        index.insert(id(1), &[1.0, 0.0]).unwrap();
        index.insert(id(2), &[0.0, 1.0]).unwrap();
        index.insert(id(3), &[0.6, 0.8]).unwrap();
        let found: Vec<EntryId> = index
            .search(&[0.8, 0.6], 2)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(found, [id(3), id(1)]);
        assert!(index.search(&[0.8, 0.6], 0).is_empty());
        assert_eq!(index.search(&[0.8, 0.6], 9).len(), 3);
    }

    #[test]
    fn another_number_of_dimensions_is_refused_and_finds_nothing() {
        let index = FlatIndex::new();
        assert!(index.search(&[1.0], 1).is_empty());
        index.insert(id(1), &[1.0, 0.0]).unwrap();
        assert!(matches!(
            index.insert(id(2), &[1.0]),
            Err(Error::Dimensions {
                actual: 1,
                expected: 2
            })
        ));
        assert!(index.search(&[1.0], 1).is_empty());
        assert_eq!(index.len(), 1);
    }

    proptest! {
        /// Any sequence of inserts (also of a known id) and removals leaves the rows a map would hold.
        #[test]
        fn rows_stay_with_their_ids(steps in prop::collection::vec((0u64..8, prop::option::of(0u16..100)), 0..40)) {
            let index = FlatIndex::new();
            let mut model = HashMap::new();
            for (key, value) in steps {
                match value {
                    Some(value) => {
                        index.insert(id(key), &[f32::from(value), 1.0]).unwrap();
                        model.insert(id(key), vec![f32::from(value), 1.0]);
                    }
                    None => prop_assert_eq!(index.remove(id(key)), model.remove(&id(key)).is_some()),
                }
                prop_assert_eq!(index.rows().collect::<HashMap<_, _>>(), model.clone());
                prop_assert_eq!(index.len(), model.len());
            }
        }
    }
}
