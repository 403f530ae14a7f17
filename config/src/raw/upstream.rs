//! `[[upstreams]]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{CredentialMode, Duration, Models, Name, UpstreamKind, bounds};

/// An LLM API that is called on a miss.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawUpstream {
    /// Name of the upstream in headers, logs and metrics.
    #[schemars(required, with = "Name", example = &"vllm")]
    pub(crate) name: Option<String>,

    /// Protocol that the upstream speaks. `openai`: chat completions, as OpenAI, vLLM and compatible servers do.
    /// `gemini`: `generateContent`. Requests in the other protocol are translated.
    #[schemars(required)]
    pub(crate) kind: Option<UpstreamKind>,

    /// Where the upstream is reached: `http` or `https`, a host, and an optional path as in an SDK's base URL
    /// (`https://api.openai.com/v1` or `https://api.openai.com`). No query, no user.
    #[schemars(
        required,
        regex(pattern = "^https?://"),
        example = &"http://127.0.0.1:8000/v1"
    )]
    pub(crate) base_url: Option<String>,

    /// Where the upstream's own key comes from; the key never stands in this file. Not allowed with
    /// `credential = "client"`.
    ///
    /// Default: absent, the upstream gets no key (as a local vLLM needs none).
    #[schemars(example = api_key_example())]
    pub(crate) api_key: Option<RawApiKey>,

    /// Whose credential a request carries. `own`: that of `api_key`, or none. `client`: the client's own, and only
    /// when the client speaks the upstream's protocol; at most one upstream of each kind may have it.
    ///
    /// Default: `own`.
    #[schemars(extend("default" = defaults::CREDENTIAL))]
    pub(crate) credential: Option<CredentialMode>,

    /// Models that the upstream serves: pattern of the requested name -> the upstream's name. A pattern may hold
    /// one `*`, and so may the name, which then repeats what it stood for. The most specific pattern decides; a
    /// model that fits none does not go to this upstream.
    ///
    /// Default: `{ "*" = "*" }`.
    #[schemars(extend("default" = Models::any()), example = models_example())]
    pub(crate) models: Option<BTreeMap<String, String>>,

    /// Share of the traffic: an upstream of weight 3 gets three times the requests of one of weight 1; 0 is never
    /// chosen by weight.
    ///
    /// Default: `1`.
    #[schemars(extend("default" = defaults::WEIGHT))]
    #[schemars(range(min = bounds::WEIGHT.min(), max = bounds::WEIGHT.max()))]
    pub(crate) weight: Option<i64>,

    /// What the upstream's tokens cost; used to report what hits have saved.
    ///
    /// Default: absent, nothing is reported as saved.
    #[schemars(example = price_example())]
    pub(crate) price: Option<RawPrice>,

    /// Whether the upstream's answers are stored. With `false` they are passed on and never served again.
    ///
    /// Default: `true`.
    #[schemars(extend("default" = defaults::ADMIT))]
    pub(crate) admit: Option<bool>,

    /// Longest time to connect, TLS included.
    ///
    /// Default: `5s`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::CONNECT_TIMEOUT))]
    pub(crate) connect_timeout: Option<String>,

    /// Longest silence of the upstream before its first byte and between bytes.
    ///
    /// Default: `10m`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::READ_TIMEOUT))]
    pub(crate) read_timeout: Option<String>,
}

/// Where a key comes from: exactly one of `env` and `file`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawApiKey {
    /// Name of the environment variable that holds the key.
    ///
    /// Default: absent.
    #[schemars(regex(pattern = "^[A-Z_][A-Z0-9_]*$"), example = &"OPENAI_API_KEY")]
    pub(crate) env: Option<String>,

    /// Path of a file that holds the key and nothing else, relative to the folder of this file.
    ///
    /// Default: absent.
    #[schemars(example = &"/run/secrets/openai")]
    pub(crate) file: Option<String>,
}

/// What tokens cost, in USD per million.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrice {
    /// USD per million input tokens.
    #[schemars(required, range(min = bounds::PRICE.min(), max = bounds::PRICE.max()), example = 0.3)]
    pub(crate) input: Option<f64>,

    /// USD per million output tokens.
    #[schemars(required, range(min = bounds::PRICE.min(), max = bounds::PRICE.max()), example = 2.5)]
    pub(crate) output: Option<f64>,
}

fn api_key_example() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("env", "OPENAI_API_KEY")])
}

fn models_example() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("gpt-*", "llama-3.3-70b")])
}

fn price_example() -> BTreeMap<&'static str, f64> {
    BTreeMap::from([("input", 0.3), ("output", 2.5)])
}
