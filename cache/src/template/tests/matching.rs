use super::{embed, fit, library, vectors};
use crate::goal::Goal;
use crate::template::{Library, Refusal, Shape, TemplateOutcome};

#[test]
fn slots_are_read_from_reworded_goals() {
    let library = library();
    for (id, goal, expected) in [
        (
            "speak",
            "I want to learn conversational Spanish in 3 months",
            "duration=3 months language=Spanish level=beginner",
        ),
        (
            "speak",
            "How can I become fluent in japanese within a year?",
            "duration=1 year language=Japanese level=beginner",
        ),
        (
            "speak",
            "learn to speak the French language as an intermediate",
            "duration=3 months language=French level=intermediate",
        ),
        (
            "speak",
            "give me a twelve-week plan to learn Thai",
            "duration=12 weeks language=Thai level=beginner",
        ),
        (
            "speak",
            "learn Greek in less than half a year",
            "duration=6 months language=Greek level=beginner",
        ),
        ("race", "run a 5 km race", "duration=14 weeks race=5K"),
        (
            "race",
            "train for a half-marathon in 4 months",
            "duration=4 months race=half marathon",
        ),
        (
            "save",
            "save $2,000 in 6 months",
            "amount=$2,000 duration=6 months goal_count=1",
        ),
        (
            "save",
            "save 5k",
            "amount=$5,000 duration=1 year goal_count=1",
        ),
        (
            "save",
            "put \u{20ac}500 aside",
            "amount=\u{20ac}500 duration=1 year goal_count=1",
        ),
        ("save", "save up $900 for three nice trips", "nothing"),
        (
            "save",
            "save up $900 for three trips",
            "amount=$900 duration=1 year goal_count=3",
        ),
    ] {
        let found = fit(&library, id, goal).map(|slots| slots.join(" "));
        if expected == "nothing" {
            assert!(found.is_err(), "{goal}: {found:?}");
        } else {
            assert_eq!(found.as_deref(), Ok(expected), "{goal}");
        }
    }
}

#[test]
fn goals_that_are_not_wholly_explained_are_refused() {
    let library = library();
    for (id, goal, refusal) in [
        ("speak", "learn Spanish cooking", "refused_word"),
        ("speak", "learn Spanish poetry", "unexplained_word"),
        ("speak", "teaching Spanish", "refused_word"),
        ("speak", "learn a language", "missing_slot"),
        ("speak", "learn Spanish and French", "ambiguous"),
        ("speak", "learn Spanish in 1 week", "out_of_range"),
        ("speak", "learn Spanish in 20 lessons", "unexplained_value"),
        (
            "speak",
            "learn Spanish 20 minutes a day",
            "unexplained_value",
        ),
        (
            "speak",
            "learn Spanish in 3 months or 6 months",
            "ambiguous",
        ),
        ("speak", "don't learn Spanish", "negated"),
        ("speak", "why learn Spanish", "intent"),
        ("speak", "Can I learn Spanish in 3 months?", "intent"),
        ("speak", "learn Spanish tonight", "time_bound"),
        (
            "speak",
            "aprender el idioma Spanish en tres meses",
            "language",
        ),
        ("speak", "everyday Spanish", "no_phrasing"),
        (
            "speak",
            "learn Spanish before everyone else",
            "unexplained_word",
        ),
        ("race", "run a half marathon in 8 weeks", "rule"),
        ("race", "run a 10K", "missing_slot"),
        ("race", "marathon", "missing_slot"),
        ("save", "save $20", "out_of_range"),
        ("save", "save $500 a month", "missing_slot"),
        ("save", "save 20% of my pay", "missing_slot"),
    ] {
        assert_eq!(fit(&library, id, goal), Err(refusal.to_owned()), "{goal}");
    }
}

#[test]
fn goals_of_others_and_orders_are_refused() {
    let library = library();
    for (goal, refusal) in [
        ("help her learn Spanish", "unexplained_word"),
        ("help them learn Spanish", "unexplained_word"),
        ("how can he learn Spanish", "unexplained_word"),
        ("help someone learn Spanish", "unexplained_word"),
        ("please learn Spanish", "intent"),
        ("learn Spanish again", "unexplained_word"),
        ("learn more Spanish", "unexplained_word"),
    ] {
        assert_eq!(
            fit(&library, "speak", goal),
            Err(refusal.to_owned()),
            "{goal}"
        );
    }
    for goal in [
        "please help me learn Spanish",
        "learn Spanish please",
        "how can someone learn Spanish",
        "how do people learn to speak their Spanish",
    ] {
        assert!(fit(&library, "speak", goal).is_ok(), "{goal}");
    }
}

#[test]
fn a_phrasing_needs_its_strong_words() -> Result<(), Vec<crate::template::Problem>> {
    let text = include_str!("../fixtures/languages/speak.toml");
    let phrasings = text.find("phrasings = [").zip(text.find("]\n"));
    let Some((start, end)) = phrasings else {
        unreachable!("the fixture has phrasings")
    };
    let mut text = text.to_owned();
    text.replace_range(
        start..end,
        "phrasings = [\"speak more {language}\", \"practise {language} without a teacher\"",
    );
    let source = crate::template::Source {
        name: "languages/speak.toml".to_owned(),
        text,
    };
    let library = Library::from_sources(&[source])?;
    for (goal, answered) in [
        ("speak more Spanish", true),
        ("speak Spanish", false),
        ("practise Spanish without a teacher", true),
        ("practise Spanish with a teacher", false),
    ] {
        assert_eq!(fit(&library, "speak", goal).is_ok(), answered, "{goal}");
    }
    Ok(())
}

#[test]
fn the_noise_around_a_goal_is_no_word_of_it() {
    let library = library();
    for goal in [
        "RT @ann: My #NewYearsResolution is to learn Spanish :)",
        "My to learn Spanish in 2015",
        "2015: learn Spanish #newyear _???",
        "This year I want to learn Spanish",
    ] {
        assert_eq!(
            fit(&library, "speak", goal)
                .map(|slots| slots.join(" "))
                .as_deref(),
            Ok("duration=3 months language=Spanish level=beginner"),
            "{goal}"
        );
    }
    assert!(fit(&library, "speak", "help @bob learn Spanish").is_err());
}

#[test]
fn big_amounts_keep_every_digit() {
    let library = library();
    let read = fit(&library, "save", "save $49,999.99").map(|slots| slots.join(" "));
    assert!(
        read.as_deref()
            .is_ok_and(|read| read.contains("$49,999.99")),
        "{read:?}"
    );
}

#[test]
fn a_hit_is_rendered_with_the_slots_of_the_goal() {
    let library = library();
    let vectors = vectors(&library);
    let goal = Goal::analyse("I want to learn conversational Spanish in 6 weeks");
    let outcome = library.answer(
        &goal,
        &Shape::markdown(),
        &embed(&library.mask(&goal)),
        &vectors,
        0.5,
    );
    let TemplateOutcome::Hit(hit) = outcome else {
        unreachable!("{outcome:?}")
    };
    assert_eq!(hit.template_id, "speak");
    assert!(hit.similarity > 0.9, "{}", hit.similarity);
    assert_eq!(
        hit.slots.get("language").map(String::as_str),
        Some("Spanish")
    );
    assert!(
        hit.rendered.starts_with("# Spanish in 6 weeks\n"),
        "{}",
        hit.rendered
    );
    assert_eq!(hit.plan.days, 42);
}

#[test]
fn a_miss_says_why_each_candidate_was_refused() {
    let library = library();
    let vectors = vectors(&library);
    let answer = |text: &str, min: f32| {
        let goal = Goal::analyse(text);
        match library.answer(
            &goal,
            &Shape::markdown(),
            &embed(&library.mask(&goal)),
            &vectors,
            min,
        ) {
            TemplateOutcome::Hit(hit) => unreachable!("{text}: {hit:?}"),
            TemplateOutcome::Miss { candidates } => candidates,
        }
    };
    let candidates = answer("learn Spanish poetry", 0.5);
    let first = candidates.first();
    assert_eq!(
        first.map(|c| (c.id.as_str(), c.refusal, c.detail.as_str())),
        Some(("speak", Refusal::UnexplainedWord, "poetry"))
    );
    assert!(
        candidates
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.similarity >= b.similarity))
    );
    // The threshold is asked before anything else.
    assert!(
        answer("learn Spanish", 1.1)
            .iter()
            .all(|candidate| candidate.refusal == Refusal::Similarity)
    );
}

#[test]
fn vectors_of_another_model_make_a_miss() {
    let library = library();
    let goal = Goal::analyse("learn Spanish");
    let outcome = library.answer(
        &goal,
        &Shape::markdown(),
        &[1.0, 0.0],
        &vectors(&library),
        0.0,
    );
    assert!(matches!(outcome, TemplateOutcome::Miss { candidates } if candidates.is_empty()));
}

proptest::proptest! {
    #[test]
    fn filled_phrasings_give_their_values_back(
        language in proptest::sample::select(vec!["Spanish", "Swiss German", "Polish", "Mandarin Chinese", "Zulu"]),
        weeks in 3u32..104,
        template in 0usize..2,
    ) {
        let library = library();
        let phrasing = ["learn {language} in {duration}", "a {duration} plan to learn {language}"][template];
        let text = phrasing.replace("{language}", language).replace("{duration}", &format!("{weeks} weeks"));
        let expected = vec![format!("duration={weeks} weeks"), format!("language={language}"), "level=beginner".to_owned()];
        proptest::prop_assert_eq!(fit(&library, "speak", &text), Ok(expected));
    }

    #[test]
    fn no_goal_breaks_the_matching(text in "\\PC{0,120}") {
        let library = library();
        let goal = Goal::analyse(&text);
        for template in 0..library.templates().len() {
            let _ = library.fit(template, &goal);
        }
    }
}
