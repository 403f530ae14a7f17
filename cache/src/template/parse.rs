//! From the TOML of a template file to a [`Template`] that cannot be wrong in form.
//!
//! All problems of a file are found in one go, each with its field and remedy.
//! What needs the whole library (unique ids, phrasings that find their own template) is checked by [`super::lint`].

mod plan;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use super::draft::UNWRITTEN;
use super::engine;
use super::problem::Problem;
use super::raw::RawTemplate;
use super::repeat::Repeat;
use super::slots::{Slot, SlotKind, SlotValue, Slots};
use crate::goal::words;
use crate::language::Language;

pub(super) use plan::MAX_MINUTES;

/// A checked template.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) draft: bool,
    pub(super) id: String,
    pub(super) category: String,
    pub(super) language: Language,
    pub(super) phrasings: Vec<String>,
    pub(super) vocabulary: Vec<String>,
    pub(super) refuse: Vec<String>,
    pub(super) slots: BTreeMap<String, Slot>,
    pub(super) rules: Vec<Rule>,
    pub(super) plan: PlanText,
}

/// A condition across slots.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) require: String,
    pub(super) reason: String,
}

/// The texts of a plan, not yet rendered.
#[derive(Debug, Clone)]
pub(super) struct PlanText {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) milestones: Vec<MilestoneText>,
}

#[derive(Debug, Clone)]
pub(super) struct MilestoneText {
    pub(super) title: String,
    pub(super) end: f64,
    pub(super) outcome: String,
    pub(super) tasks: Vec<TaskText>,
}

#[derive(Debug, Clone)]
pub(super) struct TaskText {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) minutes: Computed<u32>,
    pub(super) repeat: Computed<Repeat>,
    pub(super) start: Option<f64>,
    pub(super) when: Option<String>,
}

/// A value that is fixed in the file, or written as a text over the slots.
#[derive(Debug, Clone)]
pub(super) enum Computed<T> {
    /// The value.
    Fixed(T),
    /// The text that gives it.
    Text(String),
}

impl Template {
    /// Parses a template file; `name` (its path) is what problems are reported under.
    ///
    /// # Errors
    /// Returns every problem found.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        Self::check(name, read(name, text)?)
    }

    /// Returns what is still to be written in a draft: the problems it would have without its mark.
    pub(super) fn unwritten(name: &str, text: &str) -> Vec<Problem> {
        let checked = read(name, text).and_then(|raw| {
            let raw = RawTemplate {
                draft: false,
                ..raw
            };
            Self::check(name, raw)
        });
        checked.err().unwrap_or_default()
    }

    fn check(name: &str, raw: RawTemplate) -> Result<Self, Vec<Problem>> {
        Checker {
            name,
            draft: raw.draft,
            problems: Vec::new(),
        }
        .check(raw)
    }

    /// Says whether the file is marked as a draft, which is never served.
    pub fn is_draft(&self) -> bool {
        self.draft
    }

    /// Returns the unique id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the category.
    pub fn category(&self) -> &str {
        &self.category
    }

    /// Returns the language of phrasings and plan.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// Returns the phrasings with their `{slots}`.
    pub fn phrasings(&self) -> &[String] {
        &self.phrasings
    }

    /// Returns the slots by name.
    pub fn slots(&self) -> &BTreeMap<String, Slot> {
        &self.slots
    }

    /// Fills a phrasing with values.
    pub fn fill(&self, phrasing: &str, slots: &Slots) -> String {
        slots
            .iter()
            .fold(phrasing.to_owned(), |text, (name, value)| {
                let example = match self.slots.get(name).map(|slot| &slot.kind) {
                    Some(SlotKind::Count { units, example, .. }) => {
                        with_unit(phrasing, name, value, units, example)
                    }
                    _ => value.to_string(),
                };
                text.replace(&format!("{{{name}}}"), &example)
            })
    }

    /// Returns typical values of all slots: the default, else a middle example.
    pub fn typical(&self) -> Slots {
        self.slots
            .iter()
            .filter_map(|(name, slot)| {
                let mut examples = slot.kind.examples();
                let middle = usize::from(!matches!(
                    slot.kind,
                    SlotKind::Choice { .. }
                        | SlotKind::Language
                        | SlotKind::Date
                        | SlotKind::Place
                        | SlotKind::Text(_)
                ));
                let example = (middle < examples.len()).then(|| examples.swap_remove(middle));
                Some((name.clone(), slot.default.clone().or(example)?))
            })
            .collect()
    }
}

/// A count stands with its unit ("{count} new books"); a phrasing that leaves it out gets it.
fn with_unit(
    phrasing: &str,
    name: &str,
    value: &SlotValue,
    units: &[Vec<String>],
    example: &str,
) -> String {
    let slot = format!("{{{name}}}");
    let after = words::tokenise(phrasing.split(&slot).nth(1).unwrap_or_default());
    let follows = |unit: &Vec<String>, at: usize| {
        unit.iter()
            .enumerate()
            .all(|(i, stem)| after.get(at + i).is_some_and(|token| token.stem == *stem))
    };
    let named = (0..3).any(|at| units.iter().any(|unit| follows(unit, at)));
    if named {
        value.to_string()
    } else {
        format!("{value} {example}")
    }
}

/// Reads the fields of a file.
fn read(name: &str, text: &str) -> Result<RawTemplate, Vec<Problem>> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| {
        vec![Problem::new(
            name,
            place(text, &error),
            error.message().trim(),
            "correct the TOML syntax",
        )]
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        let remedy = "use the fields and types of the template file format";
        vec![Problem::new(
            name,
            field,
            error.inner().message().trim(),
            remedy,
        )]
    })
}

/// Returns "line 3, column 7" of a TOML error.
fn place(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else {
        return String::new();
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}")
}

struct Checker<'a> {
    name: &'a str,
    /// Whether what is not written yet is let pass.
    draft: bool,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn report(
        &mut self,
        field: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems
            .push(Problem::new(self.name, field, message, remedy));
    }

    fn check(mut self, raw: RawTemplate) -> Result<Template, Vec<Problem>> {
        let id_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        for (field, value) in [("id", &raw.id), ("category", &raw.category)] {
            if value.is_empty() || !value.chars().all(id_char) {
                self.report(
                    field,
                    format!("`{value}` is no name"),
                    "use lower-case letters, digits and hyphens",
                );
            }
        }
        if raw.language.len() != 2 || !raw.language.chars().all(|c| c.is_ascii_lowercase()) {
            self.report(
                "language",
                format!("`{}` is no language code", raw.language),
                "use a two-letter code such as \"en\"",
            );
        }
        let mut slots = BTreeMap::new();
        for (name, slot) in &raw.slots {
            let field = format!("slots.{name}");
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                self.report(
                    &field,
                    "the slot's name cannot stand in a text",
                    "use lower-case letters and underscores",
                );
            }
            if let Some(slot) = self.slot(&field, slot) {
                slots.insert(name.clone(), slot);
            }
        }
        match raw.slots.get("duration").map(|slot| slot.kind) {
            Some(super::raw::RawKind::Duration) => {}
            Some(_) => self.report(
                "slots.duration",
                "the slot is no duration",
                "give it type = \"duration\"",
            ),
            None => self.report(
                "slots",
                "the plan has no duration",
                "add [slots.duration] with type = \"duration\", default, min and max",
            ),
        }
        for (name, slot) in &mut slots {
            if let SlotKind::Text(text) = &mut slot.kind {
                raw.phrasings
                    .iter()
                    .for_each(|phrasing| text.anchor(name, phrasing));
                if text.anchors.is_empty() {
                    self.report(
                        format!("slots.{name}"),
                        "no phrasing has words before the slot, by which it could be found",
                        "write a phrasing such as \"write a book about {topic}\"",
                    );
                }
            }
        }
        let names: HashSet<String> = raw.slots.keys().cloned().collect();
        self.phrasings(&raw.phrasings, &names, &slots);
        let mut rules = Vec::new();
        for (i, rule) in raw.rules.into_iter().enumerate() {
            self.expression(format!("rules[{i}].require"), &rule.require, &names);
            rules.push(Rule {
                require: rule.require,
                reason: rule.reason,
            });
        }
        let plan = self.plan(raw.plan, &names);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        Ok(Template {
            draft: raw.draft,
            id: raw.id,
            category: raw.category,
            language: Language::new(&raw.language),
            phrasings: raw.phrasings,
            vocabulary: raw.vocabulary,
            refuse: raw.refuse,
            slots,
            rules,
            plan,
        })
    }

    fn phrasings(
        &mut self,
        phrasings: &[String],
        names: &HashSet<String>,
        slots: &BTreeMap<String, Slot>,
    ) {
        if phrasings.is_empty() {
            self.report(
                "phrasings",
                "there is none",
                "write 8 to 15 ways in which people say the goal",
            );
        }
        for (i, phrasing) in phrasings.iter().enumerate() {
            let field = format!("phrasings[{i}]");
            if phrasing.trim().is_empty() {
                self.report(&field, "is empty", "write a phrasing or remove it");
            }
            let used = placeholders(phrasing);
            for name in used.iter().filter(|name| !names.contains(*name)) {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                self.report(
                    &field,
                    format!("there is no slot `{name}`"),
                    format!("use one of: {}", known.join(", ")),
                );
            }
            for (name, slot) in slots {
                if slot.default.is_none() && !used.contains(name) && !self.draft {
                    self.report(
                        &field,
                        format!("leaves out the slot `{name}`, which has no default"),
                        "name the slot in the phrasing, or give it a default",
                    );
                }
            }
        }
    }

    /// Checks that a text compiles and uses only slots that exist.
    fn text(&mut self, field: String, source: &str, names: &HashSet<String>) {
        if source.trim().is_empty() {
            self.report(field, "is empty", "write the text");
            return;
        }
        if !self.draft && source.trim_start().starts_with(UNWRITTEN) {
            self.report(field, "is not written yet", "write the text");
            return;
        }
        match engine::names_in_text(source) {
            Ok(used) => self.names(&field, &used, names),
            Err(error) => self.report(
                field,
                format!("does not compile: {error}"),
                "correct the minijinja text",
            ),
        }
    }

    fn expression(&mut self, field: String, source: &str, names: &HashSet<String>) {
        match engine::names_in_expression(source) {
            Ok(used) => self.names(&field, &used, names),
            Err(error) => self.report(
                field,
                format!("does not compile: {error}"),
                "correct the expression",
            ),
        }
    }

    fn names(&mut self, field: &str, used: &HashSet<String>, names: &HashSet<String>) {
        let mut unknown: Vec<&String> = used.difference(names).collect();
        unknown.sort();
        for name in unknown {
            self.report(
                field,
                format!("there is no slot `{name}`"),
                "use a slot of this template, or add it under [slots]",
            );
        }
    }
}

/// Returns the slot names a phrasing holds in braces.
pub(super) fn placeholders(phrasing: &str) -> Vec<String> {
    phrasing
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}
