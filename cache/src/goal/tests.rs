//! Behaviour of the goal analysis, table by table.

use super::{Goal, Intent, NameKind, Value};

fn durations(text: &str) -> Vec<f64> {
    Goal::analyse(text)
        .quantities()
        .iter()
        .filter_map(super::Quantity::days)
        .map(|d| (d * 10.0).round() / 10.0)
        .collect()
}

fn words(text: &str) -> String {
    let goal = Goal::analyse(text);
    goal.tokens()
        .iter()
        .map(|t| t.word.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn content(text: &str) -> String {
    let goal = Goal::analyse(text);
    goal.content()
        .map(|t| t.key.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn contractions_and_apostrophes_become_plain_words() {
    assert_eq!(words("Don\u{2019}t quit, I can't"), "do not quit i can not");
    assert_eq!(words("what's my mother's goal"), "what is my mother goal");
    assert_eq!(words("dont stop"), "do not stop");
    assert_eq!(words("\u{ff2c}earn C++ and C#"), "learn c++ and c#");
}

#[test]
fn offsets_point_at_the_word_in_the_text() {
    let goal = Goal::analyse("I\u{2019}d like $1,000 in 2 years\u{2026}");
    for token in goal.tokens() {
        assert!(goal.text().get(token.range.clone()).is_some(), "{token:?}");
    }
    let money = goal.tokens().iter().find(|t| t.word == "1000");
    assert_eq!(
        money.and_then(|t| goal.text().get(t.range.clone())),
        Some("1,000")
    );
}

#[test]
fn durations_are_read_in_digits_words_and_halves() {
    for (text, days) in [
        ("learn Spanish in 3 months", 91.3),
        ("learn Spanish within three months", 91.3),
        ("learn Spanish in 90 days", 90.0),
        ("a six-week plan to run", 42.0),
        ("twenty-one day habit", 21.0),
        ("get fit in half a year", 182.6),
        ("get fit in a year and a half", 547.9),
        ("get fit in two and a half months", 76.1),
        ("get fit in 1.5 years", 547.9),
        ("get fit in a month", 30.4),
        ("gain weight within month", 30.4),
        ("run over the next year", 365.3),
        ("lose fat in a couple of weeks", 14.0),
        ("read more this year", 365.3),
        ("write a book in a quarter", 91.3),
        ("do it in a fortnight", 14.0),
    ] {
        assert_eq!(durations(text), vec![days], "{text}");
    }
    assert_eq!(durations("train for 6 to 8 weeks"), vec![42.0, 56.0]);
}

#[test]
fn turns_of_speech_are_no_durations() {
    for text in [
        "learn a second language",
        "one day I want to run a marathon",
        "finish by the end of the week",
        "learn Spanish by summer",
        "how can one learn Spanish",
        "have a good day",
        "run every day",
    ] {
        assert_eq!(durations(text), Vec::<f64>::new(), "{text}");
    }
}

#[test]
fn rates_are_not_spans() {
    let goal = Goal::analyse("study 20 minutes a day, run 3 times per week and save $500 monthly");
    assert!(
        goal.quantities().iter().all(|q| q.per.is_some()),
        "{:?}",
        goal.quantities()
    );
    assert_eq!(goal.quantities().len(), 3);
}

#[test]
fn values_get_their_units() {
    let first = |text: &str| {
        Goal::analyse(text)
            .quantities()
            .first()
            .map(|q| q.value.clone())
    };
    let kilograms = |text: &str| match first(text) {
        Some(Value::Weight { count, unit }) => {
            Some((count * unit.kilograms() * 10.0).round() / 10.0)
        }
        _ => None,
    };
    assert_eq!(kilograms("lose 10kg"), Some(10.0));
    assert_eq!(kilograms("lose 20 pounds"), Some(9.1));
    assert_eq!(kilograms("lose two stone"), Some(12.7));
    assert!(matches!(first("save $5k"), Some(Value::Money { value, .. }) if value == 5000.0));
    assert!(
        matches!(first("save 5,000 dollars"), Some(Value::Money { value, .. }) if value == 5000.0)
    );
    assert!(matches!(first("save \u{a3}50"), Some(Value::Money { value, .. }) if value == 50.0));
    assert!(matches!(first("run 5 km"), Some(Value::Distance { count, .. }) if count == 5.0));
    assert!(
        matches!(first("run a 10k"), Some(Value::Number { value, thousands_suffix: true }) if value == 10_000.0)
    );
    assert!(matches!(first("save 20% of my pay"), Some(Value::Percent(share)) if share == 20.0));
    assert!(
        matches!(first("read a dozen books"), Some(Value::Count { value, ref noun }) if value == 12.0 && noun == "book")
    );
    assert!(matches!(first("retire at age 55"), Some(Value::Age(age)) if age == 55.0));
    assert!(matches!(first("plan for a 17-year-old"), Some(Value::Age(age)) if age == 17.0));
    assert!(matches!(
        first("wake up at 5:30 am"),
        Some(Value::Clock(330))
    ));
    assert!(matches!(first("wake up at 7pm"), Some(Value::Clock(1140))));
    assert!(matches!(first("goals for 2026"), Some(Value::Year(year)) if year == 2026.0));
    assert!(matches!(
        first("walk 2000 steps"),
        Some(Value::Count { .. })
    ));
}

#[test]
fn durations_in_other_units_agree_within_the_tolerance() {
    let agree = |a: &str, b: &str| {
        let (a, b) = (Goal::analyse(a), Goal::analyse(b));
        matches!((a.quantities(), b.quantities()), ([x], [y]) if x.agrees_with(y))
    };
    for other in [
        "in 90 days",
        "in a quarter",
        "in 12 weeks",
        "in 13 weeks",
        "within three months",
    ] {
        assert!(agree("in 3 months", other), "{other}");
    }
    for other in [
        "in 6 weeks",
        "in 4 months",
        "in 10 weeks",
        "in 3 weeks",
        "in 100 days",
        "in 3 years",
    ] {
        assert!(!agree("in 3 months", other), "{other}");
    }
    assert!(agree("in a year", "in 12 months"));
    assert!(!agree("in 11 months", "in 12 months"));
    assert!(agree("run 5k", "run 5 km"));
}

#[test]
fn names_come_from_the_lists_or_their_capital() {
    let names = |text: &str| {
        let goal = Goal::analyse(text);
        goal.names()
            .iter()
            .map(|n| (n.kind, n.display.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("learn spanish"),
        vec![(NameKind::Language, "Spanish".to_owned())]
    );
    assert_eq!(
        names("Learn Mandarin Chinese"),
        vec![(NameKind::Language, "Mandarin Chinese".to_owned())]
    );
    assert_eq!(
        names("play the acoustic guitar"),
        vec![(NameKind::Instrument, "acoustic guitar".to_owned())]
    );
    assert_eq!(
        names("learn the french horn"),
        vec![(NameKind::Instrument, "french horn".to_owned())]
    );
    assert_eq!(
        names("learn C++"),
        vec![(NameKind::Programming, "C++".to_owned())]
    );
    assert_eq!(names("polish my shoes"), vec![]);
    assert_eq!(
        names("learn polish"),
        vec![(NameKind::Language, "Polish".to_owned())]
    );
    assert_eq!(
        names("I want to visit Rome"),
        vec![(NameKind::Other, "rome".to_owned())]
    );
    assert_eq!(names("Learn To Cook Better Meals"), vec![]);
}

#[test]
fn ways_of_asking_for_a_way_are_one_intent_without_content() {
    for text in [
        "learn to swim",
        "I want to learn to swim",
        "How can I learn to swim?",
        "how do I learn to swim",
        "What is the best way to learn to swim?",
        "what are some good ways to learn to swim",
        "help me learn to swim",
        "Could you please help me to learn to swim?",
        "Morning! How do I learn to swim?",
        "Good evening, can you help me learn to swim?",
        "give me a six week plan to learn to swim",
        "give me a plan to learn to swim",
        "create a step by step plan for learning to swim",
        "My goal is to learn to swim",
        "I'd like to learn to swim",
        "What should I do to learn to swim?",
    ] {
        assert_eq!(Goal::analyse(text).intent(), Intent::Method, "{text}");
        assert_eq!(content(text), "learn swim", "{text}");
    }
}

#[test]
fn questions_for_facts_keep_their_intent() {
    for (text, intent) in [
        ("Why do people learn to swim?", Intent::Why),
        ("When did people learn to swim?", Intent::When),
        ("What is swimming?", Intent::What),
        ("Who invented swimming?", Intent::Who),
        ("How much does a swimming course cost?", Intent::Price),
        ("How long does it take to learn to swim?", Intent::HowLong),
        ("Is swimming healthy?", Intent::YesNo),
        ("Should I learn to swim?", Intent::Should),
        ("At the pool, can I learn to swim?", Intent::YesNo),
    ] {
        assert_eq!(Goal::analyse(text).intent(), intent, "{text}");
    }
}

#[test]
fn negation_is_seen_through_contractions() {
    assert!(Goal::analyse("I don't want to smoke").negated());
    assert!(Goal::analyse("lose weight without exercise").negated());
    assert!(!Goal::analyse("lose weight with exercise").negated());
}

#[test]
fn goals_of_the_moment_are_time_bound_and_plans_are_not() {
    for text in [
        "what should I cook tonight",
        "latest AI news",
        "2026 news",
        "what is the weather in Rome",
        "who is the current president",
        "what to do this weekend",
        "what should I do right now",
        "what happened yesterday",
        "find a flight for tomorrow",
    ] {
        assert!(Goal::analyse(text).time_bound(), "{text}");
    }
    for text in [
        "learn Spanish in 3 months",
        "read 20 books this year",
        "start running today",
        "I will start to run tomorrow",
        "lose weight over the next month",
        "my new year resolution is to quit smoking",
        "leave my current job",
        "I am currently overweight and want to run 5k",
        "be a runner three months from now",
    ] {
        assert!(!Goal::analyse(text).time_bound(), "{text}");
    }
}

#[test]
fn short_goals_get_the_right_language() {
    for text in [
        "learn French",
        "get fit",
        "lose weight",
        "Run a marathon",
        "invest 20k",
        "Clean Wrestling Shoes",
        "Yodel",
        "",
    ] {
        assert_eq!(Goal::analyse(text).language().as_str(), "en", "{text}");
    }
    for (text, code) in [
        ("aprender ingl\u{e9}s en tres meses", "es"),
        ("quiero perder peso", "es"),
        ("apprendre l'espagnol en trois mois", "fr"),
        ("Spanisch lernen in drei Monaten", "de"),
        ("quero aprender ingl\u{ea}s", "pt"),
        ("imparare lo spagnolo in tre mesi", "it"),
        ("Spaans leren in drie maanden", "nl"),
        (
            "\u{432}\u{44b}\u{443}\u{447}\u{438}\u{442}\u{44c} \u{438}\u{441}\u{43f}\u{430}\u{43d}\u{441}\u{43a}\u{438}\u{439} \u{44f}\u{437}\u{44b}\u{43a}",
            "ru",
        ),
        (
            "\u{4e09}\u{4e2a}\u{6708}\u{5b66}\u{4f1a}\u{897f}\u{73ed}\u{7259}\u{8bed}",
            "zh",
        ),
        (
            "\u{30b9}\u{30da}\u{30a4}\u{30f3}\u{8a9e}\u{3092}\u{5b66}\u{3076}",
            "ja",
        ),
    ] {
        assert_eq!(Goal::analyse(text).language().as_str(), code, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_goal(text in "\\PC{0,200}") {
        let goal = Goal::analyse(&text);
        for token in goal.tokens() {
            proptest::prop_assert!(goal.text().get(token.range.clone()).is_some());
        }
        for quantity in goal.quantities() {
            proptest::prop_assert!(quantity.tokens.end <= goal.tokens().len());
            proptest::prop_assert!(quantity.tokens.start < quantity.tokens.end);
        }
    }

    #[test]
    fn odd_mixes_of_numbers_and_units_never_break_the_reader(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "1,00", "1,000", "$", "\u{20ac}5", "k", "10k", "half", "a", "dozen", "and", "one", "hundred", "in", "week", "weeks", "-", "year",
                "old", "per", "day", "%", "9:75", "99:99", "am", "to", "or", "3", "this", "next", "thousand", "1e999", "'s", "n't", "I'd",
            ]),
            0..14,
        ),
        separator in proptest::sample::select(vec!["", " ", "-"]),
    ) {
        let goal = Goal::analyse(&parts.join(separator));
        for quantity in goal.quantities() {
            proptest::prop_assert!(quantity.tokens.end <= goal.tokens().len());
        }
    }
}
