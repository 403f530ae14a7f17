//! Misspellings: one slip of the pen between two words, and not two different words.
//!
//! A dictionary would know that "statment" is no word. Without one, only slips that seldom turn one word into another
//! are forgiven (letters swapped, a letter doubled or not, a vowel missing or wrong in a long word), and the pairs of
//! real words they could still confuse are listed.

/// Pairs of real words one slip apart.
const CONFUSABLE: [(&str, &str); 34] = [
    ("message", "massage"),
    ("diary", "dairy"),
    ("desert", "dessert"),
    ("angel", "angle"),
    ("quiet", "quite"),
    ("planet", "plant"),
    ("county", "country"),
    ("statue", "statute"),
    ("affect", "effect"),
    ("personal", "personnel"),
    ("moral", "morale"),
    ("human", "humane"),
    ("complement", "compliment"),
    ("stationary", "stationery"),
    ("principal", "principle"),
    ("latter", "later"),
    ("dinner", "diner"),
    ("marital", "martial"),
    ("casual", "causal"),
    ("trial", "trail"),
    ("united", "untied"),
    ("silver", "sliver"),
    ("calvary", "cavalry"),
    ("conservation", "conversation"),
    ("perfect", "prefect"),
    ("tapping", "taping"),
    ("hopping", "hoping"),
    ("planning", "planing"),
    ("scrapping", "scraping"),
    ("sacred", "scared"),
    ("bread", "beard"),
    ("garden", "gardener"),
    ("insure", "ensure"),
    ("precede", "proceed"),
];

/// Says whether two different lower-case words are the same word with one slip.
pub(super) fn is_slip(a: &str, b: &str) -> bool {
    if !(a.is_ascii() && b.is_ascii()) || a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    let listed = CONFUSABLE.iter().any(|(x, y)| {
        (a.starts_with(x) && b.starts_with(y)) || (a.starts_with(y) && b.starts_with(x))
    });
    if listed {
        return false;
    }
    let (short, long) = if a.len() <= b.len() {
        (a.as_bytes(), b.as_bytes())
    } else {
        (b.as_bytes(), a.as_bytes())
    };
    match long.len() - short.len() {
        0 => swapped(short, long) || vowel_changed(short, long),
        1 => letter_missing(short, long),
        _ => false,
    }
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u')
}

/// Two neighbouring letters swapped, in words of five letters and more.
fn swapped(a: &[u8], b: &[u8]) -> bool {
    if a.len() < 5 {
        return false;
    }
    let differing: Vec<usize> = a
        .iter()
        .zip(b)
        .enumerate()
        .filter(|(_, (x, y))| x != y)
        .map(|(i, _)| i)
        .collect();
    match differing.as_slice() {
        [i, j] => *j == i + 1 && a.get(*i) == b.get(*j) && a.get(*j) == b.get(*i),
        _ => false,
    }
}

/// One vowel written for another inside a word of seven letters and more.
fn vowel_changed(a: &[u8], b: &[u8]) -> bool {
    let differing: Vec<(usize, u8, u8)> = a
        .iter()
        .zip(b)
        .enumerate()
        .filter(|(_, (x, y))| x != y)
        .map(|(i, (x, y))| (i, *x, *y))
        .collect();
    match differing.as_slice() {
        [(at, x, y)] => a.len() >= 7 && *at > 1 && at + 1 < a.len() && is_vowel(*x) && is_vowel(*y),
        _ => false,
    }
}

/// One letter missing: half of a double letter, or any inner letter of a long word.
fn letter_missing(short: &[u8], long: &[u8]) -> bool {
    let at = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    if short.get(at..) != long.get(at + 1..) {
        return false;
    }
    let Some(letter) = long.get(at).copied() else {
        return false;
    };
    // In a double letter the first difference comes after the run.
    let doubled = at > 0 && long.get(at - 1) == Some(&letter);
    let inner = at > 0 && at + 1 < long.len();
    (doubled && long.len() >= 5) || (inner && long.len() >= 7)
}
