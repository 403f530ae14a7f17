//! Exact confidence intervals of a share.

/// Halvings of the search: enough for all digits of an `f64`.
const HALVINGS: usize = 60;

/// The two-sided Clopper-Pearson interval of `hits` of `trials` at a confidence such as 0.95: it holds whatever the
/// true share is. (0, 1) without any trial. Costs time in proportion to `hits`.
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let hits = hits.min(trials);
    let lower = if hits == 0 {
        0.0
    } else {
        search(|p| 1.0 - at_most(hits - 1, trials, p) >= tail)
    };
    let upper = if hits == trials {
        1.0
    } else {
        search(|p| at_most(hits, trials, p) <= tail)
    };
    (lower, upper)
}

/// The least share at which `holds`, which must hold from there on.
fn search(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The probability of at most `hits` of `trials` at a share `p`.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn at_most(hits: u64, trials: u64, p: f64) -> f64 {
    let (log_p, log_q) = (p.max(1e-300).ln(), (1.0 - p).max(1e-300).ln());
    let mut log_ways = 0.0;
    let mut sum = 0.0;
    for k in 0..=hits {
        if k > 0 {
            log_ways += ((trials - k + 1) as f64).ln() - (k as f64).ln();
        }
        sum += (log_ways + k as f64 * log_p + (trials - k) as f64 * log_q).exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_published_values() {
        // The rule of three, and values of the standard tables.
        for (hits, trials, lower, upper) in [
            (0, 300, 0.0, 0.012_22),
            (1, 10, 0.002_53, 0.445_02),
            (5, 100, 0.016_43, 0.112_83),
            (50, 100, 0.398_32, 0.601_68),
            (10, 10, 0.691_50, 1.0),
        ] {
            let (low, high) = clopper_pearson(hits, trials, 0.95);
            assert!((low - lower).abs() < 1e-4, "{hits} of {trials}: {low}");
            assert!((high - upper).abs() < 1e-4, "{hits} of {trials}: {high}");
        }
        assert_eq!(clopper_pearson(0, 0, 0.95), (0.0, 1.0));
    }

    #[test]
    fn an_interval_of_many_trials_neither_overflows_nor_vanishes() {
        let (low, high) = clopper_pearson(5_000, 100_000, 0.95);
        assert!((0.048..0.05).contains(&low) && (0.05..0.052).contains(&high));
    }
}
