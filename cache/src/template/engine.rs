//! minijinja as templates use it: no escaping, strict about unknown names, limited in steps and output.

use std::collections::HashSet;
use std::io;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::slots;

/// Steps one text may take; a long summary takes a few hundred.
const FUEL: u64 = 50_000;

/// Longest output of one text of a plan, in bytes.
const MAX_TEXT_BYTES: usize = 8 * 1024;

/// A text of a template, compiled unless there is nothing to compute.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Literal(String),
    Compiled(String),
}

/// The compiled texts of a library.
#[derive(Debug)]
pub(super) struct Engine {
    environment: Environment<'static>,
    num_texts: usize,
}

impl Engine {
    pub(super) fn new() -> Self {
        Self {
            environment: environment(),
            num_texts: 0,
        }
    }

    /// Compiles a text.
    pub(super) fn add(&mut self, source: &str) -> Result<Text, Error> {
        if !source.contains('{') {
            return Ok(Text::Literal(source.trim().to_owned()));
        }
        let name = format!("text-{}", self.num_texts);
        self.num_texts += 1;
        self.environment
            .add_template_owned(name.clone(), source.to_owned())?;
        Ok(Text::Compiled(name))
    }

    /// Compiles an expression that is either true or not.
    pub(super) fn add_condition(&mut self, expression: &str) -> Result<Text, Error> {
        // Checked alone first, so that no expression can close the tag around it.
        self.environment
            .compile_expression_owned(expression.to_owned())?;
        self.add(&format!("{{% if {expression} %}}1{{% endif %}}"))
    }

    /// Renders a text over slot values.
    pub(super) fn text(&self, text: &Text, context: &Value) -> Result<String, Error> {
        match text {
            Text::Literal(literal) => Ok(literal.clone()),
            Text::Compiled(name) => {
                let template = self.environment.get_template(name)?;
                let rendered = render_limited(&template, context.clone(), MAX_TEXT_BYTES)?;
                Ok(rendered.trim().to_owned())
            }
        }
    }

    /// Evaluates a condition over slot values.
    pub(super) fn holds(&self, condition: &Text, context: &Value) -> Result<bool, Error> {
        Ok(!self.text(condition, context)?.is_empty())
    }
}

/// Makes the environment of plans and shapes.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("round", round);
    environment.add_filter("round_to", round_to);
    environment.add_filter("thousands", slots::thousands);
    environment.add_filter("plural", |value: f64, noun: &str| {
        slots::counted(value, noun)
    });
    environment.add_filter("yours", yours);
    environment.add_filter("tojson", |value: Value| {
        serde_json::to_string(&value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    });
    environment
}

/// Turns what a goal says of its writer towards the reader ("my room" is "your room" in an answer).
fn yours(text: &str) -> String {
    let word = |word: &str| match word.to_lowercase().as_str() {
        "my" => "your".to_owned(),
        "mine" => "yours".to_owned(),
        "me" | "i" => "you".to_owned(),
        "myself" => "yourself".to_owned(),
        "our" => "your".to_owned(),
        _ => word.to_owned(),
    };
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    words.join(" ")
}

/// Rounds to a whole number, or to some decimals.
fn round(value: f64, decimals: Option<i32>) -> Value {
    match decimals.filter(|decimals| *decimals > 0) {
        None => whole(value),
        Some(decimals) => {
            let factor = 10f64.powi(decimals.min(9));
            let rounded = (value * factor).round() / factor;
            if rounded.fract() == 0.0 {
                whole(rounded)
            } else {
                Value::from(rounded)
            }
        }
    }
}

/// Rounds to the nearest multiple, and to one multiple at least for what is above nothing.
fn round_to(value: f64, step: f64) -> Result<Value, Error> {
    if step <= 0.0 {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "round_to needs a step above 0",
        ));
    }
    let steps = (value / step).round();
    Ok(whole(if steps == 0.0 && value > 0.0 {
        step
    } else {
        steps * step
    }))
}

fn whole(value: f64) -> Value {
    Value::from(value.round() as i64)
}

/// Returns the slot names a text uses.
pub(super) fn names_in_text(source: &str) -> Result<HashSet<String>, Error> {
    Ok(environment()
        .template_from_str(source)?
        .undeclared_variables(false))
}

/// Returns the slot names an expression uses.
pub(super) fn names_in_expression(source: &str) -> Result<HashSet<String>, Error> {
    Ok(environment()
        .compile_expression(source)?
        .undeclared_variables(false))
}

/// Renders a template, and fails when it writes more than a number of bytes.
pub(super) fn render_limited(
    template: &minijinja::Template<'_, '_>,
    context: Value,
    max_bytes: usize,
) -> Result<String, Error> {
    let mut out = Limited {
        bytes: Vec::new(),
        max_bytes,
    };
    template.render_captured_to(context, &mut out)?;
    String::from_utf8(out.bytes)
        .map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
}

struct Limited {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max_bytes {
            return Err(io::Error::other(format!(
                "output is longer than {} bytes",
                self.max_bytes
            )));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
