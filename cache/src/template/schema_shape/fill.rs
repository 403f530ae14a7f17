//! Walks a schema and a plan side by side and writes what fits.

use serde_json::{Map, Number, Value};

use super::SchemaError;
use super::limits::resolve;
use super::subject::{Parts, Subject};
use super::words::{self, Fact, Level, NOT_BEGUN};
use crate::template::plan::Plan;

/// Steps of one rendering: some milliseconds. The longest plans have some hundreds of values of a few steps each.
const MAX_WORK: usize = 2_000_000;

/// Nesting of a rendering: a plan has four levels, a wrapper or two around it.
const MAX_DEPTH: usize = 12;

/// Writes a plan into a schema, without the proof that it satisfies it.
pub(super) fn fill(schema: &Value, plan: &Plan) -> Result<Value, SchemaError> {
    let mut filler = Filler {
        root: schema,
        work: 0,
        has_steps: false,
        unfillable: None,
    };
    let subject = Subject::Plan(plan);
    let value = filler.node(schema, &subject, None, &mut Vec::new());
    match value {
        Some(value) if filler.has_steps => Ok(value),
        Some(_) => Err(SchemaError::NoSteps),
        None => Err(SchemaError::Unfillable {
            path: filler.unfillable.unwrap_or_else(|| "/".to_owned()),
        }),
    }
}

struct Filler<'s> {
    root: &'s Value,
    work: usize,
    /// Whether tasks, milestones or the whole plan found a place.
    has_steps: bool,
    /// The first required property that nothing was found for.
    unfillable: Option<String>,
}

impl<'s> Filler<'s> {
    /// Fills a node from a subject, or from one fact of it.
    fn node(
        &mut self,
        schema: &'s Value,
        subject: &Subject<'_>,
        fact: Option<Fact>,
        path: &mut Vec<String>,
    ) -> Option<Value> {
        if self.work > MAX_WORK || path.len() > MAX_DEPTH {
            return None;
        }
        let node = self.merged(schema)?;
        if let Some(constant) = node.keyword("const") {
            return Some(constant.clone());
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(alternatives)) = node.keyword(keyword) {
                return self.first_of(alternatives, subject, fact, path);
            }
        }
        if let Some(Value::Array(values)) = node.keyword("enum") {
            return choose(values, subject, fact);
        }
        let kinds = kinds(&node);
        for kind in kinds.iter().filter(|kind| **kind != "null") {
            let value = match *kind {
                "object" => self.object(&node, subject, fact, path),
                "array" => self.array(&node, subject, fact, path),
                "string" => self.text(subject, fact),
                "integer" | "number" => {
                    fact.and_then(|fact| number(subject, fact, *kind == "integer"))
                }
                "boolean" => (fact == Some(Fact::Done)).then_some(Value::Bool(false)),
                _ => None,
            };
            if value.is_some() {
                return value;
            }
        }
        // Null says that there is nothing to say: no more than what is true.
        kinds.contains(&"null").then_some(Value::Null)
    }

    fn first_of(
        &mut self,
        alternatives: &'s [Value],
        subject: &Subject<'_>,
        fact: Option<Fact>,
        path: &mut Vec<String>,
    ) -> Option<Value> {
        let mut null = None;
        for alternative in alternatives {
            match self.node(alternative, subject, fact, path) {
                Some(Value::Null) => null = Some(Value::Null),
                Some(value) => return Some(value),
                None => {}
            }
        }
        null
    }

    fn object(
        &mut self,
        node: &Node<'s>,
        subject: &Subject<'_>,
        fact: Option<Fact>,
        path: &mut Vec<String>,
    ) -> Option<Value> {
        // An object that stands for one fact of a plan is a wrapper around the plan, or nothing we know.
        if !matches!(fact, None | Some(Fact::Whole | Fact::Title | Fact::Steps)) {
            return None;
        }
        let mut filled = Map::new();
        for (name, schema) in &node.properties {
            path.push((*name).to_owned());
            let description = description(schema);
            let about = words::fact(subject.level(), name, description);
            let value = match about {
                None if fixed(schema) => self.node(schema, subject, None, path),
                // Null says that there is nothing to say, which is true.
                None if node.required.contains(name) && self.allows_null(schema) => {
                    Some(Value::Null)
                }
                None => None,
                about => self.node(schema, subject, about, path),
            };
            if value.is_none() && node.required.contains(name) {
                self.unfillable
                    .get_or_insert_with(|| format!("/{}", path.join("/")));
                path.pop();
                return None;
            }
            path.pop();
            if let Some(value) = value {
                filled.insert((*name).to_owned(), value);
            }
        }
        (!filled.is_empty()).then_some(Value::Object(filled))
    }

    fn array(
        &mut self,
        node: &Node<'s>,
        subject: &Subject<'_>,
        fact: Option<Fact>,
        path: &mut Vec<String>,
    ) -> Option<Value> {
        let items = node.keyword("items")?;
        let (fact, parts) = self.parts(items, subject, fact)?;
        let mut filled = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            path.push(index.to_string());
            let value = if self.is_text(items) {
                Some(Value::String(part.line()))
            } else {
                self.node(items, part, None, path)
            };
            path.pop();
            filled.push(value?);
        }
        let steps = matches!(
            fact,
            Fact::Milestones | Fact::Tasks | Fact::EveryWeek | Fact::Weeks | Fact::Steps
        );
        self.has_steps |= steps && !filled.is_empty();
        Some(Value::Array(filled))
    }

    /// The parts that belong into a list: as its name says, or as its items ask.
    fn parts<'p>(
        &mut self,
        items: &'s Value,
        subject: &Subject<'p>,
        fact: Option<Fact>,
    ) -> Option<(Fact, Parts<'p>)> {
        let open = match (fact, subject.level()) {
            (None | Some(Fact::Steps | Fact::Whole), Level::Plan) => true,
            (Some(Fact::Tasks), Level::Plan) => self.holds_tasks(items),
            _ => false,
        };
        let fact = if !open {
            fact?
        } else if self.holds_tasks(items) {
            Fact::Milestones
        } else {
            Fact::Tasks
        };
        Some((fact, subject.parts(fact)?))
    }

    /// Whether the items of a list have a list of tasks in them.
    fn holds_tasks(&mut self, items: &'s Value) -> bool {
        let Some(node) = self.merged(items) else {
            return false;
        };
        node.properties.iter().any(|(name, schema)| {
            words::fact(Level::Milestone, name, description(schema)) == Some(Fact::Tasks)
                && self
                    .merged(schema)
                    .is_some_and(|node| kinds(&node).contains(&"array"))
        })
    }

    fn allows_null(&mut self, schema: &'s Value) -> bool {
        let Some(node) = self.merged(schema) else {
            return false;
        };
        let alternatives = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|keyword| node.keyword(keyword)?.as_array())
            .flatten();
        kinds(&node).contains(&"null")
            || alternatives
                .into_iter()
                .any(|schema| schema.get("type").is_some_and(|kind| kind == "null"))
    }

    fn is_text(&mut self, schema: &'s Value) -> bool {
        self.merged(schema).is_some_and(|node| {
            kinds(&node).first() == Some(&"string")
                && node.keyword("enum").is_none()
                && node.keyword("const").is_none()
        })
    }

    fn text(&mut self, subject: &Subject<'_>, fact: Option<Fact>) -> Option<Value> {
        let fact = fact?;
        let text = subject.text(fact)?;
        self.has_steps |= matches!(fact, Fact::Whole | Fact::Steps);
        Some(Value::String(text))
    }

    fn merged(&mut self, schema: &'s Value) -> Option<Node<'s>> {
        let mut node = Node::default();
        let followed = node.lay_over(self.root, schema, 0);
        // Each property was compared with those before it.
        self.work += 1 + node.keywords.len() + node.properties.len().pow(2) / 2;
        followed.then_some(node)
    }
}

fn description(schema: &Value) -> Option<&str> {
    ["description", "title"]
        .iter()
        .find_map(|keyword| schema.get(keyword)?.as_str())
}

/// A schema with its references followed and its `allOf` laid over each other.
#[derive(Default)]
struct Node<'s> {
    keywords: Vec<(&'s str, &'s Value)>,
    properties: Vec<(&'s str, &'s Value)>,
    required: Vec<&'s str>,
}

impl<'s> Node<'s> {
    fn keyword(&self, name: &str) -> Option<&'s Value> {
        self.keywords
            .iter()
            .find(|(keyword, _)| *keyword == name)
            .map(|(_, value)| *value)
    }

    /// Adds what a schema says; false where it cannot be followed. Of two keywords of one name the first stays: if
    /// they disagree, the validation says so.
    fn lay_over(&mut self, root: &'s Value, schema: &'s Value, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let members = match schema {
            Value::Bool(allowed) => return *allowed,
            Value::Object(members) => members,
            _ => return false,
        };
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref", Value::String(reference)) => {
                    let Ok(target) = resolve(root, reference) else {
                        return false;
                    };
                    if !self.lay_over(root, target, depth + 1) {
                        return false;
                    }
                }
                ("allOf", Value::Array(schemas)) => {
                    if !schemas
                        .iter()
                        .all(|schema| self.lay_over(root, schema, depth + 1))
                    {
                        return false;
                    }
                }
                ("properties", Value::Object(properties)) => {
                    for (name, schema) in properties {
                        if self.properties.iter().all(|(known, _)| known != name) {
                            self.properties.push((name, schema));
                        }
                    }
                }
                ("required", Value::Array(names)) => {
                    self.required.extend(names.iter().filter_map(Value::as_str));
                }
                _ => self.keywords.push((keyword, value)),
            }
        }
        true
    }
}

/// The types that a node allows, in its own order; objects and lists are recognised by their keywords.
fn kinds<'s>(node: &Node<'s>) -> Vec<&'s str> {
    let mut kinds = match node.keyword("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ if !node.properties.is_empty() => vec!["object"],
        _ if node.keyword("items").is_some() => vec!["array"],
        _ => Vec::new(),
    };
    if node.keyword("nullable") == Some(&Value::Bool(true)) {
        kinds.push("null");
    }
    kinds
}

/// Whether a schema leaves no choice: then what it says is right, whatever its name.
fn fixed(schema: &Value) -> bool {
    schema.get("const").is_some()
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| values.len() == 1)
}

/// The value of a closed set that says the same as the fact.
fn choose(values: &[Value], subject: &Subject<'_>, fact: Option<Fact>) -> Option<Value> {
    if let [only] = values {
        return Some(only.clone());
    }
    let fact = fact?;
    let same = |wanted: &str| {
        let wanted = words::words(wanted);
        values.iter().find(|value| {
            value
                .as_str()
                .is_some_and(|text| words::words(text) == wanted)
        })
    };
    let found = match fact {
        Fact::Status => NOT_BEGUN.iter().find_map(|state| same(state)),
        Fact::Done => values.iter().find(|value| **value == Value::Bool(false)),
        _ => match subject.text(fact) {
            Some(text) => same(&text),
            None => {
                let number = subject.number(fact)?;
                values.iter().find(|value| value.as_f64() == Some(number))
            }
        },
    };
    found.cloned()
}

fn number(subject: &Subject<'_>, fact: Fact, whole: bool) -> Option<Value> {
    let number = subject.number(fact)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "days, minutes and list positions are small"
    )]
    if number.fract() == 0.0 {
        Some(Value::from(number as i64))
    } else if whole {
        None
    } else {
        Number::from_f64(number).map(Value::Number)
    }
}
