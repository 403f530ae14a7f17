//! Numbers in digits and in words: "1,000", "10k", "twenty-one", "a dozen", "two and a half".

use std::ops::Range;

use super::words::{Kind, Token};

/// One number of a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The tokens it is written in.
    pub tokens: Range<usize>,
    /// Its value, suffix included.
    pub value: f64,
    /// Whether it was written with a "k" ("10k"), which is also how runners write kilometres.
    pub thousands_suffix: bool,
    /// Whether it is a place in an order ("21st").
    pub ordinal: bool,
    /// Whether it is the word "one" alone, which is as often a pronoun.
    pub soft: bool,
}

/// Finds all numbers, from left to right, without overlap.
pub fn find(tokens: &[Token]) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match digits(tokens, at).or_else(|| words(tokens, at)) {
            Some(number) => {
                at = number.tokens.end.max(at + 1);
                numbers.push(number);
            }
            None => at += 1,
        }
    }
    numbers
}

fn digits(tokens: &[Token], at: usize) -> Option<Number> {
    let (mut value, ordinal) = match tokens.get(at)?.kind {
        Kind::Number(value) => (value, false),
        Kind::Ordinal(value) => (value, true),
        _ => return None,
    };
    let mut end = at + 1;
    let mut thousands_suffix = false;
    if !ordinal {
        if let Some(next) = tokens.get(end) {
            if next.word == "k" && !next.hyphenated {
                (value, thousands_suffix, end) = (value * 1e3, true, end + 1);
            } else if let Some(scale) = scale(&next.word) {
                (value, end) = (value * scale, end + 1);
            }
        }
        if let Some(after) = and_a_half(tokens, end) {
            (value, end) = (value + 0.5, after);
        }
    }
    Some(Number {
        tokens: at..end,
        value,
        thousands_suffix,
        ordinal,
        soft: false,
    })
}

/// Reads the longest run of number words.
fn words(tokens: &[Token], at: usize) -> Option<Number> {
    let word = |i: usize| {
        tokens
            .get(i)
            .filter(|t| t.kind == Kind::Word)
            .map(|t| t.word.as_str())
    };
    let number = |end: usize, value: f64| Number {
        tokens: at..end,
        value,
        thousands_suffix: false,
        ordinal: false,
        soft: false,
    };
    // "half a dozen", "a dozen", "a couple of", "a hundred"
    if word(at) == Some("half") && word(at + 1) == Some("a") && word(at + 2) == Some("dozen") {
        return Some(number(at + 3, 6.0));
    }
    if word(at) == Some("a") {
        match word(at + 1) {
            Some("dozen") => return Some(number(at + 2, 12.0)),
            Some("couple") if word(at + 2) == Some("of") => return Some(number(at + 3, 2.0)),
            Some("hundred" | "thousand" | "million") => {
                let mut rest = words(tokens, at + 1)?;
                rest.tokens = at..rest.tokens.end;
                return Some(rest);
            }
            _ => {}
        }
    }
    let (mut total, mut group, mut end, mut any) = (0.0, 0.0, at, false);
    while let Some(next) = word(end) {
        if let Some(unit) = small(next) {
            // "twenty one" adds up, "one two" are two numbers.
            let fits = !any
                || (unit < 10.0 && group % 100.0 >= 20.0 && group % 10.0 == 0.0)
                || group % 100.0 == 0.0;
            if !fits {
                break;
            }
            group += unit;
        } else if next == "hundred" {
            group = if group == 0.0 { 100.0 } else { group * 100.0 };
        } else if let Some(scale) = scale(next) {
            total += if group == 0.0 { scale } else { group * scale };
            group = 0.0;
        } else if next == "and"
            && any
            && ends_big(word(end.wrapping_sub(1)))
            && word(end + 1).and_then(small).is_some()
        {
            end += 1;
            continue;
        } else {
            break;
        }
        any = true;
        end += 1;
    }
    if !any {
        return None;
    }
    let soft = end == at + 1 && word(at) == Some("one");
    let mut value = total + group;
    if let Some(after) = and_a_half(tokens, end) {
        (value, end) = (value + 0.5, after);
    }
    Some(Number {
        soft,
        ..number(end, value)
    })
}

fn ends_big(word: Option<&str>) -> bool {
    word.is_some_and(|w| w == "hundred" || scale(w).is_some())
}

fn and_a_half(tokens: &[Token], at: usize) -> Option<usize> {
    let is = |i: usize, word: &str| tokens.get(i).is_some_and(|t| t.word == word);
    (is(at, "and") && is(at + 1, "a") && is(at + 2, "half")).then_some(at + 3)
}

fn scale(word: &str) -> Option<f64> {
    Some(match word {
        "hundred" => 1e2,
        "thousand" | "thousands" | "grand" => 1e3,
        "lakh" | "lakhs" | "lac" => 1e5,
        "million" | "millions" | "mio" => 1e6,
        "crore" | "crores" => 1e7,
        "billion" | "billions" | "bn" => 1e9,
        "dozen" => 12.0,
        _ => return None,
    })
}

fn small(word: &str) -> Option<f64> {
    Some(match word {
        "zero" => 0.0,
        "one" => 1.0,
        "two" => 2.0,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "eleven" => 11.0,
        "twelve" => 12.0,
        "thirteen" => 13.0,
        "fourteen" => 14.0,
        "fifteen" => 15.0,
        "sixteen" => 16.0,
        "seventeen" => 17.0,
        "eighteen" => 18.0,
        "nineteen" => 19.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        "forty" | "fourty" => 40.0,
        "fifty" => 50.0,
        "sixty" => 60.0,
        "seventy" => 70.0,
        "eighty" => 80.0,
        "ninety" => 90.0,
        _ => return None,
    })
}
