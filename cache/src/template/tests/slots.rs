//! Whatever a slot prints, it reads back: for every type, value and unit.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::goal::quantities::{Currency, LengthUnit, TimeUnit, WeightUnit};
use crate::goal::{Goal, NameKind, names};
use crate::template::slots::{
    Bounds, Date, FreeText, Level, Slot, SlotKind, SlotValue, extract, place,
};

/// Reads the one slot of a goal.
fn read(kind: SlotKind, goal: &str) -> Option<String> {
    let slots = BTreeMap::from([(
        "it".to_owned(),
        Slot {
            kind,
            default: None,
        },
    )]);
    let extraction = extract(&slots, &[], &Goal::analyse(goal)).ok()?;
    extraction.slots.get("it").map(ToString::to_string)
}

fn check(kind: SlotKind, value: &SlotValue, goal: &str) -> Result<(), TestCaseError> {
    let goal = goal.replace("{}", &value.to_string());
    let read = read(kind, &goal);
    prop_assert_eq!(read, Some(value.to_string()), "{}", goal);
    Ok(())
}

fn topic(max_words: usize, refuse: &[&str]) -> SlotKind {
    let mut text = FreeText {
        max_words,
        refuse: refuse.iter().map(|word| (*word).to_owned()).collect(),
        ending: None,
        example: "old ships".to_owned(),
        noun: "topic".to_owned(),
        anchors: Vec::new(),
        tails: Vec::new(),
    };
    text.anchor("it", "write a book about {it}");
    SlotKind::Text(text)
}

proptest! {
    #[test]
    fn durations(count in 1u32..400, unit in prop::sample::select(vec![TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Year])) {
        let value = SlotValue::Duration { count: f64::from(count), unit };
        check(SlotKind::Duration(Bounds::NONE), &value, "learn to draw in {}")?;
    }

    #[test]
    fn money_to_the_cent(
        cents in 1u64..100_000_000_000_000,
        currency in prop::sample::select(vec![Currency::Dollar, Currency::Euro, Currency::Sterling, Currency::Yen, Currency::Rupee]),
    ) {
        let value = SlotValue::Money { value: cents as f64 / 100.0, currency };
        check(SlotKind::Money(Bounds::NONE), &value, "save {} for a car")?;
    }

    #[test]
    fn weights(grams in 1u32..10_000_000, unit in prop::sample::select(vec![WeightUnit::Kilogram, WeightUnit::Pound, WeightUnit::Gram])) {
        let value = SlotValue::Weight { count: f64::from(grams) / 1000.0, unit };
        check(SlotKind::Weight(Bounds::NONE), &value, "lose {} by walking")?;
    }

    #[test]
    fn distances(metres in 1u32..10_000_000, unit in prop::sample::select(vec![LengthUnit::Kilometre, LengthUnit::Mile, LengthUnit::Metre])) {
        let value = SlotValue::Distance { count: f64::from(metres) / 1000.0, unit };
        check(SlotKind::Distance(Bounds::NONE), &value, "walk {} with friends")?;
    }

    #[test]
    fn counts(count in 2u32..1_000_000_000) {
        let kind = SlotKind::Count { units: vec![vec!["book".to_owned()]], example: "books".to_owned(), bounds: Bounds::NONE };
        check(kind, &SlotValue::Count(count), "read {} books")?;
    }

    #[test]
    fn dates(month in 1u8..=12, day in prop::option::of(1u8..=31), year in prop::option::of(2001u16..2100)) {
        let date = Date { year, month, day };
        check(SlotKind::Date, &SlotValue::Date(date), "finish my book by {}")?;
        prop_assert_eq!(Date::parse(&date.to_string()).filter(|_| day.is_some() || year.is_some()), Some(date).filter(|_| day.is_some() || year.is_some()));
    }

    #[test]
    fn iso_dates(month in 1u8..=12, day in 1u8..=31, year in 2001u16..2100) {
        let found = read(SlotKind::Date, &format!("finish my book before {year}-{month:02}-{day:02}"));
        prop_assert_eq!(found, Some(Date { year: Some(year), month, day: Some(day) }.to_string()));
    }

    #[test]
    fn free_texts(words in prop::collection::vec(prop::sample::select(vec!["sailing", "ships", "wooden", "stoic", "philosophy"]), 1..=3)) {
        let text = words.join(" ");
        check(topic(3, &[]), &SlotValue::Text(text), "I want to write a book about {} in 6 weeks")?;
    }
}

#[test]
fn names_levels_and_places() -> Result<(), TestCaseError> {
    for language in names::known(NameKind::Language) {
        let value = SlotValue::Language(language.to_owned());
        check(SlotKind::Language, &value, "learn {}")?;
    }
    for instrument in names::known(NameKind::Instrument) {
        let value = SlotValue::Instrument(instrument.to_owned());
        check(SlotKind::Instrument, &value, "play the {}")?;
    }
    for level in [Level::Beginner, Level::Intermediate, Level::Advanced] {
        check(
            SlotKind::Level,
            &SlotValue::Level(level),
            "yoga for {} learners",
        )?;
    }
    for name in place::known() {
        let value = SlotValue::Place(name.to_owned());
        check(SlotKind::Place, &value, "plan a trip to {}")?;
    }
    Ok(())
}

#[test]
fn places_and_dates_are_no_other_words() {
    for goal in ["cook a turkey", "buy fine china", "be nice", "run each day"] {
        assert_eq!(read(SlotKind::Place, goal), None, "{goal}");
    }
    for goal in [
        "I may run",
        "march on",
        "buy Christmas presents",
        "save 5 dollars",
    ] {
        assert_eq!(read(SlotKind::Date, goal), None, "{goal}");
    }
    for (goal, date) in [
        ("move out by the end of June", "June"),
        ("be fit before May 3rd, 2027", "3 May 2027"),
        ("learn to swim until the 1st of August", "1 August"),
        ("get a job by Christmas", "25 December"),
    ] {
        assert_eq!(read(SlotKind::Date, goal).as_deref(), Some(date), "{goal}");
    }
}

#[test]
fn a_free_text_keeps_its_limits() {
    let read = |goal: &str| read(topic(3, &["weapon", "tax evasion"]), goal);
    assert_eq!(
        read("write a book about the old ships").as_deref(),
        Some("old ships")
    );
    assert_eq!(
        read("write a book about sailing very old wooden ships"),
        None,
        "too long"
    );
    for goal in [
        "write a book about weapons",
        "write a book about tax evasion",
        "write a book about ships and sell it",
        "write a book about her ships",
        "write a book about 3 ships",
        "write a book without ships",
        "write a book",
        "write a book about it",
    ] {
        assert_eq!(read(goal), None, "{goal}");
    }
}
