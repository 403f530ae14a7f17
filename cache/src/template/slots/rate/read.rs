//! Finds rates in a goal: an amount, and the period that it is for.

use std::ops::Range;

use super::{Measure, Rate, RateUnit};
use crate::goal::quantities::TimeUnit;
use crate::goal::{Goal, Kind, Quantity, Role, Value};

/// Most words between an amount and its period ("30 minutes of exercise a day").
const MAX_BETWEEN: usize = 4;

/// The tokens of a rate's amount and those of its period, which may be the same.
type Places = [Range<usize>; 2];

fn both(range: Range<usize>) -> Places {
    [range.clone(), range]
}

/// Finds the rates of a kind, each with the places it is written in.
///
/// Without an amount, "every day" and "weekly" are one time each, where times are asked for.
pub(in crate::template::slots) fn find(goal: &Goal, measure: &Measure) -> Vec<(Places, Rate)> {
    let reader = Reader { goal };
    let counted: Vec<(Places, Rate)> = goal
        .quantities()
        .iter()
        .filter_map(|quantity| reader.rate(quantity, measure))
        .collect();
    if counted.is_empty() && matches!(measure, Measure::Times(_)) {
        return reader.regular().into_iter().collect();
    }
    counted
}

struct Reader<'a> {
    goal: &'a Goal,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.goal
            .tokens()
            .get(at)
            .map_or("", |token| token.word.as_str())
    }

    fn rate(&self, quantity: &Quantity, measure: &Measure) -> Option<(Places, Rate)> {
        let start = quantity.tokens.start;
        let (amount, unit, end) = self.amount(quantity, measure)?;
        let (period, per) = if let Some(per) = quantity.per {
            // "A quarter" and "a decade" are no periods of their own.
            let last = self.word(quantity.tokens.end.checked_sub(1)?);
            let whole = TimeUnit::read(last).is_none_or(|(_, factor)| factor == 1.0);
            (quantity.tokens.clone(), whole.then_some(per)?)
        } else {
            self.period_after(end)
                .or_else(|| self.period_before(start))?
        };
        let of_days = matches!(quantity.value, Value::Duration { .. }) && unit == RateUnit::Times;
        let periodic = match per {
            TimeUnit::Day => !of_days,
            TimeUnit::Week | TimeUnit::Month | TimeUnit::Year => true,
            TimeUnit::Second | TimeUnit::Minute | TimeUnit::Hour => false,
        };
        (periodic && amount > 0.0).then_some(([start..end, period], Rate { amount, unit, per }))
    }

    /// Reads the amount of a rate, and where its unit ends.
    fn amount(&self, quantity: &Quantity, measure: &Measure) -> Option<(f64, RateUnit, usize)> {
        let end = quantity.tokens.end;
        let rated = quantity.per.is_some();
        Some(match (&quantity.value, measure) {
            (Value::Duration { count, unit }, Measure::Time)
                if matches!(unit, TimeUnit::Second | TimeUnit::Minute | TimeUnit::Hour) =>
            {
                (*count, RateUnit::Time(*unit), end)
            }
            // "5 days a week" is how often.
            (
                Value::Duration {
                    count,
                    unit: TimeUnit::Day,
                },
                Measure::Times(_),
            ) => (*count, RateUnit::Times, end),
            (Value::Money { value, currency }, Measure::Money) => {
                (*value, RateUnit::Money(*currency), end)
            }
            (Value::Weight { count, unit }, Measure::Weight) => {
                (*count, RateUnit::Weight(*unit), end)
            }
            (Value::Distance { count, unit }, Measure::Distance) => {
                (*count, RateUnit::Distance(*unit), end)
            }
            (Value::Count { value, noun }, Measure::Times(units)) => {
                if rated && matches!(noun.as_str(), "time" | "once") {
                    return Some((*value, RateUnit::Times, end));
                }
                let end = match noun.as_str() {
                    "time" | "night" | "morning" | "evening" | "afternoon" => end + 1,
                    _ => self.unit(end, units)?,
                };
                (*value, RateUnit::Times, end)
            }
            // "10k steps" is a number with a suffix, "2000 words" may look like a year.
            (
                Value::Count { value, .. } | Value::Number { value, .. } | Value::Year(value),
                Measure::Things { units, one, many },
            ) => {
                let end = self.unit(end, units)?;
                (*value, RateUnit::Things(one.clone(), many.clone()), end)
            }
            _ => return None,
        })
    }

    /// Returns where a unit ends that stands at a place, or one word later ("10 new pages").
    fn unit(&self, at: usize, units: &[Vec<String>]) -> Option<usize> {
        let tokens = self.goal.tokens();
        (at..at + 2).find_map(|at| {
            let fits = |unit: &&Vec<String>| {
                unit.iter()
                    .enumerate()
                    .all(|(i, stem)| tokens.get(at + i).is_some_and(|t| t.stem == *stem))
            };
            units
                .iter()
                .filter(fits)
                .map(Vec::len)
                .max()
                .map(|length| at + length)
        })
    }

    /// Returns the first period after an amount, with few words between and no other amount.
    fn period_after(&self, end: usize) -> Option<(Range<usize>, TimeUnit)> {
        for at in end..=end + MAX_BETWEEN {
            if let Some((length, per)) = self.period(at) {
                return Some((at..at + length, per));
            }
            let token = self.goal.tokens().get(at)?;
            // A sign for "each" leaves no token ("30 min/day").
            let slash = at
                .checked_sub(1)
                .and_then(|before| self.goal.tokens().get(before))
                .and_then(|before| self.goal.text().get(before.range.end..token.range.start))
                .is_some_and(|between| between.trim() == "/");
            if slash && let Some(per) = period_noun(&token.word) {
                return Some((at..at + 1, per));
            }
            let passes = token.kind == Kind::Word
                && token.role != Role::Value
                && !token.starts_sentence
                && !matches!(token.word.as_str(), "and" | "or" | "in" | "within" | "then");
            if !passes {
                return None;
            }
        }
        None
    }

    /// Returns the period before an amount ("a daily 30 minute walk").
    fn period_before(&self, start: usize) -> Option<(Range<usize>, TimeUnit)> {
        let at = start.checked_sub(1)?;
        adverb(self.word(at)).map(|per| (at..start, per))
    }

    /// Reads "a day", "per week", "each night", "daily"; returns the number of tokens too.
    fn period(&self, at: usize) -> Option<(usize, TimeUnit)> {
        if let Some(per) = adverb(self.word(at)) {
            return Some((1, per));
        }
        let each = matches!(self.word(at), "a" | "an" | "per" | "each" | "every");
        let single = usize::from(each && self.word(at + 1) == "single");
        let per = period_noun(self.word(at + 1 + single)).filter(|_| each)?;
        Some((2 + single, per))
    }

    /// Reads one time in each period: "every day", "each week", "daily", "every other day".
    fn regular(&self) -> Option<(Places, Rate)> {
        let times = |amount: f64, per: TimeUnit| Rate {
            amount,
            unit: RateUnit::Times,
            per,
        };
        (0..self.goal.tokens().len()).find_map(|at| {
            let every = matches!(self.word(at), "every" | "each");
            if every
                && matches!(self.word(at + 1), "other" | "second")
                && self.word(at + 2) == "day"
            {
                return Some((both(at..at + 3), times(0.5, TimeUnit::Day)));
            }
            if !every && adverb(self.word(at)).is_none() {
                return None;
            }
            let (length, per) = self.period(at)?;
            Some((both(at..at + length), times(1.0, per)))
        })
    }
}

/// Reads a word that says how often by itself.
fn adverb(word: &str) -> Option<TimeUnit> {
    Some(match word {
        "daily" | "nightly" => TimeUnit::Day,
        "weekly" => TimeUnit::Week,
        "monthly" => TimeUnit::Month,
        "yearly" | "annually" => TimeUnit::Year,
        _ => return None,
    })
}

/// Reads the noun of a period; a night and a morning come once a day.
fn period_noun(word: &str) -> Option<TimeUnit> {
    match word {
        "night" | "morning" | "evening" | "afternoon" => Some(TimeUnit::Day),
        _ => TimeUnit::read(word)
            .filter(|(unit, factor)| {
                *factor == 1.0
                    && matches!(
                        unit,
                        TimeUnit::Day | TimeUnit::Week | TimeUnit::Month | TimeUnit::Year
                    )
            })
            .map(|(unit, _)| unit),
    }
}
