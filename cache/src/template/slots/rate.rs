//! Rates: so much in each period ("30 minutes a day", "twice a week", "10 pages a night").

mod read;

use std::fmt;

use super::value::{grouped, plain};
use crate::goal::Goal;
use crate::goal::quantities::{Currency, LengthUnit, TimeUnit, WeightUnit};

pub(super) use read::find;

/// Reads a rate as template files write it ("30 minutes a day"), by the rules by which goals are read.
pub(in crate::template) fn parse(text: &str, measure: &Measure) -> Option<Rate> {
    match find(&Goal::analyse(text), measure).as_slice() {
        [(_, only)] => Some(only.clone()),
        _ => None,
    }
}

/// The kind of thing that a rate slot counts or measures; all its units are of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// How often, by the stems of further words for one time ("session") beside "times" and "days a week".
    Times(Vec<Vec<String>>),
    /// Minutes and hours.
    Time,
    /// Money.
    Money,
    /// Weight.
    Weight,
    /// Distance.
    Distance,
    /// Things, by the stems of the words for one.
    Things {
        /// The stems of each unit's words.
        units: Vec<Vec<String>>,
        /// The word for one.
        one: String,
        /// The word for several.
        many: String,
    },
}

/// What one rate is a number of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateUnit {
    /// Times.
    Times,
    /// A unit of time.
    Time(TimeUnit),
    /// A currency.
    Money(Currency),
    /// A unit of weight.
    Weight(WeightUnit),
    /// A unit of length.
    Distance(LengthUnit),
    /// Things, called by the words for one and for several.
    Things(String, String),
}

impl RateUnit {
    /// Returns how much one of the unit is: minutes, kilograms, kilometres, or itself.
    fn size(&self) -> f64 {
        match self {
            Self::Time(unit) => unit.days() / TimeUnit::Minute.days(),
            Self::Weight(unit) => unit.kilograms(),
            Self::Distance(unit) => unit.kilometres(),
            Self::Times | Self::Money(_) | Self::Things(..) => 1.0,
        }
    }

    /// Returns the unit as plans see it: "minute", "km", "$", "page", "time".
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Times => "time",
            Self::Time(unit) => unit.name(),
            Self::Money(currency) => currency.sign(),
            Self::Weight(unit) => unit.sign(),
            Self::Distance(unit) => unit.sign(),
            Self::Things(one, _) => one,
        }
    }
}

/// So much in each period.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// How many of the unit.
    pub amount: f64,
    /// The unit.
    pub unit: RateUnit,
    /// The period: a day, week, month or year.
    pub per: TimeUnit,
}

impl Rate {
    /// Returns how much it comes to in another period: minutes, kilograms, kilometres, money, times or things.
    pub fn each(&self, period: TimeUnit) -> f64 {
        let amount = self.amount * self.unit.size();
        match (self.per, period) {
            (per, period) if per == period => amount,
            // Twelve months are a year, though neither is a round number of days.
            (TimeUnit::Month, TimeUnit::Year) => amount * 12.0,
            (TimeUnit::Year, TimeUnit::Month) => amount / 12.0,
            (per, period) => amount / per.days() * period.days(),
        }
    }

    /// Returns what is compared with bounds: how much it comes to in a day.
    pub fn magnitude(&self) -> f64 {
        self.each(TimeUnit::Day)
    }

    /// Returns a share of it, of whole times and things, and of whole minutes from 5 on.
    pub(super) fn of(&self, share: f64) -> Self {
        let part = self.amount * share;
        let amount = match self.unit {
            RateUnit::Times | RateUnit::Things(..) => part.round().max(1.0),
            RateUnit::Time(TimeUnit::Minute) if part >= 5.0 => part.round(),
            RateUnit::Money(_) if part >= 20.0 => part.round(),
            RateUnit::Time(_)
            | RateUnit::Money(_)
            | RateUnit::Weight(_)
            | RateUnit::Distance(_) => (part * 10.0).round() / 10.0,
        };
        Self {
            amount,
            ..self.clone()
        }
    }

    /// Returns a rate in the same unit and period that comes to so much a day, as near as a whole number lies.
    pub(super) fn like(&self, magnitude: f64) -> Self {
        let amount = magnitude * self.per.days() / self.unit.size();
        Self {
            amount: amount.round().max(1.0),
            ..self.clone()
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.amount;
        let ending = if amount == 1.0 { "" } else { "s" };
        match &self.unit {
            RateUnit::Times if amount == 0.5 && self.per == TimeUnit::Day => {
                return f.write_str("every other day");
            }
            RateUnit::Times if amount == 1.0 => f.write_str("once")?,
            RateUnit::Times if amount == 2.0 => f.write_str("twice")?,
            RateUnit::Times => write!(f, "{} times", plain(amount))?,
            RateUnit::Time(unit) => write!(f, "{} {}{ending}", plain(amount), unit.name())?,
            RateUnit::Money(currency) => write!(f, "{}{}", currency.sign(), grouped(amount))?,
            RateUnit::Weight(unit) => write!(f, "{} {}", plain(amount), unit.sign())?,
            RateUnit::Distance(unit) => write!(f, "{} {}", plain(amount), unit.sign())?,
            RateUnit::Things(one, many) => {
                let noun = if amount == 1.0 { one } else { many };
                write!(f, "{} {noun}", plain(amount))?;
            }
        }
        write!(f, " a {}", self.per.name())
    }
}
