//! The plan: a template's texts rendered over slot values, with the days on which everything happens.

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};
use serde::Serialize;

use super::engine::{Engine, Text};
use super::parse::{Computed, MAX_MINUTES, Template};
use super::repeat::Repeat;
use super::slots::{SlotValue, Slots};

/// A plan for one goal, independent of the shape it is written in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// One line that names the goal.
    pub title: String,
    /// What is reached, how, and at what cost of time.
    pub summary: String,
    /// The whole duration as people write it.
    pub duration: String,
    /// The whole duration in days.
    pub days: u32,
    /// The milestones in order.
    pub milestones: Vec<Milestone>,
}

/// A part of a plan that ends in something measurable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Milestone {
    /// What it is about.
    pub title: String,
    /// How one knows that it is reached.
    pub outcome: String,
    /// Its first day, from 1.
    pub start_day: u32,
    /// Its last day, at most the plan's days.
    pub end_day: u32,
    /// What to do in it.
    pub tasks: Vec<Task>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// What.
    pub title: String,
    /// How, and when it is done.
    pub detail: String,
    /// Length of one session in minutes.
    pub minutes: u32,
    /// How often.
    pub repeat: Repeat,
    /// Its first day, from 1.
    pub start_day: u32,
    /// Its last day.
    pub end_day: u32,
}

/// The compiled texts of one template.
#[derive(Debug)]
pub(super) struct CompiledPlan {
    title: Text,
    summary: Text,
    milestones: Vec<CompiledMilestone>,
    rules: Vec<(Text, String)>,
}

#[derive(Debug)]
struct CompiledMilestone {
    title: Text,
    outcome: Text,
    start: f64,
    end: f64,
    tasks: Vec<CompiledTask>,
}

#[derive(Debug)]
struct CompiledTask {
    title: Text,
    detail: Text,
    minutes: Compiled<u32>,
    repeat: Compiled<Repeat>,
    start: f64,
    when: Option<Text>,
}

/// A value that is fixed, or computed over slot values.
#[derive(Debug)]
enum Compiled<T> {
    Fixed(T),
    Text(Text),
}

impl<T: Copy> Compiled<T> {
    fn new(value: &Computed<T>, engine: &mut Engine) -> Result<Self, Error> {
        Ok(match value {
            Computed::Fixed(value) => Self::Fixed(*value),
            Computed::Text(text) => Self::Text(engine.add(text)?),
        })
    }

    /// Computes the value; fails when the text gives none.
    fn compute(
        &self,
        engine: &Engine,
        context: &Value,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        match self {
            Self::Fixed(value) => Ok(*value),
            Self::Text(text) => {
                let text = engine.text(text, context)?;
                read(&text).ok_or_else(|| {
                    Error::new(
                        ErrorKind::InvalidOperation,
                        format!("`{text}` is no session length or repetition"),
                    )
                })
            }
        }
    }
}

/// Reads the minutes of a session that a text gives.
fn session(text: &str) -> Option<u32> {
    let minutes: f64 = text.parse().ok()?;
    let whole = minutes.round();
    (whole >= 1.0 && whole <= f64::from(MAX_MINUTES)).then_some(whole as u32)
}

impl CompiledPlan {
    /// Compiles the texts of a checked template.
    pub(super) fn new(template: &Template, engine: &mut Engine) -> Result<Self, Error> {
        let mut milestones = Vec::new();
        let mut start = 0.0;
        for milestone in &template.plan.milestones {
            let mut tasks = Vec::new();
            for task in &milestone.tasks {
                tasks.push(CompiledTask {
                    title: engine.add(&task.title)?,
                    detail: engine.add(&task.detail)?,
                    minutes: Compiled::new(&task.minutes, engine)?,
                    repeat: Compiled::new(&task.repeat, engine)?,
                    start: task.start.unwrap_or(start),
                    when: task
                        .when
                        .as_deref()
                        .map(|when| engine.add_condition(when))
                        .transpose()?,
                });
            }
            milestones.push(CompiledMilestone {
                title: engine.add(&milestone.title)?,
                outcome: engine.add(&milestone.outcome)?,
                start,
                end: milestone.end,
                tasks,
            });
            start = milestone.end;
        }
        let mut rules = Vec::new();
        for rule in &template.rules {
            rules.push((engine.add_condition(&rule.require)?, rule.reason.clone()));
        }
        Ok(Self {
            title: engine.add(&template.plan.title)?,
            summary: engine.add(&template.plan.summary)?,
            milestones,
            rules,
        })
    }

    /// Returns the reason of the first rule that slot values break.
    pub(super) fn broken_rule(
        &self,
        engine: &Engine,
        slots: &Slots,
    ) -> Result<Option<&str>, Error> {
        let context = context(slots);
        for (rule, reason) in &self.rules {
            if !engine.holds(rule, &context)? {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// Renders the plan over slot values.
    pub(super) fn render(&self, engine: &Engine, slots: &Slots) -> Result<Plan, Error> {
        let context = context(slots);
        let text = |text: &Text| engine.text(text, &context);
        let (duration, days) = duration(slots);
        let mut milestones = Vec::new();
        for milestone in &self.milestones {
            let end_day = last_day(milestone.end, days);
            let mut tasks = Vec::new();
            for task in &milestone.tasks {
                if let Some(when) = &task.when
                    && !engine.holds(when, &context)?
                {
                    continue;
                }
                tasks.push(Task {
                    title: text(&task.title)?,
                    detail: text(&task.detail)?,
                    minutes: task.minutes.compute(engine, &context, session)?,
                    repeat: task.repeat.compute(engine, &context, Repeat::parse)?,
                    start_day: first_day(task.start, days).min(end_day),
                    end_day,
                });
            }
            milestones.push(Milestone {
                title: text(&milestone.title)?,
                outcome: text(&milestone.outcome)?,
                start_day: first_day(milestone.start, days).min(end_day),
                end_day,
                tasks,
            });
        }
        Ok(Plan {
            title: text(&self.title)?,
            summary: text(&self.summary)?,
            duration,
            days,
            milestones,
        })
    }
}

/// Returns what the expressions of a template see.
fn context(slots: &Slots) -> Value {
    Value::from_pairs(
        slots
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_value())),
    )
}

/// Returns the duration as text and in whole days; every template has a slot of that name.
fn duration(slots: &Slots) -> (String, u32) {
    let value = slots.get("duration");
    let days = value.and_then(SlotValue::magnitude).unwrap_or(1.0);
    (
        value.map(ToString::to_string).unwrap_or_default(),
        days.round().clamp(1.0, 36_525.0) as u32,
    )
}

/// Returns the day after a share of all days has passed.
fn first_day(share: f64, days: u32) -> u32 {
    // The little more keeps 0.3 of 10 days from counting as 2.9999999999999996.
    let passed = (share * f64::from(days) + 1e-9).floor() as u32;
    (passed + 1).min(days)
}

/// Returns the day on which a share of all days is reached.
fn last_day(share: f64, days: u32) -> u32 {
    ((share * f64::from(days) - 1e-9).ceil().max(1.0) as u32).min(days)
}
