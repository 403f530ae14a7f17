//! Smooth weighted choice: over any window each upstream gets its share, and equal choices never bunch up.
//!
//! The method is nginx's smooth weighted round robin: every candidate earns its weight, the richest is chosen
//! and pays the sum of the weights.

use parking_lot::Mutex;

/// Chooses among indices by weight.
pub struct Weighted {
    weights: Vec<u32>,
    credit: Mutex<Vec<i64>>,
}

impl Weighted {
    /// Prepares a choice among `weights.len()` indices.
    pub fn new(weights: Vec<u32>) -> Self {
        let credit = Mutex::new(vec![0; weights.len()]);
        Self { weights, credit }
    }

    /// Chooses one of the eligible indices, or `None` when there is none; all weights zero means equal weights.
    pub fn choose(&self, eligible: &[usize], advance: bool) -> Option<usize> {
        if eligible.len() < 2 {
            return eligible.first().copied();
        }
        let weight = |index: usize| i64::from(self.weights.get(index).copied().unwrap_or(0));
        let total: i64 = eligible.iter().map(|index| weight(*index)).sum();
        let weight = |index: usize| if total == 0 { 1 } else { weight(index) };
        let total: i64 = eligible.iter().map(|index| weight(*index)).sum();
        let mut credit = self.credit.lock();
        let mut next = credit.clone();
        let mut best: Option<usize> = None;
        for index in eligible {
            if let Some(value) = next.get_mut(*index) {
                *value += weight(*index);
                let value = *value;
                if best
                    .and_then(|best| next.get(best))
                    .is_none_or(|richest| value > *richest)
                {
                    best = Some(*index);
                }
            }
        }
        if let Some(value) = best.and_then(|best| next.get_mut(best)) {
            *value -= total;
        }
        if advance {
            *credit = next;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::Weighted;

    fn counts(weights: &[u32], eligible: &[usize], rounds: usize) -> Vec<usize> {
        let weighted = Weighted::new(weights.to_vec());
        let mut counts = vec![0; weights.len()];
        for _ in 0..rounds {
            if let Some(count) = weighted
                .choose(eligible, true)
                .and_then(|index| counts.get_mut(index))
            {
                *count += 1;
            }
        }
        counts
    }

    #[test]
    fn each_gets_exactly_its_share() {
        assert_eq!(counts(&[5, 1, 1], &[0, 1, 2], 70), [50, 10, 10]);
        assert_eq!(counts(&[3, 0, 1], &[0, 1, 2], 40), [30, 0, 10]);
        assert_eq!(counts(&[5, 1, 1], &[1, 2], 10), [0, 5, 5]);
        assert_eq!(counts(&[0, 0], &[0, 1], 10), [5, 5]);
        assert_eq!(counts(&[1], &[], 3), [0]);
    }

    #[test]
    fn choices_are_spread_and_a_look_changes_nothing() {
        let weighted = Weighted::new(vec![2, 1]);
        let mut order = Vec::new();
        for _ in 0..6 {
            let looked = weighted.choose(&[0, 1], false);
            let chosen = weighted.choose(&[0, 1], true);
            assert_eq!(looked, chosen);
            order.extend(chosen);
        }
        assert_eq!(order, [0, 1, 0, 0, 1, 0]);
    }
}
