//! `[[frames]]`

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::config::{Frame, FrameText, GOAL};
use crate::document::path::FieldPath;
use crate::document::suggest::{listed, nearest};
use crate::raw::RawFrame;
use crate::types::{Name, bounds};

pub(super) fn validate(
    raw: Vec<RawFrame>,
    path: &FieldPath,
    shapes: &BTreeSet<String>,
    report: &mut Report<'_>,
) -> Vec<Frame> {
    let mut taken = BTreeMap::new();
    let mut texts: BTreeMap<(Option<String>, String), FieldPath> = BTreeMap::new();
    let mut valid = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let path = path.index(index);
        if let Some(user) = raw.user.clone() {
            let first = texts
                .entry((raw.system.clone(), user))
                .or_insert_with(|| path.clone());
            if *first != path {
                let message = format!("system and user text are those of {first}");
                report.add(&path.key("user"), message, "remove one of the two frames");
            }
        }
        valid.extend(frame(raw, &path, shapes, &mut taken, report));
    }
    valid
}

fn frame(
    raw: RawFrame,
    path: &FieldPath,
    shapes: &BTreeSet<String>,
    taken: &mut BTreeMap<String, FieldPath>,
    report: &mut Report<'_>,
) -> Option<Frame> {
    let name = report.unique_name(&path.key("name"), raw.name.as_deref(), taken);
    if raw.system.as_deref() == Some("") {
        report.add(
            &path.key("system"),
            "system text is empty",
            "leave the field out: the frame then has none",
        );
    }
    let shape = report.field(&path.key("shape"), raw.shape.as_deref(), None, |text| {
        Name::new(text).map(Some)
    });
    if let Some(unknown) = shape
        .as_ref()
        .filter(|shape| !shapes.contains(shape.as_str()))
    {
        let known = shapes.iter().map(String::as_str);
        let meant = nearest(unknown.as_str(), known.clone())
            .map(|word| format!("did you mean \"{word}\"? "));
        let remedy = format!(
            "{}known shapes: {}",
            meant.unwrap_or_default(),
            listed(known)
        );
        report.add(
            &path.key("shape"),
            format!("shape \"{unknown}\" does not exist"),
            remedy,
        );
    }
    let ttl = report.field(&path.key("ttl"), raw.ttl, None, |text| {
        bounds::TTL.check(text.parse()?).map(Some)
    });
    let (system, user) = texts(raw.system.unwrap_or_default(), raw.user?, path, report)?;
    Some(Frame {
        name: name?,
        system,
        user,
        shape,
        ttl,
    })
}

/// Cuts the one text that holds the goal around it.
fn texts(
    system: String,
    user: String,
    path: &FieldPath,
    report: &mut Report<'_>,
) -> Option<(FrameText, FrameText)> {
    match (system.matches(GOAL).count(), user.matches(GOAL).count()) {
        (0, 1) => Some((FrameText::Fixed(system), around(&user)?)),
        (1, 0) => Some((around(&system)?, FrameText::Fixed(user))),
        (0, count) => {
            report.add(
                &path.key("user"),
                format!("user text holds {{goal}} {count} times, and must hold it once"),
                "write {goal} at the one place where the user's goal stands",
            );
            None
        }
        (count, 0) => {
            report.add(
                &path.key("system"),
                format!("system text holds {{goal}} {count} times, and must hold it once"),
                "write {goal} at the one place where the user's goal stands",
            );
            None
        }
        _ => {
            report.add(
                &path.key("system"),
                "system and user text both hold {goal}",
                "leave {goal} in the one that holds the user's goal",
            );
            None
        }
    }
}

fn around(text: &str) -> Option<FrameText> {
    let (before, after) = text.split_once(GOAL)?;
    Some(FrameText::Around {
        before: before.to_owned(),
        after: after.to_owned(),
    })
}
