//! What the right answer is: every stored vector compared in f32, made again from its number.

use std::num::NonZero;

use serde::Serialize;
use tollfree_cache::semantic::dot::dot;

use crate::scale::vectors::Vectors;

/// A found vector as similar as the nearest one, within the rounding of f32, is as right.
const TOLERANCE: f32 = 1e-6;

/// Goals to search for, each with the similarity of its nearest stored vector.
pub struct Truth {
    size: usize,
    searched: Vec<Vec<f32>>,
    nearest: Vec<f32>,
}

/// How right an index was.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Recall {
    /// Share of searches whose first answer is the nearest vector, or one as similar.
    pub at_1: f64,
    /// Largest similarity lost by a wrong first answer.
    pub largest_loss: f64,
    /// Median similarity of the nearest vector.
    pub nearest_p50: f64,
    /// Similarity of the nearest vector that a tenth of the goals lie below.
    pub nearest_p10: f64,
}

impl Truth {
    /// Compares `num` goals with the first `size` stored vectors that `there` lets stay. Uses all cores; takes 40 ns
    /// for each pair.
    pub fn find(
        vectors: &Vectors,
        num: usize,
        size: usize,
        there: impl Fn(usize) -> bool + Sync,
    ) -> Self {
        let searched: Vec<Vec<f32>> = (0..num).map(|n| vectors.searched(n, size).0).collect();
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let parts: Vec<Vec<f32>> = std::thread::scope(|scope| {
            let part = |thread: usize| {
                let (searched, there) = (&searched, &there);
                move || {
                    let mut nearest = vec![-1.0_f32; searched.len()];
                    for n in (thread..size).step_by(threads).filter(|n| there(*n)) {
                        let stored = vectors.stored(n);
                        for (nearest, goal) in nearest.iter_mut().zip(searched) {
                            *nearest = nearest.max(dot(goal, &stored));
                        }
                    }
                    nearest
                }
            };
            let running: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(part(thread)))
                .collect();
            running
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        let mut nearest = vec![-1.0_f32; num];
        for part in parts {
            for (nearest, found) in nearest.iter_mut().zip(part) {
                *nearest = nearest.max(found);
            }
        }
        Self {
            size,
            searched,
            nearest,
        }
    }

    /// The goals to search for.
    pub fn searched(&self) -> &[Vec<f32>] {
        &self.searched
    }

    /// Judges the first answer to each goal, given by number.
    pub fn judge(&self, vectors: &Vectors, found: &[Option<usize>]) -> Recall {
        let (mut right, mut largest_loss) = (0_u32, 0.0_f32);
        for ((goal, nearest), found) in self.searched.iter().zip(&self.nearest).zip(found) {
            let similarity = found
                .filter(|found| *found < self.size)
                .map_or(-1.0, |found| dot(goal, &vectors.stored(found)));
            right += u32::from(similarity >= nearest - TOLERANCE);
            largest_loss = largest_loss.max(nearest - similarity);
        }
        let mut sorted = self.nearest.clone();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f64| {
            let place = (sorted.len() as f64 * share) as usize;
            sorted
                .get(place)
                .map_or(0.0, |similarity| rounded(f64::from(*similarity)))
        };
        Recall {
            at_1: rounded(f64::from(right) / self.searched.len().max(1) as f64),
            largest_loss: rounded(f64::from(largest_loss)),
            nearest_p50: at(0.5),
            nearest_p10: at(0.1),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
