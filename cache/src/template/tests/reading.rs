//! What a goal may hold beside itself, and which of several templates may answer it.

use super::{embed, vectors};
use crate::goal::Goal;
use crate::template::{Library, Problem, Shape, Source, TemplateOutcome};

/// A template of one milestone with some phrasings and slots.
fn source(id: &str, phrasings: &[&str], vocabulary: &[&str], slots: &str) -> Source {
    refusing(id, phrasings, vocabulary, &[], slots)
}

/// As [`source`], with words that it refuses.
fn refusing(
    id: &str,
    phrasings: &[&str],
    vocabulary: &[&str],
    refuse: &[&str],
    slots: &str,
) -> Source {
    let text = format!(
        r#"
id = "{id}"
category = "tests"
language = "en"
phrasings = {phrasings:?}
vocabulary = {vocabulary:?}
refuse = {refuse:?}
{slots}
[slots.duration]
type = "duration"
default = "4 weeks"
min = "1 week"
max = "1 year"
[plan]
title = "{id}"
summary = "A plan of {{{{ duration }}}}."
[[plan.milestones]]
title = "All"
end = 1.0
outcome = "Done."
[[plan.milestones.tasks]]
title = "Do it"
detail = "Until it is done."
minutes = 10
repeat = "daily"
"#
    );
    Source {
        name: format!("tests/{id}.toml"),
        text,
    }
}

const HABIT: &str = r#"[slots.habit]
type = "text"
noun = "bad habit"
example = "cracking my knuckles"
max_words = 4
ending = "ing"
refuse = ["eating"]
"#;

const ROLE: &str = r#"[slots.role]
type = "text"
noun = "role"
example = "neighbour"
max_words = 1
"#;

fn library() -> Result<Library, Vec<Problem>> {
    Library::from_sources(&[
        source(
            "any-habit",
            &["stop {habit}", "stop {habit} all day"],
            &[],
            HABIT,
        ),
        source(
            "decide",
            &["make better decisions", "stop making bad decisions"],
            &[],
            "",
        ),
        source("goals", &["achieve my goals"], &[], ""),
        source(
            "move",
            &["exercise more", "exercise more at home"],
            &["daily"],
            "",
        ),
        source("self", &["love myself"], &[], ""),
        source(
            "smoking",
            &["quit smoking", "stop smoking cigarettes"],
            &[],
            "",
        ),
    ])
}

fn answered_by(library: &Library, text: &str) -> Option<String> {
    let goal = Goal::analyse(text);
    let masked = embed(&library.mask(&goal));
    match library.answer(&goal, &Shape::markdown(), &masked, &vectors(library), 0.1) {
        TemplateOutcome::Hit(hit) => Some(hit.template_id),
        TemplateOutcome::Miss { .. } => None,
    }
}

#[test]
fn a_goal_is_read_past_what_is_said_beside_it() -> Result<(), Vec<Problem>> {
    let library = library()?;
    for (text, id) in [
        ("Quit smoking. Wish me luck!", Some("smoking")),
        (
            "My resolution: quit smoking (again) #smokefree",
            Some("smoking"),
        ),
        ("exercise more because I sit all day", Some("move")),
        (
            "My goal is to make an effort to exercise more",
            Some("move"),
        ),
        ("I really just want to always exercise more", Some("move")),
        ("#goals2015 Exercise more! I love my bike.", Some("move")),
        // What may change the plan is no remark.
        ("Exercise more. I am diabetic. #goals", None),
        ("Exercise more because I am 70 years old", None),
        ("My resolution is to exercise more. Not!", None),
        ("Exercise more. Learn Spanish.", None),
        ("exercise more #afterbaby", None),
        ("exercise more again", None),
    ] {
        assert_eq!(answered_by(&library, text).as_deref(), id, "{text}");
    }
    Ok(())
}

#[test]
fn a_free_text_answers_only_where_no_template_says_it_itself() -> Result<(), Vec<Problem>> {
    let library = library()?;
    for (text, id) in [
        ("stop smoking", Some("smoking")),
        ("stop chewing on my pen", Some("any-habit")),
        ("stop chewing on my pen all day", Some("any-habit")),
        // No such ending, a refused word, another person, the one who answers, a joined wish.
        ("stop the music", None),
        ("stop eating", None),
        ("stop hitting him", None),
        ("stop calling you", None),
        ("stop biting my nails and learn Spanish", None),
    ] {
        assert_eq!(answered_by(&library, text).as_deref(), id, "{text}");
    }
    Ok(())
}

#[test]
fn words_that_turn_a_goal_round_must_stand_together_in_a_phrasing() -> Result<(), Vec<Problem>> {
    let library = library()?;
    for (text, id) in [
        ("make better decisions", Some("decide")),
        ("stop making bad decisions", Some("decide")),
        ("make better bad decisions", None),
        ("achieve my goals", Some("goals")),
        ("help me reach them", None),
        ("love myself", Some("self")),
        ("love", None),
    ] {
        assert_eq!(answered_by(&library, text).as_deref(), id, "{text}");
    }
    Ok(())
}

#[test]
fn what_fits_is_found_behind_any_number_of_nearer_templates() -> Result<(), Vec<Problem>> {
    let mut sources: Vec<Source> = (0..20)
        .map(|number| {
            let phrasing = format!("paint my garden fence number{number}");
            source(&format!("near-{number}"), &[&phrasing], &[], "")
        })
        .collect();
    sources.push(source(
        "far",
        &["paint the shed"],
        &["my", "garden", "fence"],
        "",
    ));
    let library = Library::from_sources(&sources)?;
    assert_eq!(
        answered_by(&library, "paint my garden shed fence").as_deref(),
        Some("far")
    );
    Ok(())
}

#[test]
fn a_refused_word_refuses_wherever_it_stands_in_the_whole_goal() -> Result<(), Vec<Problem>> {
    let punctual = refusing(
        "punctual",
        &["be early", "be on time"],
        &["always"],
        &["starting", "boss", "plan", "party"],
        "",
    );
    let library = Library::from_sources(&[punctual])?;
    for (text, answered) in [
        ("I want to be early", true),
        ("My goal is to always be early", true),
        // Read as planning, as a remark, as a reason, as a label.
        ("starting to be early", false),
        ("plan to be early", false),
        ("Be on time. My boss is right!", false),
        ("be on time because my boss asked", false),
        ("be on time #party", false),
        ("Be on time. Wish me luck!", true),
    ] {
        assert_eq!(answered_by(&library, text).is_some(), answered, "{text}");
    }
    Ok(())
}

#[test]
fn a_verb_of_all_work_needs_what_stands_with_it() -> Result<(), Vec<Problem>> {
    let library = Library::from_sources(&[
        source("simple", &["keep it simple"], &["going", "daily"], ""),
        source("forgive", &["move on"], &["move"], ""),
        source("planner", &["plan more"], &["learn"], ""),
        source("morning", &["start my day better"], &["me"], ""),
        source("out", &["come out"], &["me"], ""),
        source("role", &["become a good {role}"], &["choose"], ROLE),
    ])?;
    for (text, id) in [
        ("keep it simple", Some("simple")),
        ("keep going", None),
        ("move on", Some("forgive")),
        ("move", None),
        ("plan more", Some("planner")),
        ("learn more", None),
        ("start my day better", Some("morning")),
        ("be a better me", None),
        ("come out", Some("out")),
        ("that will be me out there", None),
        ("become a good gardener", Some("role")),
        ("choose a good gardener", None),
    ] {
        assert_eq!(answered_by(&library, text).as_deref(), id, "{text}");
    }
    Ok(())
}

#[test]
fn a_second_wish_is_no_remark() -> Result<(), Vec<Problem>> {
    let library = library()?;
    for (text, id) in [
        ("Exercise more. Be happy.", None),
        ("Exercise more so I can stay here. Oh and abs.", None),
        ("New year. Exercise more. New job.", None),
        ("Exercise more. Stay tuned!", Some("move")),
    ] {
        assert_eq!(answered_by(&library, text).as_deref(), id, "{text}");
    }
    Ok(())
}
