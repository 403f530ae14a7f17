//! The valid form of one of `[[upstreams]]`.

use serde::Serialize;

use crate::types::{BaseUrl, Duration, Models, Name, Price, Secret, UpstreamKind};

/// What a request to an upstream carries as its credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Credential {
    /// The upstream's own key.
    Key(Secret),
    /// Nothing: the upstream asks for no key.
    Keyless,
    /// The client's own credential, when the client speaks the upstream's protocol.
    Client,
}

/// An LLM API that is called on a miss.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Upstream {
    pub(crate) name: Name,
    pub(crate) kind: UpstreamKind,
    pub(crate) base_url: BaseUrl,
    pub(crate) credential: Credential,
    pub(crate) models: Models,
    pub(crate) weight: u32,
    pub(crate) price: Option<Price>,
    pub(crate) admit: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
}

impl Upstream {
    /// Returns the name, unlike that of any other upstream.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the protocol that the upstream speaks.
    pub fn kind(&self) -> UpstreamKind {
        self.kind
    }

    /// Returns where the upstream is reached.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// Returns what requests carry as their credential.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Returns which models the upstream serves, under which names.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// Returns the share of the traffic; 0 is never chosen by weight.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Returns the price of tokens; `None` when it is not known.
    pub fn price(&self) -> Option<Price> {
        self.price
    }

    /// Tells whether answers may be admitted into the cache.
    pub fn admit(&self) -> bool {
        self.admit
    }

    /// Returns the longest time to connect, TLS included.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Returns the longest silence before and between bytes.
    pub fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    /// Returns the upstream's path for the path of a request in the upstream's protocol; see
    /// [`BaseUrl::path_for`].
    pub fn path_for(&self, request_path: &str) -> String {
        self.base_url.path_for(self.kind, request_path)
    }
}
