//! The exact shape of a configuration file, before validation.
//!
//! Every field is optional here, also one that a user must write, so that one missing field does not hide the other
//! problems of a file; `schemars(required)` marks those, and [`crate::document`] asks for them.
//! The doc comments are the descriptions of the JSON Schema: effect, unit, default.

mod cache;
mod embedder;
mod frame;
mod log;
mod policy;
mod server;
mod shape;
mod templates;
mod upstream;

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use cache::RawCache;
pub(crate) use embedder::RawEmbedder;
pub(crate) use frame::RawFrame;
pub(crate) use log::RawLog;
pub(crate) use policy::RawPolicy;
pub(crate) use server::RawServer;
pub(crate) use shape::RawShape;
pub(crate) use templates::RawTemplates;
pub(crate) use upstream::{RawApiKey, RawPrice, RawUpstream};

/// Configuration of the Tollfree proxy (`tollfree.toml`).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawConfig {
    /// Listeners, limits and who is answered.
    pub(crate) server: RawServer,
    /// Stored answers: how long they live, and when one answers another request.
    pub(crate) cache: RawCache,
    /// The models that turn a goal into a vector.
    pub(crate) embedder: RawEmbedder,
    /// Curated plans that answer common goals without any upstream.
    pub(crate) templates: RawTemplates,
    /// Formats in which a template's plan is written, beside the built-in `markdown` and `json-tasks`.
    ///
    /// Default: none.
    pub(crate) shapes: Vec<RawShape>,
    /// The fixed words that an application wraps around the goal; only the goal itself is then compared.
    ///
    /// Default: none.
    pub(crate) frames: Vec<RawFrame>,
    /// The LLM APIs that are called on a miss.
    ///
    /// Default: none; with `GEMINI_API_KEY` in the environment, one named `gemini` that uses it.
    pub(crate) upstreams: Vec<RawUpstream>,
    /// How an upstream is chosen.
    pub(crate) policy: RawPolicy,
    /// What is logged, and how.
    pub(crate) log: RawLog,
}
