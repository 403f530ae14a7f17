//! `[[shapes]]`

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::config::Shape;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::raw::RawShape;

/// Returns the valid shapes, and every name that a frame may use: also those of shapes with a problem, lest one
/// problem bring a second with it.
pub(super) fn validate(
    raw: Vec<RawShape>,
    path: &FieldPath,
    report: &mut Report<'_>,
) -> (Vec<Shape>, BTreeSet<String>) {
    let mut taken = BTreeMap::new();
    let mut valid = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        valid.extend(shape(raw, &path.index(index), &mut taken, report));
    }
    let built_in = defaults::BUILT_IN_SHAPES.into_iter().map(str::to_owned);
    (valid, taken.into_keys().chain(built_in).collect())
}

fn shape(
    raw: RawShape,
    path: &FieldPath,
    taken: &mut BTreeMap<String, FieldPath>,
    report: &mut Report<'_>,
) -> Option<Shape> {
    let name_path = &path.key("name");
    if let Some(reserved) = raw
        .name
        .as_deref()
        .filter(|name| defaults::BUILT_IN_SHAPES.contains(name))
    {
        report.add(
            name_path,
            format!("name \"{reserved}\" is that of a built-in shape"),
            "choose another name",
        );
    }
    let name = report.unique_name(name_path, raw.name.as_deref(), taken);
    let template = raw.template?;
    if template.trim().is_empty() {
        report.add(
            &path.key("template"),
            "template is empty",
            "write minijinja text, such as \"{{ title }}\"",
        );
    }
    Some(Shape {
        name: name?,
        template,
        content: raw.content.unwrap_or(defaults::SHAPE_CONTENT),
    })
}
