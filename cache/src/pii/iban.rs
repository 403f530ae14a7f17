//! Bank accounts by ISO 13616: country, two check digits, and as many characters as the country has.

/// Countries and the length of their accounts, from the SWIFT registry.
const LENGTHS: [(&[u8; 2], usize); 44] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BR", 29),
    (b"CH", 21),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"EE", 20),
    (b"ES", 24),
    (b"FI", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GR", 27),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"KW", 30),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MT", 31),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"SA", 24),
    (b"SE", 24),
    (b"SI", 19),
    (b"TR", 26),
    (b"UA", 29),
];

/// Whether an account with sound check digits begins at a place, in one piece or in groups.
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    let Some([first, second, ..]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<3>) else {
        return false;
    };
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let Some((_, length)) = LENGTHS.iter().find(|(code, _)| **code == country) else {
        return false;
    };
    let mut account = [0_u8; 34];
    let mut end = at;
    for (place, slot) in account.iter_mut().take(*length).enumerate() {
        // A single space may stand between groups of four.
        if place % 4 == 0 && place > 0 && bytes.get(end) == Some(&b' ') {
            end += 1;
        }
        match bytes.get(end) {
            Some(byte) if byte.is_ascii_alphanumeric() => *slot = byte.to_ascii_uppercase(),
            _ => return false,
        }
        end += 1;
    }
    let account = account.get(..*length).unwrap_or_default();
    let (head, rest) = account.split_at_checked(4).unwrap_or_default();
    let check_is_numeric = head.iter().skip(2).all(u8::is_ascii_digit);
    check_is_numeric && super::is_end(bytes, end) && remainder(rest.iter().chain(head)) == 1
}

/// The number that digits and letters (A is 10) make, modulo 97.
fn remainder<'a>(characters: impl Iterator<Item = &'a u8>) -> u32 {
    characters.fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    })
}
