//! The vectors of a library's masked phrasings, side by side for fast comparison.

/// The caller gave vectors that do not belong to the library or to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("phrasing vector {index} has {found} dimensions, expected {expected}")]
pub struct DimensionError {
    /// The vector's place.
    pub index: usize,
    /// Its dimensions.
    pub found: usize,
    /// The dimensions of the others.
    pub expected: usize,
}

/// One unit vector for each phrasing of a library, in the order of `Library::phrasings`. Row-major, [phrasings, dimensions].
#[derive(Debug, Clone)]
pub struct PhrasingVectors {
    values: Vec<f32>,
    dimensions: usize,
}

impl PhrasingVectors {
    /// Packs vectors.
    ///
    /// # Errors
    /// Fails when a vector has other dimensions.
    pub fn new(dimensions: usize, vectors: &[Vec<f32>]) -> Result<Self, DimensionError> {
        let mut values = Vec::with_capacity(dimensions * vectors.len());
        for (index, vector) in vectors.iter().enumerate() {
            if vector.len() != dimensions {
                return Err(DimensionError {
                    index,
                    found: vector.len(),
                    expected: dimensions,
                });
            }
            values.extend_from_slice(vector);
        }
        Ok(Self { values, dimensions })
    }

    /// Returns how many vectors there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.dimensions).unwrap_or(0)
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the dimensions of each vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Returns the vector of a phrasing by its place.
    pub fn get(&self, index: usize) -> Option<&[f32]> {
        self.values.chunks_exact(self.dimensions.max(1)).nth(index)
    }

    /// Returns the cosine of a unit vector with each phrasing, in order. Cost: dimensions multiplications a phrasing.
    pub fn similarities<'a>(&'a self, vector: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        self.values
            .chunks_exact(self.dimensions.max(1))
            .map(|row| dot(row, vector))
    }
}

/// Eight running sums let the compiler use vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_rows, b_rows) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_rows
        .remainder()
        .iter()
        .zip(b_rows.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_rows.zip(b_rows) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}
