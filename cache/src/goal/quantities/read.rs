//! Finds typed values in tokens.

use std::ops::Range;

use super::units::{Currency, LengthUnit, TimeUnit, WeightUnit};
use super::{Quantity, Value};
use crate::goal::lexicon;
use crate::goal::numbers::{self, Number};
use crate::goal::words::{Kind, Token};

/// Finds all typed values, from left to right, without overlap.
pub fn find(tokens: &[Token]) -> Vec<Quantity> {
    let numbers = numbers::find(tokens);
    let mut found: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let quantity = match numbers.iter().find(|number| number.tokens.start == at) {
            Some(number) => read_number(tokens, &numbers, number),
            None => read_wordless(tokens, at),
        };
        match quantity {
            Some(quantity) => {
                at = quantity.tokens.end.max(at + 1);
                found.push(quantity);
            }
            None => {
                at = numbers
                    .iter()
                    .find(|n| n.tokens.start == at)
                    .map_or(at + 1, |n| n.tokens.end.max(at + 1))
            }
        }
    }
    found
}

fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.word.as_str())
}

fn kind(tokens: &[Token], at: usize) -> Option<Kind> {
    tokens.get(at).map(|token| token.kind)
}

/// Reads a number with whatever gives it a unit before or after.
fn read_number(tokens: &[Token], numbers: &[Number], number: &Number) -> Option<Quantity> {
    let Range { start, end } = number.tokens;
    if number.ordinal {
        return Some(Quantity {
            value: Value::Ordinal(number.value),
            per: None,
            tokens: start..end,
        });
    }
    let (value, end) = with_unit(tokens, number, start, end)
        .or_else(|| range_end(tokens, numbers, number))
        .or_else(|| without_unit(tokens, number, start, end))?;
    Some(rate(tokens, value, start..end))
}

/// Reads a number that a unit, a currency or an age word follows.
fn with_unit(
    tokens: &[Token],
    number: &Number,
    start: usize,
    end: usize,
) -> Option<(Value, usize)> {
    let n = number.value;
    let next = word(tokens, end);
    if let Some(Kind::Symbol(sign)) = kind(tokens, end) {
        if sign == '%' {
            return Some((Value::Percent(n), end + 1));
        }
        if let Some(currency) =
            Currency::read_sign(sign).filter(|_| tokens.get(end).is_some_and(|t| t.glued))
        {
            return Some((Value::Money { value: n, currency }, end + 1));
        }
    }
    if let Some(currency) = Currency::read(next) {
        return Some((Value::Money { value: n, currency }, end + 1));
    }
    if next == "pounds" && word(tokens, end + 1) == "sterling" {
        return Some((
            Value::Money {
                value: n,
                currency: Currency::Sterling,
            },
            end + 2,
        ));
    }
    if matches!(next, "percent" | "pct") {
        return Some((Value::Percent(n), end + 1));
    }
    if matches!(next, "am" | "pm" | "oclock") && n <= 24.0 && n.fract() == 0.0 {
        return Some((Value::Clock(clock(n as u32 * 60, next)), end + 1));
    }
    if let Some((unit, factor)) = TimeUnit::read(next) {
        // "second" after a number word is an order, not a time.
        let years_old = unit == TimeUnit::Year && matches!(word(tokens, end + 1), "old" | "olds");
        if years_old {
            return Some((Value::Age(n), end + 2));
        }
        // "one day" without a preposition means "some day".
        let some_day = number.soft
            && unit == TimeUnit::Day
            && !takes_span(word(tokens, start.wrapping_sub(1)));
        if some_day {
            return None;
        }
        let half = word(tokens, end + 1) == "and"
            && word(tokens, end + 2) == "a"
            && word(tokens, end + 3) == "half";
        let (count, end) = if half {
            (n + 0.5, end + 4)
        } else {
            (n, end + 1)
        };
        return Some((
            Value::Duration {
                count: count * factor,
                unit,
            },
            end,
        ));
    }
    if number.soft {
        return None;
    }
    if let Some(unit) = WeightUnit::read(next) {
        return Some((Value::Weight { count: n, unit }, end + 1));
    }
    if let Some(unit) = LengthUnit::read(next) {
        return Some((Value::Distance { count: n, unit }, end + 1));
    }
    None
}

/// Reads the first number of a range, which takes the unit of the second ("20-30 kg", "6 to 8 weeks").
fn range_end(tokens: &[Token], numbers: &[Number], number: &Number) -> Option<(Value, usize)> {
    let end = number.tokens.end;
    let joined = tokens.get(end).is_some_and(|t| t.hyphenated);
    let next = if joined {
        end
    } else if matches!(word(tokens, end), "to" | "or") {
        end + 1
    } else {
        return None;
    };
    let second = numbers.iter().find(|other| other.tokens.start == next)?;
    let (value, _) = with_unit(tokens, second, second.tokens.start, second.tokens.end)?;
    let n = number.value;
    let value = match value {
        Value::Duration { unit, .. } => Value::Duration { count: n, unit },
        Value::Weight { unit, .. } => Value::Weight { count: n, unit },
        Value::Distance { unit, .. } => Value::Distance { count: n, unit },
        Value::Money { currency, .. } => Value::Money { value: n, currency },
        Value::Percent(_) => Value::Percent(n),
        _ => return None,
    };
    Some((value, end))
}

/// Reads a number by what stands before it, or as a count of the word after it.
fn without_unit(
    tokens: &[Token],
    number: &Number,
    start: usize,
    end: usize,
) -> Option<(Value, usize)> {
    let n = number.value;
    let before = word(tokens, start.wrapping_sub(1));
    if let Some(Kind::Symbol(sign)) = kind(tokens, start.wrapping_sub(1))
        && let Some(currency) = Currency::read_sign(sign)
    {
        return Some((Value::Money { value: n, currency }, end));
    }
    if let Some(currency) =
        Currency::read(before).filter(|_| matches!(before, "usd" | "eur" | "gbp" | "inr" | "rs"))
    {
        return Some((Value::Money { value: n, currency }, end));
    }
    if matches!(before, "age" | "aged") {
        return Some((Value::Age(n), end));
    }
    if number.soft {
        // "one egg" is a count, "one of them", "the one", "how can one" are not.
        let counted = tokens
            .get(end)
            .is_some_and(|t| t.kind == Kind::Word && !lexicon::is_function(&t.word))
            && !matches!(
                before,
                "the"
                    | "this"
                    | "that"
                    | "can"
                    | "does"
                    | "should"
                    | "would"
                    | "no"
                    | "could"
                    | "do"
                    | "did"
            );
        return counted.then(|| {
            (
                Value::Count {
                    value: n,
                    noun: noun(tokens, end),
                },
                end,
            )
        });
    }
    let digits = tokens
        .get(start)
        .is_some_and(|t| t.word.len() == 4 && matches!(t.kind, Kind::Number(_)));
    let plural = word(tokens, end).ends_with('s') && !lexicon::is_function(word(tokens, end));
    if digits && (1900.0..2100.0).contains(&n) && !number.thousands_suffix && !plural {
        return Some((Value::Year(n), end));
    }
    if number.thousands_suffix {
        return Some((
            Value::Number {
                value: n,
                thousands_suffix: true,
            },
            end,
        ));
    }
    let counted = tokens.get(end).is_some_and(|t| {
        t.kind == Kind::Word && !t.starts_sentence && !lexicon::is_function(&t.word)
    });
    if counted {
        return Some((
            Value::Count {
                value: n,
                noun: noun(tokens, end),
            },
            end,
        ));
    }
    Some((
        Value::Number {
            value: n,
            thousands_suffix: false,
        },
        end,
    ))
}

fn noun(tokens: &[Token], at: usize) -> String {
    tokens
        .get(at)
        .map(|token| token.stem.clone())
        .unwrap_or_default()
}

/// Extends a value by "a day", "per week", "every month", which make it a rate; also takes the currency sign before it.
fn rate(tokens: &[Token], value: Value, mut range: Range<usize>) -> Quantity {
    if let Value::Money { .. } = value {
        let before = range.start.wrapping_sub(1);
        let sign = matches!(kind(tokens, before), Some(Kind::Symbol(s)) if s != '%');
        let code = matches!(word(tokens, before), "usd" | "eur" | "gbp" | "inr" | "rs");
        if sign || code {
            range.start = before;
        }
    }
    // "3 times a week": the word "times" belongs to the rate.
    let mut end = range.end;
    if matches!(&value, Value::Count { noun, .. } if noun == "time") {
        end += 1;
    }
    let mut per = None;
    let article = matches!(word(tokens, end), "a" | "an" | "per" | "each" | "every");
    if article {
        if let Some((unit, _)) = TimeUnit::read(word(tokens, end + 1)) {
            (per, end) = (Some(unit), end + 2);
        }
    } else {
        let unit = match word(tokens, end) {
            "daily" => Some(TimeUnit::Day),
            "weekly" => Some(TimeUnit::Week),
            "monthly" => Some(TimeUnit::Month),
            "yearly" | "annually" => Some(TimeUnit::Year),
            _ => None,
        };
        if unit.is_some() {
            (per, end) = (unit, end + 1);
        }
    }
    if per.is_some() {
        range.end = end;
    }
    Quantity {
        value,
        per,
        tokens: range,
    }
}

/// Reads values written without a number: "a month", "half a year", "twice a week", "within month", "9:15".
fn read_wordless(tokens: &[Token], at: usize) -> Option<Quantity> {
    let first = word(tokens, at);
    if let Some(Kind::Clock(minutes)) = kind(tokens, at) {
        let half = word(tokens, at + 1);
        let end = if matches!(half, "am" | "pm") {
            at + 2
        } else {
            at + 1
        };
        return Some(Quantity {
            value: Value::Clock(clock(minutes, half)),
            per: None,
            tokens: at..end,
        });
    }
    // A currency sign belongs to the number after it.
    if matches!(first, "once" | "twice" | "thrice") {
        let times = match first {
            "once" => 1.0,
            "twice" => 2.0,
            _ => 3.0,
        };
        let quantity = rate(
            tokens,
            Value::Count {
                value: times,
                noun: "once".to_owned(),
            },
            at..at + 1,
        );
        return quantity.per.is_some().then_some(quantity);
    }
    let (count, unit_at) = match first {
        "half" if matches!(word(tokens, at + 1), "a" | "an") => (0.5, at + 2),
        "half" => (0.5, at + 1),
        "a" | "an" if word(tokens, at + 1) == "half" => return None,
        "a" | "an" => (1.0, at + 1),
        "this" if matches!(word(tokens, at + 1), "year" | "month") => (1.0, at + 1),
        "next" | "coming"
            if takes_span(word(tokens, at.wrapping_sub(2)))
                || word(tokens, at.wrapping_sub(1)) == "over" =>
        {
            (1.0, at + 1)
        }
        "within" | "in" | "under" => (1.0, at + 1),
        _ => return None,
    };
    let (unit, factor) = TimeUnit::read(word(tokens, unit_at))?;
    let bare = matches!(first, "within" | "in" | "under");
    // "a second", "a minute" and "in years" are turns of speech; plurals need a number.
    let vague =
        word(tokens, unit_at).ends_with('s') || matches!(unit, TimeUnit::Second | TimeUnit::Minute);
    let quarter_of = word(tokens, unit_at) == "quarter" && word(tokens, unit_at + 1) == "of";
    // "once a day", "books a year": the article makes a rate, not a span.
    let is_rate = matches!(first, "a" | "an")
        && !takes_span(word(tokens, at.wrapping_sub(1)))
        && at > 0
        && tokens.get(at - 1).is_some_and(|t| {
            !lexicon::is_function(&t.word) && t.word != "half" && t.kind == Kind::Word
        })
        && matches!(
            unit,
            TimeUnit::Day | TimeUnit::Week | TimeUnit::Month | TimeUnit::Year
        )
        && word(tokens, at.wrapping_sub(1)).ends_with('s');
    if (vague && (first != "half" || unit == TimeUnit::Second)) || quarter_of || is_rate {
        return None;
    }
    let half_after = !bare
        && word(tokens, unit_at + 1) == "and"
        && word(tokens, unit_at + 2) == "a"
        && word(tokens, unit_at + 3) == "half";
    let (count, end) = if half_after {
        (count + 0.5, unit_at + 4)
    } else {
        (count, unit_at + 1)
    };
    let start = if bare || matches!(first, "next" | "coming") {
        unit_at
    } else {
        at
    };
    Some(Quantity {
        value: Value::Duration {
            count: count * factor,
            unit,
        },
        per: None,
        tokens: start..end,
    })
}

/// Says whether a word announces a span of time.
fn takes_span(word: &str) -> bool {
    matches!(
        word,
        "in" | "within"
            | "over"
            | "for"
            | "under"
            | "after"
            | "of"
            | "about"
            | "around"
            | "only"
            | "than"
            | "inside"
            | "just"
            | "during"
            | "the"
    )
}

fn clock(minutes: u32, half: &str) -> u32 {
    match half {
        "pm" if minutes < 12 * 60 => minutes + 12 * 60,
        "am" if minutes >= 12 * 60 => minutes - 12 * 60,
        _ => minutes,
    }
}
