//! What tokens cost.

use serde::Serialize;

use super::bounds;
use crate::error::Result;

/// The price of an upstream's tokens, in USD per million.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Price {
    input: f64,
    output: f64,
}

impl Price {
    /// Makes a price from USD per million input tokens and USD per million output tokens.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::error::Error::OutOfRange) when one of them is negative, not finite or absurd.
    pub fn new(input: f64, output: f64) -> Result<Self> {
        Ok(Self {
            input: bounds::PRICE.check(input)?,
            output: bounds::PRICE.check(output)?,
        })
    }

    /// Returns the price of a million input tokens in USD.
    pub const fn input(self) -> f64 {
        self.input
    }

    /// Returns the price of a million output tokens in USD.
    pub const fn output(self) -> f64 {
        self.output
    }

    /// Returns the cost in USD of one call.
    pub fn cost(self, input_tokens: u64, output_tokens: u64) -> f64 {
        (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed constructor fails the test")]

    use super::*;

    #[test]
    fn a_call_costs_its_tokens_at_their_prices() {
        let price = Price::new(0.30, 2.50).unwrap();
        assert!((price.cost(1_000_000, 0) - 0.30).abs() < 1e-12);
        assert!((price.cost(100, 2_000) - 0.00503).abs() < 1e-12);
    }

    #[test]
    fn prices_are_finite_and_not_negative() {
        for value in [-0.01, f64::NAN, f64::INFINITY] {
            assert!(Price::new(value, 0.0).is_err() && Price::new(0.0, value).is_err());
        }
    }
}
