//! Behaviour of the rules on pairs written for the purpose.

use super::{Reason, RuleVerifier, Verdict, Verifier};
use crate::goal::Goal;

fn verify(a: &str, b: &str) -> Verdict {
    let (cached, asked) = (Goal::analyse(a), Goal::analyse(b));
    let verdict = RuleVerifier.verify(&cached, &asked, 0.9);
    let reverse = RuleVerifier.verify(&asked, &cached, 0.9);
    assert_eq!(
        verdict.reason().is_none(),
        reverse.reason().is_none(),
        "not symmetric: {a} | {b}"
    );
    verdict
}

#[test]
fn reworded_goals_are_the_same() {
    let goals = [
        "I want to learn conversational Spanish in 3 months",
        "How can I get conversational in Spanish within three months?",
        "help me become conversational in spanish in 90 days",
        "give me a plan to learn conversational Spanish in a quarter",
    ];
    for a in goals {
        for b in goals {
            assert_eq!(verify(a, b).reason(), None, "{a} | {b}");
        }
    }
    for (a, b) in [
        ("quit smoking", "How do I stop smoking?"),
        ("get in shape", "help me get fit"),
        ("learn guitar", "I want to learn to play the guitar"),
        ("learn Spanish", "learn to speak the Spanish language"),
        ("start learning violin", "learn to play the violin"),
        ("my drawing skills", "my drawing ability"),
        ("cook with no salt", "cook without salt"),
        (
            "lose 10 kg in 3 months",
            "lose 10kg of weight within 12 weeks",
        ),
        ("organise my home", "organize my home"),
        ("my recomendation letter", "my recommendation letter"),
        (
            "On my laptop, how do I change the language?",
            "How do I change the language on my laptop?",
        ),
        (
            "I can\u{2019}t fall asleep, what should I do?",
            "I cannot fall asleep, what should I do?",
        ),
    ] {
        assert_eq!(verify(a, b).reason(), None, "{a} | {b}");
    }
}

#[test]
fn different_goals_are_told_apart_with_the_reason() {
    for (a, b, reason) in [
        ("learn Spanish", "learn French", Reason::Name),
        ("learn Spanish", "learn a language", Reason::Name),
        (
            "learn Spanish in 3 months",
            "learn Spanish in 6 weeks",
            Reason::Unit,
        ),
        ("learn Spanish in 3 months", "learn Spanish", Reason::Unit),
        ("lose 10 kg", "lose 20 kg", Reason::Unit),
        ("read 12 books", "read 20 books", Reason::Number),
        ("save $5,000", "save \u{20ac}5,000", Reason::Unit),
        ("eat meat", "do not eat meat", Reason::Negation),
        ("live with a dog", "live without a dog", Reason::Negation),
        ("start smoking", "quit smoking", Reason::Opposite),
        ("gain weight", "lose weight", Reason::Opposite),
        ("turn on the alarm", "turn off the alarm", Reason::Opposite),
        (
            "make the list safe",
            "make the list unsafe",
            Reason::Opposite,
        ),
        ("yoga for beginners", "yoga for seniors", Reason::Scope),
        ("train at home", "train at the gym", Reason::Scope),
        ("learn Spanish", "learn Spanish cooking", Reason::Narrower),
        ("bake bread", "bake cookies", Reason::Substitution),
        ("how do I bake bread", "why do I bake bread", Reason::Intent),
        (
            "drive from Rome to Paris",
            "drive from Paris to Rome",
            Reason::Direction,
        ),
        (
            "write in my diary",
            "write in my dairy",
            Reason::Substitution,
        ),
        ("learn German", "Deutsch lernen mit Musik", Reason::Language),
    ] {
        assert_eq!(verify(a, b).reason(), Some(reason), "{a} | {b}");
    }
}

#[test]
fn manner_needs_a_high_similarity() {
    let (a, b) = (
        Goal::analyse("learn guitar"),
        Goal::analyse("learn guitar by myself"),
    );
    assert!(RuleVerifier.verify(&a, &b, 0.95).reason().is_none());
    assert!(RuleVerifier.verify(&a, &b, 0.7).reason().is_some());
}

#[test]
fn goals_of_grammar_alone_are_never_taken_for_each_other() {
    assert_eq!(
        verify("go for it", "let it be"),
        Verdict::Different {
            reason: Reason::Unsure
        }
    );
    assert_eq!(verify("why not", "why not"), Verdict::Same);
}

proptest::proptest! {
    #[test]
    fn a_goal_is_the_same_as_itself(text in "\\PC{0,120}") {
        let goal = Goal::analyse(&text);
        proptest::prop_assert!(RuleVerifier.verify(&goal, &goal, 1.0).reason().is_none());
    }

    #[test]
    fn another_duration_is_never_the_same(weeks in 1u32..60, more in 1u32..60) {
        let a = Goal::analyse(&format!("learn Spanish in {weeks} weeks"));
        let b = Goal::analyse(&format!("learn Spanish in {} weeks", weeks + more));
        proptest::prop_assert!(RuleVerifier.verify(&a, &b, 1.0).reason().is_some());
    }
}

#[test]
fn what_is_exact_is_refused_and_what_is_wording_is_left_to_the_model() {
    for (a, b, verdict) in [
        ("learn guitar", "How do I learn the guitar?", Verdict::Same),
        ("quit smoking", "stop smoking", Verdict::Likely),
        (
            "do I still love him",
            "do I still love her",
            Verdict::Likely,
        ),
        (
            "how do I mend a puncture",
            "how do I fix a flat tyre",
            Verdict::Unsure {
                reason: Reason::Substitution,
            },
        ),
        (
            "cancel within the trial period",
            "cancel after the trial period",
            Verdict::Different {
                reason: Reason::Opposite,
            },
        ),
        (
            "drive from Rome to Oslo",
            "drive from Oslo to Rome",
            Verdict::Different {
                reason: Reason::Direction,
            },
        ),
        ("boil one egg", "boil an egg", Verdict::Likely),
    ] {
        assert_eq!(verify(a, b), verdict, "{a} | {b}");
    }
}

#[test]
fn slips_of_the_pen_are_spelt_alike_for_the_model() {
    let (a, b) = (
        Goal::analyse("Can I get my bank statement by post?"),
        Goal::analyse("Can I get my bank statment by post?"),
    );
    assert_eq!(
        super::spelt_alike(&a, &b),
        "Can I get my bank statement by post?"
    );
    let other = Goal::analyse("Can I get my tax return by post?");
    assert_eq!(super::spelt_alike(&a, &other), other.text());
}
