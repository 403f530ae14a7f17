use proptest::prelude::*;

use super::*;

fn label(log_odds: f32, right: bool) -> Observation {
    Observation {
        margin: Margin::from_log_odds(log_odds),
        right,
    }
}

fn labels() -> impl Strategy<Value = Vec<Observation>> {
    prop::collection::vec((-6.0..6.0_f32, any::<bool>()), 0..300).prop_map(|labels| {
        labels
            .into_iter()
            .map(|(x, right)| label(x, right))
            .collect()
    })
}

fn learned(of_all: &[Observation], own: &[Observation]) -> (Curve, Labels) {
    let mut curve = Curve::default();
    of_all.iter().for_each(|label| curve.observe(*label));
    let mut labels = Labels::default();
    own.iter().for_each(|label| labels.push(*label));
    (curve, labels)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_risk_never_rises_with_the_margin(of_all in labels(), own in labels(), a in -6.0..6.0_f32, b in -6.0..6.0_f32) {
        let (curve, labels) = learned(&of_all, &own);
        let risk = |x: f32| entry::risk(&curve, Some(&labels), Margin::from_log_odds(x));
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(risk(high) <= risk(low) + 1e-12);
        prop_assert!((0.0..=1.0).contains(&risk(low)));
    }

    #[test]
    fn a_right_label_never_raises_the_risk_of_its_entry_and_a_wrong_one_never_lowers_it(
        of_all in labels(), own in prop::collection::vec((-6.0..6.0_f32, any::<bool>()), 0..100),
        x in -6.0..6.0_f32, at in -6.0..6.0_f32,
    ) {
        let own: Vec<_> = own.into_iter().map(|(x, right)| label(x, right)).collect();
        let (curve, labels) = learned(&of_all, &own);
        let with = |right| {
            let mut labels = labels.clone();
            labels.push(label(x, right));
            entry::risk(&curve, Some(&labels), Margin::from_log_odds(at))
        };
        let before = entry::risk(&curve, Some(&labels), Margin::from_log_odds(at));
        prop_assert!(with(true) <= before + 1e-9, "{} > {before}", with(true));
        prop_assert!(with(false) >= before - 1e-9, "{} < {before}", with(false));
    }

    #[test]
    fn stored_labels_and_curve_are_read_back_and_damage_is_told(of_all in labels(), own in labels(), at in 0..200_usize) {
        let (curve, labels) = learned(&of_all, &own);
        let id = EntryId::from_u64(7);
        prop_assert_eq!(&Labels::decode(id, &labels.encode(id)).map_err(|e| TestCaseError::fail(e.to_string()))?, &labels);
        let read = Curve::decode(&curve.encode()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(read.bins(), curve.bins());
        prop_assert!(Labels::decode(EntryId::from_u64(8), &labels.encode(id)).is_err());
        let mut damaged = labels.encode(id);
        let place = at % damaged.len();
        damaged[place] ^= 1;
        prop_assert!(Labels::decode(id, &damaged).is_err());
        prop_assert!(Labels::decode(id, &damaged[..place]).is_err());
    }

    #[test]
    fn the_expected_wrong_hits_never_outgrow_the_allowed_share(
        max_wrong in 0.0..0.5_f64, coins in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64, any::<bool>()), 1..400),
    ) {
        let mut account = Account::default();
        for (risk, coin, wrong) in coins {
            let decision = account.decide(max_wrong, risk * risk, 0, coin);
            if !decision.serve && decision.exploration < 1.0 {
                account.audit(decision.risk, !wrong);
            }
            #[expect(clippy::cast_precision_loss, reason = "at most 400")]
            let allowed = 0.6 * max_wrong * account.served() as f64;
            prop_assert!(account.expected_wrong() <= allowed + 1e-9);
        }
    }
}

#[test]
fn without_a_bound_everything_is_served_and_nothing_explored() {
    let bound = Bound::new(None);
    let decision = bound.decide(EntryId::from_u64(1), Margin::from_log_odds(0.0), 0.0);
    assert!(decision.serve);
    assert!(decision.exploration.abs() < f64::EPSILON);
}

#[test]
fn a_bound_of_nothing_serves_nothing() {
    let bound = Bound::new(Some(0.0));
    for coin in [0.0, 0.5, 0.999] {
        assert!(!bound.decide(EntryId::from_u64(1), Margin::SURE, coin).serve);
    }
}

#[test]
fn right_labels_of_other_entries_open_a_new_one() {
    let bound = Bound::new(Some(0.01));
    let new = EntryId::from_u64(u64::MAX);
    assert!(!bound.decide(new, Margin::SURE, 0.9).serve);
    for n in 0..600 {
        bound.observe(
            EntryId::from_u64(n),
            label(5.0, true),
            Source::Comparison,
            None,
        );
    }
    assert!(bound.decide(new, Margin::SURE, 0.9).serve);
    // And it is explored now and then.
    assert!(!bound.decide(new, Margin::SURE, 0.01).serve);
}

#[test]
fn feedback_on_one_entry_says_nothing_of_others() {
    let bound = Bound::new(None);
    let (one, other) = (EntryId::from_u64(1), EntryId::from_u64(2));
    let before = bound.risk(other, Margin::SURE);
    for _ in 0..20 {
        bound.observe(one, label(6.0, false), Source::Feedback, None);
    }
    assert!((bound.risk(other, Margin::SURE) - before).abs() < 1e-12);
    assert!(bound.risk(one, Margin::SURE) > 0.5);
}

#[test]
fn an_entry_is_blocked_by_repeated_wrong_labels_and_by_one_under_a_bound_of_nothing() {
    let id = EntryId::from_u64(1);
    let bound = Bound::new(None);
    bound.observe(id, label(6.0, false), Source::Feedback, None);
    assert!(!bound.is_blocked(id));
    bound.allow(Some(0.0));
    assert!(bound.is_blocked(id));
    bound.allow(None);
    bound.observe(id, label(6.0, false), Source::Feedback, None);
    assert!(bound.is_blocked(id));
    for _ in 0..6 {
        bound.observe(id, label(6.0, true), Source::Feedback, None);
    }
    assert!(!bound.is_blocked(id), "two of eight are a quarter");
    bound.forget(id);
    assert_eq!(bound.labels(id), (0, 0));
}

#[test]
fn wrong_audits_make_the_account_cautious() {
    let mut account = Account::default();
    assert!((account.caution() - 1.0).abs() < f64::EPSILON);
    for _ in 0..20 {
        account.audit(0.005, false);
    }
    assert!(account.caution() > 10.0);
    for _ in 0..2_000 {
        account.audit(0.005, true);
    }
    assert!(account.caution() < 1.1);
}
