//! Typed template slots: what they accept, how they are read out of a goal, how they print.

mod alias;
pub(super) mod date;
mod extract;
mod object;
pub mod place;
pub mod rate;
mod text;
mod value;

use std::collections::BTreeMap;

pub use alias::{Alias, ChoiceValue};
pub use date::Date;
pub(super) use extract::level_words;
pub use extract::{Extraction, extract};
pub(super) use object::{counted, thousands};
pub use rate::{Measure, Rate, RateUnit};
pub use text::FreeText;
pub use value::{Level, SlotValue};

/// The values of all slots of one template for one goal, by slot name.
pub type Slots = BTreeMap<String, SlotValue>;

/// A template slot.
#[derive(Debug, Clone)]
pub struct Slot {
    /// What it accepts.
    pub kind: SlotKind,
    /// The value when the goal names none; without one the goal must.
    pub default: Option<SlotValue>,
}

/// What a template slot accepts.
#[derive(Debug, Clone)]
pub enum SlotKind {
    /// A human language.
    Language,
    /// A musical instrument.
    Instrument,
    /// A span of time, bounds in days.
    Duration(Bounds),
    /// An amount of money, bounds in the currency given.
    Money(Bounds),
    /// A weight, bounds in kilograms.
    Weight(Bounds),
    /// A distance, bounds in kilometres.
    Distance(Bounds),
    /// A number of things, called by one of the units.
    Count {
        /// The stems of each unit's words.
        units: Vec<Vec<String>>,
        /// The unit as it is written, for examples.
        example: String,
        /// The least and the most.
        bounds: Bounds,
    },
    /// So much in each period.
    Rate {
        /// What it is a number of.
        measure: Measure,
        /// The least.
        min: Rate,
        /// The most.
        max: Rate,
    },
    /// Beginner, intermediate or advanced.
    Level,
    /// A day or month.
    Date,
    /// A country or city.
    Place,
    /// Words of the goal's own.
    Text(FreeText),
    /// One of a list.
    Choice {
        /// What the values are, for masking ("race").
        noun: String,
        /// The values.
        values: Vec<ChoiceValue>,
    },
}

/// The least and the most a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Bounds {
    /// Bounds that exclude nothing.
    pub const NONE: Self = Self {
        min: 0.0,
        max: f64::INFINITY,
    };

    /// Says whether a value lies within, with room for the rounding of units.
    pub fn hold(self, value: f64) -> bool {
        value >= self.min * 0.999 && value <= self.max * 1.001
    }
}

impl SlotKind {
    /// Returns the name the file format uses.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Instrument => "instrument",
            Self::Duration(_) => "duration",
            Self::Money(_) => "money",
            Self::Weight(_) => "weight",
            Self::Distance(_) => "distance",
            Self::Count { .. } => "count",
            Self::Rate { .. } => "rate",
            Self::Level => "level",
            Self::Date => "date",
            Self::Place => "place",
            Self::Text(_) => "text",
            Self::Choice { .. } => "choice",
        }
    }

    /// Says whether a value of this slot says what the goal is about, rather than how long or for whom.
    pub fn is_subject(&self) -> bool {
        !matches!(self, Self::Duration(_) | Self::Level | Self::Date)
    }

    /// Says whether a value lies within the slot's bounds.
    pub fn accepts(&self, value: &SlotValue) -> bool {
        match (self, value.magnitude()) {
            (
                Self::Duration(bounds)
                | Self::Money(bounds)
                | Self::Weight(bounds)
                | Self::Distance(bounds)
                | Self::Count { bounds, .. },
                Some(magnitude),
            ) => bounds.hold(magnitude),
            (Self::Rate { min, max, .. }, Some(magnitude)) => Bounds {
                min: min.magnitude(),
                max: max.magnitude(),
            }
            .hold(magnitude),
            _ => true,
        }
    }

    /// Returns values with which phrasings are filled and plans rendered when templates are checked: typical ones
    /// within the bounds, and every value of a choice.
    pub fn examples(&self) -> Vec<SlotValue> {
        value::examples(self)
    }
}
