//! Who is calling: the credential, the namespace derived from it, and which credentials an upstream has accepted.
//!
//! The proxy never stores or logs a credential, only its digest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use pingora::http::RequestHeader;
use tollfree_cache::contributor::Contributor;
use tollfree_cache::namespace::Namespace;

use crate::protocol::Protocol;
use crate::protocol::route::percent_decoded;

/// Digests remembered at most; past it expired ones are dropped, then all.
const MAX_ACCEPTED: usize = 100_000;

/// A hasher with its context taken in, which costs as much as hashing the credential.
static CREDENTIAL: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("tollfree 2026 credential v1"));

/// Headers that may carry a caller's secret, whatever its protocol.
pub const CREDENTIAL_HEADERS: [&str; 7] = [
    "authorization",
    "x-goog-api-key",
    "x-api-key",
    "api-key",
    "proxy-authorization",
    "x-amz-security-token",
    "cookie",
];

/// Query parameters that may carry one.
const CREDENTIAL_PARAMETERS: [&str; 4] = ["key", "access_token", "api_key", "api-key"];

/// A caller's credential, as its digest.
///
/// It covers every secret a request carries, wherever it stands: two callers are the same only if all of theirs
/// are equal. One secret is one credential, in whichever header or parameter it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential([u8; 32]);

impl Credential {
    /// Finds the credential of a request.
    pub fn of(head: &RequestHeader) -> Option<Self> {
        let mut secrets: Vec<Cow<'_, [u8]>> = Vec::new();
        for name in CREDENTIAL_HEADERS {
            for value in head.headers.get_all(name) {
                secrets.push(Cow::Borrowed(without_scheme(value.as_bytes())));
            }
        }
        for pair in head.uri.query().unwrap_or_default().split('&') {
            if let Some(secret) = secret_parameter(pair) {
                secrets.push(Cow::Owned(secret.into_owned().into_bytes()));
            }
        }
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_unstable();
        secrets.dedup();
        if secrets.is_empty() {
            return None;
        }
        let mut hasher = CREDENTIAL.clone();
        for secret in secrets {
            hasher
                .update(&(secret.len() as u64).to_le_bytes())
                .update(&secret);
        }
        Some(Self(*hasher.finalize().as_bytes()))
    }

    /// The contributor that answers are learned from when this credential asks.
    pub fn contributor(&self) -> Contributor {
        Contributor::of_credential(&self.0)
    }

    /// The namespace that belongs to this credential alone.
    pub fn namespace(&self) -> Namespace {
        Namespace::of_credential(&self.0)
    }
}

fn without_scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ if value.eq_ignore_ascii_case(b"bearer") => b"",
        _ => value,
    }
}

/// The value of a `name=value` pair whose name, once decoded, is one that carries secrets.
fn secret_parameter(pair: &str) -> Option<Cow<'_, str>> {
    let (name, value) = pair.split_once('=')?;
    let name = percent_decoded(name);
    CREDENTIAL_PARAMETERS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
        .then(|| percent_decoded(value))
}

/// Whether a query carries a secret.
pub fn has_secret(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| secret_parameter(pair).is_some())
}

/// The query without its secrets; every other byte stays as it was sent.
pub fn without_secrets(query: &str) -> String {
    query
        .split('&')
        .filter(|pair| secret_parameter(pair).is_none())
        .collect::<Vec<_>>()
        .join("&")
}

/// The namespace of a request: the configured one, else the credential's own, else that of callers without one;
/// a name the caller sent becomes a part of it, never another's.
///
/// # Errors
/// When the caller's name is too long or holds a control character.
pub fn namespace(
    configured: Option<&str>,
    credential: Option<&Credential>,
    part: Option<&str>,
) -> tollfree_cache::Result<Namespace> {
    let own = match (configured, credential) {
        (Some(name), _) => Namespace::new(name)?,
        (None, Some(credential)) => credential.namespace(),
        (None, None) => Namespace::anonymous(),
    };
    // A configured name cannot hold a slash: no part can pass for another caller's namespace.
    part.map_or(Ok(own.clone()), |part| {
        Namespace::new(&format!("{own}/{part}"))
    })
}

/// Credentials that an upstream accepted within the last `ttl`, by the protocol it speaks: one provider's word
/// does not count for another's.
///
/// In `passthrough` mode nothing is served from the cache to any other credential: nothing is answered for a
/// caller whom the upstream would have refused.
pub struct Accepted {
    ttl: Duration,
    seen: RwLock<HashMap<(Protocol, Credential), Instant>>,
}

impl Accepted {
    /// Creates an empty set whose members expire `ttl` after their last acceptance.
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            seen: RwLock::new(HashMap::new()),
        }
    }

    /// Whether the credential was accepted within the last `ttl` before `now`.
    pub fn holds(&self, protocol: Protocol, credential: Credential, now: Instant) -> bool {
        self.seen
            .read()
            .get(&(protocol, credential))
            .is_some_and(|at| now.saturating_duration_since(*at) < self.ttl)
    }

    /// Notes that an upstream answered this credential.
    pub fn accept(&self, protocol: Protocol, credential: Credential, now: Instant) {
        let mut seen = self.seen.write();
        if seen.len() >= MAX_ACCEPTED {
            seen.retain(|_, at| now.saturating_duration_since(*at) < self.ttl);
            if seen.len() >= MAX_ACCEPTED {
                seen.clear();
            }
        }
        seen.insert((protocol, credential), now);
    }

    /// Notes that an upstream refused this credential.
    pub fn revoke(&self, protocol: Protocol, credential: Credential) {
        self.seen.write().remove(&(protocol, credential));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&'static str, &str)]) -> anyhow::Result<RequestHeader> {
        let mut head = RequestHeader::build("POST", target.as_bytes(), None)?;
        for (name, value) in headers {
            head.insert_header(*name, *value)?;
        }
        Ok(head)
    }

    #[test]
    fn one_secret_is_one_credential_wherever_it_is_sent() -> anyhow::Result<()> {
        let bearer = Credential::of(&request("/", &[("authorization", "Bearer k1")])?);
        assert!(bearer.is_some());
        for same in [
            request("/", &[("authorization", "bearer  k1")])?,
            request("/", &[("x-goog-api-key", "k1")])?,
            request("/", &[("x-api-key", "k1")])?,
            request("/?alt=sse&key=k1", &[])?,
        ] {
            assert_eq!(Credential::of(&same), bearer);
        }
        assert_ne!(
            Credential::of(&request("/", &[("authorization", "Bearer k2")])?),
            bearer
        );
        assert_eq!(
            Credential::of(&request("/", &[("authorization", "Bearer ")])?),
            None
        );
        Ok(())
    }

    #[test]
    fn every_secret_counts_however_it_is_sent() -> anyhow::Result<()> {
        let good = Credential::of(&request(
            "/",
            &[
                ("authorization", "Bearer good"),
                ("x-goog-api-key", "shared"),
            ],
        )?);
        let bad = Credential::of(&request(
            "/",
            &[
                ("authorization", "Bearer bad"),
                ("x-goog-api-key", "shared"),
            ],
        )?);
        let alone = Credential::of(&request("/", &[("x-goog-api-key", "shared")])?);
        assert!(good != bad && good != alone && bad != alone);
        for (target, headers) in [
            ("/", &[("api-key", "k1")][..]),
            ("/", &[("cookie", "k1")]),
            ("/?k%65y=k1", &[]),
            ("/?access_token=k1", &[]),
        ] {
            let found = Credential::of(&request(target, headers)?);
            assert_eq!(
                found,
                Credential::of(&request("/", &[("x-api-key", "k1")])?),
                "{target} {headers:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn secrets_leave_the_query_and_nothing_else_does() {
        assert_eq!(without_secrets("alt=sse&key=abc&x=%3A"), "alt=sse&x=%3A");
        assert_eq!(without_secrets("k%65y=abc&access_token=t"), "");
        assert_eq!(without_secrets("monkey=1"), "monkey=1");
        assert!(!has_secret("alt=sse"));
    }

    #[test]
    fn acceptance_expires_and_can_be_revoked() -> anyhow::Result<()> {
        let credential =
            Credential::of(&request("/", &[("x-api-key", "k")])?).ok_or(anyhow::anyhow!("none"))?;
        let accepted = Accepted::new(Duration::from_secs(10));
        let start = Instant::now();
        assert!(!accepted.holds(Protocol::OpenAi, credential, start));
        accepted.accept(Protocol::OpenAi, credential, start);
        assert!(
            !accepted.holds(Protocol::Gemini, credential, start),
            "another protocol's upstream said nothing"
        );
        assert!(accepted.holds(Protocol::OpenAi, credential, start + Duration::from_secs(9)));
        assert!(!accepted.holds(
            Protocol::OpenAi,
            credential,
            start + Duration::from_secs(10)
        ));
        accepted.revoke(Protocol::OpenAi, credential);
        assert!(!accepted.holds(Protocol::OpenAi, credential, start));
        Ok(())
    }
}
