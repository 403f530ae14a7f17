//! The closed word lists of [`remarks`](super::remarks): comments, circumstances, and words of manner.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::goal::Token;
use crate::goal::phrases::Pattern;

/// Words of which comments are made; a sentence of nothing else states no goal.
const COMMENTS: &str = "happy new year years eve wish wishes luck lucky excited excite exciting stoked pumped wait waiting \
    hard harder easy easier simple tough difficult right determined determine start starts starting started begins \
    beginning now already sign signed see sees last lasts lasting long happen happens happening happened promise promises \
    know knows believe first step steps try trying tried fail failed failing goes best ever love loved great amazing awesome good \
    better proud fingers crossed welcome welcomed appreciate appreciated suggestion suggestions advice tip tips \
    join follow ready bring coming real really seriously haha hahaha hehe lmao lmfao omg wow yay yeah yep yup hopefully hope \
    maybe probably definitely finally anyway anyways though tho true story goal goals resolution resolutions made keep \
    kept stick sticking change month months week weeks day days stay tuned excuse excuses possible please gods god \
    help thanks thank challenge accepted accept done enough said period perfect nice cool fun life goes need needed \
    want like think thinking feel feeling sounds sound think guess idea ideas motivation motivated inspiration inspired \
    morning evening night folks friends people everybody world let share shares going getting one thing things time times \
    much more way lets finally works work worked end tonight today tomorrow reason reasons number lifetime progress \
    check cheers blessed blessings bless amen peace sorry confession attempt round take two fresh chance mine yours";

/// Parts of words that tell a circumstance under which most plans are others.
pub(super) const CIRCUMSTANCES: [&str; 66] = [
    "pregnan",
    "diabet",
    "allerg",
    "injur",
    "surgery",
    "disab",
    "cancer",
    "asthma",
    "disease",
    "illness",
    "syndrome",
    "disorder",
    "depress",
    "arthrit",
    "celiac",
    "coeliac",
    "autis",
    "adhd",
    "wheelchair",
    "blind",
    "deaf",
    "pain",
    "sick",
    "doctor",
    "hospital",
    "medica",
    "medicine",
    "therapy",
    "heart",
    "kidney",
    "thyroid",
    "pcos",
    "baby",
    "newborn",
    "toddler",
    "knee",
    "hip ",
    "my back",
    "bad back",
    "shoulder",
    "ankle",
    "vegetarian",
    "vegan",
    "gluten",
    "lactose",
    "kosher",
    "halal",
    "teenag",
    "elderly",
    "retired",
    "unemploy",
    "homeless",
    "broke ",
    "no money",
    "widow",
    "divorc",
    "single mom",
    "single mother",
    "single dad",
    "years old",
    "year old",
    "night shift",
    "nightshift",
    "handicap",
    "suicid",
    "self harm",
];

/// Words that take back what was said.
pub(super) const DENIALS: [&str; 16] = [
    "jk", "kidding", "joke", "joking", "jokes", "nah", "nope", "psych", "sarcasm", "sike", "lie",
    "lies", "lied", "never", "not", "instead",
];

/// Words that make a wish of a sentence that begins with them, though all of its words are those of comments.
pub(super) const WISHING: [&str; 15] = [
    "be", "get", "make", "work", "love", "help", "share", "live", "more", "better", "new", "think",
    "change", "feel", "have",
];

/// Words with which a sentence about the writer, or to the readers, begins.
pub(super) const OPENINGS: [&str; 43] = [
    "i", "my", "it", "this", "that", "these", "those", "we", "he", "she", "they", "you", "your",
    "there", "so", "thanks", "thank", "wow", "yes", "yeah", "who", "anyone", "anybody", "any",
    "what", "right", "why", "wish", "because", "too", "can", "time", "just", "life", "everyone",
    "people", "the", "god", "happy", "good", "nothing", "last", "another",
];

/// Words by which a sentence speaks of somebody's own affairs.
pub(super) const PERSONAL: [&str; 14] = [
    "i", "my", "me", "we", "our", "us", "mine", "am", "he", "she", "his", "her", "they", "their",
];

/// Words by which a sentence wishes something more.
pub(super) const WISHES: [&str; 31] = [
    "want",
    "wants",
    "need",
    "needs",
    "will",
    "gonna",
    "going",
    "wanna",
    "must",
    "should",
    "gotta",
    "plan",
    "planning",
    "hope",
    "hoping",
    "goal",
    "goals",
    "resolution",
    "resolutions",
    "also",
    "too",
    "plus",
    "then",
    "second",
    "another",
    "next",
    "would",
    "try",
    "trying",
    "shall",
    "vow",
];

/// What may lead to a goal and only says how one goes about it.
const LEADING: [&str; 27] = [
    "really|actually|finally|please* learn how? to",
    "work|working|focus|focusing|concentrate|concentrating more|harder? on",
    "commit|committing to",
    "continue|continuing on? to|with?",
    "keep|stay on|up? trying|working|striving|learning? to|on?",
    "remember|remembering to",
    "make an|a|more|every? effort|point|habit to|of",
    "make sure to|i|that* ",
    "do my|our best to",
    "put more? effort|energy|time|work into",
    "strive|striving|attempt|attempting|seek|aspire|intend|choose|choosing|manage|endeavor to|for?",
    "force|push|challenge|train|teach|allow|discipline|motivate|encourage myself|ourselves to",
    "find a|the? time|way|ways|courage|strength|motivation|will to",
    "take|make the|some|more? time to",
    "get|getting back to|into",
    "get|be|become|getting being better|good|great at|about",
    "start|starting|begin|beginning to|on?",
    "try|trying|tryna to? and?",
    "actually|finally|always|definitely|really|just|maybe|simply|honestly|ok|okay|so|and|again|also*",
    "learn|learning to",
    "i|we will|shall|must|should|would like|love? to?",
    "i|we am|are going|gonna|trying|planning|committing|determined|ready to?",
    "i|we want|need|wanna|hope|plan|promise|vow|intend|wish to?",
    "spend the? year|<year>",
    "be|become the|a? kind|type|sort of person who|that",
    "practice|practise|practicing",
    "resolve|resolving|resolved|aim|aiming to",
];

/// What may end a goal and changes nothing about it.
const TRAILING: [&str; 28] = [
    "in my|our life|lives",
    "from now|here on",
    "from today|tomorrow|here on?",
    "for real this? time?",
    "this time around?",
    "once and for all",
    "for once",
    "for good",
    "each|every and? every? day|week|month|year|time",
    "a whole? lot",
    "a bit|little",
    "as much|often|well|soon|many|hard|best as possible|i",
    "as much|often|well|soon|many|hard|best as i|we can|could|possibly can?",
    "more often|regularly|frequently|consistently",
    "all the|my? time|year long|round?",
    "this|next|coming new? year",
    "at|for least",
    "in general",
    "as a person|human|whole",
    "no matter what",
    "and stick|mean to? it",
    "lol|lmao|haha|hahaha|tho|though|anyway|omg|smh|yay|amen|please|finally|daily|everyday|regularly|always|consistently|already|asap|today|okay|alright|lmfao|xd|duh|yo|bro|dude|man",
    "like i|we used to",
    "if it|that kills me",
    "when|if i|we can",
    "i promise|swear|hope|guess|think|suppose",
    "than i|we? did|have|was|ever* last|this|the|before|ever year|one? before?",
    "than last|ever year|before?",
];

pub(super) static REMARKS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| COMMENTS.split_whitespace().collect());

static LEADS: LazyLock<Vec<Pattern>> =
    LazyLock::new(|| LEADING.iter().map(|text| Pattern::new(text)).collect());

static TAILS: LazyLock<Vec<Pattern>> =
    LazyLock::new(|| TRAILING.iter().map(|text| Pattern::new(text)).collect());

/// Returns how many tokens at the start only say how one goes about the goal.
pub(super) fn leading(tokens: &[Token]) -> Option<usize> {
    LEADS
        .iter()
        .filter_map(|pattern| pattern.match_at(tokens, 0))
        .max()
}

/// Returns where words at the end begin that change nothing about the goal.
pub(super) fn trailing(tokens: &[Token]) -> Option<usize> {
    (1..tokens.len()).find(|&at| {
        TAILS.iter().any(|pattern| {
            pattern
                .match_at(tokens, at)
                .is_some_and(|length| at + length == tokens.len())
        })
    })
}
