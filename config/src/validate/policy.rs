//! `[policy]`

use super::report::Report;
use super::upstreams::Upstreams;
use crate::config::Policy;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::document::suggest::{listed, nearest};
use crate::raw::RawPolicy;
use crate::types::Name;

pub(super) fn validate(
    raw: RawPolicy,
    path: &FieldPath,
    upstreams: &Upstreams,
    report: &mut Report<'_>,
) -> Policy {
    let path = &path.key("default_upstream");
    let named = report.field(path, raw.default_upstream, None, |text| {
        Name::new(&text).map(Some)
    });
    if let Some(unknown) = named
        .as_ref()
        .filter(|name| !upstreams.names.contains(name.as_str()))
    {
        let known = upstreams.names.iter().map(String::as_str);
        let remedy = match nearest(unknown.as_str(), known.clone()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if upstreams.names.is_empty() => {
                "add [[upstreams]], or remove the field".to_owned()
            }
            None => format!("known upstreams: {}", listed(known)),
        };
        report.add(
            path,
            format!("upstream \"{unknown}\" does not exist"),
            remedy,
        );
    }
    let first = || {
        upstreams
            .valid
            .first()
            .map(|upstream| upstream.name.clone())
    };
    Policy {
        mode: raw.mode.unwrap_or(defaults::POLICY_MODE),
        default_upstream: named.or_else(first),
    }
}
