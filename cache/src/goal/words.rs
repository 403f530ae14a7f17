//! From raw text to tokens: NFKC, apostrophes, contractions, offsets and stems.

use std::ops::Range;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

use super::lexicon;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Letters, maybe with digits after the first ("mp3").
    Word,
    /// Digits, read as a number ("1,000", "1.5").
    Number(f64),
    /// Digits with an ordinal ending ("21st").
    Ordinal(f64),
    /// A time written with a colon, in minutes after midnight ("9:15").
    Clock(u32),
    /// A sign that gives a number its unit (`$ € £ ¥ ₹ %`).
    Symbol(char),
}

/// What a token does in its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Carries meaning of its own.
    Content,
    /// Grammar or politeness.
    Function,
    /// Part of a phrase that only says what kind of answer is wanted ("how do I", "help me").
    Lead,
    /// Part of a typed value.
    Value,
    /// A later word of a phrase that counts as one with the word before ("work out").
    Merged,
}

/// One word, number or unit sign of a goal.
#[derive(Debug, Clone)]
pub struct Token {
    /// Where it stands in the goal's text, in bytes. The parts of a contraction share their range.
    pub range: Range<usize>,
    /// Lower case, without apostrophes.
    pub word: String,
    /// The English (Snowball) stem of the word.
    pub stem: String,
    /// The stem after synonyms: equal keys mean the same.
    pub key: String,
    /// What it is made of.
    pub kind: Kind,
    /// What it does.
    pub role: Role,
    /// Whether it follows the token before without a space ("10k" is two tokens, the second glued).
    pub glued: bool,
    /// Whether a hyphen joins it to the token before.
    pub hyphenated: bool,
    /// Whether it begins with a capital.
    pub capital: bool,
    /// Whether it is the first of a sentence.
    pub starts_sentence: bool,
    /// Whether it ended in a possessive ("today's").
    pub possessive: bool,
}

/// Puts a text into NFKC and makes every apostrophe and hyphen the ASCII one.
pub fn normalise(text: &str) -> String {
    text.nfkc()
        .map(|c| match c {
            '\u{2018}' | '\u{2019}' | '\u{02bc}' | '\u{00b4}' | '`' => '\'',
            '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2014}' | '\u{2212}' => '-',
            c => c,
        })
        .collect()
}

/// Returns the stem of a lower-case word, with the exceptions that matter for goals.
pub fn stem(word: &str) -> String {
    if let Some(fixed) = lexicon::fixed_stem(word) {
        return fixed.to_owned();
    }
    if !word.is_ascii() {
        return word.to_owned();
    }
    let stem = STEMMER.stem(word).into_owned();
    lexicon::american(stem)
}

/// Splits a normalised text into tokens.
pub fn tokenise(text: &str) -> Vec<Token> {
    let shouting = !text.chars().any(char::is_lowercase);
    let mut scanner = Scanner {
        text,
        at: 0,
        tokens: Vec::new(),
        sentence: true,
        gap: Gap::Space,
        shouting,
    };
    scanner.run();
    scanner.tokens
}

/// Gives the tokens of a range a role.
pub(super) fn assign(tokens: &mut [Token], range: Range<usize>, role: Role) {
    for token in tokens.iter_mut().take(range.end).skip(range.start) {
        token.role = role;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Gap {
    Space,
    None,
    Hyphen,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    sentence: bool,
    gap: Gap,
    /// Whether the text is written in capitals throughout.
    shouting: bool,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            if c.is_ascii_digit() {
                self.number();
            } else if c.is_alphanumeric() {
                self.word();
            } else if matches!(c, '$' | '\u{20ac}' | '\u{a3}' | '\u{a5}' | '\u{20b9}' | '%') {
                let start = self.at;
                self.at += c.len_utf8();
                self.push(start, self.at, c.to_string(), Kind::Symbol(c), false);
            } else {
                self.at += c.len_utf8();
                self.gap = if c == '-' && self.gap == Gap::None {
                    Gap::Hyphen
                } else {
                    Gap::Space
                };
                if matches!(c, '.' | '!' | '?' | ':' | ';' | '\n' | '"') {
                    self.sentence = true;
                }
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads digits with thousands commas and a decimal point; a following ordinal ending belongs to them.
    fn number(&mut self) {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
        let run = |from: usize| (from..).take_while(|&i| digit(i)).count();
        let mut end = run(0);
        while bytes.get(end) == Some(&b',') && run(end + 1) == 3 {
            end += 4;
        }
        if bytes.get(end) == Some(&b':') && end <= 2 && run(end + 1) == 2 {
            let hours: u32 = self
                .rest()
                .get(..end)
                .and_then(|h| h.parse().ok())
                .unwrap_or(0);
            let minutes: u32 = self
                .rest()
                .get(end + 1..end + 3)
                .and_then(|m| m.parse().ok())
                .unwrap_or(0);
            self.at += end + 3;
            let word = self.text.get(start..self.at).unwrap_or_default().to_owned();
            self.push(
                start,
                self.at,
                word,
                Kind::Clock(hours * 60 + minutes),
                false,
            );
            return;
        }
        if bytes.get(end) == Some(&b'.') && digit(end + 1) {
            end += 1 + run(end + 1);
        }
        let word: String = self.rest().get(..end).unwrap_or_default().replace(',', "");
        let value = word
            .parse::<f64>()
            .ok()
            .filter(|v| v.is_finite())
            .unwrap_or(f64::MAX);
        let letters: String = self
            .rest()
            .chars()
            .skip(end)
            .take_while(|c| c.is_alphabetic())
            .flat_map(char::to_lowercase)
            .collect();
        if matches!(letters.as_str(), "st" | "nd" | "rd" | "th") {
            self.at += end + 2;
            self.push(start, self.at, word, Kind::Ordinal(value), false);
        } else {
            self.at += end;
            self.push(start, self.at, word, Kind::Number(value), false);
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let mut end = start;
        for (i, c) in self.rest().char_indices() {
            let next_is_letter = |text: &str| text.chars().nth(1).is_some_and(char::is_alphabetic);
            // Combining marks belong to the letter before them (Hindi, Thai, Arabic vowels).
            let inside = c.is_alphanumeric()
                || is_mark(c)
                || (c == '\'' && next_is_letter(self.rest().get(i..).unwrap_or_default()));
            if !inside {
                break;
            }
            end = start + i + c.len_utf8();
        }
        let raw = self.text.get(start..end).unwrap_or_default();
        let mut lower = raw.to_lowercase();
        // "c++" and "c#" are names, not a letter with punctuation.
        if lower.chars().count() == 1 {
            for suffix in ["++", "#"] {
                if self
                    .text
                    .get(end..)
                    .is_some_and(|rest| rest.starts_with(suffix))
                {
                    lower.push_str(suffix);
                    end += suffix.len();
                    break;
                }
            }
        }
        self.at = end;
        let (parts, possessive) = expand(&lower);
        for part in parts {
            self.push(start, end, part, Kind::Word, possessive);
        }
    }

    fn push(&mut self, start: usize, end: usize, word: String, kind: Kind, possessive: bool) {
        let stem = if kind == Kind::Word {
            stem(&word)
        } else {
            word.clone()
        };
        let capital = self
            .text
            .get(start..)
            .and_then(|t| t.chars().next())
            .is_some_and(char::is_uppercase);
        // "IT" and "US" in a sentence of lower case are names, not grammar.
        let written = self.text.get(start..end).unwrap_or_default();
        let acronym =
            !self.shouting && written.len() > 1 && written.chars().all(char::is_uppercase);
        let function = kind == Kind::Word && !acronym && lexicon::is_function(&word);
        let role = if function {
            Role::Function
        } else {
            Role::Content
        };
        self.tokens.push(Token {
            range: start..end,
            key: stem.clone(),
            stem,
            word,
            kind,
            role,
            glued: self.gap == Gap::None,
            hyphenated: self.gap == Gap::Hyphen,
            capital,
            starts_sentence: self.sentence,
            possessive,
        });
        self.sentence = false;
        self.gap = Gap::None;
    }
}

/// Says whether a character is a combining mark (general category M), as far as goals need it.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Expands a contraction into its words and tells whether a possessive was dropped.
fn expand(word: &str) -> (Vec<String>, bool) {
    if !word.contains('\'') {
        let split = lexicon::unmarked_contraction(word);
        return match split {
            Some((first, second)) => (vec![first.to_owned(), second.to_owned()], false),
            None => (vec![word.to_owned()], false),
        };
    }
    let pair = |first: &str, second: &str| (vec![first.to_owned(), second.to_owned()], false);
    match word {
        "won't" => return pair("will", "not"),
        "can't" => return pair("can", "not"),
        "shan't" => return pair("shall", "not"),
        "let's" => return pair("let", "us"),
        "o'clock" => return (vec!["oclock".to_owned()], false),
        _ => {}
    }
    let endings = [
        ("n't", "not"),
        ("'re", "are"),
        ("'ve", "have"),
        ("'ll", "will"),
        ("'m", "am"),
        ("'d", "would"),
    ];
    for (ending, second) in endings {
        if let Some(first) = word.strip_suffix(ending).filter(|first| !first.is_empty()) {
            return pair(&first.replace('\'', ""), second);
        }
    }
    if let Some(owner) = word.strip_suffix("'s").filter(|owner| !owner.is_empty()) {
        return if lexicon::takes_is(owner) {
            pair(owner, "is")
        } else {
            (vec![owner.replace('\'', "")], true)
        };
    }
    (vec![word.replace('\'', "")], false)
}
