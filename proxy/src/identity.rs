//! Who is calling: the credential, the namespace derived from it, and which credentials an upstream has accepted.
//!
//! The proxy never stores or logs a credential, only its digest.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use pingora::http::RequestHeader;
use tollfree_cache::namespace::Namespace;

use crate::protocol::Protocol;

/// Digests remembered at most; past it expired ones are dropped, then all.
const MAX_ACCEPTED: usize = 100_000;

/// A caller's credential, as its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential([u8; 32]);

impl Credential {
    /// Finds the credential of a request: a bearer token, `x-goog-api-key`, `x-api-key` or the query's `key`.
    pub fn of(head: &RequestHeader) -> Option<Self> {
        let header = |name: &str| head.headers.get(name).map(|value| value.as_bytes());
        let bearer = header("authorization").map(|value| match value.split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token,
            _ => value,
        });
        let secret = header("x-goog-api-key")
            .or(bearer)
            .or_else(|| header("x-api-key"))
            .or_else(|| query_key(head.uri.query()).map(str::as_bytes))?;
        let secret = secret.trim_ascii();
        (!secret.is_empty()).then(|| {
            Self(
                *blake3::Hasher::new_derive_key("tollfree 1 credential")
                    .update(secret)
                    .finalize()
                    .as_bytes(),
            )
        })
    }

    /// The namespace that belongs to this credential alone.
    pub fn namespace(&self) -> Namespace {
        Namespace::of_credential(&self.0)
    }
}

/// The value of the query's `key` parameter, which Gemini clients may use for their API key.
pub fn query_key(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("key="))
}

/// The query without its `key` parameter; every other byte stays as it was sent.
pub fn without_query_key(query: &str) -> String {
    query
        .split('&')
        .filter(|pair| !pair.starts_with("key="))
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
    fn the_key_leaves_the_query_and_nothing_else_does() {
        assert_eq!(without_query_key("alt=sse&key=abc&x=%3A"), "alt=sse&x=%3A");
        assert_eq!(without_query_key("key=abc"), "");
        assert_eq!(without_query_key("monkey=1"), "monkey=1");
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
