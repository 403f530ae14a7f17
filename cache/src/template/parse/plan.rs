//! Checks the plan of a template file.

use std::collections::HashSet;

use super::{Checker, Computed, MilestoneText, PlanText, TaskText};
use crate::template::raw::{RawPlan, RawTask, Scalar};
use crate::template::repeat::Repeat;

/// Most minutes of one session.
pub(in crate::template) const MAX_MINUTES: u32 = 600;

impl Checker<'_> {
    pub(super) fn plan(&mut self, raw: RawPlan, names: &HashSet<String>) -> PlanText {
        self.text("plan.title".into(), &raw.title, names);
        self.text("plan.summary".into(), &raw.summary, names);
        if raw.milestones.is_empty() {
            self.report(
                "plan.milestones",
                "there is none",
                "write 3 to 6 milestones",
            );
        }
        let mut milestones = Vec::new();
        let mut start = 0.0;
        for (i, milestone) in raw.milestones.into_iter().enumerate() {
            let field = format!("plan.milestones[{i}]");
            self.text(format!("{field}.title"), &milestone.title, names);
            self.text(format!("{field}.outcome"), &milestone.outcome, names);
            if !(milestone.end > start && milestone.end <= 1.0) {
                self.report(
                    format!("{field}.end"),
                    format!(
                        "{} does not come after {start} and up to 1.0",
                        milestone.end
                    ),
                    "give each milestone a greater share of the duration, the last one 1.0",
                );
            }
            let mut tasks = Vec::new();
            for (j, task) in milestone.tasks.into_iter().enumerate() {
                let field = format!("{field}.tasks[{j}]");
                self.text(format!("{field}.title"), &task.title, names);
                self.text(format!("{field}.detail"), &task.detail, names);
                if let Some(when) = &task.when {
                    self.expression(format!("{field}.when"), when, names);
                }
                let minutes = self.minutes(format!("{field}.minutes"), &task.minutes, names);
                if let Some(share) = task.start
                    && !(0.0..milestone.end.max(f64::MIN_POSITIVE)).contains(&share)
                {
                    self.report(
                        format!("{field}.start"),
                        format!(
                            "{share} is not before the milestone's end {}",
                            milestone.end
                        ),
                        "start the task within its milestone",
                    );
                }
                let repeat = self.repeat(format!("{field}.repeat"), &task.repeat, names);
                let RawTask {
                    title,
                    detail,
                    start,
                    when,
                    ..
                } = task;
                tasks.push(TaskText {
                    title,
                    detail,
                    minutes,
                    repeat,
                    start,
                    when,
                });
            }
            start = milestone.end;
            milestones.push(MilestoneText {
                title: milestone.title,
                end: milestone.end,
                outcome: milestone.outcome,
                tasks,
            });
        }
        PlanText {
            title: raw.title,
            summary: raw.summary,
            milestones,
        }
    }

    /// Reads the length of a session: a number, or a text that gives one.
    fn minutes(
        &mut self,
        field: String,
        scalar: &Scalar,
        names: &HashSet<String>,
    ) -> Computed<u32> {
        let number = match scalar {
            Scalar::Text(text) if text.contains('{') => {
                self.text(field, text, names);
                return Computed::Text(text.clone());
            }
            Scalar::Text(_) => None,
            Scalar::Number(number) => u32::try_from(*number).ok(),
        };
        let minutes = number.filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
        if minutes.is_none() {
            self.report(
                field,
                format!("{} minutes is no session", scalar.text()),
                format!("use 1 to {MAX_MINUTES}"),
            );
        }
        Computed::Fixed(minutes.unwrap_or(1))
    }

    /// Reads how often a task is done: a repetition, or a text that gives one.
    fn repeat(&mut self, field: String, text: &str, names: &HashSet<String>) -> Computed<Repeat> {
        if text.contains('{') {
            self.text(field, text, names);
            return Computed::Text(text.to_owned());
        }
        Computed::Fixed(Repeat::parse(text).unwrap_or_else(|| {
            self.report(
                field,
                format!("`{text}` is no repetition"),
                "use once, daily, weekdays, weekly or \"3 per week\"",
            );
            Repeat::Once
        }))
    }
}
