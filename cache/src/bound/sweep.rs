//! Offline: how many hits and how many wrong ones a shift of the bar would give on labelled pairs.

use super::interval::clopper_pearson;
use super::margin::Margin;

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.95;

/// Shifts tried, in log-odds, and their distance.
pub const SHIFTS: (f32, f32) = (-4.0, 6.0);
const STEP: f32 = 0.25;

/// What the decision said about one labelled pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    /// Served whatever the bar: the rules found a repeat.
    Always,
    /// Served if the margin above the unshifted bar is at least the shift.
    At(Margin),
    /// Refused whatever the bar.
    Never,
}

impl Judged {
    fn served(self, shift: f32) -> bool {
        match self {
            Self::Always => true,
            Self::At(margin) => margin.get() >= shift,
            Self::Never => false,
        }
    }
}

/// Hits of `of` pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many were served.
    pub served: u64,
    /// Of how many.
    pub of: u64,
}

impl Count {
    /// The share; `None` of none.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.served as f64 / self.of as f64)
    }

    /// The exact two-sided 95 % interval of the share.
    pub fn interval(self) -> (f64, f64) {
        clopper_pearson(self.served, self.of, CONFIDENCE)
    }
}

/// One operating point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The shift of the bar in log-odds.
    pub shift: f32,
    /// Served pairs among those whose answer is right.
    pub right: Count,
    /// Served pairs among those whose answer is wrong.
    pub wrong: Count,
}

impl Point {
    /// Wrong ones among the served.
    pub fn wrong_hits(&self) -> Count {
        Count {
            served: self.wrong.served,
            of: self.right.served + self.wrong.served,
        }
    }
}

/// All operating points for labelled pairs `(judged, right)`, the most generous first.
pub fn sweep(pairs: &[(Judged, bool)]) -> Vec<Point> {
    let (first, last) = SHIFTS;
    std::iter::successors(Some(first), |shift| Some(shift + STEP))
        .take_while(|shift| *shift <= last)
        .map(|shift| {
            let count = |wanted: bool| {
                pairs.iter().filter(|(_, right)| *right == wanted).fold(
                    Count::default(),
                    |count, (judged, _)| Count {
                        served: count.served + u64::from(judged.served(shift)),
                        of: count.of + 1,
                    },
                )
            };
            Point {
                shift,
                right: count(true),
                wrong: count(false),
            }
        })
        .collect()
}

/// The most generous point whose share of wrong hits is at most `max_wrong` with 97.5 % confidence, that is at the
/// upper end of its two-sided 95 % interval, and so at every stricter point that still has enough hits to tell.
/// `None` if there is none, or nothing is served.
pub fn choose(points: &[Point], max_wrong: f64) -> Option<&Point> {
    points
        .iter()
        .find(|point| point.wrong_hits().of > 0 && point.wrong_hits().interval().1 <= max_wrong)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    fn at(log_odds: f32) -> Judged {
        Judged::At(Margin::from_log_odds(log_odds))
    }

    #[test]
    fn a_higher_bar_serves_less_of_both() {
        let pairs = [
            (Judged::Always, true),
            (at(2.0), true),
            (at(0.5), true),
            (at(-1.0), true),
            (Judged::Never, true),
            (at(1.0), false),
            (at(-2.0), false),
            (Judged::Never, false),
        ];
        let points = sweep(&pairs);
        let shipped = points.iter().find(|point| point.shift == 0.0).unwrap();
        assert_eq!(shipped.right, Count { served: 3, of: 5 });
        assert_eq!(shipped.wrong, Count { served: 1, of: 3 });
        assert_eq!(shipped.wrong_hits(), Count { served: 1, of: 4 });
        for (looser, tighter) in points.iter().zip(points.iter().skip(1)) {
            assert!(looser.right.served >= tighter.right.served);
            assert!(looser.wrong.served >= tighter.wrong.served);
        }
    }

    #[test]
    fn the_chosen_point_is_the_most_generous_one_that_is_proven() {
        let mut pairs = vec![(at(3.0), true); 500];
        pairs.extend(vec![(at(1.0), true); 300]);
        pairs.extend(vec![(at(1.0), false); 20]);
        let points = sweep(&pairs);
        assert_eq!(choose(&points, 0.05).map(|point| point.shift), Some(-4.0));
        assert_eq!(choose(&points, 0.01).map(|point| point.shift), Some(1.25));
        // Five hundred right hits prove no share below 0.7 %.
        assert_eq!(choose(&points, 0.005), None);
        assert_eq!(choose(&sweep(&[]), 0.5), None);
    }
}
