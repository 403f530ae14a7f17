//! Everything that can be wrong with a set of templates beyond the form of each file.
//!
//! A template is checked by use: its own phrasings, filled with typical values, must find it and give the values back,
//! and its plan must render over the bounds of every slot into texts a person can read.

mod render;

use std::collections::BTreeMap;

use super::library::{self, Library, Source};
use super::matching::Refusal;
use super::parse::{Template, placeholders};
use super::problem::Problem;
use super::slots::{SlotValue, Slots};
use crate::goal::Goal;

/// Least and most phrasings of a template.
const PHRASINGS: std::ops::RangeInclusive<usize> = 8..=48;

/// Least and most milestones of a plan.
const MILESTONES: std::ops::RangeInclusive<usize> = 3..=6;

/// Least and most tasks of a milestone.
const TASKS: std::ops::RangeInclusive<usize> = 2..=6;

/// Checks template files; an empty list means that all is well.
pub fn lint(sources: &[Source]) -> Vec<Problem> {
    let mut problems = misplaced(sources);
    problems.extend(drafts(sources));
    match Library::from_sources(sources) {
        Err(found) => problems.extend(found),
        Ok(library) => problems.extend(lint_library(&library)),
    }
    problems
}

/// Checks loaded templates.
pub fn lint_library(library: &Library) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, template) in library.templates().enumerate() {
        problems.extend(by_itself(library, index, template));
    }
    problems.extend(contested(library, None));
    problems
}

/// Checks one loaded template, and that it and the others leave each other's phrasings alone.
pub fn lint_template(library: &Library, id: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, template) in library.templates().enumerate() {
        if template.id() == id {
            problems.extend(by_itself(library, index, template));
            problems.extend(contested(library, Some(index)));
        }
    }
    problems
}

fn by_itself(library: &Library, index: usize, template: &Template) -> Vec<Problem> {
    let mut problems = counts(template);
    problems.extend(phrasings(library, index, template));
    problems.extend(render::check(library, index, template));
    problems
}

/// Finds drafts, and what is still to be written in them.
pub(super) fn drafts(sources: &[Source]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        if Template::parse(&source.name, &source.text).is_ok_and(|template| template.is_draft()) {
            problems.extend(Template::unwritten(&source.name, &source.text));
            problems.push(Problem::new(
                &source.name,
                "draft",
                "the template is a draft and answers nothing",
                "write what is missing, then remove draft = true",
            ));
        }
    }
    problems
}

/// Finds files that do not stand at `category/id.toml`.
fn misplaced(sources: &[Source]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        if let Ok(template) = Template::parse(&source.name, &source.text) {
            let place = format!("{}/{}.toml", template.category, template.id);
            if source.name.replace('\\', "/") != place {
                problems.push(Problem::new(
                    &source.name,
                    "id",
                    format!("the file belongs at {place}"),
                    "move the file, or correct id and category",
                ));
            }
        }
    }
    problems
}

fn counts(template: &Template) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut check = |field: String, found: usize, range: &std::ops::RangeInclusive<usize>| {
        if !range.contains(&found) {
            problems.push(Problem::new(
                template.id(),
                field,
                format!("there are {found}"),
                format!("have {} to {}", range.start(), range.end()),
            ));
        }
    };
    check("phrasings".to_owned(), template.phrasings.len(), &PHRASINGS);
    check(
        "plan.milestones".to_owned(),
        template.plan.milestones.len(),
        &MILESTONES,
    );
    for (i, milestone) in template.plan.milestones.iter().enumerate() {
        check(
            format!("plan.milestones[{i}].tasks"),
            milestone.tasks.len(),
            &TASKS,
        );
    }
    if let Some(last) = template
        .plan
        .milestones
        .last()
        .filter(|last| last.end != 1.0)
    {
        problems.push(Problem::new(
            template.id(),
            "plan.milestones",
            format!("the last one ends at {}", last.end),
            "let the last milestone end at 1.0",
        ));
    }
    problems
}

/// Fills each phrasing with typical values, and with each example of each slot it holds, and reads it back.
fn phrasings(library: &Library, index: usize, template: &Template) -> Vec<Problem> {
    let mut problems = Vec::new();
    let typical = template.typical();
    for (i, phrasing) in template.phrasings.iter().enumerate() {
        let used = placeholders(phrasing);
        let mut fillings: Vec<(bool, Slots)> = vec![(true, typical.clone())];
        for name in &used {
            let examples = template
                .slots
                .get(name)
                .map(|slot| slot.kind.examples())
                .unwrap_or_default();
            fillings.extend(examples.into_iter().map(|example| {
                let mut slots = typical.clone();
                slots.insert(name.clone(), example);
                (false, slots)
            }));
        }
        for (is_typical, slots) in fillings {
            let text = template.fill(phrasing, &slots);
            let message = match library.fit(index, &Goal::analyse(&text)) {
                Ok(read) => difference(&used, &slots, &read),
                // At the bounds two slots may break a rule together; typical values may not.
                Err(misfit) if misfit.refusal == Refusal::Rule && !is_typical => None,
                Err(misfit) => Some(format!(
                    "\"{text}\" is refused: {} ({})",
                    misfit.refusal, misfit.detail
                )),
            };
            if let Some(message) = message {
                problems.push(Problem::new(
                    template.id(),
                    format!("phrasings[{i}]"),
                    message,
                    "reword the phrasing, or correct vocabulary, refuse, slots or rules",
                ));
                break;
            }
        }
    }
    problems
}

/// Says which slot was read back with another value.
fn difference(used: &[String], filled: &Slots, read: &Slots) -> Option<String> {
    used.iter().find_map(|name| {
        let (wanted, found) = (filled.get(name)?, read.get(name)?);
        (!same(wanted, found))
            .then(|| format!("slot `{name}` filled with \"{wanted}\" is read as \"{found}\""))
    })
}

fn same(a: &SlotValue, b: &SlotValue) -> bool {
    match (a.magnitude(), b.magnitude()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()),
        _ => a.to_string() == b.to_string(),
    }
}

/// Finds phrasings that are equal when masked and that more than one template answers: chance would decide.
/// With `of`, only those that concern the template at that place.
fn contested(library: &Library, of: Option<usize>) -> Vec<Problem> {
    let mut by_text: BTreeMap<&str, Vec<&library::Phrasing>> = BTreeMap::new();
    for phrasing in library.phrasings() {
        by_text.entry(&phrasing.masked).or_default().push(phrasing);
    }
    let templates: Vec<&Template> = library.templates().collect();
    let mut problems = Vec::new();
    let concerns = |rivals: &Vec<&library::Phrasing>| {
        of.is_none_or(|of| rivals.iter().any(|rival| rival.template == of))
    };
    for rivals in by_text
        .values()
        .filter(|rivals| rivals.len() > 1 && concerns(rivals))
    {
        for phrasing in rivals {
            let Some(template) = templates.get(phrasing.template) else {
                continue;
            };
            let goal = Goal::analyse(&template.fill(&phrasing.text, &template.typical()));
            let other = rivals.iter().find(|rival| {
                rival.template != phrasing.template && library.fit(rival.template, &goal).is_ok()
            });
            if let Some(other) = other.and_then(|other| templates.get(other.template)) {
                problems.push(Problem::new(
                    template.id(),
                    "phrasings",
                    format!(
                        "\"{}\" is answered by `{}` as well",
                        phrasing.text,
                        other.id()
                    ),
                    "make the two templates exclude each other by refuse, vocabulary or slots",
                ));
            }
        }
    }
    problems
}
