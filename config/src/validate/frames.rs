//! `[[frames]]`

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::config::{Frame, GOAL};
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
    let system_path = &path.key("system");
    match raw.system.as_deref() {
        Some("") => report.add(
            system_path,
            "system text is empty",
            "leave the field out: the frame then has none",
        ),
        Some(system) if system.contains(GOAL) => {
            report.add(
                system_path,
                "system text holds {goal}",
                "put {goal} into the user text only",
            );
        }
        _ => {}
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
    let user = raw.user?;
    let halves = user
        .split_once(GOAL)
        .filter(|(_, after)| !after.contains(GOAL));
    let Some((before, after)) = halves else {
        let count = user.matches(GOAL).count();
        let message = format!("user text holds {{goal}} {count} times, and must hold it once");
        report.add(
            &path.key("user"),
            message,
            "write {goal} at the one place where the user's goal stands",
        );
        return None;
    };
    Some(Frame {
        name: name?,
        system: raw.system,
        user_before: before.to_owned(),
        user_after: after.to_owned(),
        shape,
        ttl,
    })
}
