//! What a schema node is filled from: the plan, one of its parts, or one of its weeks.

use super::words::{Fact, Level};
use crate::template::plan::{Milestone, Plan, Task};
use crate::template::shape;

/// A part of a plan.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Plan(&'a Plan),
    Milestone {
        index: usize,
        milestone: &'a Milestone,
    },
    /// One week, with the milestone that most of it belongs to.
    Week {
        index: usize,
        days: (u32, u32),
        milestone: &'a Milestone,
    },
    Task {
        index: usize,
        /// The number and title of its milestone.
        parent: (usize, &'a str),
        task: &'a Task,
    },
}

/// A list of parts.
pub(super) type Parts<'a> = Vec<Subject<'a>>;

impl<'a> Subject<'a> {
    pub(super) fn level(&self) -> Level {
        match self {
            Self::Plan(_) => Level::Plan,
            Self::Milestone { .. } | Self::Week { .. } => Level::Milestone,
            Self::Task { .. } => Level::Task,
        }
    }

    /// The fact as a text.
    pub(super) fn text(&self, fact: Fact) -> Option<String> {
        match (fact, self) {
            (Fact::Title, Self::Plan(plan)) => Some(plan.title.clone()),
            (Fact::Title, Self::Milestone { milestone, .. } | Self::Week { milestone, .. }) => {
                Some(milestone.title.clone())
            }
            (Fact::Title, Self::Task { task, .. }) => Some(task.title.clone()),
            (Fact::Detail, Self::Plan(plan)) => Some(plan.summary.clone()),
            (
                Fact::Detail | Fact::Outcome,
                Self::Milestone { milestone, .. } | Self::Week { milestone, .. },
            ) => Some(milestone.outcome.clone()),
            (Fact::Detail, Self::Task { task, .. }) => Some(task.detail.clone()),
            (Fact::Whole | Fact::Steps, Self::Plan(plan)) => Some(shape::markdown(plan)),
            (Fact::Duration, Self::Plan(plan)) => Some(plan.duration.clone()),
            (Fact::Duration, Self::Task { task, .. }) => Some(format!("{} minutes", task.minutes)),
            (Fact::Duration, _) => self.days().map(|(start, end)| shape::days(start, end)),
            (Fact::Repeat, Self::Task { task, .. }) => Some(task.repeat.to_string()),
            (Fact::Parent, Self::Task { parent, .. }) => Some(parent.1.to_owned()),
            (Fact::StartDay | Fact::EndDay | Fact::StartWeek | Fact::EndWeek, _) => {
                let unit = match fact {
                    Fact::StartDay | Fact::EndDay => "Day",
                    _ => "Week",
                };
                Some(format!("{unit} {}", self.number(fact)?))
            }
            (Fact::Index, _) => Some(self.number(fact)?.to_string()),
            _ => None,
        }
    }

    /// The fact as a number.
    pub(super) fn number(&self, fact: Fact) -> Option<f64> {
        let days = self.days();
        let length = days.map(|(start, end)| f64::from(end.saturating_sub(start) + 1));
        match (fact, self) {
            (Fact::Index, Self::Plan(_)) => None,
            (
                Fact::Index,
                Self::Milestone { index, .. } | Self::Week { index, .. } | Self::Task { index, .. },
            ) => Some(*index as f64),
            (Fact::Minutes, Self::Task { task, .. }) => Some(f64::from(task.minutes)),
            (Fact::Hours, Self::Task { task, .. }) => Some(f64::from(task.minutes) / 60.0),
            (Fact::Parent, Self::Task { parent, .. }) => Some(parent.0 as f64),
            (Fact::Days, _) => length,
            (Fact::Weeks, _) => length.map(|days| (days / 7.0).ceil()),
            (Fact::Months, Self::Plan(plan)) => {
                Some((f64::from(plan.days) / 30.4).round().max(1.0))
            }
            (Fact::StartDay, _) => days.map(|(start, _)| f64::from(start)),
            (Fact::EndDay, _) => days.map(|(_, end)| f64::from(end)),
            (Fact::StartWeek, Self::Week { index, .. }) => Some(*index as f64),
            (Fact::StartWeek, _) => days.map(|(start, _)| f64::from(start.div_ceil(7))),
            (Fact::EndWeek, _) => days.map(|(_, end)| f64::from(end.div_ceil(7))),
            _ => None,
        }
    }

    /// The parts that a list holds; `None` where there are no such parts.
    pub(super) fn parts(&self, fact: Fact) -> Option<Parts<'a>> {
        match (fact, self) {
            (Fact::Milestones, Self::Plan(plan)) => Some(milestones(plan)),
            (Fact::Tasks, Self::Plan(plan)) => Some(all_tasks(plan)),
            (Fact::EveryWeek | Fact::Weeks, Self::Plan(plan)) => Some(weeks(plan)),
            (
                Fact::Tasks | Fact::Steps,
                Self::Milestone {
                    index, milestone, ..
                },
            ) => Some(numbered(
                milestone
                    .tasks
                    .iter()
                    .map(|task| ((*index, milestone.title.as_str()), task)),
            )),
            (
                Fact::Tasks | Fact::Steps,
                Self::Week {
                    index,
                    days: (start, end),
                    milestone,
                },
            ) => Some(numbered(
                milestone
                    .tasks
                    .iter()
                    .filter(|task| task.start_day <= *end && task.end_day >= *start)
                    .map(|task| ((*index, milestone.title.as_str()), task)),
            )),
            _ => None,
        }
    }

    /// The part in one line, for a list of texts.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Plan(plan) => plan.title.clone(),
            Self::Milestone { milestone, .. } => {
                let days = shape::days(milestone.start_day, milestone.end_day);
                format!("{} ({days}): {}", milestone.title, milestone.outcome)
            }
            Self::Week {
                index, milestone, ..
            } => format!("Week {index}: {}", milestone.title),
            Self::Task { task, .. } => format!(
                "{} ({} min, {}). {}",
                task.title, task.minutes, task.repeat, task.detail
            ),
        }
    }

    fn days(&self) -> Option<(u32, u32)> {
        match self {
            Self::Plan(plan) => Some((1, plan.days)),
            Self::Milestone { milestone, .. } => Some((milestone.start_day, milestone.end_day)),
            Self::Week { days, .. } => Some(*days),
            Self::Task { task, .. } => Some((task.start_day, task.end_day)),
        }
    }
}

fn milestones(plan: &Plan) -> Parts<'_> {
    (1..)
        .zip(&plan.milestones)
        .map(|(index, milestone)| Subject::Milestone { index, milestone })
        .collect()
}

fn all_tasks(plan: &Plan) -> Parts<'_> {
    numbered((1..).zip(&plan.milestones).flat_map(|(number, milestone)| {
        milestone
            .tasks
            .iter()
            .map(move |task| ((number, milestone.title.as_str()), task))
    }))
}

fn numbered<'a>(tasks: impl Iterator<Item = ((usize, &'a str), &'a Task)>) -> Parts<'a> {
    (1..)
        .zip(tasks)
        .map(|(index, (parent, task))| Subject::Task {
            index,
            parent,
            task,
        })
        .collect()
}

/// The weeks of a plan, each under the milestone that its middle day belongs to.
fn weeks(plan: &Plan) -> Parts<'_> {
    (0..plan.days.div_ceil(7))
        .filter_map(|week| {
            let (start, end) = (week * 7 + 1, (week * 7 + 7).min(plan.days));
            let middle = start.midpoint(end);
            let milestone = plan
                .milestones
                .iter()
                .find(|milestone| middle <= milestone.end_day)
                .or(plan.milestones.last())?;
            Some(Subject::Week {
                index: week as usize + 1,
                days: (start, end),
                milestone,
            })
        })
        .collect()
}
