//! Matches short word patterns such as "what is|are the? best* way|ways to|of?" against tokens.
//!
//! A pattern is words separated by spaces: `a|b` is either, a final `?` makes one optional, a final `*` lets it repeat
//! or be absent. Groups of words have names: `<i>` any personal pronoun, `<modal>`, `<quality>`.

use super::words::{Role, Token};

/// One element of a pattern.
#[derive(Debug)]
struct Element {
    words: Vec<String>,
    optional: bool,
    repeats: bool,
}

/// A compiled word pattern.
#[derive(Debug)]
pub struct Pattern(Vec<Element>);

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Self {
        let element = |part: &str| {
            let (body, optional, repeats) = match (part.strip_suffix('?'), part.strip_suffix('*')) {
                (Some(body), _) => (body, true, false),
                (_, Some(body)) => (body, true, true),
                _ => (part, false, false),
            };
            let words = body
                .split('|')
                .flat_map(|word| group(word).unwrap_or(word).split('|'))
                .map(str::to_owned)
                .collect();
            Element {
                words,
                optional,
                repeats,
            }
        };
        Self(text.split_whitespace().map(element).collect())
    }

    /// Returns the length of the longest match that begins at a token, if there is one.
    pub fn match_at(&self, tokens: &[Token], at: usize) -> Option<usize> {
        longest(&self.0, tokens, at)
            .map(|end| end - at)
            .filter(|length| *length > 0)
    }
}

fn longest(elements: &[Element], tokens: &[Token], at: usize) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else {
        return Some(at);
    };
    let token = tokens.get(at);
    // A typed value may stand within a phrase: "give me a [six week] plan to".
    if token.is_some_and(|token| token.role == Role::Value) {
        return longest(elements, tokens, at + 1);
    }
    if token.is_some_and(|token| element.words.contains(&token.word)) {
        let repeated = if element.repeats {
            longest(elements, tokens, at + 1)
        } else {
            None
        };
        let once = repeated.or_else(|| longest(rest, tokens, at + 1));
        if once.is_some() {
            return once;
        }
    }
    if element.optional {
        longest(rest, tokens, at)
    } else {
        None
    }
}

/// Returns the words of a named group.
fn group(name: &str) -> Option<&'static str> {
    Some(match name {
        "<i>" => "i|we|you|one|someone|anyone|people|he|she|they",
        "<modal>" => "do|does|did|can|could|should|would|will|must|might|may|to|shall",
        "<quality>" => {
            "best|good|better|easiest|easy|fastest|quickest|quick|right|proper|most|effective|efficient|ideal|great|some|a|\
             the|any|simple|simplest|possible|correct|practical|recommended|healthy|different|smart|safe|very|your|few|really"
        }
        "<way>" => {
            "way|ways|method|methods|approach|approaches|step|steps|tip|tips|strategy|strategies|technique|techniques|means|\
             process|procedure|advice|plan"
        }
        _ => return None,
    })
}
