//! `[templates]`

use super::Around;
use super::report::Report;
use crate::config::Templates;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::raw::RawTemplates;
use crate::types::Similarity;

pub(super) fn validate(
    raw: RawTemplates,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Templates {
    let similarity = &path.key("min_similarity");
    Templates {
        enabled: raw.enabled.unwrap_or(defaults::TEMPLATES_ENABLED),
        dir: report.field(&path.key("dir"), raw.dir, None, |text| {
            around.resolve(&text).map(Some)
        }),
        min_similarity: report.field(
            similarity,
            raw.min_similarity,
            defaults::TEMPLATE_MIN_SIMILARITY,
            Similarity::new,
        ),
    }
}
