//! Every kind of broken file is reported with its field and a remedy.

use super::Template;

const SPEAK: &str = include_str!("../fixtures/languages/speak.toml");
const RACE: &str = include_str!("../fixtures/fitness/race.toml");
const SAVE: &str = include_str!("../fixtures/money/save.toml");

/// Breaks a good file by replacing a text, and returns the problems as "field: message".
fn broken(text: &str, from: &str, to: &str) -> Vec<String> {
    assert!(text.contains(from), "the fixture no longer holds `{from}`");
    match Template::parse("file.toml", &text.replacen(from, to, 1)) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            assert!(problems.iter().all(|problem| !problem.remedy.is_empty()));
            problems
                .iter()
                .map(|problem| format!("{}: {}", problem.field, problem.message))
                .collect()
        }
    }
}

#[test]
fn the_fixtures_are_good() {
    for text in [SPEAK, RACE, SAVE] {
        assert!(Template::parse("file.toml", text).is_ok());
    }
}

#[test]
fn each_kind_of_mistake_is_reported_at_its_field() {
    for (text, from, to, expected) in [
        (
            SPEAK,
            "id = \"speak\"",
            "id = \"Speak It\"",
            "id: `Speak It` is no name",
        ),
        (
            SPEAK,
            "language = \"en\"",
            "language = \"english\"",
            "language: `english` is no language code",
        ),
        (
            SPEAK,
            "refuse = [",
            "refuses = [",
            "refuses: unknown field `refuses`",
        ),
        (
            SPEAK,
            "type = \"language\"",
            "type = \"tongue\"",
            "slots.language.type: unknown variant `tongue`",
        ),
        (
            SPEAK,
            "type = \"language\"",
            "type = \"language\"\nmin = 3",
            "slots.language.min: means nothing for a slot of this type",
        ),
        (
            SPEAK,
            "\"learn {language}\",",
            "\"learn {tongue}\",",
            "phrasings[0]: there is no slot `tongue`",
        ),
        (
            SPEAK,
            "\"learn {language}\",",
            "\"learn it\",",
            "phrasings[0]: leaves out the slot `language`, which has no default",
        ),
        (
            SPEAK,
            "default = \"3 months\"",
            "default = \"3 metres\"",
            "slots.duration.default: `3 metres` is no value of this slot",
        ),
        (
            SPEAK,
            "default = \"3 months\"",
            "default = \"3 years\"",
            "slots.duration.default: `3 years` is out of the slot's range",
        ),
        (
            SPEAK,
            "min = \"3 weeks\"",
            "min = \"3 kg\"",
            "slots.duration.min: `3 kg` is no value of this type",
        ),
        (
            SPEAK,
            "min = \"3 weeks\"",
            "min = \"5 years\"",
            "slots.duration.min: is greater than max",
        ),
        (
            SPEAK,
            "default = \"beginner\"",
            "default = \"novice\"",
            "slots.level.default: `novice` is no value of this slot",
        ),
        (
            SPEAK,
            "[slots.duration]",
            "[slots.time]",
            "slots: the plan has no duration",
        ),
        (
            SPEAK,
            "{{ language }} in",
            "{{ tongue }} in",
            "plan.title: there is no slot `tongue`",
        ),
        (
            SPEAK,
            "{{ language }} in",
            "{{ language in",
            "plan.title: does not compile",
        ),
        (
            SPEAK,
            "end = 0.6",
            "end = 0.2",
            "plan.milestones[1].end: 0.2 does not come after 0.25 and up to 1.0",
        ),
        (
            SPEAK,
            "end = 1.0",
            "end = 1.5",
            "plan.milestones[2].end: 1.5 does not come after 0.6 and up to 1.0",
        ),
        (
            SPEAK,
            "minutes = 20",
            "minutes = 0",
            "plan.milestones[0].tasks[0].minutes: 0 minutes is no session",
        ),
        (
            SPEAK,
            "repeat = \"3 per week\"",
            "repeat = \"9 per week\"",
            "plan.milestones[1].tasks[0].repeat: `9 per week` is no repetition",
        ),
        (
            SPEAK,
            "start = 0.9",
            "start = 1.0",
            "plan.milestones[2].tasks[1].start: 1 is not before the milestone's end 1",
        ),
        (
            SPEAK,
            "when = \"duration.weeks >= 6\"",
            "when = \"duration.weeks >=\"",
            "plan.milestones[1].tasks[0].when: does not compile",
        ),
        (
            SPEAK,
            "detail = \"Something easy.\"",
            "detail = \" \"",
            "plan.milestones[1].tasks[1].detail: is empty",
        ),
        (
            RACE,
            "noun = \"race\"\n",
            "",
            "slots.race.noun: the choice has no noun",
        ),
        (
            RACE,
            "name = \"5K\"",
            "title = \"5K\"",
            "slots.race.values[0].name: is missing or no text",
        ),
        (
            RACE,
            "\"21k\"",
            "\"5 km\"",
            "slots.race.values[1]: shares an alias with `5K`",
        ),
        (
            RACE,
            "weeks = 6",
            "weeks = [6]",
            "slots.race.values[0].weeks: is no text, number or truth value",
        ),
        (
            RACE,
            "require = \"duration.weeks",
            "require = \"time.weeks",
            "rules[0].require: there is no slot `time`",
        ),
        (
            SAVE,
            "units = [\"trip\", \"trips\"]",
            "",
            "slots.goal_count.units: a count needs its unit",
        ),
        (
            SAVE,
            "max = 12",
            "max = \"12 trips\"",
            "slots.goal_count.max: `12 trips` is no value of this type",
        ),
    ] {
        let problems = broken(text, from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{expected}\n found: {problems:#?}"
        );
    }
}

#[test]
fn all_problems_of_a_file_are_found_at_once() {
    let text = SPEAK
        .replace("minutes = 20", "minutes = 0")
        .replace("end = 0.6", "end = 0.1")
        .replace("id = \"speak\"", "id = \"\"");
    let problems = Template::parse("file.toml", &text)
        .err()
        .unwrap_or_default();
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn broken_toml_is_reported_with_its_line() {
    let problems = Template::parse("file.toml", "id = \"x\"\ncategory = ")
        .err()
        .unwrap_or_default();
    assert_eq!(
        problems.first().map(|problem| problem.field.as_str()),
        Some("line 2, column 12")
    );
}

proptest::proptest! {
    #[test]
    fn any_text_parses_or_is_reported(text in "\\PC{0,300}") {
        let _ = Template::parse("file.toml", &text);
    }

    #[test]
    fn a_good_file_with_any_damage_parses_or_is_reported(at in 0usize..3000, damage in "[\\PC\\n]{0,6}") {
        let at = (0..=at.min(SPEAK.len())).rev().find(|at| SPEAK.is_char_boundary(*at)).unwrap_or(0);
        let mut text = SPEAK.to_owned();
        text.insert_str(at, &damage);
        let _ = Template::parse("file.toml", &text);
    }
}
