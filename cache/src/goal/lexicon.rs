//! Small closed word lists of English: function words, planning words, strong function words, fixed stems.
//!
//! They are grammar and courtesy, not vocabulary: a word belongs here only when no answer could change by it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Words that only hold a sentence together, or are polite.
const FUNCTION: &str = "a an the this that these those there here \
    i me my mine myself we us our ours ourselves you your yours he him his she her hers it its they them their \
    theirs one ones someone somebody anyone anybody everyone everybody something anything \
    am is are was were be been being do does did doing done have has had having will would shall should can could \
    may might must ought and or but if then than so as of at by for from in into on onto to toward towards with \
    within about over through per via up upon during while because since until that which who whom whose what when \
    where why how not no nor also too very just really quite rather actually basically literally simply some any \
    such own same other each every both either else again still yet ever already even \
    please thanks thank cheers hi hello hey sorry um uh er hmm well oh ok okay yes yeah kindly \
    let get gets getting got gotten become becomes becoming became make makes making made go goes going gone went \
    come lol pls plz im ive id u ur dear guys everyone there";

/// Words by which people say that they have a goal or want a plan; they never name the goal itself.
const PLANNING: &str = "want wants wanted wanting wanna gonna like need needs needed wish hope hoping hopes aim aiming \
    plan plans planning goal goals target try tries trying tried help helps helping way ways best good better right \
    proper properly tip tips step steps guide guidance advice advise suggest suggestion suggestions recommend schedule \
    roadmap strategy strategies method methods approach routine resolution resolutions prepare start starts started \
    starting begin beginning begins able finally effective effectively efficient efficiently successful successfully \
    easy easily easiest fast faster fastest quick quickly quickest possible achieve achieving reach reaching accomplish \
    looking decided decide serious seriously ready please";

/// Function words that change the answer when only one of two goals holds them.
const STRONG: &str = "not no nor never without off out before after until since except unless against under above \
    below less least only instead more most behind";

/// Owners whose "'s" is the verb: "what's".
const TAKES_IS: &str = "what who where when how why it that there here he she";

static FUNCTION_SET: LazyLock<HashSet<&str>> =
    LazyLock::new(|| FUNCTION.split_whitespace().collect());
static PLANNING_SET: LazyLock<HashSet<&str>> =
    LazyLock::new(|| PLANNING.split_whitespace().collect());
static STRONG_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| STRONG.split_whitespace().collect());

/// Irregular forms, and words whose Snowball stem falls together with an unrelated word's.
static FIXED: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    HashMap::from([
        ("business", "business"),
        ("businesses", "business"),
        ("university", "university"),
        ("universities", "university"),
        ("universal", "universal"),
        ("universe", "universe"),
        ("organ", "organ"),
        ("organs", "organ"),
        ("organic", "organic"),
        ("organise", "organiz"),
        ("organize", "organiz"),
        ("organized", "organiz"),
        ("organised", "organiz"),
        ("organisation", "organization"),
        ("organization", "organization"),
        ("marketing", "marketing"),
        ("accounting", "accounting"),
        ("accountant", "accountant"),
        ("news", "news"),
        ("women", "woman"),
        ("men", "man"),
        ("children", "child"),
        ("feet", "foot"),
        ("teeth", "tooth"),
        ("mice", "mouse"),
        ("lost", "lose"),
        ("taught", "teach"),
        ("learnt", "learn"),
        ("spoke", "speak"),
        ("spoken", "speak"),
        ("bought", "buy"),
        ("sold", "sell"),
        ("ran", "run"),
        ("swam", "swim"),
        ("ate", "eat"),
        ("slept", "sleep"),
        ("thought", "think"),
        ("built", "build"),
        ("maths", "math"),
        ("mathematics", "math"),
        ("fees", "fee"),
        ("gym", "gym"),
        ("skies", "sky"),
        ("news", "news"),
        ("meditation", "meditat"),
        ("meditate", "meditat"),
        ("meditating", "meditat"),
        ("medication", "medication"),
        ("medications", "medication"),
        ("generally", "general"),
        ("generate", "generate"),
        ("generating", "generate"),
        ("internship", "intern"),
        ("internships", "intern"),
        ("designer", "designer"),
        ("policy", "policy"),
        ("policies", "policy"),
        ("animation", "animat"),
        ("animal", "animal"),
        ("animals", "animal"),
    ])
});

/// Contractions written without their apostrophe.
static UNMARKED: LazyLock<HashMap<&str, (&str, &str)>> = LazyLock::new(|| {
    HashMap::from([
        ("dont", ("do", "not")),
        ("doesnt", ("does", "not")),
        ("didnt", ("did", "not")),
        ("cant", ("can", "not")),
        ("cannot", ("can", "not")),
        ("wont", ("will", "not")),
        ("isnt", ("is", "not")),
        ("arent", ("are", "not")),
        ("wasnt", ("was", "not")),
        ("shouldnt", ("should", "not")),
        ("couldnt", ("could", "not")),
        ("wouldnt", ("would", "not")),
        ("havent", ("have", "not")),
        ("hasnt", ("has", "not")),
        ("im", ("i", "am")),
        ("ive", ("i", "have")),
        ("whats", ("what", "is")),
        ("hows", ("how", "is")),
        ("wheres", ("where", "is")),
        ("whos", ("who", "is")),
        ("wanna", ("want", "to")),
        ("gonna", ("going", "to")),
    ])
});

/// British stem endings and their American forms; applied to stems, so that "organis" and "organiz" agree.
const SPELLINGS: [(&str, &str); 8] = [
    ("avour", "avor"),
    ("olour", "olor"),
    ("umour", "umor"),
    ("abour", "abor"),
    ("centr", "center"),
    ("theatr", "theater"),
    ("modell", "model"),
    ("travell", "travel"),
];

/// Says whether a lower-case word is grammar or courtesy.
pub fn is_function(word: &str) -> bool {
    FUNCTION_SET.contains(word)
}

/// Says whether a lower-case word only states that there is a goal or that a plan is wanted.
pub fn is_planning(word: &str) -> bool {
    PLANNING_SET.contains(word)
}

/// Says whether a function word changes the answer when only one of two goals holds it.
pub fn is_strong(word: &str) -> bool {
    STRONG_SET.contains(word)
}

pub(super) fn takes_is(word: &str) -> bool {
    TAKES_IS.split_whitespace().any(|owner| owner == word)
}

pub(super) fn fixed_stem(word: &str) -> Option<&'static str> {
    FIXED.get(word).copied()
}

pub(super) fn unmarked_contraction(word: &str) -> Option<(&'static str, &'static str)> {
    UNMARKED.get(word).copied()
}

/// Turns a British stem into its American form.
pub(super) fn american(stem: String) -> String {
    for (british, american) in SPELLINGS {
        if let Some(at) = stem.find(british) {
            let mut changed = stem;
            changed.replace_range(at..at + british.len(), american);
            return changed;
        }
    }
    if stem.len() > 5 && stem.ends_with("is") {
        // "organis", "realis", "summaris"; the words in "-sis" keep theirs.
        if let Some(head) = stem.strip_suffix("is").filter(|head| !head.ends_with('s')) {
            return format!("{head}iz");
        }
    }
    stem
}
