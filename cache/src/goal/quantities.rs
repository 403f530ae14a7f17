//! Typed values: durations, money, weights, distances, percentages, counts, ages, times of day, years, rates.
//!
//! A month counts as 30.44 days.
//! Two durations in the same unit are equal only when their counts are; in different units a difference of up to
//! 8.5 percent passes, so that three months, 90 days, a quarter and 12 or 13 weeks agree while six weeks do not.

mod read;
pub mod units;

use std::ops::Range;

pub use read::find;
pub use units::{Currency, LengthUnit, TimeUnit, WeightUnit};

/// Largest relative difference at which values given in different units still count as equal.
pub const TOLERANCE: f64 = 0.085;

/// What a typed value measures, with its magnitude.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A span of time.
    Duration {
        /// How many of the unit.
        count: f64,
        /// The unit it was given in.
        unit: TimeUnit,
    },
    /// An amount of money.
    Money {
        /// In the currency's main unit.
        value: f64,
        /// Which currency.
        currency: Currency,
    },
    /// A weight.
    Weight {
        /// How many of the unit.
        count: f64,
        /// The unit it was given in.
        unit: WeightUnit,
    },
    /// A length or distance.
    Distance {
        /// How many of the unit.
        count: f64,
        /// The unit it was given in.
        unit: LengthUnit,
    },
    /// A percentage, 0 to 100 and beyond.
    Percent(f64),
    /// A number of things.
    Count {
        /// How many.
        value: f64,
        /// The stem of the word after the number.
        noun: String,
    },
    /// An age in years.
    Age(f64),
    /// A time of day, in minutes after midnight.
    Clock(u32),
    /// A calendar year.
    Year(f64),
    /// A place in an order.
    Ordinal(f64),
    /// A number without a unit.
    Number {
        /// Its value, suffix included.
        value: f64,
        /// Whether it was written with a "k" ("10k").
        thousands_suffix: bool,
    },
}

/// A typed value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The value.
    pub value: Value,
    /// What each such value is for, when it is a rate ("20 minutes a day").
    pub per: Option<TimeUnit>,
    /// The tokens it is written in.
    pub tokens: Range<usize>,
}

impl Quantity {
    /// Returns the duration in days, when this is a span of time and not a rate.
    pub fn days(&self) -> Option<f64> {
        match self.value {
            Value::Duration { count, unit } if self.per.is_none() => Some(count * unit.days()),
            _ => None,
        }
    }

    /// Says whether it is a "one" that measures nothing, which "a" and "single" say as well.
    pub fn is_bare_one(&self) -> bool {
        let one = match &self.value {
            Value::Number { value, .. } | Value::Count { value, .. } => *value,
            _ => return false,
        };
        self.per.is_none() && (one - 1.0).abs() < f64::EPSILON
    }

    /// Says whether two values mean the same.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.per == other.per && self.value.agrees_with(&other.value)
    }
}

impl Value {
    /// Says whether two values mean the same, within [`TOLERANCE`] between different units.
    pub fn agrees_with(&self, other: &Self) -> bool {
        use Value::{
            Age, Clock, Count, Distance, Duration, Money, Number, Ordinal, Percent, Weight, Year,
        };
        match (self, other) {
            (Duration { count: a, unit: u }, Duration { count: b, unit: v }) => {
                if u == v {
                    same(*a, *b)
                } else {
                    close(a * u.days(), b * v.days())
                }
            }
            (Weight { count: a, unit: u }, Weight { count: b, unit: v }) => {
                if u == v {
                    same(*a, *b)
                } else {
                    close(a * u.kilograms(), b * v.kilograms())
                }
            }
            (Distance { count: a, unit: u }, Distance { count: b, unit: v }) => {
                if u == v {
                    same(*a, *b)
                } else {
                    close(a * u.kilometres(), b * v.kilometres())
                }
            }
            (
                Money {
                    value: a,
                    currency: u,
                },
                Money {
                    value: b,
                    currency: v,
                },
            ) => u == v && same(*a, *b),
            (Clock(a), Clock(b)) => a == b,
            (Percent(a), Percent(b))
            | (Age(a), Age(b))
            | (Year(a), Year(b))
            | (Ordinal(a), Ordinal(b)) => same(*a, *b),
            (
                Distance {
                    count,
                    unit: LengthUnit::Kilometre,
                },
                Number {
                    value,
                    thousands_suffix: true,
                },
            )
            | (
                Number {
                    value,
                    thousands_suffix: true,
                },
                Distance {
                    count,
                    unit: LengthUnit::Kilometre,
                },
            ) => same(count * 1000.0, *value),
            // A bare number agrees with the same number of anything: the words around it are compared elsewhere.
            (
                Number { value: a, .. } | Count { value: a, .. } | Year(a) | Age(a),
                Number { value: b, .. } | Count { value: b, .. } | Year(b) | Age(b),
            ) => same(*a, *b),
            _ => false,
        }
    }
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn close(a: f64, b: f64) -> bool {
    let larger = a.abs().max(b.abs());
    larger == 0.0 || (a - b).abs() / larger <= TOLERANCE
}
