//! `[log]`

use super::Around;
use super::report::{Place, Report};
use crate::config::Log;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::env;
use crate::raw::RawLog;
use crate::types::{LogFilter, bounds};

pub(super) fn validate(
    raw: RawLog,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Log {
    let (place, text) = if around.environment.get(env::TOLLFREE_LOG).is_some() {
        (
            Place::Outside(env::TOLLFREE_LOG),
            around.environment.text(env::TOLLFREE_LOG),
        )
    } else {
        (Place::Field(path.key("level")), Ok(raw.level))
    };
    let parsed = text.and_then(|text| text.map(|text| LogFilter::new(&text)).transpose());
    let level = report.check_at(&place, parsed).flatten();
    Log {
        format: raw.format.unwrap_or(defaults::LOG_FORMAT),
        level: level.unwrap_or_else(|| LogFilter::literal(defaults::LOG_LEVEL)),
        goals: raw.goals.unwrap_or(defaults::LOG_GOALS),
        decisions: report.field(
            &path.key("decisions"),
            raw.decisions,
            defaults::LOG_DECISIONS,
            |n| bounds::LOG_DECISIONS.count(n),
        ),
    }
}
