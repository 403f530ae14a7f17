use super::library;
use crate::goal::Goal;

#[test]
fn goals_that_differ_in_their_values_mask_alike() {
    let library = library();
    let mask = |text: &str| library.mask(&Goal::analyse(text));
    for (text, masked) in [
        ("learn Spanish in 3 months", "learn a language"),
        (
            "How can I learn Thai within less than a year?",
            "learn a language",
        ),
        ("help me learn french for 6 weeks", "learn a language"),
        (
            "give me a twelve-week plan to learn the German language",
            "learn a language",
        ),
        ("learn to play the piano", "learn to play an instrument"),
        ("run a 5k", "run a race"),
        ("run a half marathon in 20 weeks", "run a race"),
        ("save $5k in a year", "save money"),
        ("lose 20 lb", "lose weight"),
        ("read 20 books", "read books"),
        ("learn yoga from scratch", "learn yoga"),
        ("how do I", "how do i"),
    ] {
        assert_eq!(mask(text), masked, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn masking_twice_changes_nothing(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "in", "3", "months", "a", "the", "Spanish", "half", "marathon", "5k", "5", "km", "$100", "learn", "how", "do", "I",
                "week", "to", "for", "of", "one", "guitar", "beginner", "from", "scratch", "year", "and", "this", "next", "10", "polish",
                "want", "race", "money", "k", "twenty", "-", "per", "day", "can't", "IT",
            ]),
            0..12,
        ),
    ) {
        let library = library();
        let once = library.mask(&Goal::analyse(&words.join(" ")));
        proptest::prop_assert_eq!(library.mask(&Goal::analyse(&once)), once);
    }

    #[test]
    fn masking_any_text_twice_changes_nothing(text in "\\PC{0,80}") {
        let library = library();
        let once = library.mask(&Goal::analyse(&text));
        proptest::prop_assert_eq!(library.mask(&Goal::analyse(&once)), once);
    }
}
