//! The value of a template slot.

use std::fmt;

use super::{Bounds, ChoiceValue, Date, Rate, SlotKind};
use crate::goal::quantities::{Currency, LengthUnit, TimeUnit, WeightUnit};

/// How far someone has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Starts from nothing.
    Beginner,
    /// Knows the basics.
    Intermediate,
    /// Knows most of it.
    Advanced,
}

impl Level {
    /// Returns the name used in files and plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Beginner => "beginner",
            Self::Intermediate => "intermediate",
            Self::Advanced => "advanced",
        }
    }

    /// Reads the name used in files.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Beginner, Self::Intermediate, Self::Advanced]
            .into_iter()
            .find(|level| level.as_str() == text)
    }
}

/// The value of a template slot.
#[derive(Debug, Clone)]
pub enum SlotValue {
    /// A human language, in display form.
    Language(String),
    /// A musical instrument, in display form.
    Instrument(String),
    /// A span of time.
    Duration {
        /// How many of the unit.
        count: f64,
        /// The unit.
        unit: TimeUnit,
    },
    /// An amount of money.
    Money {
        /// In the currency's main unit.
        value: f64,
        /// The currency.
        currency: Currency,
    },
    /// A weight.
    Weight {
        /// How many of the unit.
        count: f64,
        /// The unit.
        unit: WeightUnit,
    },
    /// A distance.
    Distance {
        /// How many of the unit.
        count: f64,
        /// The unit.
        unit: LengthUnit,
    },
    /// A number of things.
    Count(u32),
    /// So much in each period.
    Rate(Rate),
    /// A level.
    Level(Level),
    /// A day or month.
    Date(Date),
    /// A country or city, in display form.
    Place(String),
    /// Words of the goal's own.
    Text(String),
    /// One of a list.
    Choice(ChoiceValue),
}

impl SlotValue {
    /// Returns what is compared with bounds: days, kilograms, kilometres, money in its currency, the count, or what a
    /// rate comes to in a day.
    pub fn magnitude(&self) -> Option<f64> {
        match self {
            Self::Duration { count, unit } => Some(count * unit.days()),
            Self::Money { value, .. } => Some(*value),
            Self::Weight { count, unit } => Some(count * unit.kilograms()),
            Self::Distance { count, unit } => Some(count * unit.kilometres()),
            Self::Count(count) => Some(f64::from(*count)),
            Self::Rate(rate) => Some(rate.magnitude()),
            Self::Language(_)
            | Self::Instrument(_)
            | Self::Level(_)
            | Self::Date(_)
            | Self::Place(_)
            | Self::Text(_)
            | Self::Choice(_) => None,
        }
    }
}

impl fmt::Display for SlotValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(name)
            | Self::Instrument(name)
            | Self::Place(name)
            | Self::Text(name) => f.write_str(name),
            Self::Date(date) => write!(f, "{date}"),
            Self::Duration { count, unit } => write_duration(f, *count, *unit),
            Self::Money { value, currency } => write!(f, "{}{}", currency.sign(), grouped(*value)),
            Self::Weight { count, unit } => write!(f, "{} {}", plain(*count), unit.sign()),
            Self::Distance { count, unit } => write!(f, "{} {}", plain(*count), unit.sign()),
            Self::Count(count) => write!(f, "{count}"),
            Self::Rate(rate) => write!(f, "{rate}"),
            Self::Level(level) => f.write_str(level.as_str()),
            Self::Choice(choice) => f.write_str(&choice.name),
        }
    }
}

/// Writes "3 months"; half a year is 6 months, and other broken counts keep one digit.
fn write_duration(f: &mut fmt::Formatter<'_>, count: f64, unit: TimeUnit) -> fmt::Result {
    let (count, unit) = match unit {
        TimeUnit::Year if count.fract() != 0.0 && (count * 12.0).fract() == 0.0 => {
            (count * 12.0, TimeUnit::Month)
        }
        _ => (count, unit),
    };
    let ending = if count == 1.0 { "" } else { "s" };
    write!(f, "{} {}{ending}", plain(count), unit.name())
}

/// Writes a number without needless decimals: at most three, and none for whole numbers.
pub(super) fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes a number with commas between thousands; cents only for broken amounts.
pub(in crate::template) fn grouped(number: f64) -> String {
    let broken = (number * 100.0).round() % 100.0 != 0.0;
    let text = if broken {
        format!("{number:.2}")
    } else {
        format!("{number:.0}")
    };
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !cents.is_empty() {
        out.push('.');
        out.push_str(cents);
    }
    out
}

/// Returns the least, a middle and the greatest value in whole units, or every choice.
pub(super) fn examples(kind: &SlotKind) -> Vec<SlotValue> {
    let spread = |bounds: &Bounds, far: f64| {
        let max = if bounds.max.is_finite() {
            bounds.max
        } else {
            far
        };
        [bounds.min, (bounds.min * max).max(0.0).sqrt(), max]
    };
    match kind {
        SlotKind::Language => ["Spanish", "Japanese"]
            .map(|name| SlotValue::Language(name.to_owned()))
            .into(),
        SlotKind::Instrument => ["guitar", "piano"]
            .map(|name| SlotValue::Instrument(name.to_owned()))
            .into(),
        SlotKind::Duration(bounds) => spread(bounds, 365.0)
            .map(|days| {
                if days < 14.0 {
                    SlotValue::Duration {
                        count: days.ceil().max(1.0),
                        unit: TimeUnit::Day,
                    }
                } else {
                    let weeks = days / 7.0;
                    let count = if days >= bounds.max {
                        weeks.floor()
                    } else {
                        weeks.ceil()
                    };
                    SlotValue::Duration {
                        count,
                        unit: TimeUnit::Week,
                    }
                }
            })
            .into(),
        SlotKind::Money(bounds) => spread(bounds, 100_000.0)
            .map(|value| SlotValue::Money {
                value: value.ceil().max(1.0),
                currency: Currency::Dollar,
            })
            .into(),
        SlotKind::Weight(bounds) => {
            let mut list: Vec<SlotValue> = spread(bounds, 100.0)
                .map(|kg| SlotValue::Weight {
                    count: kg.round().max(1.0),
                    unit: WeightUnit::Kilogram,
                })
                .into();
            if let [_, Some(middle), _] = spread(bounds, 100.0).map(|kg| (kg > 1.0).then_some(kg)) {
                let pounds = (middle / WeightUnit::Pound.kilograms()).round();
                list.push(SlotValue::Weight {
                    count: pounds,
                    unit: WeightUnit::Pound,
                });
            }
            list
        }
        SlotKind::Distance(bounds) => spread(bounds, 100.0)
            .map(|km| SlotValue::Distance {
                count: km.round().max(1.0),
                unit: LengthUnit::Kilometre,
            })
            .into(),
        SlotKind::Count { bounds, .. } => spread(bounds, 1000.0)
            .map(|count| SlotValue::Count(count.round().clamp(0.0, 1e6) as u32))
            .into(),
        SlotKind::Rate { min, max, .. } => {
            let middle = min.like((min.magnitude() * max.magnitude()).sqrt());
            [min.clone(), middle, max.clone()]
                .map(SlotValue::Rate)
                .into()
        }
        SlotKind::Level => [Level::Beginner, Level::Intermediate, Level::Advanced]
            .map(SlotValue::Level)
            .into(),
        SlotKind::Date => [
            (None, 6, None),
            (Some(2030), 10, Some(5)),
            (None, 5, Some(1)),
        ]
        .map(|(year, month, day)| SlotValue::Date(Date { year, month, day }))
        .into(),
        SlotKind::Place => ["Japan", "Paris", "New Zealand"]
            .map(|name| SlotValue::Place(name.to_owned()))
            .into(),
        SlotKind::Text(text) => vec![SlotValue::Text(text.example.clone())],
        SlotKind::Choice { values, .. } => values.iter().cloned().map(SlotValue::Choice).collect(),
    }
}
