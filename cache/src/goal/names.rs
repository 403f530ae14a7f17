//! Names in a goal: human languages, instruments and programming languages by gazetteer, other proper names by their
//! capital.
//!
//! A name is never a synonym or a misspelling of another name, so the verifier compares them strictly.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::words::{Kind, Role, Token};

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// A human language.
    Language,
    /// A musical instrument.
    Instrument,
    /// A programming language.
    Programming,
    /// Something else, known only by its capital letter.
    Other,
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it names.
    pub kind: NameKind,
    /// How it is written in an answer ("Spanish", "acoustic guitar").
    pub display: String,
    /// The tokens it is written in.
    pub tokens: Range<usize>,
}

const LANGUAGES: &str = "Afrikaans,Albanian,Amharic,Arabic,Armenian,Azerbaijani,Basque,Belarusian,Bengali,Bosnian,\
    Bulgarian,Burmese,Cantonese,Catalan,Chinese,Croatian,Czech,Danish,Dutch,English,Esperanto,Estonian,Farsi,Finnish,\
    Flemish,French,Gaelic,Galician,Georgian,German,Greek,Gujarati,Hausa,Hawaiian,Hebrew,Hindi,Hungarian,Icelandic,Igbo,\
    Indonesian,Irish,Italian,Japanese,Kannada,Kazakh,Khmer,Korean,Kurdish,Lao,Latin,Latvian,Lithuanian,Macedonian,\
    Malay,Malayalam,Maltese,Mandarin,Maori,Marathi,Mongolian,Nepali,Norwegian,Pashto,Persian,Polish,Portuguese,Punjabi,\
    Romanian,Russian,Sanskrit,Serbian,Sinhala,Slovak,Slovenian,Somali,Spanish,Swahili,Swedish,Tagalog,Tamil,Telugu,Thai,\
    Tibetan,Turkish,Ukrainian,Urdu,Uzbek,Vietnamese,Welsh,Xhosa,Yiddish,Yoruba,Zulu,\
    Mandarin Chinese,Brazilian Portuguese,American Sign Language,British Sign Language,Sign Language,Scottish Gaelic,\
    European Portuguese,Latin American Spanish,Mexican Spanish,Swiss German,Ancient Greek,Egyptian Arabic,Haitian Creole";

const INSTRUMENTS: &str = "accordion,acoustic guitar,bagpipes,banjo,bass,bass guitar,bassoon,cajon,cello,clarinet,\
    classical guitar,djembe,double bass,drum,drums,electric guitar,fiddle,flute,french horn,guitar,harmonica,harp,kalimba,\
    keyboard,lute,mandolin,marimba,oboe,piano,recorder,saxophone,sitar,tabla,trombone,trumpet,tuba,ukulele,vibraphone,\
    viola,violin,xylophone";

const PROGRAMMING: &str = "Python,Java,JavaScript,TypeScript,Rust,Kotlin,Ruby,PHP,SQL,Haskell,Scala,Perl,MATLAB,Golang,\
    HTML,CSS,Fortran,COBOL,C,C++,C#,Objective C,VBA,Bash,Lua,Elixir,Erlang,Clojure,Dart,Solidity";

/// Other spellings, and the name they stand for.
const ALIASES: [(&str, &str); 10] = [
    ("asl", "American Sign Language"),
    ("bsl", "British Sign Language"),
    ("castilian", "Spanish"),
    ("espanol", "Spanish"),
    ("filipino", "Tagalog"),
    ("sax", "saxophone"),
    ("uke", "ukulele"),
    ("drum kit", "drums"),
    ("drumming", "drums"),
    ("js", "JavaScript"),
];

/// Language names that are other words in lower case.
const AMBIGUOUS: &[&str] = &[
    "polish", "lao", "c", "rust", "bash", "dart", "ruby", "pearl",
];

/// By first word: the further words, the kind and the display form; longest first.
type Entries = HashMap<String, Vec<(Vec<String>, NameKind, String)>>;

static GAZETTEER: LazyLock<Entries> = LazyLock::new(|| {
    let mut entries = Entries::new();
    let mut add = |written: &str, kind: NameKind, display: &str| {
        let lower = written.to_lowercase();
        let mut words = lower.split_whitespace().map(str::to_owned);
        if let Some(first) = words.next() {
            entries
                .entry(first)
                .or_default()
                .push((words.collect(), kind, display.to_owned()));
        }
    };
    let lists = [
        (LANGUAGES, NameKind::Language),
        (INSTRUMENTS, NameKind::Instrument),
        (PROGRAMMING, NameKind::Programming),
    ];
    for (list, kind) in lists {
        for name in list.split(',').map(str::trim) {
            add(name, kind, name);
            if let Some((written, _)) = ALIASES.iter().find(|(_, display)| *display == name) {
                add(written, kind, name);
            }
        }
    }
    for (alias, display) in ALIASES {
        let kind = if INSTRUMENTS.split(',').any(|i| i.trim() == display) {
            NameKind::Instrument
        } else if display == "JavaScript" {
            NameKind::Programming
        } else {
            NameKind::Language
        };
        add(alias, kind, display);
    }
    for (_, list) in entries.iter_mut() {
        list.sort_by_key(|(rest, _, _)| std::cmp::Reverse(rest.len()));
        list.dedup();
    }
    entries
});

/// Returns all names the gazetteer knows of a kind, in display form.
pub fn known(kind: NameKind) -> impl Iterator<Item = &'static str> {
    let list = match kind {
        NameKind::Language => LANGUAGES,
        NameKind::Instrument => INSTRUMENTS,
        NameKind::Programming => PROGRAMMING,
        NameKind::Other => "",
    };
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// Finds all names, longest first at each place, without overlap.
pub fn find(tokens: &[Token]) -> Vec<Name> {
    let title_case = is_title_case(tokens);
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let name = listed(tokens, at).or_else(|| {
            let other = token.capital
                && !title_case
                && !token.starts_sentence
                && token.kind == Kind::Word
                && token.role == Role::Content;
            other.then(|| Name {
                kind: NameKind::Other,
                display: token.word.clone(),
                tokens: at..at + 1,
            })
        });
        match name {
            Some(name) => {
                at = name.tokens.end.max(at + 1);
                names.push(name);
            }
            None => at += 1,
        }
    }
    names
}

fn listed(tokens: &[Token], at: usize) -> Option<Name> {
    let first = tokens.get(at)?;
    if first.role == Role::Value || first.possessive {
        return None;
    }
    let (rest, kind, display) = GAZETTEER.get(&first.word)?.iter().find(|(rest, _, _)| {
        rest.iter()
            .enumerate()
            .all(|(i, word)| tokens.get(at + 1 + i).is_some_and(|t| t.word == *word))
    })?;
    let announced = at > 0
        && tokens.get(at - 1).is_some_and(|t| {
            matches!(
                t.stem.as_str(),
                "learn" | "speak" | "studi" | "fluent" | "in"
            )
        });
    let ambiguous = AMBIGUOUS.contains(&first.word.as_str()) && rest.is_empty();
    if ambiguous && !announced && (!first.capital || first.starts_sentence) {
        return None;
    }
    Some(Name {
        kind: *kind,
        display: display.clone(),
        tokens: at..at + 1 + rest.len(),
    })
}

/// Says whether a text is written like a heading, where capitals mean nothing.
fn is_title_case(tokens: &[Token]) -> bool {
    let words = tokens
        .iter()
        .filter(|t| t.kind == Kind::Word && t.role == Role::Content && !t.starts_sentence);
    let (capitals, total) = words.fold((0usize, 0usize), |(c, n), t| {
        (c + usize::from(t.capital), n + 1)
    });
    total >= 2 && capitals * 10 >= total * 8
}
