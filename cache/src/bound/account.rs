//! The decision: a running account that never lets the expected wrong answers outgrow the allowed share.
//!
//! Two rules. *The account*: after every hit, the sum of the risks of all hits served is at most the allowed share
//! of their number, so that a risky hit is paid for by safer ones before it, never on credit. *The line*: the credit
//! is not spent on the first risky candidate that comes, but on all candidates up to a risk at which the recent ones
//! just balance; that serves the most. What is not served goes upstream and is compared, and so is a small share of
//! what would be served: without that, nothing would notice that answers go wrong. These audits are fair samples of
//! what is served; where they find more wrong ones than the risks said, all risks are multiplied accordingly.

use super::Decision;

/// Credit is kept for at most so many hits, so that a long quiet time does not pay for a burst of wrong ones.
const MAX_CREDIT_HITS: f64 = 200.0;

/// The part of the allowed share that is aimed at. A risk is an expectation: of a thousand hits at 0.8 % eight are
/// wrong on average, and more than ten in one case of five. The rest is what chance may take.
const AIM: f64 = 0.6;

/// The share of safe hits that are explored: of entries without labels, and the least.
const FIRST_EXPLORATION: f64 = 0.25;
const LEAST_EXPLORATION: f64 = 0.03;

/// Bins of risk, four to a factor of two, from 2^-12.
const NUM_BINS: usize = 49;
const BINS_PER_OCTAVE: f64 = 4.0;
const OCTAVES: f64 = 12.0;

/// Candidates remembered for the line, and audits for the caution; beyond, the older half counts half.
const MAX_SEEN: f64 = 2_000.0;
const MAX_AUDITS: f64 = 300.0;

/// Wrong audits that are put beside the expected ones on both sides, so that one alone raises no alarm.
const CAUTION_PRIOR: f64 = 1.0;

/// The running account of one process. Starts empty with it: no credit is inherited.
#[derive(Clone, Debug)]
pub struct Account {
    credit: f64,
    served: u64,
    expected_wrong: f64,
    /// Number and summed risk of recent candidates by bin of risk.
    seen: [(f64, f64); NUM_BINS],
    audits: f64,
    audits_expected: f64,
    audits_wrong: f64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            credit: 0.0,
            served: 0,
            expected_wrong: 0.0,
            seen: [(0.0, 0.0); NUM_BINS],
            audits: 0.0,
            audits_expected: 0.0,
            audits_wrong: 0.0,
        }
    }
}

impl Account {
    /// Serves or explores a candidate of a given risk. `max_wrong` is the share allowed, `labels` how many its entry
    /// has, `coin` a random number in [0, 1).
    pub fn decide(&mut self, max_wrong: f64, risk: f64, labels: usize, coin: f64) -> Decision {
        let charged = (risk * self.caution()).min(1.0);
        self.note(charged);
        let aim = AIM * max_wrong;
        let affordable = self.credit + aim - charged >= 0.0;
        let safe = max_wrong > 0.0 && affordable && charged <= self.max_risk(max_wrong);
        if !safe {
            return Decision {
                serve: false,
                risk,
                exploration: 1.0,
            };
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 240 labels")]
        let exploration = (FIRST_EXPLORATION / (1.0 + labels as f64)).max(LEAST_EXPLORATION);
        let serve = coin >= exploration;
        if serve {
            self.credit = (self.credit + aim - charged).min(MAX_CREDIT_HITS * aim);
            self.served += 1;
            self.expected_wrong += charged;
        }
        Decision {
            serve,
            risk,
            exploration,
        }
    }

    /// Takes the label of a candidate that was explored though it could have been served.
    pub fn audit(&mut self, risk: f64, right: bool) {
        self.audits += 1.0;
        self.audits_expected += risk;
        self.audits_wrong += f64::from(u8::from(!right));
        if self.audits > MAX_AUDITS {
            self.audits /= 2.0;
            self.audits_expected /= 2.0;
            self.audits_wrong /= 2.0;
        }
    }

    /// The greatest risk that is served: the highest up to which the recent candidates have the allowed risk on
    /// average, and never below the allowed share itself.
    pub fn max_risk(&self, max_wrong: f64) -> f64 {
        let aim = AIM * max_wrong;
        let (mut number, mut sum, mut line) = (0.0, 0.0, aim);
        for (bin, (count, risks)) in self.seen.iter().enumerate() {
            number += count;
            sum += risks;
            if sum > aim * number {
                break;
            }
            if *count > 0.0 {
                line = upper_edge(bin).max(line);
            }
        }
        line
    }

    /// How many times more wrong audits came than were expected, at least 1.
    pub fn caution(&self) -> f64 {
        ((self.audits_wrong + CAUTION_PRIOR) / (self.audits_expected + CAUTION_PRIOR)).max(1.0)
    }

    /// Hits served.
    pub fn served(&self) -> u64 {
        self.served
    }

    /// The sum of their risks: an upper bound of the wrong ones to be expected among them.
    pub fn expected_wrong(&self) -> f64 {
        self.expected_wrong
    }

    fn note(&mut self, risk: f64) {
        if let Some((count, sum)) = self.seen.get_mut(bin(risk)) {
            *count += 1.0;
            *sum += risk;
        }
        let total: f64 = self.seen.iter().map(|(count, _)| count).sum();
        if total > MAX_SEEN {
            for (count, sum) in &mut self.seen {
                *count /= 2.0;
                *sum /= 2.0;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=48"
)]
fn bin(risk: f64) -> usize {
    ((risk.max(1e-9).log2() + OCTAVES) * BINS_PER_OCTAVE)
        .ceil()
        .clamp(0.0, OCTAVES * BINS_PER_OCTAVE) as usize
}

#[expect(clippy::cast_precision_loss, reason = "49 bins")]
fn upper_edge(bin: usize) -> f64 {
    (bin as f64 / BINS_PER_OCTAVE - OCTAVES).exp2()
}
