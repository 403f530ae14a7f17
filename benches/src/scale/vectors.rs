//! As many vectors as wanted from some thousand real ones, the same for the same seed.
//!
//! Uniform random vectors are all equally far apart and prove nothing about an index. Here the first vectors are
//! embeddings of goals as they are; every further one is a neighbour of one of them at a cosine between 0.80 and
//! 0.95, where rewordings and related goals lie. It leaves its goal half in the direction in which two other goals
//! differ, so that it stays where language puts vectors, and half in a random one.

use tollfree_cache::semantic::dot::dot;

/// The cosines of neighbours.
const NEAREST: f32 = 0.95;
const FARTHEST: f32 = 0.80;

/// The source of all vectors of a run. Any of them is made again from its number, so none need be kept.
pub struct Vectors {
    base: Vec<Vec<f32>>,
    seed: u64,
}

impl Vectors {
    /// Makes a source from the embeddings of goals.
    pub fn new(base: Vec<Vec<f32>>, seed: u64) -> Self {
        Self { base, seed }
    }

    /// Length of a vector.
    pub fn dimensions(&self) -> usize {
        self.base.first().map_or(0, Vec::len)
    }

    /// The goal that a stored vector is made from.
    pub fn goal_of(&self, n: usize) -> usize {
        if n < self.base.len() {
            n
        } else {
            self.random(n, 1).place(self.base.len())
        }
    }

    /// The vector of the stored entry number `n`.
    pub fn stored(&self, n: usize) -> Vec<f32> {
        let goal = self.base.get(self.goal_of(n)).cloned().unwrap_or_default();
        if n < self.base.len() {
            goal
        } else {
            self.neighbour(&goal, &mut self.random(n, 2))
        }
    }

    /// The `n`th vector to search for among the first `size` stored ones, and the stored one that it is a neighbour
    /// of, which need not be its nearest.
    pub fn searched(&self, n: usize, size: usize) -> (Vec<f32>, usize) {
        let mut random = self.random(n, 3 + size as u64);
        let near = random.place(size);
        (self.neighbour(&self.stored(near), &mut random), near)
    }

    fn neighbour(&self, of: &[f32], random: &mut Random) -> Vec<f32> {
        let cosine = FARTHEST + (NEAREST - FARTHEST) * random.unit();
        let (one, other) = (random.place(self.base.len()), random.place(self.base.len()));
        let between: Vec<f32> = match (self.base.get(one), self.base.get(other)) {
            (Some(one), Some(other)) => one
                .iter()
                .zip(other)
                .map(|(one, other)| one - other)
                .collect(),
            _ => Vec::new(),
        };
        let mut noise: Vec<f32> = of.iter().map(|_| random.normal()).collect();
        normalise(&mut noise);
        let length = dot(&between, &between).sqrt().max(f32::MIN_POSITIVE);
        for (noise, between) in noise.iter_mut().zip(&between) {
            *noise += between / length;
        }
        // Only what is at right angles to the vector turns it.
        let along = dot(&noise, of);
        for (noise, of) in noise.iter_mut().zip(of) {
            *noise -= along * of;
        }
        normalise(&mut noise);
        let away = (1.0 - cosine * cosine).sqrt();
        let mut vector: Vec<f32> = of
            .iter()
            .zip(&noise)
            .map(|(of, noise)| cosine * of + away * noise)
            .collect();
        normalise(&mut vector);
        vector
    }

    fn random(&self, n: usize, purpose: u64) -> Random {
        let mut random = Random(self.seed ^ purpose.wrapping_mul(0xD134_2543_DE82_EF95));
        random.0 = random.next() ^ (n as u64);
        random.next();
        random
    }
}

fn normalise(vector: &mut [f32]) {
    let norm = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|value| *value /= norm);
}

/// splitmix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1).
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn place(&mut self, num: usize) -> usize {
        (self.next() % num.max(1) as u64) as usize
    }

    /// About normal: the sum of four uniform numbers is round enough in 384 dimensions.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let parts = [bits, bits >> 16, bits >> 32, bits >> 48];
        parts
            .iter()
            .map(|part| (part & 0xFFFF) as f32 / 65_536.0 - 0.5)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(seed: u64) -> Vectors {
        let mut random = Random(7);
        let base = (0..50).map(|_| {
            let mut vector: Vec<f32> = (0..384).map(|_| random.normal()).collect();
            normalise(&mut vector);
            vector
        });
        Vectors::new(base.collect(), seed)
    }

    #[test]
    fn neighbours_lie_where_rewordings_do() {
        let vectors = vectors(1);
        for n in 0..500 {
            let stored = vectors.stored(n);
            let cosine = dot(&stored, &vectors.base[vectors.goal_of(n)]);
            assert!(
                if n < 50 {
                    cosine > 0.999
                } else {
                    (0.799..0.951).contains(&cosine)
                },
                "{cosine}"
            );
            let (searched, near) = vectors.searched(n, 300);
            assert!(near < 300);
            assert!((0.799..0.951).contains(&dot(&searched, &vectors.stored(near))));
        }
    }

    #[test]
    fn a_seed_makes_the_same_vectors_and_another_seed_others() {
        assert_eq!(vectors(1).stored(77), vectors(1).stored(77));
        assert_ne!(vectors(1).stored(77), vectors(2).stored(77));
        assert_ne!(vectors(1).stored(77), vectors(1).stored(78));
        assert_ne!(vectors(1).searched(5, 100).0, vectors(1).searched(5, 200).0);
    }
}
