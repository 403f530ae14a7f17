//! The servers that answer what the cache does not.
//!
//! An [`Upstream`] knows where its server is, how a client's path and credential become its own, and which
//! models it serves; [`send`] makes one call. Which upstream gets a request is `policy`'s business.

pub mod address;
pub mod headers;
pub mod roots;
pub mod send;

use std::sync::Arc;
use std::time::Duration;

use pingora::http::RequestHeader;
use tollfree_config::config::Credential;
use tollfree_config::types::{BaseUrl, Models, Price, UpstreamKind};

use crate::identity;
use crate::protocol::Protocol;
use address::Address;

/// One configured upstream, ready to be called.
pub struct Upstream {
    /// Name from the configuration; a metric label and the value of `x-tollfree-upstream`.
    pub name: String,
    /// Requested model names to its own.
    pub models: Models,
    /// Share of the misses it gets, relative to the others.
    pub weight: u32,
    /// US dollars per million tokens, if known.
    pub price: Option<Price>,
    /// Whether its answers may be stored.
    pub admit: bool,
    /// Where it is.
    pub address: Arc<Address>,
    kind: UpstreamKind,
    credential: Credential,
    base_url: BaseUrl,
}

impl Upstream {
    /// Prepares a configured upstream.
    pub fn new(config: &tollfree_config::config::Upstream) -> Self {
        let base_url = config.base_url().clone();
        let timeouts = address::Timeouts {
            connect: config.connect_timeout().get(),
            read: config.read_timeout().get(),
        };
        Self {
            name: config.name().to_string(),
            models: config.models().clone(),
            weight: config.weight(),
            price: config.price(),
            admit: config.admit(),
            address: Arc::new(Address::new(
                base_url.host(),
                base_url.port(),
                base_url.tls(),
                timeouts,
            )),
            kind: config.kind(),
            credential: config.credential().clone(),
            base_url,
        }
    }

    /// The protocol its native API speaks.
    pub fn protocol(&self) -> Protocol {
        match self.kind {
            UpstreamKind::Openai => Protocol::OpenAi,
            UpstreamKind::Gemini => Protocol::Gemini,
        }
    }

    /// Whether it is called with the caller's own credential.
    pub fn wants_client_credential(&self) -> bool {
        self.credential == Credential::Client
    }

    /// Whether a caller's own credential may be sent to it: only if it is marked for that and speaks the
    /// caller's protocol.
    pub fn takes_credential_of(&self, protocol: Option<Protocol>) -> bool {
        self.wants_client_credential() && protocol == Some(self.protocol())
    }

    /// Whether every model passes under the name it was asked by.
    pub fn keeps_model_names(&self) -> bool {
        self.models.iter().eq([("*", "*")])
    }

    /// Its request target for one of the public API, path and query.
    pub fn target(&self, path_and_query: &str) -> String {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let path = self.base_url.path_for(self.kind, path);
        query.map_or(path.clone(), |query| format!("{path}?{query}"))
    }

    /// The value of the `host` header.
    pub fn authority(&self) -> &str {
        self.base_url.authority()
    }

    /// Puts the right credential on a request: the caller's own stays only where
    /// [`Self::takes_credential_of`] allows it, everywhere else it is removed and the configured one set.
    ///
    /// # Errors
    /// When the configured key is not a legal header value.
    pub fn authorize(
        &self,
        head: &mut RequestHeader,
        protocol: Option<Protocol>,
    ) -> pingora::Result<()> {
        if self.takes_credential_of(protocol) {
            return Ok(());
        }
        for name in ["authorization", "x-goog-api-key", "x-api-key", "cookie"] {
            head.remove_header(name);
        }
        if let Some(query) = head.uri.query()
            && identity::query_key(Some(query)).is_some()
        {
            let kept = identity::without_query_key(query);
            let path = head.uri.path();
            let target = if kept.is_empty() {
                path.to_owned()
            } else {
                format!("{path}?{kept}")
            };
            set_target(head, &target)?;
        }
        match (&self.credential, self.kind) {
            (Credential::Key(key), UpstreamKind::Openai) => {
                head.insert_header("authorization", format!("Bearer {}", key.expose()))
            }
            (Credential::Key(key), UpstreamKind::Gemini) => {
                head.insert_header("x-goog-api-key", key.expose())
            }
            (Credential::Client | Credential::Keyless, _) => Ok(()),
        }
    }

    /// Cost of an answer in US dollars, if the price is known.
    pub fn cost(&self, input_tokens: u64, output_tokens: u64) -> Option<f64> {
        self.price
            .map(|price| price.cost(input_tokens, output_tokens))
    }
}

/// Replaces the request target.
///
/// # Errors
/// When `target` is no legal request target.
pub fn set_target(head: &mut RequestHeader, target: &str) -> pingora::Result<()> {
    head.set_raw_path(target.as_bytes())
}

/// How long an idle connection to an upstream is kept for the next call.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
