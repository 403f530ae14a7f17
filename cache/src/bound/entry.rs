//! What the labels of one entry add to the curve of all.
//!
//! An entry's log-odds of being right are those of the curve plus a constant of its own. Most entries are alike and
//! some are not at all (an answer that is wrong for everyone, a goal with many false friends), hence a heavy-tailed
//! prior of that constant. It is discrete, so that the posterior is exact, and monotone by construction: a right
//! label shifts weight up, a wrong one down.

use std::sync::LazyLock;

use super::curve::{Curve, logistic};
use super::margin::{Margin, NUM_BINS};

/// Labels counted for one entry; beyond, all counts are halved, so that the newer half counts more.
const MAX_LABELS: usize = 240;

/// Labels of an entry that make it suspect, and the share of wrong ones among all that then stops it.
const BLOCKING_LABELS: usize = 2;
const BLOCKING_PARTS: usize = 4;

/// Values of the entry's constant.
const NUM_EFFECTS: usize = 21;
const EFFECT_STEP: f64 = 0.8;

/// Scale and degrees of freedom of its prior, a discrete Student t.
const EFFECT_SCALE: f64 = 1.0;
const EFFECT_FREEDOM: f64 = 3.0;

/// A label: how sure the decision was, and whether the stored answer was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// How far the candidate was above its bar.
    pub margin: Margin,
    /// Whether its answer was right for the goal asked.
    pub right: bool,
}

/// The labels of one entry, counted by margin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    right: [u8; NUM_BINS],
    wrong: [u8; NUM_BINS],
}

impl Labels {
    /// Takes over counts; of more labels than are kept the counts are halved.
    pub(crate) fn from_counts(right: [u8; NUM_BINS], wrong: [u8; NUM_BINS]) -> Self {
        let mut labels = Self { right, wrong };
        labels.halve_above_limit();
        labels
    }

    pub(crate) fn push(&mut self, observation: Observation) {
        let side = if observation.right {
            &mut self.right
        } else {
            &mut self.wrong
        };
        if let Some(count) = side.get_mut(observation.margin.bin()) {
            *count += 1;
        }
        self.halve_above_limit();
    }

    pub(crate) fn len(&self) -> usize {
        let (right, wrong) = self.counts();
        right + wrong
    }

    /// Counts of right and wrong labels by bin of margin.
    pub(crate) fn bins(&self) -> (&[u8; NUM_BINS], &[u8; NUM_BINS]) {
        (&self.right, &self.wrong)
    }

    /// Right and wrong ones.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let sum = |counts: &[u8]| counts.iter().map(|count| usize::from(*count)).sum();
        (sum(&self.right), sum(&self.wrong))
    }

    fn halve_above_limit(&mut self) {
        while self.len() > MAX_LABELS {
            for count in self.right.iter_mut().chain(&mut self.wrong) {
                *count /= 2;
            }
        }
    }

    pub(crate) fn is_blocked(&self, max_wrong: Option<f64>) -> bool {
        let (right, wrong) = self.counts();
        if max_wrong == Some(0.0) {
            return wrong > 0;
        }
        wrong >= BLOCKING_LABELS && wrong * BLOCKING_PARTS > right + wrong
    }
}

/// Upper bound of the probability that an entry with these labels is wrong at a margin, in [0, 1].
pub fn risk(curve: &Curve, labels: Option<&Labels>, margin: Margin) -> f64 {
    let effects = &*EFFECTS;
    let at = effects.conditional(curve.lower(margin));
    let mut weights = effects.prior;
    if let Some(labels) = labels {
        let (right, wrong) = labels.bins();
        for (bin, (right, wrong)) in right.iter().zip(wrong).enumerate() {
            if (*right, *wrong) == (0, 0) {
                continue;
            }
            let line = effects.conditional(curve.line(bin));
            for (index, weight) in weights.iter_mut().enumerate() {
                let p = logistic(line + effect(index));
                *weight *= p.powi(i32::from(*right)) * (1.0 - p).powi(i32::from(*wrong));
            }
            // Hundreds of small factors would vanish in the end; the least keeps every weight alive.
            let sum: f64 = weights.iter().sum();
            weights
                .iter_mut()
                .for_each(|weight| *weight = (*weight / sum).max(f64::MIN_POSITIVE));
        }
    }
    let wrong: f64 = weights
        .iter()
        .enumerate()
        .map(|(index, weight)| weight * logistic(-(at + effect(index))))
        .sum();
    wrong.clamp(0.0, 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "21 values")]
fn effect(index: usize) -> f64 {
    EFFECT_STEP * (index as f64 - (NUM_EFFECTS / 2) as f64)
}

/// The prior of the constant, and the log-odds that it averages away.
struct Effects {
    prior: [f64; NUM_EFFECTS],
    /// Log-odds of the average over the prior, for conditional log-odds from `FIRST` in steps of `STEP`.
    marginal: Vec<f64>,
}

const FIRST: f64 = -16.0;
const STEP: f64 = 0.1;
const NUM_POINTS: usize = 321;

static EFFECTS: LazyLock<Effects> = LazyLock::new(Effects::new);

impl Effects {
    fn new() -> Self {
        let mut prior = [0.0; NUM_EFFECTS];
        for (index, weight) in prior.iter_mut().enumerate() {
            let scaled = effect(index) / EFFECT_SCALE;
            *weight = (1.0 + scaled * scaled / EFFECT_FREEDOM).powf(-(EFFECT_FREEDOM + 1.0) / 2.0);
        }
        let sum: f64 = prior.iter().sum();
        prior.iter_mut().for_each(|weight| *weight /= sum);
        let marginal = (0..NUM_POINTS)
            .map(|point| {
                #[expect(clippy::cast_precision_loss, reason = "321 points")]
                let log_odds = FIRST + STEP * point as f64;
                let (right, wrong) =
                    prior
                        .iter()
                        .enumerate()
                        .fold((0.0, 0.0), |(right, wrong), (index, weight)| {
                            let log_odds = log_odds + effect(index);
                            (
                                right + weight * logistic(log_odds),
                                wrong + weight * logistic(-log_odds),
                            )
                        });
                f64::ln(right / wrong)
            })
            .collect();
        Self { prior, marginal }
    }

    /// The log-odds of an entry with constant 0 where those of the average entry are `marginal`: the curve is
    /// fitted to the labels of all entries together, and averaging flattens it.
    fn conditional(&self, marginal: f64) -> f64 {
        let above = self
            .marginal
            .partition_point(|at| *at < marginal)
            .clamp(1, NUM_POINTS - 1);
        let (Some(low), Some(high)) = (self.marginal.get(above - 1), self.marginal.get(above))
        else {
            return marginal;
        };
        #[expect(clippy::cast_precision_loss, reason = "321 points")]
        let start = FIRST + STEP * (above - 1) as f64;
        let part = ((marginal - low) / (high - low)).clamp(0.0, 1.0);
        start + STEP * part
    }
}
