//! Checks the slots of a template file.

use std::collections::BTreeMap;

use super::Checker;
use crate::goal::{Goal, NameKind, Value, words};
use crate::template::raw::{RawKind, RawSlot, Scalar};
use crate::template::slots::{
    Alias, Bounds, ChoiceValue, Date, FreeText, Level, Measure, Slot, SlotKind, SlotValue, place,
    rate,
};

/// Most words a free text may be allowed.
const MAX_TEXT_WORDS: usize = 8;

impl Checker<'_> {
    /// Checks one slot; `None` when a problem was reported.
    pub(super) fn slot(&mut self, field: &str, raw: &RawSlot) -> Option<Slot> {
        let before = self.problems.len();
        self.unused_fields(field, raw);
        let bounds = self.bounds(field, raw);
        let kind = match raw.kind {
            RawKind::Language => SlotKind::Language,
            RawKind::Instrument => SlotKind::Instrument,
            RawKind::Level => SlotKind::Level,
            RawKind::Duration => SlotKind::Duration(bounds),
            RawKind::Money => SlotKind::Money(bounds),
            RawKind::Weight => SlotKind::Weight(bounds),
            RawKind::Distance => SlotKind::Distance(bounds),
            RawKind::Count => self.count(field, raw, bounds),
            RawKind::Rate => self.rate(field, raw)?,
            RawKind::Date => SlotKind::Date,
            RawKind::Place => SlotKind::Place,
            RawKind::Text => self.free_text(field, raw),
            RawKind::Choice => self.choice(field, raw),
        };
        let default = raw
            .default
            .as_ref()
            .and_then(|default| self.default(field, &kind, default));
        (self.problems.len() == before).then_some(Slot { kind, default })
    }

    fn unused_fields(&mut self, field: &str, raw: &RawSlot) {
        let bounded = matches!(
            raw.kind,
            RawKind::Duration
                | RawKind::Money
                | RawKind::Weight
                | RawKind::Distance
                | RawKind::Count
                | RawKind::Rate
        );
        let counted = matches!(raw.kind, RawKind::Count | RawKind::Rate);
        let choice = raw.kind == RawKind::Choice;
        let text = raw.kind == RawKind::Text;
        let unused = [
            ("min", raw.min.is_some() && !bounded),
            ("max", raw.max.is_some() && !bounded),
            ("units", !raw.units.is_empty() && !counted),
            ("values", !raw.values.is_empty() && !choice),
            ("noun", raw.noun.is_some() && !choice && !text),
            ("max_words", raw.max_words.is_some() && !text),
            ("example", raw.example.is_some() && !text),
            ("ending", raw.ending.is_some() && !text),
            ("refuse", !raw.refuse.is_empty() && !text),
        ];
        for (name, _) in unused.into_iter().filter(|(_, is_unused)| *is_unused) {
            self.report(
                format!("{field}.{name}"),
                "means nothing for a slot of this type",
                "remove it",
            );
        }
        let endless =
            matches!(raw.kind, RawKind::Duration) && (raw.min.is_none() || raw.max.is_none());
        if endless {
            self.report(
                field,
                "the duration has no bounds",
                "give min and max, such as \"3 weeks\" and \"2 years\"",
            );
        }
    }

    fn bounds(&mut self, field: &str, raw: &RawSlot) -> Bounds {
        // Those of a rate keep their unit and period.
        if raw.kind == RawKind::Rate {
            return Bounds::NONE;
        }
        let mut read = |name: &str, scalar: &Option<Scalar>, absent: f64| match scalar {
            None => absent,
            Some(scalar) => match magnitude(raw.kind, scalar) {
                Some(value) => value,
                None => {
                    self.report(
                        format!("{field}.{name}"),
                        format!("`{}` is no value of this type", scalar.text()),
                        example(raw.kind),
                    );
                    absent
                }
            },
        };
        let bounds = Bounds {
            min: read("min", &raw.min, 0.0),
            max: read("max", &raw.max, f64::INFINITY),
        };
        if bounds.min > bounds.max {
            self.report(
                format!("{field}.min"),
                "is greater than max",
                "swap the two",
            );
        }
        bounds
    }

    fn count(&mut self, field: &str, raw: &RawSlot, bounds: Bounds) -> SlotKind {
        let units = unit_stems(&raw.units);
        if units.is_empty() {
            self.report(
                format!("{field}.units"),
                "a count needs its unit",
                "add units = [\"book\", \"books\"]",
            );
        }
        SlotKind::Count {
            units,
            example: plural(&raw.units),
            bounds,
        }
    }

    /// Checks a rate, whose units say what it measures; `None` when a problem was reported.
    fn rate(&mut self, field: &str, raw: &RawSlot) -> Option<SlotKind> {
        let Some(measure) = measure(&raw.units) else {
            self.report(
                format!("{field}.units"),
                "do not say what the rate is a number of",
                "add units of one kind: [\"minutes\"], [\"times\"], [\"km\"], [\"dollars\"], [\"page\", \"pages\"]",
            );
            return None;
        };
        let mut bound = |name: &str, scalar: &Option<Scalar>| {
            let text = scalar.as_ref().map(Scalar::text).unwrap_or_default();
            let read = rate::parse(&text, &measure);
            if read.is_none() {
                self.report(
                    format!("{field}.{name}"),
                    format!("`{text}` is no value of this type"),
                    example(raw.kind),
                );
            }
            read
        };
        let (min, max) = (bound("min", &raw.min), bound("max", &raw.max));
        let (min, max) = (min?, max?);
        if min.magnitude() > max.magnitude() {
            self.report(
                format!("{field}.min"),
                "is greater than max",
                "swap the two",
            );
        }
        Some(SlotKind::Rate { measure, min, max })
    }

    fn free_text(&mut self, field: &str, raw: &RawSlot) -> SlotKind {
        let noun = raw.noun.clone().unwrap_or_default();
        let example = raw.example.clone().unwrap_or_default();
        for (name, value, remedy) in [
            ("noun", &noun, "say what the text is: noun = \"topic\""),
            (
                "example",
                &example,
                "give a typical text: example = \"sailing ships\"",
            ),
        ] {
            if value.trim().is_empty() {
                self.report(format!("{field}.{name}"), "is missing", remedy);
            }
        }
        let max_words = raw.max_words.unwrap_or(0);
        if !(1..=MAX_TEXT_WORDS).contains(&max_words) {
            self.report(
                format!("{field}.max_words"),
                "does not limit the text",
                format!("give a number from 1 to {MAX_TEXT_WORDS}"),
            );
        }
        SlotKind::Text(FreeText {
            max_words,
            refuse: raw.refuse.iter().map(|word| word.to_lowercase()).collect(),
            ending: raw.ending.as_ref().map(|ending| ending.to_lowercase()),
            example,
            noun,
            anchors: Vec::new(),
            tails: Vec::new(),
        })
    }

    fn choice(&mut self, field: &str, raw: &RawSlot) -> SlotKind {
        let noun = raw.noun.clone().unwrap_or_default();
        if noun.trim().is_empty() {
            self.report(
                format!("{field}.noun"),
                "the choice has no noun",
                "say what the values are: noun = \"race\"",
            );
        }
        if raw.values.is_empty() {
            self.report(
                format!("{field}.values"),
                "there is none",
                "add values = [{ name = \"...\" }]",
            );
        }
        let mut values: Vec<ChoiceValue> = Vec::new();
        for (i, table) in raw.values.iter().enumerate() {
            let field = format!("{field}.values[{i}]");
            if let Some(value) = self.choice_value(&field, table) {
                if values.iter().any(|other| other.name == value.name) {
                    self.report(
                        &field,
                        format!("`{}` is there twice", value.name),
                        "remove one",
                    );
                }
                let clash = values
                    .iter()
                    .find(|other| {
                        other
                            .aliases
                            .iter()
                            .any(|alias| value.aliases.contains(alias))
                    })
                    .map(|other| other.name.clone());
                if let Some(other) = clash {
                    self.report(
                        &field,
                        format!("shares an alias with `{other}`"),
                        "give the alias to one of them",
                    );
                }
                values.push(value);
            }
        }
        SlotKind::Choice { noun, values }
    }

    fn choice_value(&mut self, field: &str, table: &toml::Table) -> Option<ChoiceValue> {
        let Some(name) = table.get("name").and_then(toml::Value::as_str) else {
            self.report(
                format!("{field}.name"),
                "is missing or no text",
                "add name = \"...\"",
            );
            return None;
        };
        let mut aliases: Vec<Alias> = Alias::new(name).into_iter().collect();
        let mut data = BTreeMap::new();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("name", _) => {}
                ("aliases", toml::Value::Array(list)) => {
                    for alias in list {
                        match alias.as_str().and_then(Alias::new) {
                            Some(alias) if aliases.contains(&alias) => {}
                            Some(alias) => aliases.push(alias),
                            None => self.report(
                                format!("{field}.aliases"),
                                "holds something without words",
                                "use texts",
                            ),
                        }
                    }
                }
                ("aliases", _) => self.report(
                    format!("{field}.aliases"),
                    "is no list",
                    "use a list of texts",
                ),
                (_, toml::Value::String(text)) => {
                    data.insert(key.clone(), minijinja::Value::from(text.as_str()));
                }
                (_, toml::Value::Integer(number)) => {
                    data.insert(key.clone(), minijinja::Value::from(*number));
                }
                (_, toml::Value::Float(number)) => {
                    data.insert(key.clone(), minijinja::Value::from(*number));
                }
                (_, toml::Value::Boolean(flag)) => {
                    data.insert(key.clone(), minijinja::Value::from(*flag));
                }
                _ => self.report(
                    format!("{field}.{key}"),
                    "is no text, number or truth value",
                    "use a plain value",
                ),
            }
        }
        Some(ChoiceValue {
            name: name.to_owned(),
            aliases,
            data,
        })
    }

    fn default(&mut self, field: &str, kind: &SlotKind, scalar: &Scalar) -> Option<SlotValue> {
        let field = format!("{field}.default");
        let value = read_default(kind, scalar);
        match &value {
            None => self.report(
                field,
                format!("`{}` is no value of this slot", scalar.text()),
                "use a value the slot accepts",
            ),
            Some(read) if !kind.accepts(read) => {
                self.report(
                    field,
                    format!("`{read}` is out of the slot's range"),
                    "move it between min and max",
                );
            }
            Some(_) => {}
        }
        value
    }
}

/// Reads a default by the rules by which goals are read.
fn read_default(kind: &SlotKind, scalar: &Scalar) -> Option<SlotValue> {
    let text = scalar.text();
    match kind {
        SlotKind::Language => named(&text, NameKind::Language).map(SlotValue::Language),
        SlotKind::Instrument => named(&text, NameKind::Instrument).map(SlotValue::Instrument),
        SlotKind::Level => Level::parse(&text).map(SlotValue::Level),
        SlotKind::Rate { measure, .. } => rate::parse(&text, measure).map(SlotValue::Rate),
        SlotKind::Date => Date::parse(&text).map(SlotValue::Date),
        SlotKind::Place => place::known()
            .find(|name| *name == text)
            .map(|name| SlotValue::Place(name.to_owned())),
        SlotKind::Text(_) => Some(SlotValue::Text(text)),
        SlotKind::Choice { values, .. } => values
            .iter()
            .find(|value| value.name == text)
            .cloned()
            .map(SlotValue::Choice),
        SlotKind::Count { .. } => match scalar {
            Scalar::Number(number) => u32::try_from(*number).ok().map(SlotValue::Count),
            Scalar::Text(_) => None,
        },
        SlotKind::Duration(_)
        | SlotKind::Money(_)
        | SlotKind::Weight(_)
        | SlotKind::Distance(_) => {
            let value = value(&text)?;
            match (kind, value) {
                (SlotKind::Duration(_), Value::Duration { count, unit }) => {
                    Some(SlotValue::Duration { count, unit })
                }
                (SlotKind::Money(_), Value::Money { value, currency }) => {
                    Some(SlotValue::Money { value, currency })
                }
                (SlotKind::Weight(_), Value::Weight { count, unit }) => {
                    Some(SlotValue::Weight { count, unit })
                }
                (SlotKind::Distance(_), Value::Distance { count, unit }) => {
                    Some(SlotValue::Distance { count, unit })
                }
                _ => None,
            }
        }
    }
}

/// Returns the stems of the words of each unit.
fn unit_stems(units: &[String]) -> Vec<Vec<String>> {
    let stems = |unit: &String| -> Vec<String> {
        words::tokenise(&words::normalise(unit))
            .into_iter()
            .map(|token| token.stem)
            .collect()
    };
    units
        .iter()
        .map(stems)
        .filter(|stems| !stems.is_empty())
        .collect()
}

/// Returns the unit as several of it are called.
fn plural(units: &[String]) -> String {
    units
        .iter()
        .find(|unit| unit.ends_with('s'))
        .or(units.first())
        .cloned()
        .unwrap_or_default()
}

/// Reads what a rate is a number of from its units; `None` when there is none, or they are of several kinds.
fn measure(units: &[String]) -> Option<Measure> {
    if units.iter().any(|unit| unit == "times") {
        let further: Vec<String> = units
            .iter()
            .filter(|unit| *unit != "times")
            .cloned()
            .collect();
        return Some(Measure::Times(unit_stems(&further)));
    }
    let kind = |unit: &String| match value(&format!("use 2 {unit}")) {
        Some(Value::Duration { unit, .. }) if unit.days() < 1.0 => Some(Measure::Time),
        Some(Value::Money { .. }) => Some(Measure::Money),
        Some(Value::Weight { .. }) => Some(Measure::Weight),
        Some(Value::Distance { .. }) => Some(Measure::Distance),
        Some(Value::Count { .. }) => Some(Measure::Things {
            units: unit_stems(units),
            one: units.first().cloned().unwrap_or_default(),
            many: plural(units),
        }),
        _ => None,
    };
    let first = kind(units.first()?)?;
    units
        .iter()
        .all(|unit| kind(unit).as_ref() == Some(&first))
        .then_some(first)
}

fn named(text: &str, kind: NameKind) -> Option<String> {
    Goal::analyse(text)
        .names()
        .iter()
        .find(|name| name.kind == kind)
        .map(|name| name.display.clone())
}

/// Returns the one typed value of a text.
fn value(text: &str) -> Option<Value> {
    match Goal::analyse(text).quantities() {
        [only] => Some(only.value.clone()),
        _ => None,
    }
}

/// Reads a bound in the unit in which bounds are kept.
fn magnitude(kind: RawKind, scalar: &Scalar) -> Option<f64> {
    if kind == RawKind::Count {
        return match scalar {
            Scalar::Number(number) => u32::try_from(*number).ok().map(f64::from),
            Scalar::Text(_) => None,
        };
    }
    match (kind, value(&scalar.text())?) {
        (RawKind::Duration, Value::Duration { count, unit }) => Some(count * unit.days()),
        (RawKind::Money, Value::Money { value, .. }) => Some(value),
        (RawKind::Weight, Value::Weight { count, unit }) => Some(count * unit.kilograms()),
        (RawKind::Distance, Value::Distance { count, unit }) => Some(count * unit.kilometres()),
        _ => None,
    }
}

fn example(kind: RawKind) -> &'static str {
    match kind {
        RawKind::Duration => "write \"3 weeks\" or \"2 years\"",
        RawKind::Money => "write \"$1,000\"",
        RawKind::Weight => "write \"10 kg\" or \"20 lb\"",
        RawKind::Distance => "write \"5 km\" or \"3 miles\"",
        RawKind::Count => "write a whole number from 0 on, without quotes",
        RawKind::Rate => "write \"30 minutes a day\" or \"2 times a week\", in a unit of the slot",
        RawKind::Language
        | RawKind::Instrument
        | RawKind::Level
        | RawKind::Date
        | RawKind::Place
        | RawKind::Text
        | RawKind::Choice => "remove it",
    }
}
