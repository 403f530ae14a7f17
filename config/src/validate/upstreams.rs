//! `[[upstreams]]`

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use super::{Around, key};
use crate::config::{Credential, Upstream};
use crate::defaults;
use crate::document::path::FieldPath;
use crate::env;
use crate::raw::{RawPrice, RawUpstream};
use crate::types::{BaseUrl, CredentialMode, Models, Name, Price, Secret, UpstreamKind, bounds};

/// The upstreams, and what the policy asks about them.
pub(super) struct Upstreams {
    /// Those without a problem, in the order of the file.
    pub(super) valid: Vec<Upstream>,
    /// The names of all, also of those with a problem, lest one problem bring a second with it.
    pub(super) names: BTreeSet<String>,
}

pub(super) fn validate(
    raw: Vec<RawUpstream>,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Upstreams {
    if raw.is_empty() {
        let valid: Vec<Upstream> = from_environment(around, report).into_iter().collect();
        let names = valid
            .iter()
            .map(|upstream| upstream.name.to_string())
            .collect();
        return Upstreams { valid, names };
    }
    if raw.iter().all(|upstream| upstream.weight == Some(0)) {
        let message = "every upstream has weight 0, so that none would be chosen";
        report.add(
            &path.index(0).key("weight"),
            message,
            "give at least one upstream a weight of 1 or more",
        );
    }
    let mut taken = BTreeMap::new();
    let mut forwarding: Vec<(UpstreamKind, FieldPath)> = Vec::new();
    let mut valid = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let path = path.index(index);
        if let (Some(kind), Some(CredentialMode::Client)) = (raw.kind, raw.credential) {
            match forwarding.iter().find(|(other, _)| *other == kind) {
                Some((_, first)) => {
                    let kind = kind.as_str();
                    let message =
                        format!("{first} also takes the client's credential for kind \"{kind}\"");
                    let remedy = "keep credential = \"client\" on one of them; a credential belongs to one API";
                    report.add(&path.key("credential"), message, remedy);
                }
                None => forwarding.push((kind, path.clone())),
            }
        }
        valid.extend(upstream(raw, &path, &mut taken, around, report));
    }
    Upstreams {
        valid,
        names: taken.into_keys().collect(),
    }
}

/// Makes the upstream that `GEMINI_API_KEY` alone brings.
fn from_environment(around: &Around<'_>, report: &mut Report<'_>) -> Option<Upstream> {
    let place = super::report::Place::Outside(env::GEMINI_API_KEY);
    let text = report
        .check_at(&place, around.environment.text(env::GEMINI_API_KEY))
        .flatten()?;
    let key = report.check_at(&place, Secret::new(&text, env::GEMINI_API_KEY))?;
    Some(Upstream {
        name: report.check_at(&place, Name::new(defaults::GEMINI_NAME))?,
        kind: UpstreamKind::Gemini,
        base_url: report.check_at(&place, BaseUrl::new(defaults::GEMINI_BASE_URL))?,
        credential: Credential::Key(key),
        models: Models::any(),
        weight: defaults::WEIGHT,
        price: None,
        admit: defaults::ADMIT,
        connect_timeout: defaults::CONNECT_TIMEOUT,
        read_timeout: defaults::READ_TIMEOUT,
    })
}

/// Validates one upstream; every field is checked before a missing one gives up on the whole.
fn upstream(
    raw: RawUpstream,
    path: &FieldPath,
    taken: &mut BTreeMap<String, FieldPath>,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Option<Upstream> {
    let name = report.unique_name(&path.key("name"), raw.name.as_deref(), taken);
    let base_url = raw
        .base_url
        .and_then(|text| report.check(&path.key("base_url"), BaseUrl::new(&text)));
    let credential = match (raw.credential.unwrap_or(defaults::CREDENTIAL), raw.api_key) {
        (CredentialMode::Client, Some(_)) => {
            let message = "own key is given although credential = \"client\" forwards the client's";
            report.add(
                &path.key("api_key"),
                message,
                "remove api_key, or set credential = \"own\"",
            );
            None
        }
        (CredentialMode::Client, None) => Some(Credential::Client),
        (CredentialMode::Own, Some(raw)) => {
            key::read(raw, &path.key("api_key"), around, report).map(Credential::Key)
        }
        (CredentialMode::Own, None) => Some(Credential::Keyless),
    };
    let models = models(raw.models, &path.key("models"), report);
    let weight = report.field(
        &path.key("weight"),
        raw.weight,
        defaults::WEIGHT,
        |weight| {
            bounds::WEIGHT
                .count(weight)
                .map(|weight| u32::try_from(weight).unwrap_or(u32::MAX))
        },
    );
    let price = price(raw.price, &path.key("price"), report);
    let connect_path = &path.key("connect_timeout");
    let connect_timeout = report.field(
        connect_path,
        raw.connect_timeout,
        defaults::CONNECT_TIMEOUT,
        |text| bounds::CONNECT_TIMEOUT.check(text.parse()?),
    );
    let read_timeout = report.field(
        &path.key("read_timeout"),
        raw.read_timeout,
        defaults::READ_TIMEOUT,
        |text| bounds::READ_TIMEOUT.check(text.parse()?),
    );
    Some(Upstream {
        name: name?,
        kind: raw.kind?,
        base_url: base_url?,
        credential: credential?,
        models,
        weight,
        price,
        admit: raw.admit.unwrap_or(defaults::ADMIT),
        connect_timeout,
        read_timeout,
    })
}

/// Checks every pair of a map, then the map.
fn models(
    raw: Option<BTreeMap<String, String>>,
    path: &FieldPath,
    report: &mut Report<'_>,
) -> Models {
    let Some(raw) = raw else { return Models::any() };
    let pairs: Vec<Option<()>> = raw
        .iter()
        .map(|(pattern, name)| report.check(&path.key(pattern), Models::check(pattern, name)))
        .collect();
    if pairs.contains(&None) {
        return Models::any();
    }
    report.field(path, Some(raw), Models::any(), Models::new)
}

fn price(raw: Option<RawPrice>, path: &FieldPath, report: &mut Report<'_>) -> Option<Price> {
    let RawPrice { input, output } = raw?;
    let mut checked = |name: &str, raw: Option<f64>| {
        raw.and_then(|raw| report.check(&path.key(name), bounds::PRICE.check(raw)))
    };
    let (input, output) = (checked("input", input), checked("output", output));
    Price::new(input?, output?).ok()
}
