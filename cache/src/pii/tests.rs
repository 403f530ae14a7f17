use proptest::prelude::*;

use super::*;

/// Texts that hold something, with what. All numbers are from ranges reserved for fiction and tests.
const POSITIVES: &[(Kind, &str)] = &[
    (Kind::Email, "Write to jane.doe+plans@mail.acme.co.uk."),
    (Kind::Email, "<a@b.io>"),
    (Kind::Email, "Contact: JOHN_SMITH@ACME.COM, please"),
    (Kind::Email, "mailto:info@acme-shop.de"),
    (Kind::Phone, "Ring +49 30 901820 before noon."),
    (Kind::Phone, "+15558675309"),
    (Kind::Phone, "+44 (0)20 7946 0958"),
    (Kind::Phone, "my number is (212) 555-0142"),
    (Kind::Phone, "212-555-0142"),
    (Kind::Phone, "1-212-555-0142"),
    (Kind::Phone, "212.555.0142, any time"),
    (Kind::Phone, "Phone: 212 555 0142"),
    (Kind::Phone, "call me at 5550142"),
    (Kind::Phone, "Tel. 020 7946 0958"),
    (Kind::Phone, "0171-2345678"),
    (Kind::Card, "Card 4242 4242 4242 4242, 12/29"),
    (Kind::Card, "4111111111111111"),
    (Kind::Card, "5555-5555-5555-4444"),
    (Kind::Card, "amex 3782 822463 10005"),
    (Kind::Iban, "Pay to DE89 3704 0044 0532 0130 00 today"),
    (Kind::Iban, "GB29NWBK60161331926819"),
    (Kind::Iban, "(fr14 2004 1010 0505 0001 3m02 606)"),
    (Kind::Ssn, "SSN 219-09-9999."),
    (Kind::Secret, "key sk-proj-4f8Kd02jfLw93kdLs0fKd83jdLq"),
    (Kind::Secret, "sk-0123456789abcdef0123456789abcdef"),
    (Kind::Secret, "AIzaSyA1234567890abcdefghijklmnopqrstuv"),
    (Kind::Secret, "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    (Kind::Secret, "export AWS=AKIAIOSFODNN7EXAMPLE"),
    (
        Kind::Secret,
        "Authorization: Bearer 8f14e45fceea167a5a36dedd",
    ),
    (
        Kind::Secret,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    ),
    (Kind::Secret, "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
];

/// Texts that a plan is full of.
const NEGATIVES: &[&str] = &[
    "",
    "Learn Spanish in 3 months, 20 minutes a day.",
    "Bake at 350-400 F for 25-30 minutes with 1 1/2 cups (355 ml) of flour.",
    "Mix 100 200 3000 grams; 2 000 000 people; 12 345 678 steps",
    "ISBN 978-3-16-148410-0 or 0-306-40615-2 or 9780306406157",
    "On 2024-01-15, 15.01.2024, 01/15/2024 at 10:30:00, or 2024-01-15T10:30:00Z",
    "From 1990-2000 and 2010-2020; seasons 2023-2024",
    "Version 10.0.19045.3803, v1.2.3-rc.4, numpy 1.26.4, 2024.1.15",
    "Ping 192.168.100.200 or 127.0.0.1:8080",
    "It costs $1,234,567.89 or 1.234.567,89 EUR, about 1234567890 in all",
    "3.14159265358979323846 and 0.1234567890123456",
    "Call 911 or 112; the help line is 1-800-273-8255 or (888) 555-0142 or 0800 1112222",
    "the call lasted 45 minutes and 1200 people were on it",
    "npm i lodash@4.17.21 and git@github.com:acme/plans.git, user@host, @handle",
    "Write to you@example.com or me@mail.example.org or a@b.test",
    "sk-learn-2024-guide-for-absolute-beginners, sk-ill, ghp_, AIza, bearer of bad news in 2024 and later",
    "The bearer bond, the eyJafjallajokull volcano, DE 89, GB 29 North, FR 14 July",
    "Order 4111111111111112 and part 0000 0000 0000 0000",
    "5558675309 and 20240115 and 1700000000000",
    "3 x 10 x 12 at 60-70-80 kg, 5-5-5 sets, 4-4-4-4 breathing",
    "Chapter 12-34-5678, 000-12-3456, 666-12-3456, 123-00-4567",
    "Commit 9a3f1b7c2d4e5f60718293a4b5c6d7e8f9012345, id 550e8400-e29b-41d4-a716-446655440000",
    "+1 point, +500 calories, + 20 minutes, +3000000 users, C++11",
    "RFC 2119, ISO 8601, 24/7, 50/30/20, 80/20, 16:8",
    "Zip 94103-1234, lat 52.520008, lon 13.404954",
    "\u{e9}t\u{e9} 2024 \u{2014} 10\u{a0}000\u{a0}pas",
];

#[test]
fn what_stands_for_somebody_is_found() {
    for (kind, text) in POSITIVES {
        assert_eq!(find(text), Some(*kind), "{text:?}");
        let within = format!("Plan: {text} and so on.");
        assert_eq!(find(&within), Some(*kind), "{within:?}");
    }
    for kind in Kind::ALL {
        assert!(POSITIVES.iter().any(|(found, _)| *found == kind), "{kind}");
    }
}

#[test]
fn the_numbers_and_names_of_ordinary_plans_pass() {
    for text in NEGATIVES {
        assert_eq!(find(text), None, "{text:?}");
        let twice = format!("{text}. {text}\n{text}");
        assert_eq!(find(&twice), None, "{twice:?}");
    }
}

#[test]
fn the_built_in_templates_and_their_renderings_pass() {
    // They are public and were written by hand: whatever is found in them is found wrongly.
    for path in walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates")) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for line in text.lines() {
            assert_eq!(find(line), None, "{} {line:?}", path.display());
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files
}

/// A text of pieces that come near to something.
fn awkward() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("sk-".to_owned()),
        Just("eyJ".to_owned()),
        Just("@".to_owned()),
        Just("DE89".to_owned()),
        Just("+".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("\u{e9}\u{1f600}".to_owned()),
        "[0-9]{1,20}",
        "[-. /,:]",
        "[a-z]{1,8}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in awkward()) {
        let _ = find(&text);
    }

    #[test]
    fn what_is_found_is_found_in_any_surroundings(
        index in any::<prop::sample::Index>(), before in "[a-z ,]{0,40} ", after in " [a-z ,]{0,40}"
    ) {
        let (kind, text) = POSITIVES[index.index(POSITIVES.len())];
        prop_assert_eq!(find(&format!("{before}{text}{after}")), Some(kind));
    }
}

/// Steps cannot be counted from outside, so time is, generously: quadratic work on so much would take minutes.
#[test]
fn the_time_is_linear_in_the_length_whatever_the_text() {
    for unit in [
        "1",
        "@",
        "a@",
        "1-",
        "sk-",
        "eyJa",
        "eyJ-",
        "DE89 ",
        "(1",
        "+1",
        "phone 1 ",
        "a.",
        "1 ",
        "-----BEGIN ",
    ] {
        let text = unit.repeat((1 << 16) / unit.len());
        let started = std::time::Instant::now();
        let _ = find(&text);
        let took = started.elapsed();
        assert!(took.as_secs() < 10, "{unit:?} took {took:?}");
    }
}
