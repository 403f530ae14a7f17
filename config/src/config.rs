//! The valid configuration.
//!
//! Only [`crate::load`] makes one, so that whoever holds a [`Config`] holds one whose parts fit each other: names
//! are unique, whatever is named exists, keys are there.

mod cache;
mod embedder;
mod frame;
mod log;
mod policy;
mod server;
mod shape;
mod templates;
mod upstream;

use serde::Serialize;

pub use cache::Cache;
pub use embedder::Embedder;
pub use frame::{Frame, FrameText, GOAL};
pub use log::Log;
pub use policy::Policy;
pub use server::Server;
pub use shape::Shape;
pub use templates::Templates;
pub use upstream::{Credential, Upstream};

/// A configuration that was validated as a whole; share it in an `Arc`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    pub(crate) server: Server,
    pub(crate) cache: Cache,
    pub(crate) embedder: Embedder,
    pub(crate) templates: Templates,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) policy: Policy,
    pub(crate) log: Log,
}

impl Config {
    /// Returns listeners, limits and who is answered.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Returns when stored answers live and when one answers another request.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns the models that turn a goal into a vector.
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// Returns which templates answer.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }

    /// Returns the configured shapes, in the order of the file, without the built-in ones.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Returns the frames in the order of the file.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Returns the upstreams in the order of the file; empty when misses have nowhere to go.
    pub fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    /// Returns how an upstream is chosen.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns what is logged, and how.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Returns the upstream of that name.
    pub fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams
            .iter()
            .find(|upstream| upstream.name().as_str() == name)
    }

    /// Returns the upstream of paths that are not decoded; `None` only when there is no upstream.
    pub fn default_upstream(&self) -> Option<&Upstream> {
        self.policy
            .default_upstream()
            .and_then(|name| self.upstream(name.as_str()))
    }

    /// Returns the whole configuration, defaults included, as JSON with `***` in place of every secret.
    pub fn redacted_json(&self) -> serde_json::Value {
        // Every map of a configuration has text keys, so that nothing can fail to become JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}
