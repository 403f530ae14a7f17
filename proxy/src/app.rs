//! The application: every long-lived part, built once from a configuration.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use arc_swap::ArcSwap;
use pingora::connectors::ConnectorOptions;
use pingora::connectors::http::Connector;
use tokio::sync::Semaphore;
use tollfree_cache::cache::{Cache, CacheOptions, OpenReport};
use tollfree_cache::decision::Bar;
use tollfree_cache::template::{Content, Library, Shape, Template, shape};
use tollfree_cache::verify::RuleVerifier;
use tollfree_config::Config;
use tollfree_config::types::{AuthMode, Pii, ShapeContent};

use crate::decisions::Decisions;
use crate::exchange::flight::Flights;
use crate::exchange::refresh::MAX_REFRESHES;
use crate::frame::Frames;
use crate::identity::{Accepted, Credential};
use crate::lookup::models::Models;
use crate::lookup::{Hit, Limits, Lookup, now_ms};
use crate::policy::{Need, Policy};
use crate::protocol::Protocol;
use crate::protocol::chat::ChatRequest;
use crate::telemetry::metrics::Metrics;
use crate::upstream::Upstream;

/// All parts of the proxy.
pub struct App {
    /// The configuration they were built from.
    pub config: Arc<Config>,
    /// Which upstream gets a miss.
    pub policy: Policy,
    /// Connections to upstreams.
    pub connector: Connector,
    /// What answers without one.
    pub lookup: Lookup,
    /// Credentials that upstreams have accepted.
    pub accepted: Accepted,
    /// Where the goal is in a request.
    pub frames: Frames,
    /// Upstream calls that equal requests wait for.
    pub flights: Arc<Flights>,
    /// Room for refreshes of stale entries.
    pub refreshes: Arc<Semaphore>,
    /// Why the latest requests were answered as they were.
    pub decisions: Decisions,
    /// What operators see.
    pub metrics: Arc<Metrics>,
    /// What opening the store found.
    pub opened: OpenReport,
}

impl App {
    /// Opens the store, loads the templates and starts the embedder.
    ///
    /// # Errors
    /// When the data directory belongs to another process, or a template or shape of the
    /// configuration is broken.
    pub fn open(config: Arc<Config>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new().context("registering metrics")?);
        let models = Arc::new(Models::open(config.embedder()));
        let (cache, opened) = match Cache::open(
            config.server().data_dir(),
            cache_options(&config),
            now_ms(),
        ) {
            Ok(opened) => opened,
            // Two processes on one store would undo each other's writes: this one must not start.
            Err(error @ tollfree_cache::Error::Locked { .. }) => {
                return Err(error).context(
                    "opening the cache; stop the other server or choose another --data-dir",
                );
            }
            // A broken disk is no reason to fail requests: without the store, entries live in memory.
            Err(error) => {
                tracing::error!(error = %crate::error::chain(&error), "no durable store: entries are kept in memory only");
                (
                    Cache::in_memory(cache_options(&config)),
                    OpenReport::default(),
                )
            }
        };
        if let Some(moved_to) = &opened.corrupt_moved_to {
            tracing::error!(
                moved_to = %moved_to.display(),
                salvaged = opened.salvaged,
                "the store was damaged and is begun anew with what could be read"
            );
        }
        Self::assemble(config, Arc::new(cache), opened, models, metrics)
    }

    /// As [`Self::open`], for a command that runs by itself: a data directory that is not there stays that way.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for_commands(config: Arc<Config>) -> anyhow::Result<Self> {
        if config.server().data_dir().exists() {
            return Self::open(config);
        }
        Self::open_in_memory(config)
    }

    /// As [`Self::open`], with a cache that is empty and forgets everything: for work that needs models and no
    /// entries.
    ///
    /// # Errors
    /// As [`Self::assemble`].
    pub fn open_in_memory(config: Arc<Config>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new().context("registering metrics")?);
        let models = Arc::new(Models::open(config.embedder()));
        let cache = Arc::new(Cache::in_memory(cache_options(&config)));
        Self::assemble(config, cache, OpenReport::default(), models, metrics)
    }

    /// The options of the configured cache.
    pub fn cache_options(&self) -> CacheOptions {
        cache_options(&self.config)
    }

    /// Brings the gauges that mirror the cache up to date.
    pub fn observe(&self) {
        let stats = self.lookup.cache().stats();
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.entries.set(gauge(stats.entries as u64));
        self.metrics.bytes.set(gauge(stats.bytes as u64));
        for (reason, count) in [
            ("capacity", stats.evictions.capacity),
            ("expired", stats.evictions.expired),
            ("replaced", stats.evictions.replaced),
            ("removed", stats.evictions.removed),
        ] {
            Metrics::raise(&self.metrics.evictions.with_label_values(&[reason]), count);
        }
        if let Some(store) = &stats.store {
            Metrics::raise(&self.metrics.store_errors, store.writer.errors);
        }
        for (state, count) in self.frames.learned().count_by_state() {
            self.metrics
                .frames
                .with_label_values(&[state.as_str()])
                .set(gauge(count));
        }
        Metrics::raise(
            &self.metrics.frame_samples_dropped,
            self.frames.num_dropped(),
        );
        self.metrics
            .embed_queue
            .set(gauge(self.lookup.models().pool().queue_depth() as u64));
    }

    /// Builds the application around a given cache and given models, for tests.
    ///
    /// # Errors
    /// When a template or shape of the configuration is broken.
    pub fn assemble(
        config: Arc<Config>,
        cache: Arc<Cache>,
        opened: OpenReport,
        models: Arc<Models>,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let library =
            load_library(&config).map_err(|problems| anyhow::anyhow!(problems.join("\n")))?;
        let shapes =
            load_shapes(&config).map_err(|problems| anyhow::anyhow!(problems.join("\n")))?;
        let library = Arc::new(ArcSwap::from_pointee(library));
        cache.bound().allow(config.cache().max_wrong_hits());
        let lookup = Lookup::new(
            Limits {
                min_similarity: config.cache().min_similarity().get(),
                bar: Bar::DEFAULT.shifted(config.cache().confidence_shift()),
                confidence_shift: config.cache().confidence_shift(),
                semantic: config.cache().semantic(),
                keep_goals: config.log().goals(),
                template_min_similarity: config.templates().min_similarity().get(),
                prefilter_similarity: config.embedder().prefilter_similarity().get(),
                deadline: config.embedder().deadline().get(),
                vary: config
                    .cache()
                    .vary()
                    .iter()
                    .map(|name| name.as_str().to_owned())
                    .collect(),
                templates: config.templates().enabled(),
                enabled: config.cache().enabled(),
                stale_for: config.cache().stale_while_revalidate().get(),
                category_ttl: config
                    .cache()
                    .category_ttl()
                    .iter()
                    .map(|(category, ttl)| (category.to_string(), ttl.get()))
                    .collect(),
                quarantine: config.cache().quarantine(),
            },
            cache,
            library,
            shapes,
            models,
            Arc::new(RuleVerifier),
            Arc::clone(&metrics),
        );
        let upstreams: Vec<_> = config
            .upstreams()
            .iter()
            .map(|upstream| Arc::new(Upstream::new(upstream)))
            .collect();
        // A command that runs by itself does not make the directory.
        let data_dir = Some(config.server().data_dir()).filter(|folder| folder.is_dir());
        Ok(Self {
            policy: Policy::new(
                upstreams,
                config.policy().default_upstream().map(|name| name.as_str()),
            ),
            connector: Connector::new(Some(ConnectorOptions::new(128))),
            accepted: Accepted::new(config.server().auth_ttl().get()),
            flights: Flights::new(config.cache().max_answer_bytes()),
            refreshes: Arc::new(Semaphore::new(MAX_REFRESHES)),
            frames: Frames::open(config.frames(), config.cache().learn_frames(), data_dir),
            decisions: Decisions::new(config.log().decisions()),
            lookup,
            metrics,
            opened,
            config,
        })
    }

    /// Whether a caller is one the proxy may answer for: any in `open` mode; in `passthrough` mode one whose
    /// credential an upstream of this protocol has accepted.
    pub fn knows(&self, protocol: Protocol, credential: Option<&Credential>) -> bool {
        match self.config.server().auth() {
            AuthMode::Open => true,
            AuthMode::Passthrough => credential.is_some_and(|credential| {
                self.accepted.holds(protocol, *credential, Instant::now())
            }),
        }
    }

    /// What a hit saves: the price of the upstream that once answered, or would be asked now.
    pub fn price_of(&self, hit: &Hit, chat: &ChatRequest) -> Option<f64> {
        let usage = hit.answer().usage;
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        if let Some(name) = hit.upstream() {
            let upstream = self
                .policy
                .upstreams()
                .iter()
                .find(|upstream| upstream.name == name)?;
            return upstream.cost(input, output);
        }
        let need = Need {
            protocol: chat.protocol,
            model: &chat.model,
            known_caller: true,
            untranslatable: chat.untranslatable,
        };
        self.policy
            .plan(&need, false)
            .choices
            .first()?
            .upstream
            .cost(input, output)
    }
}

fn cache_options(config: &Config) -> CacheOptions {
    CacheOptions {
        max_entries: config.cache().max_entries(),
        max_answer_bytes: config.cache().max_answer_bytes(),
        ttl: config.cache().ttl().get(),
        stale_while_revalidate: config.cache().stale_while_revalidate().get(),
        ttl_jitter: config.cache().ttl_jitter(),
        refuse_pii: config.cache().pii() == Pii::Refuse,
        // The embedder is still loading; the store learns its model when it is there.
        model: None,
    }
}

/// Loads the compiled-in templates and those of `templates.dir`.
///
/// # Errors
/// Every problem of every template, and every configured category that none is of, worded for people.
pub fn load_library(config: &Config) -> Result<Library, Vec<String>> {
    let library = Library::load(config.templates().dir()).map_err(|problems| {
        problems
            .iter()
            .map(|problem| format!("templates.dir: {problem}"))
            .collect::<Vec<_>>()
    })?;
    let known: BTreeSet<&str> = library.templates().map(Template::category).collect();
    let listed = || known.iter().copied().collect::<Vec<_>>().join(", ");
    let problems: Vec<String> = config
        .cache()
        .category_ttl()
        .keys()
        .filter(|category| !known.contains(category.as_str()))
        .map(|category| {
            format!(
                "cache.category_ttl.{category}: no template is of this category; name one of: {}",
                listed()
            )
        })
        .collect();
    if problems.is_empty() {
        Ok(library)
    } else {
        Err(problems)
    }
}

/// Compiles the configured shapes and adds the built-in ones.
///
/// # Errors
/// Every shape that does not compile, worded for people.
pub fn load_shapes(config: &Config) -> Result<HashMap<String, Shape>, Vec<String>> {
    let mut shapes: HashMap<String, Shape> = [shape::MARKDOWN, shape::JSON_TASKS]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), Shape::builtin(name)?)))
        .collect();
    let mut problems = Vec::new();
    for configured in config.shapes() {
        let name = configured.name().as_str();
        let content = match configured.content() {
            ShapeContent::Text => Content::Text,
            ShapeContent::Json => Content::Json,
        };
        match Shape::configured(name, configured.template(), content) {
            Ok(shape) => {
                shapes.insert(name.to_owned(), shape);
            }
            Err(error) => {
                problems.push(format!("shapes {name:?}: {}", crate::error::chain(&error)))
            }
        }
    }
    if problems.is_empty() {
        Ok(shapes)
    } else {
        Err(problems)
    }
}
