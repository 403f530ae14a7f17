//! Slot values as they are seen by the plan's expressions.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{Error, ErrorKind, State};

use super::SlotValue;
use super::value::{grouped, plain};
use crate::goal::quantities::{TimeUnit, WeightUnit};

impl SlotValue {
    /// Turns the value into what expressions see: text, a number, or an object that prints as text and has fields.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Language(name)
            | Self::Instrument(name)
            | Self::Place(name)
            | Self::Text(name) => Value::from(name.as_str()),
            Self::Count(count) => Value::from(*count),
            Self::Level(level) => Value::from(level.as_str()),
            Self::Choice(choice) if choice.data.is_empty() => Value::from(choice.name.as_str()),
            Self::Duration { .. }
            | Self::Money { .. }
            | Self::Weight { .. }
            | Self::Distance { .. }
            | Self::Rate(_)
            | Self::Date(_)
            | Self::Choice(_) => Value::from_object(Measured(self.clone())),
        }
    }
}

/// A value with fields.
#[derive(Debug)]
struct Measured(SlotValue);

/// Whole numbers print without decimals.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

impl Object for Measured {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        match (&self.0, key) {
            (SlotValue::Duration { count, unit }, _) => {
                let days = count * unit.days();
                match key {
                    "days" => Some(number(days)),
                    "weeks" if *unit == TimeUnit::Week => Some(number(*count)),
                    "weeks" => Some(number(days / TimeUnit::Week.days())),
                    "months" if *unit == TimeUnit::Month => Some(number(*count)),
                    "months" if *unit == TimeUnit::Year => Some(number(count * 12.0)),
                    "months" => Some(number(days / TimeUnit::Month.days())),
                    "years" => Some(number(days / TimeUnit::Year.days())),
                    _ => None,
                }
            }
            (SlotValue::Money { value, .. }, "value") => Some(number(*value)),
            (SlotValue::Money { currency, .. }, "currency") => Some(Value::from(currency.sign())),
            (SlotValue::Weight { count, .. }, "value") => Some(number(*count)),
            (SlotValue::Weight { unit, .. }, "unit") => Some(Value::from(unit.sign())),
            (SlotValue::Weight { count, unit }, "kg") => Some(number(count * unit.kilograms())),
            (SlotValue::Weight { count, unit }, "lb") => Some(number(
                count * unit.kilograms() / WeightUnit::Pound.kilograms(),
            )),
            (SlotValue::Distance { count, .. }, "value") => Some(number(*count)),
            (SlotValue::Distance { unit, .. }, "unit") => Some(Value::from(unit.sign())),
            (SlotValue::Distance { count, unit }, "km") => Some(number(count * unit.kilometres())),
            (SlotValue::Rate(rate), "value") => Some(number(rate.amount)),
            (SlotValue::Rate(rate), "unit") => Some(Value::from(rate.unit.name())),
            (SlotValue::Rate(rate), "per") => Some(Value::from(rate.per.name())),
            (SlotValue::Rate(rate), "a_day") => Some(number(rate.each(TimeUnit::Day))),
            (SlotValue::Rate(rate), "a_week") => Some(number(rate.each(TimeUnit::Week))),
            (SlotValue::Rate(rate), "a_month") => Some(number(rate.each(TimeUnit::Month))),
            (SlotValue::Rate(rate), "a_year") => Some(number(rate.each(TimeUnit::Year))),
            (SlotValue::Date(date), "day") => date.day.map(Value::from),
            (SlotValue::Date(date), "month") => Some(Value::from(date.month)),
            (SlotValue::Date(date), "month_name") => Some(Value::from(date.month_name())),
            (SlotValue::Date(date), "year") => date.year.map(Value::from),
            (SlotValue::Choice(choice), "name") => Some(Value::from(choice.name.as_str())),
            (SlotValue::Choice(choice), _) => choice.data.get(key).cloned(),
            _ => None,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let share = args
            .first()
            .and_then(|share| f64::try_from(share.clone()).ok());
        match (&self.0, method, share) {
            (SlotValue::Money { value, currency }, "of", Some(share)) => {
                let part = value * share;
                // People think in round sums: whole ones from 20 on.
                let part = if part.abs() >= 20.0 {
                    part.round()
                } else {
                    (part * 100.0).round() / 100.0
                };
                Ok(Value::from_object(Self(SlotValue::Money {
                    value: part,
                    currency: *currency,
                })))
            }
            (SlotValue::Weight { count, unit }, "of", Some(share)) => {
                let part = (count * share * 10.0).round() / 10.0;
                Ok(Value::from_object(Self(SlotValue::Weight {
                    count: part,
                    unit: *unit,
                })))
            }
            (SlotValue::Distance { count, unit }, "of", Some(share)) => {
                let part = (count * share * 10.0).round() / 10.0;
                Ok(Value::from_object(Self(SlotValue::Distance {
                    count: part,
                    unit: *unit,
                })))
            }
            (SlotValue::Rate(rate), "of", Some(share)) => {
                Ok(Value::from_object(Self(SlotValue::Rate(rate.of(share)))))
            }
            (_, "of", None) => Err(Error::new(
                ErrorKind::MissingArgument,
                "of() needs a share such as 0.25",
            )),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Returns a whole number with commas, as the filter `thousands` prints it.
pub(in crate::template) fn thousands(value: f64) -> String {
    grouped(value.round())
}

/// Returns a count with its noun, as the filter `plural` prints it ("1 book", "12 books").
pub(in crate::template) fn counted(value: f64, noun: &str) -> String {
    if value == 1.0 {
        return format!("1 {noun}");
    }
    let plural = match noun.char_indices().last() {
        Some((at, 'y'))
            if !noun.ends_with("ay") && !noun.ends_with("ey") && !noun.ends_with("oy") =>
        {
            format!("{}ies", noun.get(..at).unwrap_or_default())
        }
        Some((_, 's' | 'x')) => format!("{noun}es"),
        _ if noun.ends_with("ch") || noun.ends_with("sh") => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", plain(value))
}
