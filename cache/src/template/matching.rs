//! Decides whether a template answers a goal: every word and value of the goal must be explained by it.
//!
//! The similarity has proposed the template; here nothing is weighed, only explained or not.
//! "Learn Spanish cooking" is near to "learn {language}" and refused, because nothing explains "cooking".

use std::collections::HashSet;

use super::grammar;
use super::mask;
use super::parse::{Template, placeholders};
use super::slots::{self, Extraction};
use crate::goal::{Goal, Intent, Quantity, Role, Token, lexicon, synonyms};

/// Why a template does not answer a goal: a closed set, for metrics and explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No phrasing is similar enough.
    Similarity,
    /// The goal is in another language.
    Language,
    /// The goal is bound to the moment of asking.
    TimeBound,
    /// The goal asks for a fact, not for a plan.
    Intent,
    /// The goal is negated and no phrasing is.
    Negated,
    /// The goal holds a word this template refuses.
    RefusedWord,
    /// The goal does not state a slot that has no default.
    MissingSlot,
    /// A value is outside the slot's range.
    OutOfRange,
    /// The goal states two values for one slot.
    Ambiguous,
    /// A typed value belongs to no slot.
    UnexplainedValue,
    /// A word is neither grammar, nor slot, nor known to the template.
    UnexplainedWord,
    /// No phrasing stands in the goal with all its words of content and subject slots.
    NoPhrasing,
    /// A rule across slots does not hold.
    Rule,
    /// The plan or the shape could not be rendered.
    Render,
}

impl Refusal {
    /// Returns the name used in metrics and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Similarity => "similarity",
            Self::Language => "language",
            Self::TimeBound => "time_bound",
            Self::Intent => "intent",
            Self::Negated => "negated",
            Self::RefusedWord => "refused_word",
            Self::MissingSlot => "missing_slot",
            Self::OutOfRange => "out_of_range",
            Self::Ambiguous => "ambiguous",
            Self::UnexplainedValue => "unexplained_value",
            Self::UnexplainedWord => "unexplained_word",
            Self::NoPhrasing => "no_phrasing",
            Self::Rule => "rule",
            Self::Render => "render",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a template does not answer a goal, with the word or value at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The rule that refused.
    pub refusal: Refusal,
    /// The word, value, slot or reason at fault; may hold the user's words.
    pub detail: String,
}

impl Misfit {
    pub(super) fn new(refusal: Refusal, detail: impl Into<String>) -> Self {
        Self {
            refusal,
            detail: detail.into(),
        }
    }

    pub(super) fn about(self, slot: &str) -> Self {
        Self {
            detail: format!("{slot} = {}", self.detail),
            ..self
        }
    }
}

/// What one phrasing is about: without these, a goal is not a way to say it.
#[derive(Debug, PartialEq, Eq)]
struct Core {
    /// Keys of its words of content and of the grammar that changes a goal ("more", "without").
    keys: HashSet<String>,
    /// The slots it holds that say what the goal is about.
    slots: Vec<String>,
}

impl Core {
    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.slots.is_empty()
    }

    fn stands_in(&self, keys: &HashSet<&str>, stated: &[String]) -> bool {
        self.keys.iter().all(|key| keys.contains(key.as_str()))
            && self.slots.iter().all(|slot| stated.contains(slot))
    }
}

/// What a template knows to explain goals with, gathered once from its phrasings and vocabulary.
#[derive(Debug)]
pub(super) struct Profile {
    /// Keys and stems of phrasings and vocabulary.
    known: HashSet<String>,
    /// The words themselves.
    words: HashSet<String>,
    /// Keys of the vocabulary alone.
    vocabulary: HashSet<String>,
    /// What each phrasing is about.
    cores: Vec<Core>,
    /// Words whose presence refuses, each as the words and stems of its parts.
    refuse: Vec<Vec<(String, String)>>,
    /// Typed values that stand in the phrasings themselves.
    literals: Vec<Quantity>,
    negated: bool,
}

impl Profile {
    pub(super) fn new(template: &Template) -> Self {
        let typical = template.typical();
        let mut profile = Self {
            known: HashSet::new(),
            words: HashSet::new(),
            vocabulary: HashSet::new(),
            cores: Vec::new(),
            refuse: template.refuse.iter().map(|word| parts(word)).collect(),
            literals: Vec::new(),
            negated: false,
        };
        profile.literals = template
            .phrasings
            .iter()
            .flat_map(|phrasing| literals(phrasing))
            .collect();
        for phrasing in &template.phrasings {
            let goal = Goal::analyse(&template.fill(phrasing, &typical));
            let mut taken = slots::extract(&template.slots, &profile.literals, &goal)
                .map(|extraction| extraction.taken)
                .unwrap_or_default();
            take_leads_of_spans(&goal, &mut taken);
            let is_taken = |at: usize| taken.get(at).copied().unwrap_or(false);
            let level: Vec<usize> = slots::level_words(&goal)
                .into_iter()
                .flat_map(|(range, _)| range)
                .collect();
            profile.negated |= goal.negated();
            let mut core = Core {
                keys: HashSet::new(),
                slots: Vec::new(),
            };
            let mut planning = HashSet::new();
            for (at, token) in goal
                .tokens()
                .iter()
                .enumerate()
                .filter(|(at, _)| !is_taken(*at))
            {
                profile.knows(token);
                let counts = match token.role {
                    Role::Content => says_what(token),
                    Role::Function => {
                        grammar::is_strong(&token.word)
                            || grammar::is_reflexive(&token.word)
                            || grammar::is_of_others(token, goal.tokens())
                            || token.stem == "let"
                    }
                    Role::Lead | Role::Value | Role::Merged => false,
                };
                if counts && !level.contains(&at) {
                    core.keys.insert(token.key.clone());
                } else if token.role == Role::Content && !level.contains(&at) {
                    planning.insert(token.key.clone());
                }
            }
            let is_subject = |name: &String| {
                template
                    .slots
                    .get(name)
                    .is_some_and(|slot| slot.kind.is_subject())
            };
            core.slots
                .extend(placeholders(phrasing).into_iter().filter(is_subject));
            let rest = || {
                goal.tokens()
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| !is_taken(*at))
            };
            // "Move on" is more than to move: a particle at the end belongs to the verb before it.
            if let Some((_, last)) = rest().next_back()
                && last.role == Role::Function
                && grammar::is_particle(&last.word)
            {
                core.keys.insert(last.key.clone());
            }
            // "Keep it simple", "plan more", "start my day better": a verb of all work, a measure or a praise says nothing
            // without the words around it.
            let vague = |key: &String| {
                grammar::is_light(key) || grammar::is_strong(key) || grammar::is_praise(key)
            };
            if core.slots.is_empty() && !core.keys.is_empty() && core.keys.iter().all(vague) {
                let objects = rest()
                    .filter(|(_, token)| token.role == Role::Function)
                    .filter(|(_, token)| {
                        grammar::is_object(&token.word) || grammar::is_light(&token.key)
                    });
                let objects: Vec<String> = objects.map(|(_, token)| token.key.clone()).collect();
                core.keys.extend(objects);
                core.keys.extend(planning.iter().cloned());
            }
            // "Achieve my goals", "get a {pet}", "be a good {role}": where there is nothing else, planning and verbs of
            // all work count.
            if core.keys.is_empty() || (!core.slots.is_empty() && core.keys.iter().all(vague)) {
                let verbs = rest()
                    .filter(|(_, token)| token.role == Role::Function)
                    .filter(|(_, token)| grammar::is_light(&token.key));
                let verbs: Vec<String> = verbs.map(|(_, token)| token.key.clone()).collect();
                core.keys.extend(verbs);
                if core.slots.is_empty() {
                    core.keys.extend(planning);
                }
            }
            if !core.is_empty() && !profile.cores.contains(&core) {
                profile.cores.push(core);
            }
        }
        for word in &template.vocabulary {
            for token in Goal::analyse(word).tokens() {
                profile.knows(token);
                profile.vocabulary.insert(token.key.clone());
            }
        }
        // A slot's own name may be said beside its value ("the Spanish language").
        for name in template
            .phrasings
            .iter()
            .flat_map(|phrasing| placeholders(phrasing))
        {
            profile.known.insert(crate::goal::words::stem(&name));
        }
        profile
    }

    fn knows(&mut self, token: &Token) {
        self.known.insert(token.key.clone());
        self.known.insert(token.stem.clone());
        self.words.insert(token.word.clone());
    }

    fn explains(&self, token: &Token) -> bool {
        self.known.contains(&token.key) || self.known.contains(&token.stem)
    }
}

/// Reads the slots of a goal and decides whether the template explains all of it; rules across slots come after.
pub(super) fn fit(
    template: &Template,
    profile: &Profile,
    goal: &Goal,
) -> Result<Extraction, Misfit> {
    if *goal.language() != template.language {
        return Err(Misfit::new(Refusal::Language, goal.language().as_str()));
    }
    if goal.time_bound() {
        return Err(Misfit::new(Refusal::TimeBound, ""));
    }
    if goal.intent() != Intent::Method {
        return Err(Misfit::new(
            Refusal::Intent,
            format!("{:?}", goal.intent()).to_lowercase(),
        ));
    }
    if grammar::is_order(goal.tokens()) {
        return Err(Misfit::new(Refusal::Intent, "order"));
    }
    if goal.negated() && !profile.negated {
        return Err(Misfit::new(Refusal::Negated, ""));
    }
    let mut extraction = slots::extract(&template.slots, &profile.literals, goal)?;
    take_leads_of_spans(goal, &mut extraction.taken);
    let is_taken = |at: usize| extraction.taken.get(at).copied().unwrap_or(false);
    let tokens = goal.tokens();
    if let Some(parts) = profile
        .refuse
        .iter()
        .find(|parts| is_refused(parts, tokens, &extraction.taken, profile))
    {
        let words: Vec<&str> = parts.iter().map(|(word, _)| word.as_str()).collect();
        return Err(Misfit::new(Refusal::RefusedWord, words.join(" ")));
    }
    for quantity in goal.quantities() {
        let explained = quantity.tokens.clone().all(is_taken)
            || profile
                .literals
                .iter()
                .any(|literal| literal.agrees_with(quantity));
        if !explained {
            let words: Vec<&str> = tokens
                .iter()
                .take(quantity.tokens.end)
                .skip(quantity.tokens.start)
                .map(|t| t.word.as_str())
                .collect();
            return Err(Misfit::new(Refusal::UnexplainedValue, words.join(" ")));
        }
    }
    let mut keys = HashSet::new();
    for (_, token) in tokens.iter().enumerate().filter(|(at, _)| !is_taken(*at)) {
        if !is_explained(token, goal, profile) {
            return Err(Misfit::new(Refusal::UnexplainedWord, token.word.clone()));
        }
        // "Help me" leads in and helps nobody.
        if token.role != Role::Lead {
            keys.insert(token.key.as_str());
        }
    }
    let standing: Vec<&Core> = profile
        .cores
        .iter()
        .filter(|core| core.stands_in(&keys, &extraction.stated))
        .collect();
    if standing.is_empty() {
        return Err(Misfit::new(Refusal::NoPhrasing, ""));
    }
    // "Better" from one phrasing and "bad" from another say what neither says.
    let turned = tokens.iter().enumerate().find(|(at, token)| {
        !is_taken(*at)
            && turns(token)
            && !profile.vocabulary.contains(&token.key)
            && !standing.iter().any(|core| core.keys.contains(&token.key))
    });
    match turned {
        Some((_, token)) => Err(Misfit::new(Refusal::UnexplainedWord, token.word.clone())),
        None => Ok(extraction),
    }
}

/// Returns the refused word that stands in a goal beside what was read of it: before or after, as a remark or a reason.
pub(super) fn refused_beside(profile: &Profile, whole: &Goal, reading: &Goal) -> Option<Misfit> {
    if whole.text() == reading.text() {
        return None;
    }
    let times = |parts: &[(String, String)], goal: &Goal| {
        let tokens = goal.tokens();
        (0..tokens.len())
            .filter(|at| stands_at(parts, tokens, *at, profile))
            .count()
    };
    let parts = profile
        .refuse
        .iter()
        .find(|parts| times(parts, whole) > times(parts, reading))?;
    let words: Vec<&str> = parts.iter().map(|(word, _)| word.as_str()).collect();
    Some(Misfit::new(Refusal::RefusedWord, words.join(" ")))
}

/// Returns the typed values a phrasing holds apart from its slots.
fn literals(phrasing: &str) -> Vec<Quantity> {
    // A word that is no unit keeps what stands around a slot apart.
    let bare = placeholders(phrasing)
        .iter()
        .fold(phrasing.to_owned(), |text, name| {
            text.replace(&format!("{{{name}}}"), "it")
        });
    Goal::analyse(&bare).quantities().to_vec()
}

fn parts(word: &str) -> Vec<(String, String)> {
    Goal::analyse(word)
        .tokens()
        .iter()
        .map(|token| (token.word.clone(), token.stem.clone()))
        .collect()
}

/// Says whether a refused word stands in a goal: as it is written, or inflected.
///
/// An inflection that the template itself uses does not count: a template of alcohol that refuses alcoholism.
fn is_refused(
    parts: &[(String, String)],
    tokens: &[Token],
    taken: &[bool],
    profile: &Profile,
) -> bool {
    let is_taken = |at: usize| taken.get(at).copied().unwrap_or(false);
    (0..tokens.len())
        .any(|at| !(at..at + parts.len()).any(is_taken) && stands_at(parts, tokens, at, profile))
}

/// Says whether a refused word or phrase begins at a token.
fn stands_at(parts: &[(String, String)], tokens: &[Token], at: usize, profile: &Profile) -> bool {
    let same = |at: usize, word: &str, stem: &str| {
        tokens
            .get(at)
            .is_some_and(|t| t.word == word || (t.stem == stem && !profile.words.contains(&t.word)))
    };
    !parts.is_empty()
        && parts
            .iter()
            .enumerate()
            .all(|(i, (word, stem))| same(at + i, word, stem))
}

/// Says whether a word of content says what is to be reached, and not how or that one begins.
fn says_what(token: &Token) -> bool {
    let begins = matches!(token.key.as_str(), "begin" | "start" | "skill");
    // To have something and to have it better are two goals.
    let planning = lexicon::is_planning(&token.word)
        && !matches!(token.word.as_str(), "good" | "better" | "best")
        // Beside a lead-in ("help me") to help is a goal.
        && !matches!(token.word.as_str(), "help" | "helping" | "achieve" | "accomplish");
    // "Every day" and "daily" say how often.
    let often = matches!(token.word.as_str(), "day" | "daily" | "everyday");
    !planning && !synonyms::is_manner(&token.key) && !begins && !often
}

/// Says whether a word turns a goal round, so that it must stand in the very phrasing by which the goal is understood.
fn turns(token: &Token) -> bool {
    match token.role {
        Role::Function => grammar::is_strong(&token.word),
        Role::Content => grammar::is_turning(&token.key),
        Role::Lead | Role::Value | Role::Merged => false,
    }
}

fn is_explained(token: &Token, goal: &Goal, profile: &Profile) -> bool {
    match token.role {
        // Values were explained one by one.
        Role::Value | Role::Merged => true,
        // "Without", "before", "less": grammar that changes the goal.
        // "Her", "someone": grammar that makes it somebody else's.
        Role::Function | Role::Lead => {
            let tells =
                grammar::is_strong(&token.word) || grammar::is_of_others(token, goal.tokens());
            !tells || profile.words.contains(&token.word)
        }
        Role::Content => {
            profile.explains(token)
                || grammar::is_filler(&token.word)
                || lexicon::is_planning(&token.word)
                || synonyms::is_weak(&token.key)
                || synonyms::is_manner(&token.key)
                || synonyms::is_implied(&token.key, goal)
        }
    }
}

/// The words that lead to a stated span of time ("in less than") belong to it.
fn take_leads_of_spans(goal: &Goal, taken: &mut [bool]) {
    for quantity in goal.quantities() {
        let stated =
            quantity.days().is_some() && taken.get(quantity.tokens.start).copied().unwrap_or(false);
        if stated {
            let start = mask::span_start(goal.tokens(), quantity.tokens.start);
            for place in taken.iter_mut().take(quantity.tokens.start).skip(start) {
                *place = true;
            }
        }
    }
}
