#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::affix::{common, fixed_after, fixed_before};
use super::*;
use crate::namespace::Namespace;

const GOALS: [&str; 10] = [
    "learn Spanish in 3 months",
    "run a half marathon",
    "save 5,000 dollars for a car",
    "grow tomatoes on a balcony",
    "quit smoking before summer",
    "write a novel about the sea",
    "play the guitar at home",
    "find a job in Berlin",
    "sleep eight hours a night",
    "cook for a family of five",
];

const PLANNER: &str = "You are the planning assistant of a habit tracker. Read the goal between the marks, split it \
     into milestones and tasks, and answer with JSON only.\nGoal: \"";
const PLANNER_END: &str = "\"\nRemember: no greeting, no summary, at most seven tasks.";

fn ns(name: &str) -> Namespace {
    Namespace::new(name).unwrap()
}

fn sample(system: &str, user: &str) -> Sample {
    Sample {
        system: system.to_owned(),
        user: user.to_owned(),
    }
}

fn observe_all<'a>(
    detector: &mut Detector,
    samples: impl IntoIterator<Item = &'a Sample>,
) -> Vec<Found> {
    samples
        .into_iter()
        .filter_map(|sample| detector.observe(&ns("a"), sample))
        .collect()
}

fn framed(before: &str, after: &str, goals: &[&str]) -> Vec<Sample> {
    goals
        .iter()
        .map(|goal| sample("", &format!("{before}{goal}{after}")))
        .collect()
}

#[test]
fn words_around_eight_goals_are_found_and_the_goal_is_whole() {
    let samples = framed(PLANNER, PLANNER_END, &GOALS);
    let mut detector = Detector::new(Limits::default());
    assert_eq!(
        observe_all(&mut detector, samples.iter().take(7)),
        [],
        "seven goals are too few"
    );
    let found = detector.observe(&ns("a"), samples.get(7).unwrap()).unwrap();
    assert_eq!(found.num_goals, 8);
    assert_eq!(
        (found.words.before.as_str(), found.words.after.as_str()),
        (PLANNER, PLANNER_END)
    );
    for (goal, sample) in GOALS.iter().zip(&samples) {
        assert_eq!(found.words.goal("", &sample.user), Some(*goal));
    }
    assert_eq!(detector.num_bytes(), 0, "explained samples are forgotten");
}

#[test]
fn a_goal_inside_the_system_text_is_found_too() {
    let samples: Vec<Sample> = GOALS
        .iter()
        .map(|goal| sample(&format!("{PLANNER}{goal}{PLANNER_END}"), "Begin."))
        .collect();
    let found = observe_all(&mut Detector::new(Limits::default()), &samples);
    let found = found.first().unwrap();
    assert_eq!(found.words.place, GoalPlace::System);
    assert_eq!(found.words.other, "Begin.");
    let first = samples.first().unwrap();
    assert_eq!(found.words.goal(&first.system, "Begin."), Some(GOALS[0]));
    assert_eq!(found.words.goal(&first.system, "End."), None);
}

#[test]
fn interleaved_applications_are_told_apart() {
    // One house style for all, as a company's prompts have, then each application's own words.
    let house =
        "You work for a company that cares about clear words. Be kind, be short, be exact. "
            .repeat(6);
    let own = |name: &str| {
        format!(
            "{house}{}Goal: ",
            format!("This is rule of {name}. ").repeat(50)
        )
    };
    let apps = [
        (own("habits"), "\nAnswer as JSON.".to_owned()),
        (own("travel"), "\nAnswer as a list.".to_owned()),
        (own("money"), String::new()),
    ];
    let samples: Vec<Sample> = GOALS
        .iter()
        .flat_map(|goal| {
            apps.iter()
                .map(move |(before, after)| sample("", &format!("{before}{goal}{after}")))
        })
        .collect();
    let found = observe_all(&mut Detector::new(Limits::default()), &samples);
    let found: HashSet<(String, String)> = found
        .into_iter()
        .map(|found| (found.words.before, found.words.after))
        .collect();
    assert_eq!(found, apps.into_iter().collect());
}

#[test]
fn a_start_that_all_goals_share_stays_in_the_goal() {
    let before = "Here is what one of our users wants to do; make a plan for it in five steps: ";
    let goals: Vec<String> = GOALS
        .iter()
        .map(|goal| format!("I want to {goal} today."))
        .collect();
    let goals: Vec<&str> = goals.iter().map(String::as_str).collect();
    let samples = framed(before, "\nThank you.", &goals);
    let found = observe_all(&mut Detector::new(Limits::default()), &samples);
    let words = &found.first().unwrap().words;
    assert_eq!(
        (words.before.as_str(), words.after.as_str()),
        (before, "\nThank you.")
    );
}

#[test]
fn requests_without_fixed_words_propose_nothing() {
    let nothing = |samples: &[Sample]| {
        assert_eq!(
            observe_all(&mut Detector::new(Limits::default()), samples),
            []
        );
    };
    nothing(&framed("", "", &GOALS));
    nothing(&framed("How do I ", "?", &GOALS));
    nothing(&framed(
        "I would like to know how I can ",
        " please",
        &GOALS,
    ));
    // The same request again and again, and goals that differ in nothing but case and space.
    nothing(&framed(PLANNER, PLANNER_END, &["run"; 20]));
    nothing(&framed(
        PLANNER,
        PLANNER_END,
        &[
            "run", "Run", " run", "RUN", "run ", " run ", "rUn", "ruN", "rUN",
        ],
    ));
    nothing(&framed(
        PLANNER,
        PLANNER_END,
        &["", " ", "  ", "   ", "\t", " \t", "\n", " \n", "\n "],
    ));
}

#[test]
fn a_second_varying_part_is_no_goal() {
    let samples: Vec<Sample> = GOALS
        .iter()
        .enumerate()
        .map(|(day, goal)| {
            let head =
                "You are a planning assistant and you answer in short sentences. It is now day ";
            sample(
                "",
                &format!("{head}{day}7 of this year. {PLANNER}{goal}{PLANNER_END}"),
            )
        })
        .collect();
    assert_eq!(
        observe_all(&mut Detector::new(Limits::default()), &samples),
        []
    );
}

#[test]
fn samples_of_two_namespaces_never_meet() {
    let samples = framed(PLANNER, PLANNER_END, &GOALS);
    let mut detector = Detector::new(Limits::default());
    for (index, sample) in samples.iter().enumerate() {
        let namespace = if index % 2 == 0 { ns("a") } else { ns("b") };
        assert_eq!(
            detector.observe(&namespace, sample),
            None,
            "five goals each"
        );
    }
}

#[test]
fn memory_is_bounded_in_each_namespace_and_in_all() {
    let limits = Limits {
        max_namespace_bytes: 10_000,
        max_bytes: 25_000,
        ..Limits::default()
    };
    let mut detector = Detector::new(limits);
    for namespace in 0..20 {
        for number in 0..50 {
            let text = format!("{number} {namespace} ").repeat(60);
            detector.observe(&ns(&format!("n{namespace}")), &sample("", &text));
            assert!(detector.num_bytes() <= 25_000, "{}", detector.num_bytes());
        }
    }
    assert!(detector.num_bytes() > 9_000, "recent samples are kept");
    let huge = "word ".repeat(10_000);
    assert_eq!(detector.observe(&ns("n19"), &sample("", &huge)), None);
}

#[test]
fn a_rare_application_is_found_under_the_noise_of_a_common_one() {
    let common = framed(
        "Translate the following sentence into the language of the person who reads it now: ",
        "",
        &GOALS,
    );
    let rare = framed(PLANNER, PLANNER_END, &GOALS);
    let mut detector = Detector::new(Limits {
        max_samples: 60,
        ..Limits::default()
    });
    let mut found = Vec::new();
    for (round, rare) in rare.iter().enumerate() {
        for number in 0..30 {
            let base = common.get(number % common.len()).unwrap();
            let noise = sample("", &format!("{} {round} {number}", base.user));
            detector.observe(&ns("a"), &noise);
        }
        found.extend(detector.observe(&ns("a"), rare));
    }
    assert!(
        found.iter().any(|found| found.words.before == PLANNER),
        "{found:?}"
    );
}

#[test]
fn a_cut_never_tears_a_token() {
    for (prefix, fixed) in [
        ("Goal: learn Spa", "Goal: "),
        ("Save 1,", "Save "),
        ("Meet at 3:", "Meet at "),
        ("Say: I don'", "Say: "),
        ("<goal>", "<goal>"),
        ("{\"goal\":\"", "{\"goal\":\""),
        ("Plan **", "Plan **"),
        ("plan. I want to ", "plan. I want to "),
        ("plan:\n\nI want to ", "plan:\n\n"),
        ("", ""),
    ] {
        assert_eq!(fixed_before(prefix), fixed, "{prefix:?}");
    }
    for (suffix, fixed) in [
        ("ish now.\nEnd.", "\nEnd."),
        (",000 words in all of the text", " words in all of the text"),
        ("\"}", "\"}"),
        ("'s end", " end"),
        ("</goal>", "</goal>"),
        ("ing", ""),
        ("", ""),
    ] {
        assert_eq!(fixed_after(suffix), fixed, "{suffix:?}");
    }
}

/// Letters, marks and characters of several bytes that share leading or trailing ones.
fn rough() -> impl Strategy<Value = String> {
    "[ab1 ,.:\"'\n\u{e9}\u{e8}\u{65e5}\u{65e6}\u{1f600}]{0,24}"
}

fn fixed() -> impl Strategy<Value = (String, String)> {
    let words = "([a-c]{1,4} ){0,16}";
    (words, words).prop_map(|(before, after)| (before + ": ", "\n".to_owned() + &after))
}

proptest! {
    #[test]
    fn what_two_texts_have_in_common_fits_into_both(a in rough(), b in rough()) {
        let (prefix, suffix) = common(&a, &b);
        prop_assert!(prefix + suffix <= a.len().min(b.len()));
        prop_assert_eq!(a.get(..prefix), b.get(..prefix));
        prop_assert!(a.get(..prefix).is_some());
        prop_assert_eq!(a.get(a.len() - suffix..), b.get(b.len() - suffix..));
        prop_assert!(a.get(a.len() - suffix..).is_some());
        prop_assert!(a.starts_with(fixed_before(&a)) && a.ends_with(fixed_after(&a)));
    }

    #[test]
    fn words_and_goal_make_up_the_text_again(
        before in rough(), after in rough(), other in rough(), goal in rough(), in_system in any::<bool>()
    ) {
        let place = if in_system { GoalPlace::System } else { GoalPlace::User };
        let words = FixedWords { place, other, before, after };
        let (system, user) = words.wrap(&goal);
        let taken = words.goal(&system, &user);
        prop_assert_eq!(taken, Some(goal.as_str()).filter(|goal| !goal.trim().is_empty()));
    }

    /// Whatever is proposed is common to all its samples, so that nothing in which goals differ is ever fixed.
    #[test]
    fn what_is_proposed_takes_every_text_apart_and_loses_nothing(
        (before, after) in fixed(), goals in vec(rough(), 1..24), noise in vec(rough(), 0..8), as_system in any::<bool>()
    ) {
        let limits = Limits { min_goals: 3, min_words: 2, ..Limits::default() };
        let mut detector = Detector::new(limits);
        let mut seen = Vec::new();
        for (index, goal) in goals.iter().enumerate() {
            let text = format!("{before}{goal}{after}");
            let shown = if as_system { sample(&text, "Go.") } else { sample("", &text) };
            seen.push(shown.clone());
            if let Some(noise) = noise.get(index) {
                seen.push(sample(noise, noise));
                let _ = detector.observe(&ns("a"), &sample(noise, noise));
            }
            let Some(found) = detector.observe(&ns("a"), &shown) else { continue };
            let taken: Vec<&str> = seen.iter().filter_map(|s| found.words.goal(&s.system, &s.user)).collect();
            let distinct: HashSet<String> = taken.iter().map(|goal| goal.trim().to_lowercase()).collect();
            prop_assert!(distinct.len() >= found.num_goals && found.num_goals >= limits.min_goals);
            prop_assert!(found.words.num_words() >= limits.min_words);
            for sample in &seen {
                if let Some(goal) = found.words.goal(&sample.system, &sample.user) {
                    let (varying, _) = found.words.place.split(&sample.system, &sample.user);
                    prop_assert_eq!(&format!("{}{goal}{}", found.words.before, found.words.after), varying);
                }
            }
        }
    }

    /// Goals that hold the fixed words themselves, all equal, empty or huge: no panic, and nothing too little is proposed.
    #[test]
    fn adversarial_samples_never_panic(parts in vec((0usize..6, 0usize..6), 1..40)) {
        let pieces = [PLANNER, PLANNER_END, "", " ", "goal ", "\u{1f600}\u{301}"];
        let mut detector = Detector::new(Limits { min_goals: 2, min_words: 1, max_sample_bytes: 4096, ..Limits::default() });
        for (a, b) in parts {
            let text = [pieces.get(a), pieces.get(b), pieces.get(a), pieces.get(a)].into_iter().flatten().copied().collect::<String>();
            if let Some(found) = detector.observe(&ns("a"), &sample(pieces.get(b).unwrap(), &text)) {
                prop_assert!(found.words.num_words() >= 1 && found.num_goals >= 2);
            }
        }
    }
}
