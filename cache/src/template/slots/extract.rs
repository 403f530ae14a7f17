//! Reads slot values out of a goal.

use std::collections::BTreeMap;
use std::ops::Range;

use super::text::Fault;
use super::value::Level;
use super::{FreeText, Measure, Slot, SlotKind, SlotValue, Slots, date, place, rate};
use crate::goal::quantities::{Currency, LengthUnit};
use crate::goal::{Goal, NameKind, Quantity, Value};
use crate::template::matching::{Misfit, Refusal};

/// What was read out of a goal.
#[derive(Debug, Clone)]
pub struct Extraction {
    /// The value of every slot, defaults included.
    pub slots: Slots,
    /// The names of the slots whose value stands in the goal.
    pub stated: Vec<String>,
    /// For each token of the goal, whether a slot took it.
    pub taken: Vec<bool>,
    /// Where free texts stand, each with the noun for it.
    pub texts: Vec<(Range<usize>, String)>,
}

/// Reads the slots of a template out of a goal; `literals` are the values its phrasings hold apart from the slots.
///
/// # Errors
/// Returns why the goal does not fit: a value missing, out of range, or given twice.
pub fn extract(
    slots: &BTreeMap<String, Slot>,
    literals: &[Quantity],
    goal: &Goal,
) -> Result<Extraction, Misfit> {
    let mut reader = Reader {
        goal,
        literals,
        taken: vec![false; goal.tokens().len()],
        texts: Vec::new(),
    };
    let mut found = Slots::new();
    let mut stated = Vec::new();
    // The more particular a slot, the earlier it reads: "5 km" may be a race before it is a distance.
    let mut order: Vec<(&String, &Slot)> = slots.iter().collect();
    order.sort_by_key(|(_, slot)| match slot.kind {
        SlotKind::Choice { .. } | SlotKind::Date | SlotKind::Rate { .. } => 0,
        SlotKind::Count { .. } => 1,
        SlotKind::Level => 3,
        // What all others left.
        SlotKind::Text(_) => 4,
        _ => 2,
    });
    for (name, slot) in order {
        let value = match reader
            .read(&slot.kind)
            .map_err(|misfit| misfit.about(name))?
        {
            Some(value) if slot.kind.accepts(&value) => {
                stated.push(name.clone());
                value
            }
            Some(value) => {
                return Err(Misfit::new(
                    Refusal::OutOfRange,
                    format!("{name} = {value}"),
                ));
            }
            None => slot
                .default
                .clone()
                .ok_or_else(|| Misfit::new(Refusal::MissingSlot, name.clone()))?,
        };
        found.insert(name.clone(), value);
    }
    Ok(Extraction {
        slots: found,
        stated,
        taken: reader.taken,
        texts: reader.texts,
    })
}

struct Reader<'a> {
    goal: &'a Goal,
    literals: &'a [Quantity],
    taken: Vec<bool>,
    texts: Vec<(Range<usize>, String)>,
}

impl Reader<'_> {
    fn read(&mut self, kind: &SlotKind) -> Result<Option<SlotValue>, Misfit> {
        match kind {
            SlotKind::Language => self.name(NameKind::Language, SlotValue::Language),
            SlotKind::Instrument => self.name(NameKind::Instrument, SlotValue::Instrument),
            SlotKind::Date => {
                let dates = date::find(self.goal).into_iter();
                self.only(
                    dates
                        .map(|(range, date)| (range, SlotValue::Date(date)))
                        .collect(),
                )
            }
            SlotKind::Place => {
                let places = place::find(self.goal)
                    .into_iter()
                    .filter(|(range, _)| self.is_free(range))
                    .map(|(range, name)| (range, SlotValue::Place(name.to_owned())))
                    .collect();
                self.only(places)
            }
            SlotKind::Text(text) => self.text(text),
            SlotKind::Duration(_) => {
                let tokens = self.goal.tokens();
                // "Three months of expenses" is an amount, not the time in which the goal is reached.
                let measures =
                    |q: &Quantity| tokens.get(q.tokens.end).is_some_and(|t| t.word == "of");
                self.quantity(kind, |q| match q.value {
                    Value::Duration { count, unit } if count > 0.0 && !measures(q) => {
                        Some(SlotValue::Duration { count, unit })
                    }
                    _ => None,
                })
            }
            SlotKind::Money(_) => self.money(kind),
            SlotKind::Weight(_) => self.quantity(kind, |q| match q.value {
                Value::Weight { count, unit } => Some(SlotValue::Weight { count, unit }),
                _ => None,
            }),
            SlotKind::Distance(_) => self.quantity(kind, |q| match q.value {
                Value::Distance { count, unit } => Some(SlotValue::Distance { count, unit }),
                // "10k" in a goal with a distance slot is what runners mean by it.
                Value::Number {
                    value,
                    thousands_suffix: true,
                } if value <= 200_000.0 => Some(SlotValue::Distance {
                    count: value / 1000.0,
                    unit: LengthUnit::Kilometre,
                }),
                _ => None,
            }),
            SlotKind::Count { units, .. } => self.count(units),
            SlotKind::Rate { measure, .. } => self.rate(measure),
            SlotKind::Level => self.level(),
            SlotKind::Choice { values, .. } => self.choice(values),
        }
    }

    fn take(&mut self, range: Range<usize>) {
        for taken in self.taken.iter_mut().take(range.end).skip(range.start) {
            *taken = true;
        }
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        self.taken
            .iter()
            .take(range.end)
            .skip(range.start)
            .all(|taken| !taken)
    }

    /// Takes the one free value of a kind; two different ones are ambiguous.
    fn only(
        &mut self,
        candidates: Vec<(Range<usize>, SlotValue)>,
    ) -> Result<Option<SlotValue>, Misfit> {
        let mut only: Option<SlotValue> = None;
        for (range, value) in candidates {
            if only
                .as_ref()
                .is_some_and(|first| first.to_string() != value.to_string())
            {
                return Err(Misfit::new(Refusal::Ambiguous, value.to_string()));
            }
            self.take(range);
            only = Some(value);
        }
        Ok(only)
    }

    fn name(
        &mut self,
        kind: NameKind,
        make: fn(String) -> SlotValue,
    ) -> Result<Option<SlotValue>, Misfit> {
        let names = self
            .goal
            .names()
            .iter()
            .filter(|name| name.kind == kind && self.is_free(&name.tokens));
        let candidates = names
            .map(|name| (name.tokens.clone(), make(name.display.clone())))
            .collect();
        self.only(candidates)
    }

    fn quantity(
        &mut self,
        kind: &SlotKind,
        make: impl Fn(&Quantity) -> Option<SlotValue>,
    ) -> Result<Option<SlotValue>, Misfit> {
        let free = self
            .goal
            .quantities()
            .iter()
            .filter(|q| q.per.is_none() && self.is_free(&q.tokens));
        // "Run for 30 minutes in 8 weeks": what a phrasing says itself and the slot cannot hold is not the slot's.
        let foreign = |q: &Quantity, value: &SlotValue| {
            !kind.accepts(value) && self.literals.iter().any(|literal| literal.agrees_with(q))
        };
        let candidates = free
            .filter_map(|q| Some((q, make(q)?)))
            .filter(|(q, value)| !foreign(q, value))
            .map(|(q, value)| (q.tokens.clone(), value))
            .collect();
        self.only(candidates)
    }

    /// Money may be written without a sign ("save 5000"), and "pounds" may be sterling.
    fn money(&mut self, kind: &SlotKind) -> Result<Option<SlotValue>, Misfit> {
        let signed = self.quantity(kind, |q| match q.value {
            Value::Money { value, currency } => Some(SlotValue::Money { value, currency }),
            _ => None,
        })?;
        if signed.is_some() {
            return Ok(signed);
        }
        self.quantity(kind, |q| match q.value {
            Value::Weight {
                count,
                unit: crate::goal::quantities::WeightUnit::Pound,
            } => Some(SlotValue::Money {
                value: count,
                currency: Currency::Sterling,
            }),
            Value::Number { value, .. } if value >= 50.0 => Some(SlotValue::Money {
                value,
                currency: Currency::Dollar,
            }),
            _ => None,
        })
    }

    fn count(&mut self, units: &[Vec<String>]) -> Result<Option<SlotValue>, Misfit> {
        let tokens = self.goal.tokens();
        let mut candidates = Vec::new();
        let goal = self.goal;
        for quantity in goal.quantities() {
            if quantity.per.is_some() || !self.is_free(&quantity.tokens) {
                continue;
            }
            let (Value::Count { value, .. }
            | Value::Number {
                value,
                thousands_suffix: false,
            }
            | Value::Year(value)) = quantity.value
            else {
                continue;
            };
            if value.fract() != 0.0 || !(0.0..1e9).contains(&value) {
                continue;
            }
            // "20 new books": up to two words may stand between.
            let end = quantity.tokens.end;
            let unit = (end..end + 3).find_map(|at| {
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
                    .map(|length| at..at + length)
            });
            if let Some(unit) = unit {
                self.take(unit);
                candidates.push((quantity.tokens.clone(), SlotValue::Count(value as u32)));
            }
        }
        self.only(candidates)
    }

    fn rate(&mut self, measure: &Measure) -> Result<Option<SlotValue>, Misfit> {
        let mut candidates = Vec::new();
        for (ranges, rate) in rate::find(self.goal, measure) {
            if ranges.iter().all(|range| self.is_free(range)) {
                let value = SlotValue::Rate(rate);
                candidates.extend(ranges.into_iter().map(|range| (range, value.clone())));
            }
        }
        self.only(candidates)
    }

    fn text(&mut self, text: &FreeText) -> Result<Option<SlotValue>, Misfit> {
        let found = text
            .read(self.goal, &self.taken)
            .map_err(|fault| match fault {
                Fault::TooLong(text) => Misfit::new(Refusal::OutOfRange, text),
                Fault::Refused(word) => Misfit::new(Refusal::RefusedWord, word),
            })?;
        Ok(found.map(|(range, value)| {
            self.take(range.clone());
            self.texts.push((range, text.noun.clone()));
            SlotValue::Text(value)
        }))
    }

    fn level(&mut self) -> Result<Option<SlotValue>, Misfit> {
        let candidates = level_words(self.goal)
            .into_iter()
            .map(|(range, level)| (range, SlotValue::Level(level)))
            .collect();
        self.only(candidates)
    }

    /// Takes the longest alias at each place.
    fn choice(&mut self, values: &[super::ChoiceValue]) -> Result<Option<SlotValue>, Misfit> {
        let tokens = self.goal.tokens();
        let mut candidates = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let aliases = values
                .iter()
                .flat_map(|value| value.aliases.iter().map(move |alias| (alias, value)));
            let longest = aliases
                .filter(|(alias, _)| alias.is_at(self.goal, at))
                .max_by_key(|(alias, _)| alias.len());
            match longest {
                Some((alias, value)) => {
                    candidates.push((at..at + alias.len(), SlotValue::Choice(value.clone())));
                    at += alias.len();
                }
                None => at += 1,
            }
        }
        self.only(candidates)
    }
}

/// Finds the words that state a level, with what announces them.
pub(in crate::template) fn level_words(goal: &Goal) -> Vec<(Range<usize>, Level)> {
    let tokens = goal.tokens();
    let word = |at: usize| tokens.get(at).map_or("", |t| t.word.as_str());
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let (level, end) = match (word(at), word(at + 1)) {
            ("beginner" | "beginners" | "novice" | "newbie" | "noob", _) => {
                (Level::Beginner, at + 1)
            }
            ("from", "scratch" | "zero") => (Level::Beginner, at + 2),
            ("intermediate", _) => (Level::Intermediate, at + 1),
            ("advanced", _) => (Level::Advanced, at + 1),
            _ => continue,
        };
        let end = if word(end) == "level" || word(end) == "learners" || word(end) == "learner" {
            end + 1
        } else {
            end
        };
        let mut start = at;
        while start > 0
            && matches!(
                word(start - 1),
                "for" | "as" | "a" | "an" | "absolute" | "complete" | "total"
            )
        {
            start -= 1;
        }
        found.push((start..end, level));
    }
    found
}
