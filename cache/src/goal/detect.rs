//! The language of a goal, for texts of a few words.
//!
//! Statistical detectors need a sentence or two; "lose weight" is Dutch to them as often as English.
//! So the script decides first, then function words and the verbs of goals, and only then `whatlang`, which is heard
//! for text with other letters than ASCII or for a long text without one known word.
//! What stays undecided in plain ASCII counts as English.

mod foreign;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use whatlang::{Lang, Script};

use super::lexicon;
use super::words::{Kind, Token};
use crate::language::Language;

/// English words that are common in goals, beside the function and planning words.
const ENGLISH: &str = "learn lose gain weight improve run running read reading books book save saving money quit stop \
    smoking drinking eat eating sleep fit fitness healthy health job work business study cook cooking play guitar piano \
    speak language spanish french german italian japanese english travel exercise workout muscle build become more less \
    pass exam school college friends friend family life live happy stress meditate write writing novel draw drawing \
    paint swim marathon debt invest investing budget buy house home kids child dog find new learning skills skill change \
    confidence habit habits every day week month year time clean organize organise garden code programming software \
    train training body fat diet food cope deal remove install use treat prevent avoid grow care choose identify \
    recognize play plant apply sell open close call set order pay bill card account credit score balance transfer \
    book flight car drive driving phone address weather timer alarm list reminder schedule meeting translate say \
    calories recipe song music movie hotel visa insurance bank water love hate feel know tell wash draw fold wear \
    hair skin dress cut catch handle survive win two three four five six seven eight nine ten twenty thirty hundred \
    weeks days months years hours minutes love dream build write set design create give show tell look think know explain \
    manage new hard next personal course program idea ideas";

static ENGLISH_SET: LazyLock<HashSet<&str>> =
    LazyLock::new(|| ENGLISH.split_whitespace().collect());

/// Each foreign word with the languages that use it.
static FOREIGN: LazyLock<HashMap<&str, Vec<usize>>> = LazyLock::new(|| {
    let mut words: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, (_, list)) in foreign::WORDS.iter().enumerate() {
        for word in list.split_whitespace() {
            words.entry(word).or_default().push(index);
        }
    }
    words
});

/// Detects the language of a goal; `und` when it is not English and nothing says what it is.
///
/// Cost: a few hash look-ups a word; about 30 microseconds more where `whatlang` has to be asked.
pub fn detect(text: &str, tokens: &[Token]) -> Language {
    let (latin, other) = letters(text);
    if other > latin {
        return Language::new(by_script(text));
    }
    let mut english = 0usize;
    let mut foreign = vec![0usize; foreign::WORDS.len()];
    let mut num_words = 0usize;
    for token in tokens.iter().filter(|t| t.kind == Kind::Word) {
        num_words += 1;
        let is_english = is_english(&token.word);
        let others = FOREIGN.get(token.word.as_str());
        match (is_english, others) {
            // A word of both says nothing about either.
            (true, None) => english += 2,
            (true, Some(_)) => english += 1,
            (false, Some(languages)) => {
                for language in languages {
                    if let Some(count) = foreign.get_mut(*language) {
                        *count += 2;
                    }
                }
            }
            (false, None) => {}
        }
        if let (true, Some(languages)) = (is_english, others) {
            for language in languages {
                if let Some(count) = foreign.get_mut(*language) {
                    *count += 1;
                }
            }
        }
    }
    let best = foreign
        .iter()
        .enumerate()
        .max_by_key(|(index, count)| (**count, std::cmp::Reverse(*index)));
    let (best, count) = best.map_or((0, 0), |(index, count)| (index, *count));
    if count > english {
        return Language::new(foreign::WORDS.get(best).map_or("und", |(code, _)| code));
    }
    if english > 0 && (english > count || text.is_ascii()) {
        return Language::new("en");
    }
    undecided(text, num_words)
}

fn is_english(word: &str) -> bool {
    lexicon::is_function(word) || lexicon::is_planning(word) || ENGLISH_SET.contains(word)
}

/// Decides a Latin text without a single known word.
fn undecided(text: &str, num_words: usize) -> Language {
    let Some(info) = whatlang::detect(text) else {
        return Language::new("en");
    };
    let accented = text.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    // Long and sure: only then may statistics overrule plain ASCII.
    let sure = num_words >= 5 && info.is_reliable();
    if info.lang() == Lang::Eng || !(accented || sure) {
        return Language::new("en");
    }
    Language::new(code(info.lang()))
}

/// Counts Latin letters and letters of other scripts.
fn letters(text: &str) -> (usize, usize) {
    text.chars()
        .filter(|c| c.is_alphabetic())
        .fold((0, 0), |(latin, other), c| {
            // Everything up to Latin Extended-B, and Latin Extended Additional (Vietnamese).
            let is_latin = (c as u32) < 0x250 || (0x1e00..0x1f00).contains(&(c as u32));
            // One sign of Chinese or Japanese stands for about a word of several Latin letters.
            let weight = if (c as u32) >= 0x2e80 { 4 } else { 1 };
            if is_latin {
                (latin + 1, other)
            } else {
                (latin, other + weight)
            }
        })
}

fn by_script(text: &str) -> &'static str {
    // One kana makes a text Japanese, though most of its signs may be Chinese ones.
    if text.chars().any(|c| (0x3040..0x3100).contains(&(c as u32))) {
        return "ja";
    }
    match whatlang::detect_script(text) {
        Some(Script::Mandarin) => "zh",
        Some(Script::Hiragana | Script::Katakana) => "ja",
        Some(Script::Hangul) => "ko",
        Some(Script::Greek) => "el",
        Some(Script::Hebrew) => "he",
        Some(Script::Thai) => "th",
        Some(Script::Latin) | None => "und",
        Some(_) => whatlang::detect(text).map_or("und", |info| code(info.lang())),
    }
}

/// Returns the two-letter code where there is one among the languages people write goals in.
fn code(language: Lang) -> &'static str {
    match language {
        Lang::Eng => "en",
        Lang::Spa => "es",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tur => "tr",
        Lang::Pol => "pl",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Ces => "cs",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Pes => "fa",
        Lang::Bul => "bg",
        other => other.code(),
    }
}
