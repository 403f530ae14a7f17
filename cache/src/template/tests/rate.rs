//! Rates: how they are read, compared, printed, and worked into a plan.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fit;
use crate::goal::Goal;
use crate::goal::quantities::{Currency, LengthUnit, TimeUnit, WeightUnit};
use crate::template::slots::{Measure, Rate, RateUnit, Slot, SlotKind, SlotValue, extract, rate};
use crate::template::{Library, Problem, Source, lint};

const PRACTISE: &str = r#"
id = "practise"
category = "tests"
language = "en"
phrasings = [
  "practise the piano {practice}", "practise the piano", "play the piano {practice}", "piano {practice}",
  "practise the piano {visits}", "practise the piano {practice} {visits}", "practise piano for {duration}",
  "piano practice",
]
vocabulary = ["practice", "session"]
[slots.practice]
type = "rate"
units = ["minutes"]
default = "20 minutes a day"
min = "5 minutes a day"
max = "2 hours a day"
[slots.visits]
type = "rate"
units = ["times", "sessions"]
default = "5 times a week"
min = "once a week"
max = "7 times a week"
[slots.duration]
type = "duration"
default = "8 weeks"
min = "2 weeks"
max = "1 year"
[[rules]]
require = "practice.a_day * visits.a_week <= 600"
reason = "more than ten hours a week hurts the hands"
[plan]
title = "Piano: {{ practice }}, {{ visits }}"
summary = "{{ (practice.a_day * visits.a_week * duration.weeks / 60) | round }} hours in {{ duration }}."
[[plan.milestones]]
title = "Ease"
end = 0.3
outcome = "{{ practice.of(0.5) }} of scales."
[[plan.milestones.tasks]]
title = "Sit"
detail = "Upright."
minutes = 10
repeat = "once"
[[plan.milestones.tasks]]
title = "Play"
detail = "Slowly."
minutes = "{{ practice.a_day / 2 }}"
repeat = "{{ visits.a_week | round }} per week"
[[plan.milestones]]
title = "Pieces"
end = 0.7
outcome = "One piece."
[[plan.milestones.tasks]]
title = "Play"
detail = "Hands apart."
minutes = "{{ practice.a_day }}"
repeat = "{{ visits.a_week | round }} per week"
[[plan.milestones.tasks]]
title = "Listen"
detail = "To a master."
minutes = 10
repeat = "weekly"
[[plan.milestones]]
title = "Friends"
end = 1.0
outcome = "Three pieces."
[[plan.milestones.tasks]]
title = "Play to a friend"
detail = "All three."
minutes = 30
repeat = "once"
[[plan.milestones.tasks]]
title = "Record"
detail = "And listen."
minutes = 20
repeat = "weekly"
"#;

fn source(text: String) -> Source {
    Source {
        name: "tests/practise.toml".to_owned(),
        text,
    }
}

fn library() -> Result<Library, Vec<Problem>> {
    Library::from_sources(&[source(PRACTISE.to_owned())])
}

/// Reads the one rate of a goal.
fn read(measure: &Measure, goal: &str) -> Option<String> {
    let bound = |amount: f64| Rate {
        amount,
        unit: RateUnit::Times,
        per: TimeUnit::Year,
    };
    let kind = SlotKind::Rate {
        measure: measure.clone(),
        min: bound(0.0),
        max: bound(1e15),
    };
    let slot = Slot {
        kind,
        default: None,
    };
    let slots = BTreeMap::from([("it".to_owned(), slot)]);
    let extraction = extract(&slots, &[], &Goal::analyse(goal)).ok()?;
    extraction.slots.get("it").map(ToString::to_string)
}

fn pages() -> Measure {
    Measure::Things {
        units: vec![vec!["page".to_owned()]],
        one: "page".to_owned(),
        many: "pages".to_owned(),
    }
}

#[test]
fn rates_are_read_as_people_write_them() {
    let times = Measure::Times(vec![vec!["session".to_owned()]]);
    for (measure, goal, rate) in [
        (
            &Measure::Time,
            "read 30 minutes a day",
            Some("30 minutes a day"),
        ),
        (
            &Measure::Time,
            "read for half an hour every night",
            Some("0.5 hours a day"),
        ),
        (
            &Measure::Time,
            "30 minutes of exercise a day",
            Some("30 minutes a day"),
        ),
        (&Measure::Time, "read 20 min/day", Some("20 minutes a day")),
        (
            &Measure::Time,
            "a daily 10 minute walk",
            Some("10 minutes a day"),
        ),
        (
            &Measure::Time,
            "study two hours each evening",
            Some("2 hours a day"),
        ),
        (&Measure::Time, "read for 30 minutes", None),
        (&Measure::Time, "run for 30 minutes in 8 weeks", None),
        (&Measure::Time, "10 minutes a day or 20 minutes a day", None),
        (&times, "run twice a week", Some("twice a week")),
        (&times, "run three times per week", Some("3 times a week")),
        (&times, "run 5 days a week", Some("5 times a week")),
        (&times, "4 gym sessions a week", Some("4 times a week")),
        (&times, "go every day", Some("once a day")),
        (&times, "go every other day", Some("every other day")),
        (&times, "go once a month", Some("once a month")),
        (&times, "run for 5 days", None),
        (&times, "run for 10 days every day", Some("once a day")),
        (&pages(), "read 10 pages a night", Some("10 pages a day")),
        (&pages(), "read one page a day", Some("1 page a day")),
        (&pages(), "read 300 pages", None),
        (&pages(), "read 300 pages in a week", None),
        (&Measure::Money, "save $100 a month", Some("$100 a month")),
        (
            &Measure::Money,
            "save 50 euros every week",
            Some("\u{20ac}50 a week"),
        ),
        (&Measure::Money, "save $100 a quarter", None),
        (
            &Measure::Distance,
            "run 20 miles a week",
            Some("20 mi a week"),
        ),
        (
            &Measure::Weight,
            "lose 2 pounds a week",
            Some("2 lb a week"),
        ),
    ] {
        assert_eq!(read(measure, goal).as_deref(), rate, "{goal}");
    }
}

#[test]
fn a_rate_decides_whether_and_how_a_plan_answers() -> Result<(), Vec<Problem>> {
    let library = library()?;
    let answer = |goal: &str| fit(&library, "practise", goal).map(|slots| slots.join(", "));
    for (goal, expected) in [
        (
            "practise the piano 30 minutes a day",
            Ok("duration=8 weeks, practice=30 minutes a day, visits=5 times a week"),
        ),
        (
            "practise the piano 1 hour a day, 3 days a week, for 3 months",
            Ok("duration=3 months, practice=1 hour a day, visits=3 times a week"),
        ),
        (
            "practise the piano every day",
            Ok("duration=8 weeks, practice=20 minutes a day, visits=once a day"),
        ),
        ("practise the piano 2 minutes a day", Err("out_of_range")),
        ("practise the piano 9 times a week", Err("out_of_range")),
        // Two hours on every day: each within its bounds, together too much.
        (
            "practise the piano 2 hours a day, 7 times a week",
            Err("rule"),
        ),
        (
            "practise the piano 10 pages a day",
            Err("unexplained_value"),
        ),
        (
            "practise the piano 10 minutes a day or 20 minutes a day",
            Err("ambiguous"),
        ),
    ] {
        let found = answer(goal);
        let found = found.as_deref().map_err(String::as_str);
        assert_eq!(found, expected, "{goal}");
    }
    Ok(())
}

#[test]
fn sessions_and_repetitions_follow_the_rate() -> Result<(), Box<dyn std::error::Error>> {
    let library = library().map_err(|problems| format!("{problems:?}"))?;
    let goal = Goal::analyse("practise the piano 50 minutes a day, 4 times a week, for 12 weeks");
    let slots = library
        .fit(0, &goal)
        .map_err(|misfit| format!("{misfit:?}"))?;
    let plan = library.plan(0, &slots)?;
    assert_eq!(plan.title, "Piano: 50 minutes a day, 4 times a week");
    assert_eq!(plan.summary, "40 hours in 12 weeks.");
    let first = plan.milestones.first().ok_or("there is a milestone")?;
    assert_eq!(first.outcome, "25 minutes a day of scales.");
    let play = first.tasks.get(1).ok_or("there are two tasks")?;
    assert_eq!(
        (play.minutes, play.repeat.to_string().as_str()),
        (25, "4 per week")
    );
    Ok(())
}

#[test]
fn a_plan_that_no_session_fits_is_found_by_lint() {
    assert_eq!(lint::lint(&[source(PRACTISE.to_owned())]), []);
    for (from, to, expected) in [
        (
            "max = \"7 times a week\"",
            "max = \"9 times a week\"",
            "plan: does not render",
        ),
        (
            "minutes = \"{{ practice.a_day }}\"",
            "minutes = \"{{ practice.a_day * 3 }}\"",
            "plan.milestones[1].tasks[0].minutes: 360 minutes 5 per week",
        ),
    ] {
        assert!(PRACTISE.contains(from), "{from}");
        let problems = lint::lint(&[source(PRACTISE.replacen(from, to, 1))]);
        let found = problems
            .iter()
            .map(|p| format!("{}: {}", p.field, p.message));
        let found: Vec<String> = found.collect();
        assert!(
            found.iter().any(|problem| problem.starts_with(expected)),
            "{expected}\n{found:#?}"
        );
    }
}

#[test]
fn a_broken_rate_is_reported_at_its_field() {
    for (from, to, expected) in [
        (
            "units = [\"minutes\"]",
            "",
            "slots.practice.units: do not say what the rate is a number of",
        ),
        (
            "units = [\"minutes\"]",
            "units = [\"minutes\", \"km\"]",
            "slots.practice.units: do not say what the rate is a number of",
        ),
        (
            "min = \"5 minutes a day\"",
            "",
            "slots.practice.min: `` is no value of this type",
        ),
        (
            "min = \"5 minutes a day\"",
            "min = \"5 km a day\"",
            "slots.practice.min: `5 km a day` is no value of this type",
        ),
        (
            "min = \"5 minutes a day\"",
            "min = \"5 hours a day\"",
            "slots.practice.min: is greater than max",
        ),
        (
            "default = \"20 minutes a day\"",
            "default = \"20 minutes\"",
            "slots.practice.default: `20 minutes` is no value of this slot",
        ),
        (
            "default = \"20 minutes a day\"",
            "default = \"3 hours a day\"",
            "slots.practice.default: `3 hours a day` is out of the slot's range",
        ),
        (
            "minutes = \"{{ practice.a_day }}\"",
            "minutes = \"{{ practise.a_day }}\"",
            "plan.milestones[1].tasks[0].minutes: there is no slot `practise`",
        ),
        (
            "minutes = \"{{ practice.a_day }}\"",
            "minutes = \"long\"",
            "plan.milestones[1].tasks[0].minutes: long minutes is no session",
        ),
    ] {
        assert!(PRACTISE.contains(from), "{from}");
        let parsed = crate::template::Template::parse("file", &PRACTISE.replacen(from, to, 1));
        let problems = parsed.err().unwrap_or_default();
        let found = problems
            .iter()
            .map(|p| format!("{}: {}", p.field, p.message));
        let found: Vec<String> = found.collect();
        assert!(
            found.iter().any(|p| p == expected),
            "{expected}\n{found:#?}"
        );
    }
}

fn units() -> impl Strategy<Value = (Measure, RateUnit)> {
    prop::sample::select(vec![
        (Measure::Times(Vec::new()), RateUnit::Times),
        (Measure::Time, RateUnit::Time(TimeUnit::Minute)),
        (Measure::Time, RateUnit::Time(TimeUnit::Hour)),
        (Measure::Money, RateUnit::Money(Currency::Dollar)),
        (Measure::Money, RateUnit::Money(Currency::Rupee)),
        (Measure::Weight, RateUnit::Weight(WeightUnit::Pound)),
        (Measure::Distance, RateUnit::Distance(LengthUnit::Kilometre)),
        (Measure::Distance, RateUnit::Distance(LengthUnit::Mile)),
        (
            pages(),
            RateUnit::Things("page".to_owned(), "pages".to_owned()),
        ),
    ])
}

fn periods() -> impl Strategy<Value = TimeUnit> {
    prop::sample::select(vec![
        TimeUnit::Day,
        TimeUnit::Week,
        TimeUnit::Month,
        TimeUnit::Year,
    ])
}

proptest! {
    #[test]
    fn whatever_a_rate_prints_it_reads_back((measure, unit) in units(), per in periods(), amount in 1u32..5000) {
        let value = Rate { amount: f64::from(amount), unit, per };
        let text = value.to_string();
        prop_assert_eq!(rate::parse(&text, &measure), Some(value), "{}", text);
        let goal = format!("I want to do it {text} for 6 weeks");
        prop_assert_eq!(read(&measure, &goal), Some(text), "{}", goal);
    }

    #[test]
    fn a_rate_comes_to_as_much_in_every_period((_, unit) in units(), per in periods(), other in periods(), amount in 1u32..5000) {
        let value = Rate { amount: f64::from(amount), unit: unit.clone(), per };
        let size = Rate { amount: 1.0, unit, per }.each(per);
        let same = Rate { amount: value.each(other) / size, unit: value.unit.clone(), per: other };
        for period in [TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Year] {
            let (a, b) = (value.each(period), same.each(period));
            // Twelve months and 365.25 days differ by a third of a permille.
            prop_assert!((a - b).abs() <= 1e-3 * a.max(b), "{a} and {b}");
        }
        prop_assert!(SlotValue::Rate(value).magnitude().is_some_and(|day| day > 0.0));
    }
}
