//! The inner loop of every search.

/// Independent sums, so that the compiler may use whole SIMD registers: floating-point addition is not
/// associative, and one running sum would have to be added up in order.
const LANES: usize = 16;

/// Returns the dot product of two vectors; of unequal ones, over the shorter length.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let length = a.len().min(b.len());
    let (a, b) = (
        a.get(..length).unwrap_or_default(),
        b.get(..length).unwrap_or_default(),
    );
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unrolled_sum_agrees_with_the_plain_one_for_every_length() {
        for length in 0..70_u16 {
            let a: Vec<f32> = (0..length).map(|i| f32::from(i) - 3.0).collect();
            let b: Vec<f32> = (0..length).map(|i| 2.0 - f32::from(i % 7)).collect();
            let plain: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            // Small integers: exact in f32 in any order.
            assert_eq!(dot(&a, &b), plain, "{length}");
        }
    }

    #[test]
    fn unequal_lengths_compare_what_both_have() {
        assert_eq!(dot(&[1.0, 2.0, 5.0], &[3.0, 4.0]), 11.0);
    }
}
