use super::{FIXTURES, sources};
use crate::template::{Source, library, lint};

/// Lints the fixtures with one text replaced in the first that holds it.
fn broken(from: &str, to: &str) -> Vec<String> {
    let mut sources = sources();
    let Some(source) = sources.iter_mut().find(|source| source.text.contains(from)) else {
        unreachable!("no fixture holds `{from}`")
    };
    source.text = source.text.replacen(from, to, 1);
    lint::lint(&sources)
        .iter()
        .map(|problem| {
            format!(
                "{} {}: {}",
                problem.template, problem.field, problem.message
            )
        })
        .collect()
}

#[test]
fn good_templates_have_no_problems() {
    assert_eq!(lint::lint(&sources()), []);
}

#[test]
fn the_templates_compiled_in_have_no_problems() {
    assert_eq!(lint::lint(&library::builtin_sources()), []);
}

#[test]
fn each_kind_of_mistake_is_found() {
    for (from, to, expected) in [
        (
            "\"learn {language}\",",
            "\"teach me {language} cooking\",",
            "speak phrasings[0]: \"teach me Spanish cooking\" is refused",
        ),
        (
            "  \"become fluent in {language}\",\n",
            "",
            "speak phrasings: there are 7",
        ),
        (
            "title = \"Talk\"\nend = 1.0",
            "title = \"Talk\"\nend = 0.95",
            "speak plan.milestones: the last one ends at 0.95",
        ),
        (
            "minutes = 20\nrepeat = \"daily\"",
            "minutes = 300\nrepeat = \"daily\"",
            "speak plan.milestones[0].tasks[0].minutes: 300 minutes daily",
        ),
        (
            "You introduce yourself.",
            "{{ '{{' }}",
            "speak plan.milestones[0].outcome: holds `{{`",
        ),
        (
            "You introduce yourself.",
            "{% if duration.weeks > 5 %}You greet.{% endif %}",
            "speak plan.milestones[0].outcome: is empty",
        ),
        (
            "You introduce yourself.",
            "{{ language.name }}",
            "speak plan: does not render",
        ),
        (
            "id = \"race\"",
            "id = \"races\"",
            "fitness/race.toml id: the file belongs at fitness/races.toml",
        ),
        (
            "require = \"duration.weeks >= race.weeks\"",
            "require = \"duration.weeks >= race.months\"",
            "race rules: does not compute",
        ),
    ] {
        let problems = broken(from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{expected}\n{problems:#?}"
        );
    }
}

#[test]
fn two_templates_that_answer_one_goal_are_reported() {
    let mut sources = sources();
    let copy = FIXTURES
        .first()
        .map(|(_, text)| text.replace("id = \"speak\"", "id = \"talk\""))
        .unwrap_or_default();
    sources.push(Source {
        name: "languages/talk.toml".to_owned(),
        text: copy,
    });
    let problems = lint::lint(&sources);
    assert!(
        problems
            .iter()
            .any(|p| p.message.contains("is answered by `talk` as well")),
        "{problems:#?}"
    );
}
