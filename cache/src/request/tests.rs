#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

/// Few letters, so that equal and shifted texts come up often.
fn text() -> impl Strategy<Value = String> {
    "[ab\u{e9} ]{0,4}"
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)]
}

fn turn() -> impl Strategy<Value = Turn> {
    (role(), text()).prop_map(|(role, text)| Turn { role, text })
}

fn framed() -> impl Strategy<Value = Framed> {
    let place = prop_oneof![Just(GoalPlace::User), Just(GoalPlace::System)];
    (text(), text(), text(), place).prop_map(|(frame, goal, shape, place)| Framed {
        frame,
        goal,
        shape,
        place,
        ttl: None,
    })
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        text().prop_map(Format::Schema)
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let context = ("[ab]{1,3}", text(), text(), vec(turn(), 0..3), format());
    let rest = (
        text(),
        proptest::option::of(framed()),
        btree_map("[ab]{1,2}", text(), 0..3),
        proptest::option::of(0u32..3),
        vec(text(), 0..3),
    );
    (context, rest).prop_map(
        |(
            (namespace, model, system, earlier, format),
            (user, framed, settings, max_tokens, stop),
        )| Request {
            namespace: Namespace::new(&namespace).unwrap(),
            caller: Contributor::ANONYMOUS,
            model,
            system,
            earlier,
            user,
            framed,
            format,
            settings,
            max_tokens,
            stop,
        },
    )
}

fn english() -> Language {
    Language::new("en")
}

/// All of a request that the exact key must tell apart.
fn exact_part(request: &Request) -> Request {
    Request {
        framed: None,
        ..request.clone()
    }
}

/// All of a request that the compatibility key must tell apart when only setting `a` varies.
fn compatibility_part(request: &Request) -> Request {
    let mut part = Request {
        user: String::new(),
        max_tokens: None,
        stop: Vec::new(),
        ..request.clone()
    };
    part.settings.retain(|name, _| name == "a");
    if let Some(framed) = &mut part.framed {
        framed.goal.clear();
        if framed.place == GoalPlace::System {
            part.system.clear();
        }
    }
    part
}

proptest! {
    #[test]
    fn exact_keys_are_equal_just_when_the_requests_are(a in request(), b in request()) {
        prop_assert_eq!(a.exact_key() == b.exact_key(), exact_part(&a) == exact_part(&b));
        prop_assert_eq!(a.exact_key(), a.clone().exact_key());
    }

    #[test]
    fn compatibility_keys_are_equal_just_when_all_but_the_goal_is(a in request(), b in request()) {
        let vary = ["a".to_owned()];
        prop_assert_eq!(
            a.compatibility_key(&vary, &english()) == b.compatibility_key(&vary, &english()),
            compatibility_part(&a) == compatibility_part(&b)
        );
    }

    #[test]
    fn any_changed_field_changes_the_exact_key(base in request()) {
        let changed = [
            Request { namespace: Namespace::new("other").unwrap(), ..base.clone() },
            Request { model: base.model.clone() + "x", ..base.clone() },
            Request { system: base.system.clone() + "x", ..base.clone() },
            Request { earlier: [base.earlier.clone(), vec![Turn { role: Role::User, text: String::new() }]].concat(), ..base.clone() },
            Request { user: base.user.clone() + "x", ..base.clone() },
            Request { format: Format::Schema("x".into()), ..base.clone() },
            Request { settings: base.settings.clone().into_iter().chain([("x".into(), String::new())]).collect(), ..base.clone() },
            Request { max_tokens: Some(99), ..base.clone() },
            Request { stop: [base.stop.clone(), vec![String::new()]].concat(), ..base.clone() },
        ];
        for other in changed {
            prop_assert_ne!(base.exact_key(), other.exact_key());
        }
    }

    #[test]
    fn goal_token_cap_stop_strings_and_unlisted_settings_keep_the_compatibility_key(
        base in request(), user in text(), goal in text(), cap in any::<u32>(), stop in text(), value in text()
    ) {
        let vary = ["a".to_owned()];
        let mut other = Request { user, max_tokens: Some(cap), ..base.clone() };
        other.stop.push(stop);
        other.settings.insert("unlisted".into(), value);
        if let Some(framed) = &mut other.framed {
            framed.goal = goal;
        }
        prop_assert_eq!(base.compatibility_key(&vary, &english()), other.compatibility_key(&vary, &english()));
    }

    #[test]
    fn text_moved_across_a_field_boundary_never_collides(whole in "[ab]{1,6}", at in 0usize..7, to in 0usize..7) {
        let (at, to) = (at % (whole.len() + 1), to % (whole.len() + 1));
        let split = |at: usize| {
            let (model, system) = whole.split_at(at);
            Request { model: model.into(), system: system.into(), ..plain() }
        };
        prop_assert_eq!(split(at).exact_key() == split(to).exact_key(), at == to);
        let turns = |at: usize| {
            let (first, second) = whole.split_at(at);
            let turn = |text: &str| Turn { role: Role::User, text: text.into() };
            Request { earlier: vec![turn(first), turn(second)], ..plain() }
        };
        prop_assert_eq!(turns(at).exact_key() == turns(to).exact_key(), at == to);
    }
}

fn plain() -> Request {
    Request {
        namespace: Namespace::anonymous(),
        caller: Contributor::ANONYMOUS,
        model: "m".into(),
        system: String::new(),
        earlier: Vec::new(),
        user: "learn Spanish".into(),
        framed: None,
        format: Format::Text,
        settings: BTreeMap::new(),
        max_tokens: None,
        stop: Vec::new(),
    }
}

#[test]
fn the_goal_is_the_framed_text_or_else_the_user_text() {
    let mut request = plain();
    assert_eq!(request.goal(), "learn Spanish");
    request.framed = Some(Framed {
        frame: "coach".into(),
        goal: "Spanish".into(),
        shape: "markdown".into(),
        ttl: None,
        place: GoalPlace::User,
    });
    assert_eq!(request.goal(), "Spanish");
}

#[test]
fn goals_in_different_languages_are_not_compatible() {
    let request = plain();
    assert_ne!(
        request.compatibility_key(&[], &Language::new("en")),
        request.compatibility_key(&[], &Language::new("fr"))
    );
}

#[test]
fn a_varied_setting_splits_and_the_order_of_vary_does_not() {
    let cold = plain();
    let mut warm = plain();
    warm.settings.insert("temperature".into(), "1".into());
    assert_eq!(
        cold.compatibility_key(&[], &english()),
        warm.compatibility_key(&[], &english())
    );
    let vary = ["temperature".to_owned(), "seed".to_owned()];
    let turned = [
        "seed".to_owned(),
        "temperature".to_owned(),
        "seed".to_owned(),
    ];
    assert_ne!(
        cold.compatibility_key(&vary, &english()),
        warm.compatibility_key(&vary, &english())
    );
    assert_eq!(
        warm.compatibility_key(&vary, &english()),
        warm.compatibility_key(&turned, &english())
    );
}

#[test]
fn the_two_kinds_of_key_never_share_a_digest() {
    let request = plain();
    assert_ne!(
        request.exact_key().as_bytes(),
        request.compatibility_key(&[], &english()).as_bytes()
    );
}

/// Stored entries are found by these digests: a change here must come with a new version in the context string.
#[test]
fn keys_stay_what_they_were_when_entries_were_stored() {
    let keys = format!(
        "{} {}",
        plain().exact_key(),
        plain().compatibility_key(&[], &english())
    );
    assert_eq!(keys, include_str!("golden_keys.txt").trim());
}
