//! How much may still be spent.

use super::journal::Journal;

/// What a call will cost, as far as can be told before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Estimate {
    /// Tokens of the request.
    pub(super) input_tokens: u64,
    /// USD per million tokens, read and written, of the dearest upstream that may get it; `None` where one has no
    /// price.
    pub(super) price: Option<(f64, f64)>,
}

/// The budget of a run, which counts earlier runs on the same file.
pub(super) struct Budget {
    max_usd: Option<f64>,
    max_calls: Option<u64>,
    answer_tokens: u64,
    spent_usd: f64,
    calls: u64,
    /// Calls under way, and what they are expected to cost.
    begun: u64,
    reserved_usd: f64,
    /// Tokens of the answers so far.
    written: u64,
    answers: u64,
}

/// Why no call may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    Usd,
    Requests,
}

impl Budget {
    pub(super) fn new(
        max_usd: Option<f64>,
        max_calls: Option<u64>,
        answer_tokens: u64,
        journal: &Journal,
    ) -> Self {
        Self {
            max_usd,
            max_calls,
            answer_tokens,
            spent_usd: journal.cost_usd(),
            calls: journal.calls(),
            begun: 0,
            reserved_usd: 0.0,
            written: 0,
            answers: 0,
        }
    }

    /// What a call will cost in US dollars, by the mean length of the answers so far; `None` without a price.
    #[expect(clippy::cast_precision_loss, reason = "counts of tokens")]
    pub(super) fn cost(&self, estimate: &Estimate) -> Option<f64> {
        let (input, output) = estimate.price?;
        let written = self
            .written
            .checked_div(self.answers)
            .unwrap_or(self.answer_tokens);
        Some((input * estimate.input_tokens as f64 + output * written as f64) / 1e6)
    }

    /// Sets a call's cost aside.
    ///
    /// # Errors
    /// Which budget would not bear it; then nothing is set aside.
    pub(super) fn begin(&mut self, estimate: &Estimate) -> Result<f64, Spent> {
        let cost = self.cost(estimate).unwrap_or(0.0);
        if self
            .max_calls
            .is_some_and(|most| self.calls + self.begun >= most)
        {
            return Err(Spent::Requests);
        }
        if self
            .max_usd
            .is_some_and(|most| self.spent_usd + self.reserved_usd + cost > most)
        {
            return Err(Spent::Usd);
        }
        self.begun += 1;
        self.reserved_usd += cost;
        Ok(cost)
    }

    /// Counts a call that has ended; `reserved` is what [`Self::begin`] set aside for it.
    pub(super) fn end(
        &mut self,
        reserved: f64,
        called: bool,
        cost_usd: Option<f64>,
        output_tokens: Option<u64>,
    ) {
        self.begun = self.begun.saturating_sub(1);
        self.reserved_usd = (self.reserved_usd - reserved).max(0.0);
        self.calls += u64::from(called);
        self.spent_usd += cost_usd.unwrap_or(0.0);
        if let Some(tokens) = output_tokens {
            self.written += tokens;
            self.answers += 1;
        }
    }

    /// US dollars spent as far as known, earlier runs included.
    pub(super) fn spent_usd(&self) -> f64 {
        self.spent_usd
    }

    /// Calls of upstreams, earlier runs included.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max_usd: Option<f64>, max_calls: Option<u64>) -> anyhow::Result<Budget> {
        let dir = tempfile::tempdir()?;
        let journal = Journal::look(dir.path(), "k")?;
        Ok(Budget::new(max_usd, max_calls, 100, &journal))
    }

    const CALL: Estimate = Estimate {
        input_tokens: 1_000_000,
        price: Some((0.5, 5_000.0)),
    };

    #[test]
    fn calls_under_way_count_before_they_have_ended() -> anyhow::Result<()> {
        let mut budget = budget(None, Some(2))?;
        assert!(budget.begin(&CALL).is_ok() && budget.begin(&CALL).is_ok());
        assert_eq!(budget.begin(&CALL), Err(Spent::Requests));
        // One that never reached an upstream costs nothing.
        budget.end(1.0, false, None, None);
        assert!(budget.begin(&CALL).is_ok());
        Ok(())
    }

    #[test]
    fn money_is_set_aside_by_what_answers_have_cost_so_far() -> anyhow::Result<()> {
        let mut budget = budget(Some(2.4), None)?;
        // 0.5 for reading, 0.5 for a hundred tokens written.
        let reserved = budget.begin(&CALL);
        assert_eq!(reserved, Ok(1.0));
        budget.end(1.0, true, Some(1.5), Some(200));
        assert_eq!(budget.cost(&CALL), Some(1.5));
        assert_eq!(budget.begin(&CALL), Err(Spent::Usd));
        assert_eq!((budget.spent_usd(), budget.calls()), (1.5, 1));
        Ok(())
    }

    #[test]
    fn without_a_price_nothing_is_estimated() -> anyhow::Result<()> {
        let free = Estimate {
            price: None,
            ..CALL
        };
        assert_eq!(budget(None, None)?.cost(&free), None);
        Ok(())
    }
}
