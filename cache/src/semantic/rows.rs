//! Vectors in a quarter or half of the memory: 16-bit fixed point, the high bytes apart from the low ones.
//!
//! A row is scaled so that its largest value takes 15 bits, and split into two rows of bytes. The high bytes alone
//! (one per dimension) give a similarity to about 0.001, enough to walk a graph or to choose whom to compare again;
//! with the low bytes it is exact to about 0.00001. Reading the high bytes only is what keeps a search within the
//! memory's bandwidth: a quarter of what f32 rows need.

use crate::semantic::dot::{dot_bytes, dot_halves, whole};

/// What the largest value of a row becomes: its high byte, after rounding, is still within a signed byte.
const LARGEST: f32 = 127.0 * 256.0;

/// What the largest value of a [`Probe`] becomes, so that sums of products stay within 32 bits.
const LARGEST_PROBE: f32 = 2_047.0;

/// Rows in one allocation at most: growing never copies more, and 3 MiB of bytes fill whole pages.
const CHUNK_ROWS: usize = 8_192;

/// Rows by which a small chunk grows at least.
const MIN_GROWTH: usize = 4;

/// How much of a row is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// The high bytes: one per dimension.
    Coarse,
    /// Both bytes.
    Fine,
}

/// Vectors of one length, by place.
pub(crate) struct Rows {
    dimensions: usize,
    precision: Precision,
    len: usize,
    chunks: Vec<Chunk>,
}

/// Row `i` of a chunk is `high[i * dimensions..]`, and so on. `low` stays empty for coarse rows.
#[derive(Default)]
struct Chunk {
    high: Vec<u8>,
    low: Vec<u8>,
    /// What one unit of a 16-bit value is worth.
    units: Vec<f32>,
}

/// A vector as rows keep it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) high: Vec<u8>,
    pub(crate) low: Vec<u8>,
    pub(crate) unit: f32,
}

/// A vector in the form that is compared with the high bytes of rows.
#[derive(Default)]
pub(crate) struct Probe {
    values: Vec<i16>,
    unit: f32,
}

impl Row {
    /// Rounds a vector of finite values.
    pub(crate) fn new(vector: &[f32]) -> Self {
        let unit = largest(vector) / LARGEST;
        let (mut high, mut low) = (
            Vec::with_capacity(vector.len()),
            Vec::with_capacity(vector.len()),
        );
        for value in vector {
            // The cast saturates; the largest value is within range by the choice of the unit.
            let fixed = (value / unit).round() as i16;
            // Rounded to the nearer high byte, so that the low one is a small signed correction.
            let upper = fixed.saturating_add(128) >> 8;
            high.push(upper.to_le_bytes()[0]);
            low.push((fixed - (upper << 8)).to_le_bytes()[0]);
        }
        Self { high, low, unit }
    }

    /// Returns a digest by which equal rows are found.
    pub(crate) fn digest(&self) -> u32 {
        let digest = blake3::Hasher::new()
            .update(&self.high)
            .update(&self.low)
            .update(&self.unit.to_le_bytes())
            .finalize();
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

impl Probe {
    pub(crate) fn new(vector: &[f32]) -> Self {
        let unit = largest(vector) / LARGEST_PROBE;
        Self {
            values: vector
                .iter()
                .map(|value| (value / unit).round() as i16)
                .collect(),
            unit,
        }
    }
}

/// The largest magnitude, or the least that can be divided by for a vector of zeros.
fn largest(vector: &[f32]) -> f32 {
    vector
        .iter()
        .fold(0.0_f32, |largest, value| largest.max(value.abs()))
        .max(f32::MIN_POSITIVE * LARGEST)
}

impl Rows {
    pub(crate) fn new(dimensions: usize, precision: Precision) -> Self {
        Self {
            dimensions,
            precision,
            len: 0,
            chunks: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Appends a row of this length.
    pub(crate) fn push(&mut self, row: &Row) {
        debug_assert_eq!(row.high.len(), self.dimensions);
        if self.len.is_multiple_of(CHUNK_ROWS) {
            self.chunks.push(Chunk::default());
        }
        let (dimensions, precision) = (self.dimensions, self.precision);
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.grow(dimensions, precision);
            chunk.high.extend_from_slice(&row.high);
            if precision == Precision::Fine {
                chunk.low.extend_from_slice(&row.low);
            }
            chunk.units.push(row.unit);
            self.len += 1;
        }
    }

    /// Takes a row out and moves the last one into its place.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        let last = self.len.saturating_sub(1);
        if place != last
            && let Some(row) = self.row(last)
        {
            self.replace(place, &row);
        }
        let dimensions = self.dimensions;
        if let Some(chunk) = self.chunks.last_mut() {
            let rows = chunk.units.len().saturating_sub(1);
            chunk.units.truncate(rows);
            chunk.high.truncate(rows * dimensions);
            chunk.low.truncate(rows * dimensions);
            if rows == 0 {
                self.chunks.pop();
            }
            self.len = last;
        }
    }

    fn replace(&mut self, place: usize, row: &Row) {
        let range = self.range(place);
        if let Some(chunk) = self.chunks.get_mut(place / CHUNK_ROWS) {
            let copy = |to: Option<&mut [u8]>, from: &[u8]| {
                to.into_iter()
                    .flatten()
                    .zip(from)
                    .for_each(|(to, from)| *to = *from);
            };
            copy(chunk.high.get_mut(range.clone()), &row.high);
            copy(chunk.low.get_mut(range), &row.low);
            if let Some(unit) = chunk.units.get_mut(place % CHUNK_ROWS) {
                *unit = row.unit;
            }
        }
    }

    fn range(&self, place: usize) -> std::ops::Range<usize> {
        let start = place % CHUNK_ROWS * self.dimensions;
        start..start + self.dimensions
    }

    /// Returns the high bytes of a row and its unit; nothing and zero for a place beyond the end.
    fn high(&self, place: usize) -> (&[u8], f32) {
        self.chunks
            .get(place / CHUNK_ROWS)
            .and_then(|chunk| {
                let high = chunk.high.get(self.range(place))?;
                Some((high, *chunk.units.get(place % CHUNK_ROWS)?))
            })
            .unwrap_or_default()
    }

    fn low(&self, place: usize) -> &[u8] {
        self.chunks
            .get(place / CHUNK_ROWS)
            .and_then(|chunk| chunk.low.get(self.range(place)))
            .unwrap_or_default()
    }

    /// Returns the similarity by the high bytes.
    pub(crate) fn roughly(&self, probe: &Probe, place: usize) -> f32 {
        let (high, unit) = self.high(place);
        // 2^31 becomes a float with an error of 2^-24, far below that of the bytes.
        dot_bytes(&probe.values, high) as f32 * (probe.unit * unit * 256.0)
    }

    /// Returns the similarity of a unit vector by all that is kept of the row, in [-1, 1].
    pub(crate) fn similarity(&self, vector: &[f32], place: usize) -> f32 {
        let (high, unit) = self.high(place);
        let similarity = match self.precision {
            Precision::Fine => dot_halves(vector, high, self.low(place)) * unit,
            Precision::Coarse => {
                let value = |(value, high): (&f32, &u8)| value * f32::from(high.cast_signed());
                vector.iter().zip(high).map(value).sum::<f32>() * unit * 256.0
            }
        };
        // Rounded values make vectors a little longer than 1.
        similarity.clamp(-1.0, 1.0)
    }

    /// Fills a probe with a row.
    pub(crate) fn probe(&self, place: usize, probe: &mut Probe) {
        let (high, unit) = self.high(place);
        let low = self.low(place);
        probe.values.clear();
        probe.values.extend(
            high.iter()
                .zip(low)
                .map(|(high, low)| whole(*high, *low) >> 4),
        );
        probe.unit = unit * 16.0;
    }

    /// Returns a copy of a row.
    pub(crate) fn row(&self, place: usize) -> Option<Row> {
        let (high, unit) = self.high(place);
        (place < self.len).then(|| Row {
            high: high.to_vec(),
            low: self.low(place).to_vec(),
            unit,
        })
    }

    /// Returns a row as a vector.
    pub(crate) fn vector(&self, place: usize) -> Option<Vec<f32>> {
        let row = self.row(place)?;
        let values = match self.precision {
            Precision::Fine => row
                .high
                .iter()
                .zip(&row.low)
                .map(|(high, low)| f32::from(whole(*high, *low)) * row.unit)
                .collect(),
            Precision::Coarse => row
                .high
                .iter()
                .map(|high| f32::from(high.cast_signed()) * 256.0 * row.unit)
                .collect(),
        };
        Some(values)
    }

    /// Says whether the row at a place is this one.
    pub(crate) fn is(&self, place: usize, row: &Row) -> bool {
        let (high, unit) = self.high(place);
        place < self.len && high == row.high && self.low(place) == row.low && unit == row.unit
    }

    /// Asks the memory for rows that are about to be compared: the processor fetches what is independent side by
    /// side, while comparing one row after the other waits for each.
    pub(crate) fn fetch(&self, places: impl Iterator<Item = usize>) {
        let mut sum = 0_u8;
        for place in places {
            let (high, _) = self.high(place);
            for line in high.iter().step_by(64) {
                sum ^= line;
            }
        }
        std::hint::black_box(sum);
    }
}

impl Chunk {
    /// Makes room for one more row, an eighth more than there are: doubling would leave a third of it empty.
    fn grow(&mut self, dimensions: usize, precision: Precision) {
        let rows = self.units.len();
        if self.units.capacity() > rows {
            return;
        }
        let more = (rows / 8).max(MIN_GROWTH).min(CHUNK_ROWS - rows);
        self.units.reserve_exact(more);
        self.high.reserve_exact(more * dimensions);
        if precision == Precision::Fine {
            self.low.reserve_exact(more * dimensions);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::semantic::dot::dot;
    use crate::testing::Clusters;

    #[test]
    fn similarities_are_near_the_true_ones() {
        let mut clusters = Clusters::new(41, 384, 10);
        let vectors: Vec<Vec<f32>> = (0..200).map(|_| clusters.vector()).collect();
        let mut rows = Rows::new(384, Precision::Fine);
        let mut coarse = Rows::new(384, Precision::Coarse);
        for vector in &vectors {
            rows.push(&Row::new(vector));
            coarse.push(&Row::new(vector));
        }
        let mut of_row = Probe::default();
        for vector in &vectors {
            let probe = Probe::new(vector);
            for (place, other) in vectors.iter().enumerate() {
                let truth = dot(vector, other);
                assert!((rows.similarity(vector, place) - truth).abs() < 2e-5);
                assert!((rows.roughly(&probe, place) - truth).abs() < 4e-3);
                assert!((coarse.similarity(vector, place) - truth).abs() < 4e-3);
                rows.probe(place, &mut of_row);
                assert!((rows.roughly(&of_row, place) - 1.0).abs() < 4e-3);
            }
        }
    }

    #[test]
    fn a_row_read_and_rounded_again_stays_the_same() {
        let mut clusters = Clusters::new(42, 384, 10);
        let mut rows = Rows::new(384, Precision::Fine);
        for place in 0..100 {
            let row = Row::new(&clusters.vector());
            rows.push(&row);
            assert!(rows.is(place, &row));
            let again = Row::new(&rows.vector(place).unwrap());
            assert_eq!((&again.high, &again.low), (&row.high, &row.low));
        }
        assert!(!rows.is(0, &Row::new(&clusters.vector())));
        assert_eq!(rows.vector(100), None);
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        for vector in [
            vec![0.6, -0.8],
            vec![0.0, 0.0],
            vec![f32::MIN_POSITIVE, -0.5],
            vec![8_192_f32.sqrt().recip(); 8_192],
        ] {
            let mut rows = Rows::new(vector.len(), Precision::Fine);
            rows.push(&Row::new(&vector));
            let truth = dot(&vector, &vector);
            assert!((rows.roughly(&Probe::new(&vector), 0) - truth).abs() <= truth * 1e-2);
            assert!((rows.similarity(&vector, 0) - truth).abs() <= truth * 1e-3);
        }
    }

    proptest! {
        /// Pushes and removals across chunk borders leave what a list would hold.
        #[test]
        fn rows_are_those_of_a_list(start in 8_180_usize..8_200, steps in prop::collection::vec(prop::option::of(any::<prop::sample::Index>()), 0..60)) {
            let row = |n: u32| Row::new(&[n as f32, 1.0]);
            let mut rows = Rows::new(2, Precision::Fine);
            let mut list = Vec::new();
            let mut next = 0;
            let mut push = |rows: &mut Rows, list: &mut Vec<u32>| {
                rows.push(&row(next));
                list.push(next);
                next += 1;
            };
            for _ in 0..start {
                push(&mut rows, &mut list);
            }
            for step in steps {
                match step {
                    Some(index) if !list.is_empty() => {
                        let place = index.index(list.len());
                        rows.swap_remove(place);
                        list.swap_remove(place);
                    }
                    _ => push(&mut rows, &mut list),
                }
                prop_assert_eq!(rows.len(), list.len());
            }
            for (place, n) in list.iter().enumerate() {
                prop_assert!(rows.is(place, &row(*n)));
            }
        }
    }
}
