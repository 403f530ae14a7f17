//! Which upstream gets a request, and why.
//!
//! First who may (protocol, credential, model, features), then who should (weights). Quotas, budgets, health
//! and prices join here.

pub mod weighted;
mod why;

use std::sync::Arc;

use crate::protocol::Protocol;
use crate::upstream::Upstream;
use weighted::Weighted;

/// What a request needs of an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The caller's protocol.
    pub protocol: Protocol,
    /// The requested model.
    pub model: &'a str,
    /// Whether the operator's own keys may be spent on this caller.
    pub known_caller: bool,
    /// A feature that cannot be said in another protocol, if the request uses one.
    pub untranslatable: Option<&'static str>,
}

/// Why an upstream may not get a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ineligible {
    /// It is called with the caller's credential, but does not speak the caller's protocol.
    Credential,
    /// It is called with the operator's key, and no upstream has accepted this caller's credential yet.
    Caller,
    /// None of its model patterns matches.
    Model,
    /// The request uses a feature that only its own protocol can say.
    Feature(&'static str),
    /// Its weight is zero and others are eligible.
    Weight,
}

impl Ineligible {
    /// The reason in words, for `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "takes only credentials of its own protocol",
            Self::Caller => "spends its own key only on callers that another upstream has accepted",
            Self::Model => "serves no such model",
            Self::Feature(feature) => feature,
            Self::Weight => "weight is 0",
        }
    }
}

/// One upstream to try, with the model name it knows.
pub struct Choice {
    /// The upstream.
    pub upstream: Arc<Upstream>,
    /// Its own name for the requested model.
    pub model: String,
}

/// The outcome of the policy for one request.
pub struct Plan {
    /// Upstreams to try, best first.
    pub choices: Vec<Choice>,
    /// The others, each with what ruled it out.
    pub ruled_out: Vec<(String, Ineligible)>,
}

/// The configured upstreams and how to choose among them.
pub struct Policy {
    upstreams: Vec<Arc<Upstream>>,
    default: usize,
    weighted: Weighted,
}

impl Policy {
    /// Prepares the policy; `default` names the upstream for undecoded paths.
    pub fn new(upstreams: Vec<Arc<Upstream>>, default: Option<&str>) -> Self {
        let default = upstreams
            .iter()
            .position(|upstream| Some(upstream.name.as_str()) == default)
            .unwrap_or(0);
        let weighted = Weighted::new(upstreams.iter().map(|upstream| upstream.weight).collect());
        Self {
            upstreams,
            default,
            weighted,
        }
    }

    /// All upstreams in configured order.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// The only upstream, if there is just one.
    pub fn only(&self) -> Option<&Arc<Upstream>> {
        match self.upstreams.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The only upstream, if there is just one, it speaks `protocol` and every model keeps its name: then a
    /// request can pass to it unread.
    pub fn sole(&self, protocol: Protocol) -> Option<&Arc<Upstream>> {
        match self.upstreams.as_slice() {
            [only] if only.protocol() == protocol && only.keeps_model_names() => Some(only),
            _ => None,
        }
    }

    /// The upstream for a path that is not decoded: the default one, unless the path belongs to a protocol it
    /// does not speak and another does.
    pub fn for_passthrough(&self, protocol: Option<Protocol>) -> Option<&Arc<Upstream>> {
        let default = self.upstreams.get(self.default)?;
        match protocol {
            Some(protocol) if default.protocol() != protocol => Some(
                self.upstreams
                    .iter()
                    .find(|upstream| upstream.protocol() == protocol)
                    .unwrap_or(default),
            ),
            _ => Some(default),
        }
    }

    /// Ranks the upstreams that may serve a request.
    ///
    /// With `advance` false the weighted choice is only looked at (for `explain`), not moved on.
    pub fn plan(&self, need: &Need<'_>, advance: bool) -> Plan {
        let mut eligible = Vec::new();
        let mut ruled_out = Vec::new();
        for (index, upstream) in self.upstreams.iter().enumerate() {
            match Self::check(upstream, need) {
                Ok(model) => eligible.push((index, model)),
                Err(reason) => ruled_out.push((upstream.name.clone(), reason)),
            }
        }
        if eligible.iter().any(|(index, _)| {
            self.upstreams
                .get(*index)
                .is_some_and(|upstream| upstream.weight > 0)
        }) {
            eligible.retain(|(index, _)| match self.upstreams.get(*index) {
                Some(upstream) if upstream.weight == 0 => {
                    ruled_out.push((upstream.name.clone(), Ineligible::Weight));
                    false
                }
                _ => true,
            });
        }
        let indices: Vec<usize> = eligible.iter().map(|(index, _)| *index).collect();
        let first = self.weighted.choose(&indices, advance);
        eligible.sort_by_key(|(index, _)| {
            let weight = self
                .upstreams
                .get(*index)
                .map_or(0, |upstream| upstream.weight);
            (Some(*index) != first, std::cmp::Reverse(weight))
        });
        let choices = eligible
            .into_iter()
            .filter_map(|(index, model)| {
                Some(Choice {
                    upstream: Arc::clone(self.upstreams.get(index)?),
                    model,
                })
            })
            .collect();
        Plan { choices, ruled_out }
    }

    fn check(upstream: &Upstream, need: &Need<'_>) -> Result<String, Ineligible> {
        let same_protocol = upstream.protocol() == need.protocol;
        if upstream.wants_client_credential() && !same_protocol {
            return Err(Ineligible::Credential);
        }
        if upstream.has_own_key() && !need.known_caller {
            return Err(Ineligible::Caller);
        }
        if let Some(feature) = need.untranslatable
            && !same_protocol
        {
            return Err(Ineligible::Feature(feature));
        }
        upstream.models.resolve(need.model).ok_or(Ineligible::Model)
    }
}
