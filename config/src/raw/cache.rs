//! `[cache]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{Duration, LearnFrames, Name, Pii, Variety, bounds};

/// Stored answers: how long they live, and when one answers another request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawCache {
    /// Whether anything is answered from templates or stored answers. With `false` the proxy only passes on, and
    /// adds nothing to an answer.
    ///
    /// Default: `true`.
    #[schemars(extend("default" = defaults::CACHE_ENABLED))]
    pub(crate) enabled: Option<bool>,

    /// A name puts all clients into one namespace, so that they share stored answers. Without it each credential
    /// has its own namespace.
    ///
    /// Default: absent, the digest of the client's credential.
    #[schemars(with = "Option<Name>", example = &"team")]
    pub(crate) namespace: Option<String>,

    /// How long a stored answer may be served, counted from its creation.
    ///
    /// Default: `7d`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::TTL))]
    pub(crate) ttl: Option<String>,

    /// How long an answer to a goal of a category of templates may be served, such as `money` or `travel`; where its
    /// frame says so too, the shorter holds. A goal is of the category of the template that is worded most like it,
    /// if any is near. Needs `templates.enabled`.
    ///
    /// Default: `{}`.
    #[schemars(with = "Option<BTreeMap<String, Duration>>", example = category_ttl_example())]
    pub(crate) category_ttl: Option<BTreeMap<String, String>>,

    /// The part of its lifetime by which a stored answer may expire earlier, so that answers of one moment do not all
    /// expire at one moment. How much of it each takes follows from its id.
    ///
    /// Default: `0.1`.
    #[schemars(extend("default" = defaults::TTL_JITTER))]
    #[schemars(range(min = bounds::TTL_JITTER.min(), max = bounds::TTL_JITTER.max()))]
    pub(crate) ttl_jitter: Option<f64>,

    /// Whether an answer that was learned from one client is served to that client only until the same answer came
    /// for a second one, or the operator released it. Means something only with `namespace`, and needs
    /// `server.auth = "passthrough"`: in open mode one caller can pose as many.
    ///
    /// Default: `false`.
    #[schemars(extend("default" = defaults::QUARANTINE))]
    pub(crate) quarantine: Option<bool>,

    /// What happens to an answer when it, or its goal, holds an e-mail address, a telephone number, a payment card, a
    /// bank account, a social security number or a key. `refuse`: it is passed on and not stored. `allow`: it is
    /// stored.
    ///
    /// Default: `refuse`.
    #[schemars(extend("default" = defaults::PII))]
    pub(crate) pii: Option<Pii>,

    /// Least cosine similarity of two goals at which the stored answer of one may be served for the other, when
    /// the verifier agrees. 1.0 serves only equal vectors, lower values serve more and look at more candidates.
    ///
    /// Default: `0.5`.
    #[schemars(extend("default" = defaults::MIN_SIMILARITY))]
    #[schemars(range(min = bounds::SIMILARITY.min(), max = bounds::SIMILARITY.max()))]
    pub(crate) min_similarity: Option<f64>,

    /// Number of entries held; beyond it the least useful are evicted.
    ///
    /// Default: `100000`.
    #[schemars(extend("default" = defaults::MAX_ENTRIES))]
    #[schemars(range(min = bounds::MAX_ENTRIES.min(), max = bounds::MAX_ENTRIES.max()))]
    pub(crate) max_entries: Option<i64>,

    /// Longest answer in bytes that is stored; longer ones are passed on.
    ///
    /// Default: `1048576` (1 MiB).
    #[schemars(extend("default" = defaults::MAX_ANSWER_BYTES))]
    #[schemars(range(min = bounds::MAX_ANSWER_BYTES.min(), max = bounds::MAX_ANSWER_BYTES.max()))]
    pub(crate) max_answer_bytes: Option<i64>,

    /// Names of request settings, such as `temperature`, that must be equal for a stored answer to be served for a
    /// reworded goal. The exact tier always requires all of them to be equal.
    ///
    /// Default: `[]`.
    #[schemars(extend("default" = Vec::<String>::new()), example = vary_example())]
    pub(crate) vary: Option<Vec<String>>,

    /// What an explicit temperature above 0 does. `ignore`: nothing. `exact`: only an exact repeat is answered from
    /// the cache. `bypass`: nothing is answered from the cache and nothing stored.
    ///
    /// Default: `ignore`.
    #[schemars(extend("default" = defaults::VARIETY))]
    pub(crate) variety: Option<Variety>,

    /// What becomes of fixed words that requests of one namespace share around their goals. `off`: they are not looked
    /// for; frames approved before stay in force. `propose`: `tollfree frames` lists them for approval. `use`: they
    /// count as soon as they are found.
    ///
    /// Default: `propose`.
    #[schemars(extend("default" = defaults::LEARN_FRAMES))]
    pub(crate) learn_frames: Option<LearnFrames>,
}

fn vary_example() -> [&'static str; 1] {
    ["temperature"]
}

fn category_ttl_example() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("money", "1d")])
}
