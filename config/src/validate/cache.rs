//! `[cache]`

use std::collections::BTreeMap;

use super::report::Report;
use crate::config::{Cache, Templates};
use crate::defaults;
use crate::document::path::FieldPath;
use crate::raw::RawCache;
use crate::types::{AuthMode, Duration, Name, SettingName, Similarity, bounds};

pub(super) fn validate(
    raw: RawCache,
    path: &FieldPath,
    auth: AuthMode,
    templates: &Templates,
    report: &mut Report<'_>,
) -> Cache {
    let quarantine = raw.quarantine.unwrap_or(defaults::QUARANTINE);
    if quarantine {
        check_quarantine(&raw, &path.key("quarantine"), auth, report);
    }
    let category_ttl = category_ttl(
        raw.category_ttl.unwrap_or_default(),
        &path.key("category_ttl"),
        templates,
        report,
    );
    let vary = vary(raw.vary.unwrap_or_default(), &path.key("vary"), report);
    let similarity = &path.key("min_similarity");
    let answer = &path.key("max_answer_bytes");
    Cache {
        enabled: raw.enabled.unwrap_or(defaults::CACHE_ENABLED),
        namespace: report.field(&path.key("namespace"), raw.namespace, None, |text| {
            Name::new(&text).map(Some)
        }),
        ttl: report.field(&path.key("ttl"), raw.ttl, defaults::TTL, |text| {
            bounds::TTL.check(text.parse()?)
        }),
        coalesce: raw.coalesce.unwrap_or(defaults::COALESCE),
        coalesce_wait: report.field(
            &path.key("coalesce_wait"),
            raw.coalesce_wait,
            defaults::COALESCE_WAIT,
            |text| bounds::COALESCE_WAIT.check(text.parse()?),
        ),
        stale_while_revalidate: report.field(
            &path.key("stale_while_revalidate"),
            raw.stale_while_revalidate,
            defaults::STALE_WHILE_REVALIDATE,
            |text| bounds::STALE_WHILE_REVALIDATE.check(text.parse()?),
        ),
        category_ttl,
        ttl_jitter: report.field(
            &path.key("ttl_jitter"),
            raw.ttl_jitter,
            defaults::TTL_JITTER,
            |part| bounds::TTL_JITTER.check(part),
        ),
        quarantine,
        pii: raw.pii.unwrap_or(defaults::PII),
        min_similarity: report.field(
            similarity,
            raw.min_similarity,
            defaults::MIN_SIMILARITY,
            Similarity::new,
        ),
        semantic: raw.semantic.unwrap_or(defaults::SEMANTIC),
        confidence_shift: report.field(
            &path.key("confidence_shift"),
            raw.confidence_shift,
            defaults::CONFIDENCE_SHIFT,
            |shift| {
                bounds::CONFIDENCE_SHIFT
                    .check(shift)
                    .map(|shift| shift as f32)
            },
        ),
        max_wrong_hits: report.field(
            &path.key("max_wrong_hits"),
            raw.max_wrong_hits,
            None,
            |share| bounds::MAX_WRONG_HITS.check(share).map(Some),
        ),
        max_entries: report.field(
            &path.key("max_entries"),
            raw.max_entries,
            defaults::MAX_ENTRIES,
            |n| bounds::MAX_ENTRIES.count(n),
        ),
        max_answer_bytes: report.field(
            answer,
            raw.max_answer_bytes,
            defaults::MAX_ANSWER_BYTES,
            |n| bounds::MAX_ANSWER_BYTES.count(n),
        ),
        vary,
        variety: raw.variety.unwrap_or(defaults::VARIETY),
        learn_frames: raw.learn_frames.unwrap_or(defaults::LEARN_FRAMES),
    }
}

/// Reports a quarantine that would keep nothing from anybody.
fn check_quarantine(raw: &RawCache, path: &FieldPath, auth: AuthMode, report: &mut Report<'_>) {
    if raw.namespace.is_none() {
        report.add(
            path,
            "without a namespace no two clients share answers, so there is nothing to keep from them",
            "set cache.namespace, or remove quarantine",
        );
    } else if auth == AuthMode::Open {
        report.add(
            path,
            "with server.auth = \"open\" one caller can pose as two and confirm its own answers",
            "set server.auth = \"passthrough\", or remove quarantine",
        );
    }
}

/// Checks names and lifetimes; whether there is such a category, only the loaded templates tell.
fn category_ttl(
    raw: BTreeMap<String, String>,
    path: &FieldPath,
    templates: &Templates,
    report: &mut Report<'_>,
) -> BTreeMap<Name, Duration> {
    if !raw.is_empty() && !templates.enabled {
        report.add(
            path,
            "categories are those of the templates, which are off",
            "set templates.enabled = true, or remove category_ttl",
        );
    }
    let mut lifetimes = BTreeMap::new();
    for (name, text) in raw {
        let path = path.key(&name);
        let name = report.check(&path, Name::new(&name));
        let ttl = text.parse().and_then(|ttl| bounds::TTL.check(ttl));
        if let (Some(name), Some(ttl)) = (name, report.check(&path, ttl)) {
            lifetimes.insert(name, ttl);
        }
    }
    lifetimes
}

/// Checks the names of settings and puts them in order, since the compatibility key must not depend on theirs.
fn vary(raw: Vec<String>, path: &FieldPath, report: &mut Report<'_>) -> Vec<SettingName> {
    let mut names: Vec<SettingName> = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        let path = path.index(index);
        let Some(name) = report.check(&path, SettingName::new(text)) else {
            continue;
        };
        if names.contains(&name) {
            report.add(
                &path,
                format!("setting \"{text}\" is named twice"),
                "name it once",
            );
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}
