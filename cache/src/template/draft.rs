//! Drafts: template files begun from goals that no template answers.
//!
//! Slots, phrasings and vocabulary come from the goals; what a person must write is marked by [`UNWRITTEN`].
//! A draft is never served: its `draft = true` keeps it out of the library, and lint reports it until it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::noise;
use crate::goal::quantities::Value;
use crate::goal::{Goal, Kind, NameKind, Role, lexicon, words};

/// What a text that is still to be written begins with.
pub const UNWRITTEN: &str = "WRITE:";

/// The category of drafts until a person chooses one.
pub const CATEGORY: &str = "drafts";

/// Most phrasings of a draft.
const MAX_PHRASINGS: usize = 15;

/// Returns the text of a draft from goals that want the same; `name` are words for its id.
pub fn draft(name: &str, goals: &[&str]) -> String {
    let mut slots: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut phrasings: Vec<String> = Vec::new();
    let mut vocabulary: BTreeSet<String> = BTreeSet::new();
    for text in goals {
        let text = noise::without(text).unwrap_or_else(|| words::normalise(text));
        let goal = Goal::analyse(&text);
        let phrasing = slotted(&goal, &mut slots);
        if phrasings.len() < MAX_PHRASINGS {
            if !phrasing.is_empty() && !phrasings.contains(&phrasing) {
                phrasings.push(phrasing);
            }
        } else {
            vocabulary.extend(goal.content().map(|token| token.word.clone()));
        }
    }
    let known = Goal::analyse(&phrasings.join(" . "));
    vocabulary.retain(|word| {
        !lexicon::is_planning(word) && !known.tokens().iter().any(|token| token.word == *word)
    });
    file(&id(name), &phrasings, &vocabulary, &slots)
}

/// Returns the id a draft gets from some words.
pub fn id(name: &str) -> String {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
        .collect();
    if parts.is_empty() {
        "draft".to_owned()
    } else {
        parts.join("-")
    }
}

/// Puts slots in place of the values of a goal, and notes the slots.
fn slotted(goal: &Goal, slots: &mut BTreeMap<&'static str, String>) -> String {
    let mut places: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let tokens = goal.tokens();
    let mut put =
        |range: std::ops::Range<usize>, slot: &'static str, type_: String, after: &str| {
            let (Some(first), Some(last)) = (
                tokens.get(range.start),
                tokens.get(range.end.wrapping_sub(1)),
            ) else {
                return;
            };
            // One value a slot: a second one stays as it is, for a person to decide.
            if places
                .iter()
                .any(|(_, text)| text.contains(&format!("{{{slot}}}")))
            {
                return;
            }
            slots.entry(slot).or_insert(type_);
            places.push((
                first.range.start..last.range.end,
                format!("{{{slot}}}{after}"),
            ));
        };
    for quantity in goal.quantities().iter().filter(|q| q.per.is_none()) {
        let range = quantity.tokens.clone();
        match &quantity.value {
            Value::Duration { .. } => put(range, "duration", String::new(), ""),
            Value::Money { .. } => put(range, "amount", "type = \"money\"\n".to_owned(), ""),
            Value::Weight { .. } => put(range, "weight", "type = \"weight\"\n".to_owned(), ""),
            Value::Distance { .. } => {
                put(range, "distance", "type = \"distance\"\n".to_owned(), "")
            }
            Value::Count { value, .. } if value.fract() == 0.0 && range.len() == 1 => {
                let unit = tokens
                    .get(range.end)
                    .filter(|t| t.kind == Kind::Word && t.role == Role::Content);
                if let Some(unit) = unit {
                    put(
                        range,
                        "count",
                        format!("type = \"count\"\nunits = [{}]\n", quoted(&unit.word)),
                        "",
                    );
                }
            }
            _ => {}
        }
    }
    for name in goal.names() {
        match name.kind {
            NameKind::Language => put(
                name.tokens.clone(),
                "language",
                "type = \"language\"\n".to_owned(),
                "",
            ),
            NameKind::Instrument => put(
                name.tokens.clone(),
                "instrument",
                "type = \"instrument\"\n".to_owned(),
                "",
            ),
            NameKind::Programming | NameKind::Other => {}
        }
    }
    places.sort_by_key(|(range, _)| range.start);
    let (mut out, mut at) = (String::new(), 0);
    for (range, slot) in places {
        out.push_str(
            &goal
                .text()
                .get(at..range.start)
                .unwrap_or_default()
                .replace(['{', '}'], ""),
        );
        out.push_str(&slot);
        at = range.end;
    }
    out.push_str(
        &goal
            .text()
            .get(at..)
            .unwrap_or_default()
            .replace(['{', '}'], ""),
    );
    out.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches(['?', '!', '.'])
        .to_owned()
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn file(
    id: &str,
    phrasings: &[String],
    vocabulary: &BTreeSet<String>,
    slots: &BTreeMap<&'static str, String>,
) -> String {
    let mut out = String::new();
    let list = |words: &mut dyn Iterator<Item = &String>| -> String {
        words.map(|word| format!("  {},\n", quoted(word))).collect()
    };
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "# A draft from goals that no template answers. Write what begins with {UNWRITTEN}, choose a category and its\n\
         # folder, check phrasings and slots, then remove the line with draft. `tollfree templates lint` tells what is left.\n\
         draft = true\nid = \"{id}\"\ncategory = \"{CATEGORY}\"\nlanguage = \"en\"\nphrasings = [\n{}]\n",
        list(&mut phrasings.iter())
    );
    let _ = write!(
        out,
        "vocabulary = [\n{}]\nrefuse = []\n",
        list(&mut vocabulary.iter())
    );
    for (slot, body) in slots.iter().filter(|(slot, _)| **slot != "duration") {
        let _ = write!(out, "\n[slots.{slot}]\n{body}");
    }
    out.push_str("\n[slots.duration]\ntype = \"duration\"\ndefault = \"8 weeks\"\nmin = \"4 weeks\"\nmax = \"1 year\"\n");
    let _ = write!(
        out,
        "\n[plan]\ntitle = \"{UNWRITTEN} one line, with the slots\"\nsummary = \"{UNWRITTEN} what is reached, how, at what cost of time\"\n"
    );
    for (title, end) in [
        ("the first milestone", 0.3),
        ("the second milestone", 0.7),
        ("the goal", 1.0),
    ] {
        let _ = write!(
            out,
            "\n[[plan.milestones]]\ntitle = \"{UNWRITTEN} {title}\"\nend = {end:.1}\noutcome = \"{UNWRITTEN} how one knows that it is reached\"\n"
        );
        for repeat in ["once", "3 per week"] {
            let _ = write!(
                out,
                "\n[[plan.milestones.tasks]]\ntitle = \"{UNWRITTEN} what to do\"\ndetail = \"{UNWRITTEN} how, and when it is done\"\nminutes = 30\nrepeat = \"{repeat}\"\n"
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Library, Source, Template, lint};

    #[test]
    fn a_draft_holds_the_slots_of_its_goals_and_is_never_served()
    -> Result<(), Box<dyn std::error::Error>> {
        let goals = [
            "juggle 5 balls in 3 months",
            "My #resolution is to juggle 7 balls",
            "juggle {x} balls",
        ];
        let text = draft("juggle balls", &goals);
        assert!(
            text.contains("\"juggle {count} balls in {duration}\""),
            "{text}"
        );
        assert!(text.contains("units = [\"balls\"]"), "{text}");
        let template = Template::parse("d", &text).map_err(|p| format!("{p:?}\n{text}"))?;
        assert_eq!(
            (template.id(), template.category()),
            ("juggle-balls", CATEGORY)
        );
        let source = Source {
            name: "drafts/juggle-balls.toml".to_owned(),
            text: text.clone(),
        };
        let library =
            Library::from_sources(std::slice::from_ref(&source)).map_err(|p| format!("{p:?}"))?;
        assert_eq!(library.templates().len(), 0);
        let problems = lint::lint(&[source]);
        assert!(problems.iter().any(|p| p.field == "draft"), "{problems:?}");
        assert!(
            problems.iter().any(|p| p.field == "plan.title"),
            "{problems:?}"
        );
        // Without its mark it does not even load.
        let unmarked = text.replace("draft = true\n", "");
        assert!(Template::parse("d", &unmarked).is_err());
        Ok(())
    }

    proptest::proptest! {
        #[test]
        fn any_goals_make_a_file_that_parses(goals in proptest::collection::vec(".{0,40}", 0..5), name in ".{0,12}") {
            let goals: Vec<&str> = goals.iter().map(String::as_str).chain(["learn to draw"]).collect();
            // A value that only some goals state needs a default, which a person must choose.
            let fields: Vec<String> = Template::parse("d", &draft(&name, &goals))
                .err()
                .unwrap_or_default()
                .into_iter()
                .map(|problem| problem.to_string())
                .collect();
            proptest::prop_assert!(fields.is_empty(), "{fields:?}");
        }
    }
}
