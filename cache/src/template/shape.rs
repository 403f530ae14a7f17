//! Shapes: the format a plan is written in. Content and format are separate, so every template fits every shape.

use std::fmt::{self, Write as _};

use minijinja::Environment;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::engine;
use super::plan::{Plan, Task};
use super::schema_shape::{SchemaError, SchemaShape};

/// Longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Name of the built-in Markdown shape.
pub const MARKDOWN: &str = "markdown";

/// Name of the built-in shape of JSON tasks.
pub const JSON_TASKS: &str = "json-tasks";

/// Name of every shape that is a caller's schema.
pub const SCHEMA: &str = "schema";

const SOURCE: &str = "shape";

/// What kind of text a shape writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Text for people.
    Text,
    /// One JSON value.
    Json,
}

/// Why a plan could not be written in a shape.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// The shape's template is not valid minijinja.
    #[error("shape `{name}` does not compile")]
    Syntax {
        /// The shape.
        name: String,
        /// What minijinja says.
        #[source]
        source: minijinja::Error,
    },
    /// The shape's template failed on a plan.
    #[error("shape `{name}` does not render")]
    Render {
        /// The shape.
        name: String,
        /// What minijinja says.
        #[source]
        source: minijinja::Error,
    },
    /// A JSON shape wrote something else.
    #[error("shape `{name}` does not write valid JSON")]
    Json {
        /// The shape.
        name: String,
        /// Where it goes wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The plan does not fit the caller's schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// A format in which plans are written.
#[derive(Debug)]
pub struct Shape {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Markdown,
    JsonTasks,
    Schema(SchemaShape),
    Configured {
        environment: Box<Environment<'static>>,
        content: Content,
    },
}

impl Shape {
    /// Returns the built-in Markdown shape.
    pub fn markdown() -> Self {
        Self {
            name: MARKDOWN.to_owned(),
            kind: Kind::Markdown,
        }
    }

    /// Returns the built-in shape of JSON tasks.
    pub fn json_tasks() -> Self {
        Self {
            name: JSON_TASKS.to_owned(),
            kind: Kind::JsonTasks,
        }
    }

    /// Makes a shape of a caller's schema.
    pub fn of_schema(schema: SchemaShape) -> Self {
        Self {
            name: SCHEMA.to_owned(),
            kind: Kind::Schema(schema),
        }
    }

    /// Returns the built-in shape of a name.
    pub fn builtin(name: &str) -> Option<Self> {
        match name {
            MARKDOWN => Some(Self::markdown()),
            JSON_TASKS => Some(Self::json_tasks()),
            _ => None,
        }
    }

    /// Makes a shape from a minijinja text over the fields of [`Plan`].
    ///
    /// # Errors
    /// Fails when the text does not compile.
    pub fn configured(name: &str, template: &str, content: Content) -> Result<Self, ShapeError> {
        let mut environment = engine::environment();
        // A shape loops over milestones and tasks, and is the operator's own text.
        environment.set_fuel(Some(2_000_000));
        environment
            .add_template_owned(SOURCE, template.to_owned())
            .map_err(|source| ShapeError::Syntax {
                name: name.to_owned(),
                source,
            })?;
        Ok(Self {
            name: name.to_owned(),
            kind: Kind::Configured {
                environment: Box::new(environment),
                content,
            },
        })
    }

    /// Returns the shape's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what kind of text it writes.
    pub fn content(&self) -> Content {
        match &self.kind {
            Kind::Markdown => Content::Text,
            Kind::JsonTasks | Kind::Schema(_) => Content::Json,
            Kind::Configured { content, .. } => *content,
        }
    }

    /// Writes a plan.
    ///
    /// # Errors
    /// Fails when a configured shape does not render, writes too much, or promises JSON and writes something else.
    pub fn render(&self, plan: &Plan) -> Result<String, ShapeError> {
        match &self.kind {
            Kind::Markdown => Ok(markdown(plan)),
            Kind::JsonTasks => {
                serde_json::to_string_pretty(&JsonTasks::new(plan)).map_err(|source| {
                    ShapeError::Json {
                        name: self.name.clone(),
                        source,
                    }
                })
            }
            Kind::Schema(schema) => Ok(schema.render(plan)?.to_string()),
            Kind::Configured {
                environment,
                content,
            } => {
                let render = || {
                    let template = environment.get_template(SOURCE)?;
                    engine::render_limited(&template, Value::from(Serde(plan)), MAX_ANSWER_BYTES)
                };
                let text = render().map_err(|source| ShapeError::Render {
                    name: self.name.clone(),
                    source,
                })?;
                if *content == Content::Json {
                    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|source| {
                        ShapeError::Json {
                            name: self.name.clone(),
                            source,
                        }
                    })?;
                }
                Ok(text)
            }
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

pub(super) fn days(start: u32, end: u32) -> String {
    if start == end {
        format!("day {start}")
    } else {
        format!("days {start}-{end}")
    }
}

/// Says when a task is done, as far as it differs from its milestone.
fn when(task: &Task, start: u32, end: u32) -> String {
    let mut text = format!("{} min, {}", task.minutes, task.repeat);
    if (task.start_day, task.end_day) != (start, end) {
        text.push_str(", ");
        text.push_str(&days(task.start_day, task.end_day));
    }
    text
}

pub(super) fn markdown(plan: &Plan) -> String {
    let mut out = format!("# {}\n\n{}\n", plan.title, plan.summary);
    for (number, milestone) in (1..).zip(&plan.milestones) {
        let (start, end) = (milestone.start_day, milestone.end_day);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\n## {number}. {} ({})\n\n",
            milestone.title,
            days(start, end)
        );
        for task in &milestone.tasks {
            let _ = writeln!(
                out,
                "- **{}** ({}). {}",
                task.title,
                when(task, start, end),
                task.detail
            );
        }
        let _ = write!(out, "\n**Reached when:** {}\n", milestone.outcome);
    }
    out
}

#[derive(Serialize)]
struct JsonTasks<'a> {
    title: &'a str,
    summary: &'a str,
    duration: &'a str,
    days: u32,
    milestones: Vec<JsonMilestone<'a>>,
    tasks: Vec<JsonTask<'a>>,
}

#[derive(Serialize)]
struct JsonMilestone<'a> {
    id: usize,
    title: &'a str,
    outcome: &'a str,
    start_day: u32,
    end_day: u32,
}

#[derive(Serialize)]
struct JsonTask<'a> {
    id: usize,
    milestone: usize,
    #[serde(flatten)]
    task: &'a Task,
}

impl<'a> JsonTasks<'a> {
    fn new(plan: &'a Plan) -> Self {
        let milestones = (1..)
            .zip(&plan.milestones)
            .map(|(id, milestone)| JsonMilestone {
                id,
                title: &milestone.title,
                outcome: &milestone.outcome,
                start_day: milestone.start_day,
                end_day: milestone.end_day,
            });
        let tasks = (1..)
            .zip(&plan.milestones)
            .flat_map(|(id, m)| m.tasks.iter().map(move |task| (id, task)));
        Self {
            title: &plan.title,
            summary: &plan.summary,
            duration: &plan.duration,
            days: plan.days,
            milestones: milestones.collect(),
            tasks: (1..)
                .zip(tasks)
                .map(|(id, (milestone, task))| JsonTask {
                    id,
                    milestone,
                    task,
                })
                .collect(),
        }
    }
}
