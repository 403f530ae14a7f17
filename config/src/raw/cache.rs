//! `[cache]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{Duration, LearnFrames, Name, Pii, SemanticMode, Variety, bounds};

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

    /// Whether requests that equal one under way wait for its answer instead of asking the upstream too.
    ///
    /// Default: `true`.
    #[schemars(extend("default" = defaults::COALESCE))]
    pub(crate) coalesce: Option<bool>,

    /// Longest wait for another request's answer; past it a request asks the upstream itself.
    ///
    /// Default: `30s`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::COALESCE_WAIT))]
    pub(crate) coalesce_wait: Option<String>,

    /// How long after `ttl` a stored answer still answers the same request while it is fetched anew in the
    /// background; `0ms` means not at all.
    ///
    /// Default: `0ms`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::STALE_WHILE_REVALIDATE))]
    pub(crate) stale_while_revalidate: Option<String>,

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
    /// Default: `0.6`.
    #[schemars(extend("default" = defaults::MIN_SIMILARITY))]
    #[schemars(range(min = bounds::SIMILARITY.min(), max = bounds::SIMILARITY.max()))]
    pub(crate) min_similarity: Option<f64>,

    /// Whether a stored answer is served for a reworded goal. `serve`: yes. `shadow`: it is decided, counted and the
    /// stored answer compared with the upstream's, which the client gets. `off`: not even decided.
    ///
    /// Default: `serve`.
    #[schemars(extend("default" = defaults::SEMANTIC))]
    pub(crate) semantic: Option<SemanticMode>,

    /// Moves the confidence that the verifier's model must have before a stored answer is served for a reworded
    /// goal, in log-odds: above 0 less is served, below 0 more. `tollfree calibrate` finds a value for labelled pairs.
    ///
    /// Default: `0.0`, the shipped operating point.
    #[schemars(extend("default" = defaults::CONFIDENCE_SHIFT))]
    #[schemars(range(min = bounds::CONFIDENCE_SHIFT.min(), max = bounds::CONFIDENCE_SHIFT.max()))]
    pub(crate) confidence_shift: Option<f64>,

    /// Greatest share of wrong answers among those served for reworded goals. With it, would-be hits are explored: the
    /// upstream answers, and its answer is compared with the stored one, until labels show which entries may be
    /// served. 0 serves nothing but exact repeats and templates.
    ///
    /// Default: absent, nothing is explored.
    #[schemars(example = &0.01)]
    #[schemars(range(min = bounds::MAX_WRONG_HITS.min(), max = bounds::MAX_WRONG_HITS.max()))]
    pub(crate) max_wrong_hits: Option<f64>,

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
