//! P(right | margin) over all entries: a logistic curve with a prior, fitted to counts of labels.
//!
//! The prior is the claim of the same-answer model: log-odds of being right equal to the margin, give or take.
//! Labels correct it. What is used for decisions is the lower end of the curve at one-sided 95 %, made monotone: a
//! lower bound at some margin holds for all higher ones.

use super::entry::Observation;
use super::margin::{Margin, NUM_BINS};

/// Mean and standard deviation of intercept and slope before any label. The model's word alone does not carry a
/// bound of 1 %; it does carry one of 5 % for the surest candidates.
const PRIOR: [(f64, f64); 2] = [(0.0, 1.0), (1.0, 0.4)];

/// The slope may not turn: a surer model is never less right.
const MIN_SLOPE: f64 = 0.05;

/// Normal quantile of a one-sided 95 % bound.
const Z: f64 = 1.645;

/// Counts above which all are halved, so that the curve follows a traffic that changes.
const MAX_COUNT: f64 = 20_000.0;

const NEWTON_STEPS: usize = 6;

/// Counts of labels by margin, and the fit to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    right: [f64; NUM_BINS],
    wrong: [f64; NUM_BINS],
    intercept: f64,
    slope: f64,
    /// Log-odds of the fit and of its lower bound at each bin's lower edge; the second never falls.
    line: [f64; NUM_BINS],
    lower: [f64; NUM_BINS],
}

impl Default for Curve {
    fn default() -> Self {
        Self::from_counts([0.0; NUM_BINS], [0.0; NUM_BINS])
    }
}

impl Curve {
    /// Fits the curve to counts.
    pub(crate) fn from_counts(right: [f64; NUM_BINS], wrong: [f64; NUM_BINS]) -> Self {
        let [(intercept, _), (slope, _)] = PRIOR;
        let mut curve = Self {
            right,
            wrong,
            intercept,
            slope,
            line: [0.0; NUM_BINS],
            lower: [0.0; NUM_BINS],
        };
        curve.fit();
        curve
    }

    /// Right and wrong labels by bin of margin.
    pub(crate) fn bins(&self) -> (&[f64; NUM_BINS], &[f64; NUM_BINS]) {
        (&self.right, &self.wrong)
    }

    /// Takes one more label in. Costs six Newton steps over 25 bins, some microseconds.
    pub fn observe(&mut self, observation: Observation) {
        let side = if observation.right {
            &mut self.right
        } else {
            &mut self.wrong
        };
        if let Some(count) = side.get_mut(observation.margin.bin()) {
            *count += 1.0;
        }
        let total: f64 = self.right.iter().chain(&self.wrong).sum();
        if total > MAX_COUNT {
            for count in self.right.iter_mut().chain(&mut self.wrong) {
                *count /= 2.0;
            }
        }
        self.fit();
    }

    /// Log-odds of being right at the lower edge of a bin of margins, for an average entry.
    pub(crate) fn line(&self, bin: usize) -> f64 {
        self.line.get(bin).copied().unwrap_or(0.0)
    }

    /// A lower bound of the same that holds with 95 % confidence and never falls with the margin.
    pub fn lower(&self, margin: Margin) -> f64 {
        self.lower.get(margin.bin()).copied().unwrap_or(0.0)
    }

    /// Right and wrong labels, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 20,000, never negative"
    )]
    pub fn counts(&self) -> (u64, u64) {
        let sum = |counts: &[f64]| counts.iter().sum::<f64>().round() as u64;
        (sum(&self.right), sum(&self.wrong))
    }

    /// Newton's method from where the last fit ended, then the lower bound from the curvature there (Laplace).
    fn fit(&mut self) {
        let [(mean_a, sd_a), (mean_b, sd_b)] = PRIOR;
        let (weight_a, weight_b) = (sd_a.powi(-2), sd_b.powi(-2));
        let mut hessian = (weight_a, 0.0, weight_b);
        for step in 0..=NEWTON_STEPS {
            let mut gradient = (
                weight_a * (mean_a - self.intercept),
                weight_b * (mean_b - self.slope),
            );
            hessian = (weight_a, 0.0, weight_b);
            for (bin, (right, wrong)) in self.right.iter().zip(&self.wrong).enumerate() {
                let total = right + wrong;
                if total > 0.0 {
                    let x = Margin::of_bin(bin);
                    let p = logistic(self.intercept + self.slope * x);
                    let (error, curvature) = (right - total * p, total * p * (1.0 - p));
                    gradient.0 += error;
                    gradient.1 += error * x;
                    hessian.0 += curvature;
                    hessian.1 += curvature * x;
                    hessian.2 += curvature * x * x;
                }
            }
            if step == NEWTON_STEPS {
                break;
            }
            // The priors keep the determinant positive.
            let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1;
            let da = (hessian.2 * gradient.0 - hessian.1 * gradient.1) / determinant;
            let db = (hessian.0 * gradient.1 - hessian.1 * gradient.0) / determinant;
            // A long step from the flat end of the curve would overshoot.
            let damping = (1.0 / (da.abs() / 2.0).max(db.abs() / 0.5)).min(1.0);
            self.intercept += damping * da;
            self.slope = (self.slope + damping * db).max(MIN_SLOPE);
        }
        let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1;
        let (var_a, cov, var_b) = (
            hessian.2 / determinant,
            -hessian.1 / determinant,
            hessian.0 / determinant,
        );
        let mut floor = f64::NEG_INFINITY;
        for (bin, (line, lower)) in self.line.iter_mut().zip(&mut self.lower).enumerate() {
            let x = Margin::of_bin(bin);
            *line = self.intercept + self.slope * x;
            let deviation = (var_a + 2.0 * x * cov + x * x * var_b).max(0.0).sqrt();
            floor = floor.max(*line - Z * deviation);
            *lower = floor;
        }
    }
}

/// The logistic function.
pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}
