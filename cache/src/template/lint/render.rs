//! Renders a template over the bounds of its slots and reads the result.

use crate::template::library::Library;
use crate::template::parse::Template;
use crate::template::plan::Plan;
use crate::template::problem::Problem;
use crate::template::repeat::Repeat;
use crate::template::shape::Shape;
use crate::template::slots::Slots;

/// Longest texts, in characters.
const MAX_TITLE: usize = 120;
const MAX_SUMMARY: usize = 1500;
const MAX_OUTCOME: usize = 500;
const MAX_DETAIL: usize = 800;

/// Most minutes of a session that is repeated.
const MAX_REPEATED_MINUTES: u32 = 240;

/// Traces of an expression that was not computed.
const LEFT_OVER: [&str; 6] = ["{{", "}}", "{%", "%}", "undefined", "NaN"];

/// Checks the plan at typical values and at the examples of every slot.
pub(super) fn check(library: &Library, index: usize, template: &Template) -> Vec<Problem> {
    let typical = template.typical();
    let mut fillings = vec![typical.clone()];
    for (name, slot) in template.slots() {
        fillings.extend(slot.kind.examples().into_iter().map(|example| {
            let mut slots = typical.clone();
            slots.insert(name.clone(), example);
            slots
        }));
    }
    for slots in fillings {
        if let Some(problem) = check_filling(library, index, template, &slots) {
            // The other fillings would only say the same again.
            return vec![problem];
        }
    }
    Vec::new()
}

fn check_filling(
    library: &Library,
    index: usize,
    template: &Template,
    slots: &Slots,
) -> Option<Problem> {
    let values: Vec<String> = slots
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let with = values.join(", ");
    let problem = |field: &str, message: String, remedy: &str| {
        Some(Problem::new(
            template.id(),
            field,
            format!("{message} (with {with})"),
            remedy,
        ))
    };
    match library.obeys_rules(index, slots) {
        Ok(true) => {}
        // Such goals get no answer.
        Ok(false) => return None,
        Err(error) => {
            return problem(
                "rules",
                format!("does not compute: {error}"),
                "correct the expression",
            );
        }
    }
    let plan = match library.plan(index, slots) {
        Ok(plan) => plan,
        Err(error) => {
            return problem(
                "plan",
                format!("does not render: {error}"),
                "correct the text or expression",
            );
        }
    };
    if let Some((field, message)) = bad_text(&plan).or_else(|| bad_days(&plan)) {
        return problem(
            &field,
            message,
            "correct the text, or the condition that leaves it out",
        );
    }
    if let Some((field, message)) = long_session(&plan) {
        let remedy = format!("keep repeated sessions under {MAX_REPEATED_MINUTES} minutes");
        return problem(&field, message, &remedy);
    }
    for shape in [Shape::markdown(), Shape::json_tasks()] {
        if let Err(error) = shape.render(&plan) {
            return problem(
                "plan",
                format!("shape {shape} fails: {error}"),
                "correct the text",
            );
        }
    }
    None
}

fn bad_text(plan: &Plan) -> Option<(String, String)> {
    let check = |field: String, text: &str, max: usize| {
        if text.trim().is_empty() {
            return Some((field, "is empty".to_owned()));
        }
        if let Some(trace) = LEFT_OVER.iter().find(|trace| text.contains(**trace)) {
            return Some((field, format!("holds `{trace}`: \"{text}\"")));
        }
        let length = text.chars().count();
        (length > max).then(|| {
            (
                field,
                format!("is {length} characters long, at most {max} are read"),
            )
        })
    };
    let top = check("plan.title".into(), &plan.title, MAX_TITLE)
        .or_else(|| check("plan.summary".into(), &plan.summary, MAX_SUMMARY));
    if top.is_some() {
        return top;
    }
    plan.milestones
        .iter()
        .enumerate()
        .find_map(|(i, milestone)| {
            let field = format!("plan.milestones[{i}]");
            if milestone.tasks.is_empty() {
                return Some((format!("{field}.tasks"), "no task is left".to_owned()));
            }
            check(format!("{field}.title"), &milestone.title, MAX_TITLE)
                .or_else(|| check(format!("{field}.outcome"), &milestone.outcome, MAX_OUTCOME))
                .or_else(|| {
                    milestone.tasks.iter().enumerate().find_map(|(j, task)| {
                        let field = format!("{field}.tasks[{j}]");
                        check(format!("{field}.title"), &task.title, MAX_TITLE + 40)
                            .or_else(|| check(format!("{field}.detail"), &task.detail, MAX_DETAIL))
                    })
                })
        })
}

fn long_session(plan: &Plan) -> Option<(String, String)> {
    let tasks = plan
        .milestones
        .iter()
        .enumerate()
        .flat_map(|(i, milestone)| {
            let numbered = milestone.tasks.iter().enumerate();
            numbered.map(move |(j, task)| (i, j, task))
        });
    tasks
        .filter(|(.., task)| task.repeat != Repeat::Once && task.minutes > MAX_REPEATED_MINUTES)
        .map(|(i, j, task)| {
            (
                format!("plan.milestones[{i}].tasks[{j}].minutes"),
                format!(
                    "{} minutes {} is more than people do",
                    task.minutes, task.repeat
                ),
            )
        })
        .next()
}

fn bad_days(plan: &Plan) -> Option<(String, String)> {
    let mut last = (0, 0);
    for (i, milestone) in plan.milestones.iter().enumerate() {
        let (start, end) = (milestone.start_day, milestone.end_day);
        let ordered = start >= last.0 && end >= last.1 && start <= end && end <= plan.days;
        let tasks = milestone
            .tasks
            .iter()
            .all(|task| task.start_day <= task.end_day && task.end_day <= end);
        if !ordered || !tasks {
            return Some((
                format!("plan.milestones[{i}]"),
                format!("days {start}-{end} of {} are out of order", plan.days),
            ));
        }
        last = (start, end);
    }
    (last.1 != plan.days).then(|| {
        (
            "plan.milestones".to_owned(),
            format!("the plan ends on day {} of {}", last.1, plan.days),
        )
    })
}
