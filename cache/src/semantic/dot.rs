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

/// Returns the dot product of 16-bit and signed 8-bit integers, exactly; of unequal lengths, over the shorter one.
///
/// Written as the one running sum that the compiler turns into multiply-and-add of whole registers: 35 ns for 384
/// dimensions with the instructions every x86-64 has; sums by lanes, as above, took three times as long. The sum
/// fits up to 8,192 dimensions when the 16-bit side is within 2,047.
pub(crate) fn dot_bytes(a: &[i16], b: &[u8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| i32::from(*a) * i32::from(b.cast_signed()))
        .sum()
}

/// Returns the dot product of a vector and 16-bit integers given as their high and low bytes, where a value is
/// `256 * high + low` and both bytes are signed.
pub(crate) fn dot_halves(a: &[f32], high: &[u8], low: &[u8]) -> f32 {
    let value = |high: u8, low: u8| f32::from(whole(high, low));
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (high_chunks, high_rest) = high.as_chunks::<LANES>();
    let (low_chunks, low_rest) = low.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for ((a, high), low) in a_chunks.iter().zip(high_chunks).zip(low_chunks) {
        for (((sum, a), high), low) in sums.iter_mut().zip(a).zip(high).zip(low) {
            *sum += a * value(*high, *low);
        }
    }
    let rest = a_rest.iter().zip(high_rest).zip(low_rest);
    let rest: f32 = rest.map(|((a, high), low)| a * value(*high, *low)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Puts a 16-bit integer together from its signed bytes.
pub(crate) fn whole(high: u8, low: u8) -> i16 {
    i16::from(high.cast_signed()) * 256 + i16::from(low.cast_signed())
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

    #[test]
    fn integer_sums_are_those_of_the_values_for_every_length() {
        for length in 0..70_i16 {
            let a: Vec<i16> = (0..length).map(|i| 2_047 - 58 * i).collect();
            let high: Vec<u8> = (0..length)
                .map(|i| (i * 7 - 100).to_le_bytes()[0])
                .collect();
            let low: Vec<u8> = (0..length).map(|i| (90 - i * 5).to_le_bytes()[0]).collect();
            let (mut bytes, mut halves) = (0_i32, 0.0_f64);
            for ((a, high), low) in a.iter().zip(&high).zip(&low) {
                let (signed_high, signed_low) = (i32::from(*high as i8), i32::from(*low as i8));
                bytes += i32::from(*a) * signed_high;
                halves += f64::from(*a) * f64::from(256 * signed_high + signed_low);
            }
            assert_eq!(dot_bytes(&a, &high), bytes, "{length}");
            let floats: Vec<f32> = a.iter().map(|a| f32::from(*a)).collect();
            let found = f64::from(dot_halves(&floats, &high, &low));
            assert!(
                (found - halves).abs() <= halves.abs().max(1e8) * 1e-5,
                "{length}: {found} {halves}"
            );
        }
    }
}
