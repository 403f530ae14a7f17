//! Dates as people set them for goals: "by 3 May", "before June 2027", "until 2027-06-01", "by Christmas".
//!
//! A date is read, never reckoned with: how far away it is depends on the moment of asking.

use std::fmt;
use std::ops::Range;

use crate::goal::{Goal, Kind, Role, Token};

/// A day or month, with or without its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The year, if it is stated.
    pub year: Option<u16>,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, if it is stated.
    pub day: Option<u8>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days that have a name.
const NAMED: [(&str, u8, u8); 4] = [
    ("christmas", 12, 25),
    ("xmas", 12, 25),
    ("halloween", 10, 31),
    ("valentines", 2, 14),
];

impl Date {
    /// Returns the English name of the month.
    pub fn month_name(self) -> &'static str {
        MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or_default()
    }

    /// Reads a date that is the whole of a text, as files write it.
    pub fn parse(text: &str) -> Option<Self> {
        let goal = Goal::analyse(text);
        match find(&goal).as_slice() {
            [(range, date)] if range.len() == goal.tokens().len() => Some(*date),
            _ => None,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(day) = self.day {
            write!(f, "{day} ")?;
        }
        f.write_str(self.month_name())?;
        match self.year {
            Some(year) => write!(f, " {year}"),
            None => Ok(()),
        }
    }
}

/// Finds the dates of a goal, each with the words that lead to it ("by the end of").
pub(in crate::template) fn find(goal: &Goal) -> Vec<(Range<usize>, Date)> {
    let tokens = goal.tokens();
    let mut found: Vec<(Range<usize>, Date)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match date_at(tokens, at) {
            Some((range, date)) => {
                let free = found.last().map_or(0, |(before, _)| before.end);
                at = range.end;
                found.push((lead(tokens, range.start).max(free)..range.end, date));
            }
            None => at += 1,
        }
    }
    found
}

fn date_at(tokens: &[Token], at: usize) -> Option<(Range<usize>, Date)> {
    iso(tokens, at)
        .or_else(|| day_first(tokens, at))
        .or_else(|| month_first(tokens, at))
        .or_else(|| named(tokens, at))
}

/// "2027-06-01"
fn iso(tokens: &[Token], at: usize) -> Option<(Range<usize>, Date)> {
    let joined = |at: usize| tokens.get(at).is_some_and(|token| token.hyphenated);
    let (year, month, day) = (
        year(tokens, at)?,
        number(tokens, at + 1)?,
        day(tokens, at + 2)?,
    );
    let month = u8::try_from(month)
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let date = Date {
        year: Some(year),
        month,
        day: Some(day),
    };
    (joined(at + 1) && joined(at + 2)).then_some((at..at + 3, date))
}

/// "3 May", "the 3rd of May 2027"
fn day_first(tokens: &[Token], at: usize) -> Option<(Range<usize>, Date)> {
    let day = day(tokens, at)?;
    let of = usize::from(tokens.get(at + 1).is_some_and(|token| token.word == "of"));
    let month = month(tokens, at + 1 + of)?;
    Some(with_year(tokens, at..at + 2 + of, month, Some(day)))
}

/// "May 3", "May 3rd, 2027", "May 2027", "by May"
fn month_first(tokens: &[Token], at: usize) -> Option<(Range<usize>, Date)> {
    let month = month(tokens, at)?;
    let after = day(tokens, at + 1).filter(|_| {
        // "In June 5 books": the number counts something.
        tokens
            .get(at + 2)
            .is_none_or(|next| next.role != Role::Content || next.starts_sentence)
    });
    if let Some(day) = after {
        return Some(with_year(tokens, at..at + 2, month, Some(day)));
    }
    let (range, date) = with_year(tokens, at..at + 1, month, None);
    // "May" and "march" are other words too.
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let announced = before.is_some_and(|token| leads(&token.word));
    let plain = !matches!(
        tokens.get(at)?.word.as_str(),
        "may" | "march" | "mar" | "dec" | "sep"
    );
    (plain || announced || date.year.is_some()).then_some((range, date))
}

fn named(tokens: &[Token], at: usize) -> Option<(Range<usize>, Date)> {
    let word = tokens.get(at)?.word.as_str();
    let (_, month, day) = NAMED.iter().find(|(name, _, _)| *name == word)?;
    // "Christmas presents" are no date.
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    before.filter(|token| leads(&token.word))?;
    Some(with_year(tokens, at..at + 1, *month, Some(*day)))
}

fn with_year(
    tokens: &[Token],
    range: Range<usize>,
    month: u8,
    day: Option<u8>,
) -> (Range<usize>, Date) {
    let year = year(tokens, range.end);
    let end = range.end + usize::from(year.is_some());
    (range.start..end, Date { year, month, day })
}

fn number(tokens: &[Token], at: usize) -> Option<u32> {
    match tokens.get(at)?.kind {
        Kind::Number(value) | Kind::Ordinal(value)
            if value.fract() == 0.0 && (0.0..10_000.0).contains(&value) =>
        {
            Some(value as u32)
        }
        _ => None,
    }
}

fn day(tokens: &[Token], at: usize) -> Option<u8> {
    let day = u8::try_from(number(tokens, at)?).ok()?;
    (1..=31).contains(&day).then_some(day)
}

fn year(tokens: &[Token], at: usize) -> Option<u16> {
    let year = u16::try_from(number(tokens, at)?).ok()?;
    (2000..2100).contains(&year).then_some(year)
}

fn month(tokens: &[Token], at: usize) -> Option<u8> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let place = MONTHS.iter().position(|name| {
        let name = name.to_lowercase();
        token.word == name
            || token.word == "sept" && name == "september"
            || name.get(..3) == Some(&token.word)
    })?;
    u8::try_from(place + 1).ok()
}

fn leads(word: &str) -> bool {
    matches!(
        word,
        "by" | "before"
            | "until"
            | "till"
            | "on"
            | "in"
            | "for"
            | "the"
            | "of"
            | "end"
            | "this"
            | "next"
    )
}

/// Returns where the words that lead to a date begin.
fn lead(tokens: &[Token], start: usize) -> usize {
    (0..start)
        .rev()
        .take_while(|&at| tokens.get(at).is_some_and(|token| leads(&token.word)))
        .last()
        .unwrap_or(start)
}
