//! Random numbers that are the same everywhere for the same seed.

/// SplitMix64: passes the usual test batteries, and needs one word of state.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A place in a cumulative distribution.
    pub(super) fn pick(&mut self, cumulative: &[f64]) -> usize {
        let at = self.uniform() * cumulative.last().copied().unwrap_or(0.0);
        cumulative
            .partition_point(|edge| *edge <= at)
            .min(cumulative.len().saturating_sub(1))
    }
}

/// The cumulative weights 1, 1/2, 1/3...
#[expect(clippy::cast_precision_loss, reason = "ranks far below 2^53")]
pub(super) fn zipf(len: usize) -> Vec<f64> {
    (1..=len)
        .scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        })
        .collect()
}
