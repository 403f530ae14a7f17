//! From the name of a property to what a plan has for it, by a table of the words people use.

mod names;

use names::{MILESTONE, PLAN, TASK};

/// What a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The whole plan.
    Plan,
    /// One milestone, or one week.
    Milestone,
    /// One task.
    Task,
}

/// What a plan, a milestone or a task can say about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// Its name.
    Title,
    /// What it is about, at length.
    Detail,
    /// How one knows that it is reached.
    Outcome,
    /// Its place in the list, from 1.
    Index,
    /// How long it takes, in words.
    Duration,
    /// Length of one session, or of the whole, in minutes.
    Minutes,
    /// The same in hours.
    Hours,
    /// Its length in days.
    Days,
    /// Its length in weeks.
    Weeks,
    /// Its length in months.
    Months,
    /// Its first day.
    StartDay,
    /// Its last day.
    EndDay,
    /// The week of its first day.
    StartWeek,
    /// The week of its last day.
    EndWeek,
    /// How often it is done.
    Repeat,
    /// The milestone a task belongs to.
    Parent,
    /// Whether it is done: a new plan's never are.
    Done,
    /// How far it is done, in a word.
    Status,
    /// The milestones.
    Milestones,
    /// The tasks.
    Tasks,
    /// The plan week by week.
    EveryWeek,
    /// A list or text of steps, as fine as the schema lets it be.
    Steps,
    /// The whole plan: as an object inside an object, or as text.
    Whole,
}

/// Words in front of or behind a name that only say whose it is.
const OWNERS: [(Level, &[&str]); 3] = [
    (
        Level::Plan,
        &[
            "plan",
            "goal",
            "total",
            "overall",
            "roadmap",
            "estimated",
            "num",
            "short",
            "main",
        ],
    ),
    (
        Level::Milestone,
        &[
            "milestone",
            "phase",
            "stage",
            "week",
            "step",
            "module",
            "section",
            "item",
            "short",
        ],
    ),
    (
        Level::Task,
        &[
            "task", "action", "step", "item", "activity", "todo", "habit", "exercise", "short",
        ],
    ),
];

/// Words that carry nothing in a description.
const FILLERS: [&str; 16] = [
    "a", "an", "the", "of", "for", "this", "each", "in", "to", "short", "brief", "one", "sentence",
    "human", "readable", "concise",
];

/// Words in a description that say that a property is about somebody, not about the plan.
const PEOPLE: [&str; 12] = [
    "user", "person", "people", "author", "customer", "client", "company", "employee", "owner",
    "assignee", "speaker", "email",
];

/// States of something not begun, best first.
pub(super) const NOT_BEGUN: [&str; 9] = [
    "todo",
    "to do",
    "not started",
    "pending",
    "planned",
    "open",
    "new",
    "upcoming",
    "backlog",
];

/// Finds what a property is about by its name, or else by a short description.
pub(super) fn fact(level: Level, name: &str, description: Option<&str>) -> Option<Fact> {
    let described = description.map(words).unwrap_or_default();
    if described.iter().any(|word| PEOPLE.contains(&word.as_str())) {
        return None;
    }
    by_words(level, &words(name)).or_else(|| {
        let said: Vec<String> = described
            .into_iter()
            .filter(|word| !FILLERS.contains(&word.as_str()))
            .collect();
        // A long description names many things.
        (said.len() <= 3).then(|| by_words(level, &said)).flatten()
    })
}

fn by_words(level: Level, words: &[String]) -> Option<Fact> {
    let exact = look_up(level, &words.join(" "));
    if exact.is_some() || words.len() < 2 {
        return weekly(level, words).or(exact);
    }
    let owners = OWNERS.iter().find(|(owner, _)| *owner == level)?.1;
    let bare: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !owners.contains(word))
        .collect();
    weekly(level, words).or_else(|| look_up(level, &bare.join(" ")))
}

/// `weeks`, `weekly_plan`, `weekly_schedule`: a list by weeks, unless it turns out to be a number.
fn weekly(level: Level, words: &[String]) -> Option<Fact> {
    let weekly = words.first().is_some_and(|word| word == "weekly")
        && words.iter().skip(1).all(|word| {
            ["plan", "schedule", "breakdown", "goal", "milestone"].contains(&word.as_str())
        });
    (level == Level::Plan && weekly && words.len() > 1).then_some(Fact::EveryWeek)
}

fn look_up(level: Level, name: &str) -> Option<Fact> {
    let table = match level {
        Level::Plan => PLAN,
        Level::Milestone => MILESTONE,
        Level::Task => TASK,
    };
    table
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(fact, _)| *fact)
}

/// Cuts `taskTitles`, `task-titles` and `Task titles` into `task`, `title`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for letter in name.chars() {
        let boundary = !letter.is_alphanumeric() || (lower && letter.is_uppercase());
        if boundary && !word.is_empty() {
            words.push(singular(std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        lower = letter.is_lowercase() || letter.is_numeric();
    }
    if !word.is_empty() {
        words.push(singular(word));
    }
    words
}

fn singular(word: String) -> String {
    if let Some(stem) = word.strip_suffix("ies")
        && stem.len() > 2
    {
        return format!("{stem}y");
    }
    let plural = word.len() > 3
        && word.ends_with('s')
        && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if plural {
        word[..word.len() - 1].to_owned()
    } else {
        word
    }
}
