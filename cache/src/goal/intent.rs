//! What kind of answer a goal asks for, and the words that only ask for it.
//!
//! "How can I learn Spanish?", "help me learn Spanish" and "learn Spanish" ask for the same thing: a way to do it.
//! "Why learn Spanish?" does not. The words of such lead-in phrases are marked, so that they never count as content.

use std::sync::LazyLock;

use super::phrases::Pattern;
use super::words::{Kind, Role, Token};

/// What kind of answer a goal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// A way to do something; also what a bare goal ("learn Spanish") asks for.
    Method,
    /// Yes or no.
    YesNo,
    /// Whether one should.
    Should,
    /// What or which.
    What,
    /// A reason.
    Why,
    /// A point in time.
    When,
    /// A place.
    Where,
    /// A person.
    Who,
    /// A price.
    Price,
    /// A number or amount.
    HowMany,
    /// A length of time.
    HowLong,
    /// A frequency.
    HowOften,
    /// A degree ("how hard is").
    HowMuch,
}

/// Lead-in phrases in the order they are tried; the first that matches at a place is taken.
const LEADS: &[(&str, Option<Intent>)] = &[
    // Courtesy before the question proper.
    (
        "can|could|would|will you please? help|show|teach|advise|guide|assist me|us how? to?",
        Some(Intent::Method),
    ),
    (
        "can|could|would|will you please? tell|explain me|us|to? me?",
        None,
    ),
    ("do you know|think", None),
    ("i would like to know|ask", None),
    ("i want|need to know", None),
    ("just? wondering", None),
    ("quick|silly|simple one|question but?", None),
    (
        "hi|hello|hey|good team|there|all|everyone|guys|morning|afternoon|evening",
        None,
    ),
    // Ways.
    ("how much <modal> <i> have|need to pay", Some(Intent::Price)),
    (
        "how much is|are|was|does|do|did|would|will",
        Some(Intent::Price),
    ),
    ("how much", Some(Intent::HowMany)),
    ("how many", Some(Intent::HowMany)),
    ("how long", Some(Intent::HowLong)),
    ("how often|frequently", Some(Intent::HowOften)),
    ("how soon", Some(Intent::When)),
    ("how come", Some(Intent::Why)),
    (
        "how hard|difficult|easy|good|bad|far|old|big|tall|fast|important|safe|expensive|cheap|accurate|common",
        Some(Intent::HowMuch),
    ),
    (
        "how <modal> <i> best? go about|start|begin|manage to?",
        Some(Intent::Method),
    ),
    (
        "how <modal> <i> get|be started|able with|on|in|to",
        Some(Intent::Method),
    ),
    (
        "how <modal> <i> best|effectively|ever|actually|really|possibly|successfully|properly* go? about?",
        Some(Intent::Method),
    ),
    ("how <modal> not? <i> go? about?", Some(Intent::Method)),
    ("how <modal>", Some(Intent::Method)),
    ("how about", Some(Intent::What)),
    ("how is|are|was|were|am", Some(Intent::HowMuch)),
    (
        "what|which is|are|would|will|could|might be? <quality>* <way> to|for|of|in|by? <i>? can|could|should? go? about?",
        Some(Intent::Method),
    ),
    (
        "what|which <way> <modal>|is|are <i>? to? use|take|follow|try|do? to?",
        Some(Intent::Method),
    ),
    (
        "what <modal> <i> need|have? to? do|take? if|in? order? to|for",
        Some(Intent::Method),
    ),
    (
        "what|which are|is <quality>* things|thing <i> can|could|should do to",
        Some(Intent::Method),
    ),
    (
        "what|which is|are|was <quality>? price|cost|charge|fee|rate of|for|to?",
        Some(Intent::Price),
    ),
    ("what <modal> it cost|take to", Some(Intent::Price)),
    ("what do|does|would <i> charge", Some(Intent::Price)),
    ("what time", Some(Intent::When)),
    (
        "what is|are the? reason|reasons for|behind|of|that?",
        Some(Intent::Why),
    ),
    (
        "is|are there <quality>* <way> to|for|of|in|by? <i>? can|could|should?",
        Some(Intent::Method),
    ),
    ("is it possible for? me|us|you|one? to", Some(Intent::YesNo)),
    (
        "i|we am|are <quality>* trying|looking|planning|hoping|going|aiming|determined|about to|for",
        Some(Intent::Method),
    ),
    (
        "my|our goal|aim|dream|plan|resolution|target|new|year's* is|this? year? is? to",
        Some(Intent::Method),
    ),
    (
        "my|our goal|aim|dream|resolution|target is|will? be? to?",
        Some(Intent::Method),
    ),
    ("goal|resolution", None),
    (
        "i|we would|will|really|just|do* like|love|want|need|wish|hope|plan|intend|aim|have|wanted to|a? help? with? to?",
        Some(Intent::Method),
    ),
    (
        "i|we want|need|would like a|some? plan|help|advice|tips|guide|program|routine|schedule for|to|on|with|in",
        Some(Intent::Method),
    ),
    ("help me|us to? with?", Some(Intent::Method)),
    ("teach|show|tell me|us how to?", Some(Intent::Method)),
    (
        "please? give|make|create|write|build|design|draft|suggest me|us? a|an|the|some|my? <quality>* step? by? step? <way>|guide|schedule|program|programme|routine|roadmap for|to|on|of how|me? to?",
        Some(Intent::Method),
    ),
    (
        "a|an|the|some|any? <way>|guide|program|programme|routine|roadmap|schedule to|for|on how? to?",
        Some(Intent::Method),
    ),
    ("teach myself", Some(Intent::Method)),
    // The other questions.
    ("what should|would happen|happens", Some(Intent::What)),
    ("what|which|whats", Some(Intent::What)),
    ("why", Some(Intent::Why)),
    ("when", Some(Intent::When)),
    ("where", Some(Intent::Where)),
    ("who|whom|whose", Some(Intent::Who)),
    ("should <i>", Some(Intent::Should)),
    ("is|are|was|were there", Some(Intent::YesNo)),
    ("is it", Some(Intent::YesNo)),
    (
        "can|could|may|do|does|did|will|would|am|are|have|has <i>",
        Some(Intent::YesNo),
    ),
];

/// Words that, at the start of a sentence, make it a yes-or-no question.
const ASKS: [&str; 18] = [
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "will", "would", "has",
    "have", "had", "am", "may", "must", "might",
];

static PATTERNS: LazyLock<Vec<(Pattern, Option<Intent>)>> = LazyLock::new(|| {
    LEADS
        .iter()
        .map(|(text, intent)| (Pattern::new(text), *intent))
        .collect()
});

/// Finds what a goal asks for and marks the words that only ask for it.
pub(super) fn find(text: &str, tokens: &mut [Token]) -> Intent {
    let asked = text.contains('?');
    greet(tokens);
    let mut intent = None;
    let mut at = 0;
    let mut opening = true;
    while at < tokens.len() {
        let lead = if leads_here(tokens, at, opening, asked) {
            PATTERNS
                .iter()
                .find_map(|(pattern, kind)| Some((pattern.match_at(tokens, at)?, *kind)))
        } else {
            None
        };
        if let Some((length, kind)) = lead {
            mark(tokens, at, length);
            intent = intent.or(kind);
            at += length;
            continue;
        }
        let asks = tokens.get(at).is_some_and(|t| {
            // "Do 20 push-ups" and "have a better life" are goals unless a question mark says otherwise.
            let verb = matches!(t.word.as_str(), "do" | "have") && !asked;
            t.starts_sentence && ASKS.contains(&t.word.as_str()) && !verb
        });
        if asks && intent.is_none() {
            intent = Some(Intent::YesNo);
        }
        opening &= tokens.get(at).is_some_and(|t| t.role == Role::Function);
        at += 1;
    }
    let intent = intent.unwrap_or(Intent::Method);
    if intent == Intent::Price {
        price_words(tokens);
    }
    intent
}

/// Says whether a lead-in phrase may begin here: at the start, after other lead-in words, or with a question word.
fn leads_here(tokens: &[Token], at: usize, opening: bool, asked: bool) -> bool {
    let Some(token) = tokens
        .get(at)
        .filter(|t| t.kind == Kind::Word && t.role != Role::Value)
    else {
        return false;
    };
    if token.starts_sentence || opening {
        return true;
    }
    let after_lead = at > 0 && tokens.get(at - 1).is_some_and(|t| t.role == Role::Lead);
    let next = tokens.get(at + 1).map_or("", |t| t.word.as_str());
    let inverted =
        ASKS.contains(&token.word.as_str()) && matches!(next, "i" | "we" | "you" | "there");
    // Within a sentence the other question words join clauses ("run when out of shape") unless something is asked.
    let question = matches!(
        token.word.as_str(),
        "what" | "why" | "when" | "where" | "who" | "which"
    ) && asked;
    after_lead || inverted || question || matches!(token.word.as_str(), "how" | "i" | "help")
}

/// "Morning!" before the sentence proper is a greeting; "morning run" is not.
fn greet(tokens: &mut [Token]) {
    let alone = tokens.get(1).is_some_and(|next| next.starts_sentence);
    if let Some(first) = tokens
        .first_mut()
        .filter(|first| alone && first.word == "morning")
    {
        first.role = Role::Lead;
    }
}

fn mark(tokens: &mut [Token], at: usize, length: usize) {
    for token in tokens.iter_mut().skip(at).take(length) {
        // Values keep their role, and a strong word stays visible to the verifier.
        if token.role != Role::Value && token.word != "not" {
            token.role = Role::Lead;
        }
    }
}

/// A question for a price need not repeat it: "how much does it cost" is "how much is it".
fn price_words(tokens: &mut [Token]) {
    for token in tokens.iter_mut() {
        if matches!(
            token.stem.as_str(),
            "cost" | "price" | "pay" | "charg" | "fee"
        ) && token.role == Role::Content
        {
            token.role = Role::Lead;
        }
    }
}
