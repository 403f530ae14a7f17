//! Numbers that stand for somebody: cards, social security numbers, telephones.
//!
//! A number is read whole, with the separators inside it, and judged by its groups of digits: the same digits are
//! a telephone as `555-867-5309` and a quantity as `5558675309`.

use super::Kind;

/// Bytes of one number at most, separators included; a longer row of digits is no number of any kind here.
const MAX_BYTES: usize = 48;

/// Groups of digits in one number at most.
const MAX_GROUPS: usize = 8;

/// Digits of a telephone with its country (E.164), and of a card (ISO 7812).
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;
const CARD: std::ops::RangeInclusive<usize> = 13..=19;

/// Area codes of the North American plan that are free to call: they belong to businesses and help lines.
const FREE_CALL: [&[u8]; 8] = [
    b"800", b"822", b"833", b"844", b"855", b"866", b"877", b"888",
];

/// Words that introduce a telephone number.
const INTRODUCTIONS: [&[u8]; 8] = [
    b"phone",
    b"tel",
    b"telephone",
    b"mobile",
    b"cell",
    b"whatsapp",
    b"fax",
    b"call",
];

/// A number that was read: where it ends, and what it is.
pub(super) struct Read {
    pub(super) end: usize,
    pub(super) kind: Option<Kind>,
}

/// Whether a number begins at a place, and is not the rest of a word, a decimal, an amount or a version.
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let follows_digit = |from: usize| bytes.get(from).is_some_and(u8::is_ascii_digit);
    match bytes.get(at) {
        Some(b'+' | b'(') => {
            follows_digit(at + 1) && before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
        }
        // What follows a point, a comma or a sign of money or number goes on from it.
        Some(byte) if byte.is_ascii_digit() => {
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b".,$#_/-".contains(byte))
        }
        _ => false,
    }
}

/// Reads the number at a place where one begins.
pub(super) fn read(bytes: &[u8], at: usize) -> Read {
    let number = Number::read(bytes, at);
    let kind = if number.is_cut_off {
        None
    } else {
        number.kind(introduced(bytes, at))
    };
    Read {
        end: number.end,
        kind,
    }
}

/// Digits with the places where separators stand between them.
struct Number {
    digits: [u8; MAX_BYTES],
    len: usize,
    /// How many digits each group has.
    groups: [usize; MAX_GROUPS],
    num_groups: usize,
    /// The separators, each of one byte but for a bracket with a space.
    separators: [u8; MAX_GROUPS],
    plus: bool,
    bracket: bool,
    /// Whether it goes on beyond what was read, or into a word.
    is_cut_off: bool,
    end: usize,
}

impl Number {
    fn read(bytes: &[u8], at: usize) -> Self {
        let mut number = Self {
            digits: [0; MAX_BYTES],
            len: 0,
            groups: [0; MAX_GROUPS],
            num_groups: 0,
            separators: [0; MAX_GROUPS],
            plus: bytes.get(at) == Some(&b'+'),
            bracket: false,
            is_cut_off: false,
            end: at,
        };
        let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
        let mut place = at + usize::from(number.plus);
        loop {
            if bytes.get(place) == Some(&b'(') {
                number.bracket = true;
                place += 1;
            }
            let group = super::run(bytes, place, MAX_BYTES, |byte| byte.is_ascii_digit());
            for digit in bytes.iter().skip(place).take(group) {
                if let Some(slot) = number.digits.get_mut(number.len) {
                    *slot = *digit - b'0';
                }
                number.len += 1;
            }
            place += group;
            number.end = place;
            if let Some(slot) = number.groups.get_mut(number.num_groups) {
                *slot = group;
            }
            number.num_groups += 1;
            // One separator, or a bracket with or without a space on its outer side.
            let separator = bytes.get(place).copied().unwrap_or(0);
            let width = match separator {
                b' ' | b'-' if bytes.get(place + 1) == Some(&b'(') && is_digit(place + 2) => 1,
                b' ' | b'-' | b'.' | b'/' if is_digit(place + 1) => 1,
                b')' if is_digit(place + 1) => 1,
                b')' if matches!(bytes.get(place + 1), Some(b' ' | b'-'))
                    && is_digit(place + 2) =>
                {
                    2
                }
                _ => break,
            };
            if number.len > MAX_BYTES || number.num_groups >= MAX_GROUPS {
                number.is_cut_off = true;
                break;
            }
            if let Some(slot) = number.separators.get_mut(number.num_groups - 1) {
                *slot = separator;
            }
            place += width;
        }
        number.is_cut_off |= number.len > MAX_BYTES || !ends(bytes, number.end);
        number
    }

    fn groups(&self) -> &[usize] {
        self.groups.get(..self.num_groups).unwrap_or_default()
    }

    fn separators(&self) -> &[u8] {
        let num_separators = self.num_groups.saturating_sub(1);
        self.separators.get(..num_separators).unwrap_or_default()
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    /// Whether all separators are one and the same of these.
    fn is_joined_by(&self, allowed: &[u8]) -> bool {
        let separators = self.separators();
        separators.iter().all(|byte| allowed.contains(byte))
            && separators
                .windows(2)
                .all(|pair| pair.first() == pair.last())
    }

    fn kind(&self, introduced: bool) -> Option<Kind> {
        if self.is_social_security() {
            Some(Kind::Ssn)
        } else if self.is_card() {
            Some(Kind::Card)
        } else if self.is_phone(introduced) {
            Some(Kind::Phone)
        } else {
            None
        }
    }

    /// Three, two and four digits; never issued are 000, 666 and 9.., 00 and 0000.
    fn is_social_security(&self) -> bool {
        let value = |from: usize, to: usize| {
            self.digits()
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .fold(0, |sum, digit| sum * 10 + u32::from(*digit))
        };
        !self.plus
            && self.groups() == [3, 2, 4]
            && self.is_joined_by(b"-")
            && !matches!(value(0, 3), 0 | 666 | 900..)
            && value(3, 5) != 0
            && value(5, 9) != 0
    }

    /// In one piece or in the groups printed on cards, with a first digit that issuers have, and Luhn's check.
    fn is_card(&self) -> bool {
        let grouped = match self.groups() {
            [_] => true,
            [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5] => self.is_joined_by(b" -"),
            _ => false,
        };
        let digits = self.digits();
        !self.plus
            && grouped
            && CARD.contains(&digits.len())
            && matches!(digits.first(), Some(2..=6))
            && digits.windows(2).any(|pair| pair.first() != pair.last())
            && has_luhn_check(digits)
    }

    fn is_phone(&self, introduced: bool) -> bool {
        let digits = self.digits();
        if self.is_free_call() {
            return false;
        }
        if self.plus {
            return INTERNATIONAL.contains(&digits.len());
        }
        let local = digits.strip_prefix(&[1]).unwrap_or(digits);
        let groups = match self.groups() {
            [1, rest @ ..] if digits.first() == Some(&1) => rest,
            groups => groups,
        };
        // Area and exchange never begin with 0 or 1.
        let north_american = groups == [3, 3, 4]
            && local.len() == 10
            && local.first() >= Some(&2)
            && local.get(3) >= Some(&2);
        if north_american && (self.bracket || self.is_joined_by(b"-.")) {
            return true;
        }
        // With a trunk prefix: 030 1234567, 0171-2345678, 020 7946 0958.
        let trunk = matches!(digits, [0, 1..=9, ..])
            && self.groups().first().is_some_and(|first| *first >= 3)
            && self.num_groups >= 2
            && (10..=12).contains(&digits.len())
            && !self.separators().contains(&b'.');
        trunk || (introduced && (7..=15).contains(&digits.len()) && self.is_joined_by(b" -."))
    }

    fn is_free_call(&self) -> bool {
        let digits = self.digits();
        let local = digits.strip_prefix(&[1]).unwrap_or(digits);
        let area = local.get(..3).unwrap_or_default();
        let free = FREE_CALL.iter().any(|code| {
            code.iter()
                .map(|digit| digit - b'0')
                .eq(area.iter().copied())
        });
        let european = matches!(digits, [0, 8, 0, 0, ..]);
        (free && local.len() == 10) || european
    }
}

/// Whether a number ends here: not into a word, nor into a decimal place.
fn ends(bytes: &[u8], at: usize) -> bool {
    let follows_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    match bytes.get(at) {
        Some(b',' | b'.' | b':' | b'/' | b'-' | b'_') => !follows_digit,
        Some(byte) => !byte.is_ascii_alphanumeric() && *byte != b'%',
        None => true,
    }
}

/// The check digit of cards (ISO 7812): from the right, every second digit counts double.
fn has_luhn_check(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the word before a place says that a telephone number follows, as in `Phone: ` or `call me at `.
fn introduced(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(24)..at).unwrap_or_default();
    before
        .split(|byte| !byte.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .rev()
        .take(3)
        .any(|word| {
            INTRODUCTIONS
                .iter()
                .any(|introduction| word.eq_ignore_ascii_case(introduction))
        })
}
