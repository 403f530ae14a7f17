//! How far above its bar a candidate is: the axis on which all labels are comparable.

/// Width of a bin of margins: what lies in one bin is treated alike, at the bin's lower edge.
const BIN_WIDTH: f32 = 0.5;

/// Least margin that is told apart; lower ones count as this one.
const MIN: f32 = -6.0;

/// Bins of margins.
pub(crate) const NUM_BINS: usize = 25;

/// Log-odds of a candidate's confidence above those of the confidence it needed, in [-6, 6].
///
/// At 0 it was just served by the shipped operating point. Candidates that the rules explain word by word and those
/// that they do not have different bars, so that equal margins mean about equal trust.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Margin(f32);

impl Margin {
    /// The margin of a candidate that the rules found to be a repeat, which no model was asked about, and of a label
    /// of which no more is known than its entry.
    pub const SURE: Self = Self(6.0);

    /// The margin of a confidence above the one needed, both in [0, 1].
    pub fn new(confidence: f32, needed: f32) -> Self {
        Self::from_log_odds(log_odds(confidence) - log_odds(needed))
    }

    /// The margin from a difference of log-odds; one that is not a number counts as the least.
    pub fn from_log_odds(log_odds: f32) -> Self {
        if log_odds.is_nan() {
            return Self(MIN);
        }
        Self(log_odds.clamp(MIN, Self::SURE.0))
    }

    /// The difference of log-odds.
    pub fn get(self) -> f32 {
        self.0
    }

    /// The bin it lies in.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=24 when it was made"
    )]
    pub(crate) fn bin(self) -> usize {
        (((self.0 - MIN) / BIN_WIDTH) as usize).min(NUM_BINS - 1)
    }

    /// The lower edge of a bin.
    #[expect(clippy::cast_precision_loss, reason = "25 bins")]
    pub(crate) fn of_bin(bin: usize) -> f64 {
        f64::from(MIN + BIN_WIDTH * bin as f32)
    }
}

/// Log-odds of a probability, kept finite at 0 and 1.
pub fn log_odds(probability: f32) -> f32 {
    // Beyond, f32 cannot tell a probability from 1.
    let probability = probability.clamp(1e-6, 1.0 - 1e-6);
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_0_at_the_bar_and_grows_with_confidence() {
        assert!(Margin::new(0.9, 0.9).get().abs() < 1e-6);
        assert!(Margin::new(0.95, 0.9) > Margin::new(0.92, 0.9));
        assert!(Margin::new(0.5, 0.9).get() < 0.0);
        for (confidence, needed) in [(1.0, 0.5), (f32::INFINITY, 0.5)] {
            assert_eq!(Margin::new(confidence, needed), Margin::SURE);
        }
        assert_eq!(Margin::new(f32::NAN, 0.5), Margin::from_log_odds(-9.0));
    }

    #[test]
    fn every_margin_has_a_bin_whose_edge_is_not_above_it() {
        for tenth in -80..=80_i16 {
            let margin = Margin::from_log_odds(f32::from(tenth) / 10.0);
            let edge = Margin::of_bin(margin.bin());
            let above = f64::from(margin.get()) - edge;
            assert!((-1e-6..0.5 + 1e-6).contains(&above), "{margin:?} at {edge}");
        }
        assert_eq!(Margin::SURE.bin(), NUM_BINS - 1);
    }
}
