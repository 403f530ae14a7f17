//! From a canonical request to what may answer it: exact, then template, then semantic.
//!
//! The order of work keeps the common cases cheap: an exact hit costs one digest and one map look-up; a goal
//! that is like nothing we hold is turned away by the static model in microseconds; only then is it embedded,
//! once, raw and slot-masked text in one batch, off the event loop and with a deadline. Whatever fails here is
//! a miss and a counter, never a failed request.

mod compare;
pub mod explore;
pub mod finding;
mod judge;
pub mod learn;
mod lifetime;
pub mod models;
pub mod phrasings;
mod quarantine;
pub mod recent;
mod reload;
mod schemas;
mod verdict;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tollfree_cache::cache::Cache;
use tollfree_cache::counters;
use tollfree_cache::decision::{self, Bar, Terms};
use tollfree_cache::goal::Goal;
use tollfree_cache::key::CompatibilityKey;
use tollfree_cache::request::{Format, Request};
use tollfree_cache::template::{Content, Library, Shape, shape};
use tollfree_cache::verify::Verifier;
use tollfree_config::types::SemanticMode;

use crate::ids::Id;
use crate::telemetry::metrics::Metrics;
pub use finding::{CacheStatus, Finding, Hit, Tier};
pub use learn::Pending;
use models::Models;
use phrasings::Phrasings;
use recent::Recent;
pub use reload::{AddError, Added};
use schemas::Schemas;

/// Longer goals are not even analysed, which would hold up an event loop: 254 tokens of English have some 1,200
/// bytes.
const MAX_GOAL_BYTES: usize = 2 * 1024;

const ONLY_EXACT_JSON: &str =
    "no template fits, and a request for JSON is else answered only by an exact repeat";

const TOO_LONG: &str = "the goal is longer than the embedding model reads";

/// The caps of the configuration that a lookup needs.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Least cosine similarity of a semantic candidate.
    pub min_similarity: f32,
    /// Least confidence of the same-answer model.
    pub bar: Bar,
    /// By how many log-odds `bar` is above the shipped one.
    pub confidence_shift: f32,
    /// What the semantic tier does with its hits.
    pub semantic: SemanticMode,
    /// Whether the text of goals may be kept beside a decision.
    pub keep_goals: bool,
    /// Least cosine similarity of a template's phrasing.
    pub template_min_similarity: f32,
    /// Similarity of static vectors below which nothing we hold can be meant.
    pub prefilter_similarity: f32,
    /// How long a request may wait for its embedding.
    pub deadline: Duration,
    /// Settings that split the compatibility key.
    pub vary: Vec<String>,
    /// Whether templates may answer.
    pub templates: bool,
    /// Whether anything may.
    pub enabled: bool,
    /// How long after its time an entry still answers the same request.
    pub stale_for: Duration,
    /// How long answers to goals of a template's category live, by its name.
    pub category_ttl: HashMap<String, Duration>,
    /// Whether answers of one client are kept from the others until a second one confirms them.
    pub quarantine: bool,
}

/// What one request asks of the lookup.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Least similarity, if higher than the configured one.
    pub threshold: Option<f32>,
    /// Entries older than this, in milliseconds, do not count.
    pub max_age_ms: Option<u64>,
    /// Only the exact tier may answer.
    pub exact_only: bool,
    /// Wait for the embedding as long as it takes (commands).
    pub patient: bool,
    /// Consider every candidate, also those that words alone rule out (`explain`).
    pub thorough: bool,
    /// Only a template may answer (commands).
    pub template_only: bool,
    /// The request of a client that waits: hits may be explored, and the decision is remembered.
    pub live: Option<Id>,
    /// No upstream may be asked.
    pub only_stored: bool,
}

/// Finds answers and keeps new ones.
#[derive(Clone)]
pub struct Lookup {
    limits: Arc<Limits>,
    cache: Arc<Cache>,
    library: Arc<ArcSwap<Library>>,
    shapes: Arc<HashMap<String, Shape>>,
    schemas: Arc<Schemas>,
    phrasings: Arc<Phrasings>,
    models: Arc<Models>,
    verifier: Arc<dyn Verifier>,
    recent: Arc<Recent>,
    metrics: Arc<Metrics>,
}

/// Where a goal may be looked for beyond the exact tier.
struct Scope<'a> {
    goal: &'a Goal,
    /// Where entries are looked for, the caller's own first.
    keys: Vec<CompatibilityKey>,
    shape: Option<&'a Shape>,
    partition: bool,
    sketch: Option<Vec<f32>>,
}

impl Lookup {
    /// Puts the parts together.
    pub fn new(
        limits: Limits,
        cache: Arc<Cache>,
        library: Arc<ArcSwap<Library>>,
        shapes: HashMap<String, Shape>,
        models: Arc<Models>,
        verifier: Arc<dyn Verifier>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            limits: Arc::new(limits),
            cache,
            library,
            shapes: Arc::new(shapes),
            schemas: Schemas::new(),
            phrasings: Arc::default(),
            models,
            verifier,
            recent: Arc::default(),
            metrics,
        }
    }

    /// The same lookup over other entries and without templates.
    pub fn over(&self, cache: Cache) -> Self {
        let limits = Limits {
            templates: false,
            enabled: true,
            semantic: SemanticMode::Serve,
            ..Limits::clone(&self.limits)
        };
        Self {
            limits: Arc::new(limits),
            cache: Arc::new(cache),
            ..self.clone()
        }
    }

    /// The entries.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The templates now loaded.
    pub fn library(&self) -> Arc<Library> {
        self.library.load_full()
    }

    /// The models.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// The last live decisions.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Whether a shape of this name is built in or configured.
    pub fn has_shape(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Whether every tier can answer.
    ///
    /// # Errors
    /// What is still missing, in words.
    pub fn readiness(&self) -> Result<(), String> {
        if let Some(failure) = self.models.failure() {
            return Err(failure);
        }
        if !self.models.is_ready() {
            return Err("models: loading".to_owned());
        }
        if self.limits.templates && !self.phrasings.is_ready() {
            return Err("templates: being embedded".to_owned());
        }
        Ok(())
    }

    /// Decides what may answer a request.
    pub async fn find(&self, request: &Request, options: &Options) -> Finding {
        if !self.limits.enabled {
            return Finding::unasked(request, "the cache is off");
        }
        let started = Instant::now();
        let mut finding = Finding::unasked(request, "");
        finding.reason = None;
        let terms = self.terms(request, options);
        let exact = if options.template_only {
            None
        } else {
            self.exact(request, &finding.exact, &terms)
        };
        if let Some(entry) = exact {
            finding.similarity = Some(1.0);
            finding.hit = Some(Hit::Entry {
                entry,
                tier: Tier::Exact,
                now_ms: terms.now_ms,
            });
        } else if let Some(entry) = self.stale(request, &finding.exact, options, &terms) {
            finding.similarity = Some(1.0);
            finding.hit = Some(Hit::Entry {
                entry,
                tier: Tier::Stale,
                now_ms: terms.now_ms,
            });
        } else if options.exact_only {
            finding.reason = Some("only an exact repeat may be answered".into());
        } else {
            // What an exact hit does not need is kept off its future, which is copied when it is made.
            Box::pin(self.find_alike(request, options, &terms, &mut finding)).await;
        }
        if let Some(id) = options.live {
            self.remember(id, request, &mut finding, terms.now_ms);
        }
        let took = started.elapsed().as_secs_f64();
        match finding.hit.as_ref().map(Hit::status) {
            Some(CacheStatus::Exact) => self.metrics.exact_duration.observe(took),
            status => {
                let tier = status.unwrap_or(CacheStatus::Miss).as_str();
                self.metrics
                    .lookup_duration
                    .with_label_values(&[tier])
                    .observe(took);
            }
        }
        finding
    }

    /// The entry that answers this very request, if it was admitted after the request was looked up.
    pub fn exact_again(&self, request: &Request, options: &Options) -> Option<Hit> {
        let terms = self.terms(request, options);
        let entry = self.exact(request, &request.exact_key(), &terms)?;
        Some(Hit::Entry {
            entry,
            tier: Tier::Exact,
            now_ms: terms.now_ms,
        })
    }

    async fn find_alike(
        &self,
        request: &Request,
        options: &Options,
        terms: &Terms<'_>,
        finding: &mut Finding,
    ) {
        let mut shape = self.template_shape(request);
        if request.format != Format::Text && shape.is_none() {
            finding.reason = Some(ONLY_EXACT_JSON.into());
            return;
        }
        if request.goal().len() > MAX_GOAL_BYTES {
            finding.reason = Some(TOO_LONG.into());
            return;
        }
        let goal = Goal::analyse(request.goal());
        if let Some(reason) = self.exact_only_reason(&goal) {
            finding.reason = Some(reason.into());
            finding.goal = Some(goal);
            return;
        }
        let key = request.compatibility_key(&self.limits.vary, goal.language());
        finding.compatibility = Some(key);
        let schema;
        if let Format::Schema(text) = &request.format {
            // Words are cheap and schemas are not: one is read only where a template fits.
            let fits = options.thorough || self.library.load().fits(&goal);
            let compiled = if fits {
                self.schemas.shape(text, self.deadline(options)).await
            } else {
                Err(ONLY_EXACT_JSON.into())
            };
            match compiled {
                Ok(compiled) => {
                    schema = compiled;
                    shape = Some(&schema);
                }
                Err(reason) => {
                    finding.reason = Some(reason);
                    finding.goal = Some(goal);
                    return;
                }
            }
        }
        let mut keys = self.keys(request, key);
        // An answer in JSON is never served for other words.
        keys.retain(|key| {
            request.format == Format::Text
                && !options.template_only
                && self.limits.semantic != SemanticMode::Off
                && self.cache.has_partition(key)
        });
        let scope = Scope {
            shape,
            partition: !keys.is_empty(),
            sketch: self.models.sketch(goal.text()),
            goal: &goal,
            keys,
        };
        self.find_in(&scope, options, terms, finding).await;
        if finding.hit.is_none() && request.format != Format::Text {
            finding.explain_shape();
        }
        finding.sketch = scope.sketch;
        finding.goal = Some(goal);
    }

    async fn find_in(
        &self,
        scope: &Scope<'_>,
        options: &Options,
        terms: &Terms<'_>,
        finding: &mut Finding,
    ) {
        let prepared = self.phrasings.load();
        let library = prepared.as_ref().map_or_else(
            || self.library.load_full(),
            |(library, _)| Arc::clone(library),
        );
        // Words are cheap and vectors are not: a goal that no template explains is not embedded for one. To
        // explain a decision, every candidate is wanted.
        let phrasings = scope
            .shape
            .filter(|_| options.thorough || library.fits(scope.goal))
            .and_then(|shape| Some((shape, &prepared.as_ref()?.1)));
        if !scope.partition && phrasings.is_none() {
            finding.reason =
                Some("no template fits, and nothing is stored for requests of this kind".into());
            return;
        }
        let masked = phrasings.as_ref().map(|_| library.mask(scope.goal));
        if self.is_certain_miss(scope, phrasings.as_ref().and(masked.as_deref())) {
            finding.reason = Some("unlike anything stored".into());
            return;
        }
        let Some((raw_vector, masked_vector)) =
            self.embed(scope, masked.as_deref(), options, finding).await
        else {
            return;
        };
        if let (Some((shape, vectors)), Some(vector)) = (&phrasings, &masked_vector) {
            let threshold = terms.threshold_or(self.limits.template_min_similarity);
            let outcome = library.answer(scope.goal, shape, vector, vectors, threshold);
            self.take_template(outcome, scope.goal, terms, finding);
        }
        for key in &scope.keys {
            let Some(vector) = raw_vector.as_ref().filter(|_| finding.hit.is_none()) else {
                break;
            };
            let mut outcome = decision::semantic(
                &self.cache,
                &*self.verifier,
                scope.goal,
                key,
                vector,
                terms,
                self.limits.bar,
            );
            self.judge(&mut outcome, scope.goal, options).await;
            self.take_semantic(outcome, terms, finding);
            self.weigh(scope.goal.text(), options, finding);
        }
        finding.vector = raw_vector;
        if finding.hit.is_none() && finding.reason.is_none() {
            finding.reason = Some("nothing similar enough is stored".into());
        }
    }

    fn deadline(&self, options: &Options) -> Duration {
        if options.patient {
            models::PATIENCE
        } else {
            self.limits.deadline
        }
    }

    /// Why a goal cannot be compared by meaning, if so.
    fn exact_only_reason(&self, goal: &Goal) -> Option<&'static str> {
        if goal.hides_text() {
            return Some("the goal holds invisible characters");
        }
        if goal.time_bound() {
            return Some("the goal is bound to the present moment");
        }
        if !self.models.knows(goal.language()) {
            return Some("the goal is in a language the embedding model does not know");
        }
        if self.models.exceeds_limit(goal.text()) {
            return Some(TOO_LONG);
        }
        None
    }

    /// The shape a template would have to take, if a template may answer this request at all.
    fn template_shape(&self, request: &Request) -> Option<&Shape> {
        if !self.limits.templates || !request.earlier.is_empty() {
            return None;
        }
        let shape = match &request.framed {
            Some(framed) => self.shapes.get(&framed.shape),
            None if request.system.is_empty() => self.shapes.get(shape::MARKDOWN),
            None => None,
        };
        shape.filter(|shape| {
            request.format != Format::JsonObject || shape.content() == Content::Json
        })
    }

    fn is_certain_miss(&self, scope: &Scope<'_>, masked: Option<&str>) -> bool {
        let Some(sketch) = &scope.sketch else {
            return false;
        };
        let below = |similarity: Option<f32>| {
            similarity.is_some_and(|found| found < self.limits.prefilter_similarity)
        };
        let mut partitions = scope.keys.iter();
        let entries = partitions.all(|key| below(self.cache.best_sketch(key, sketch)));
        entries
            && match masked {
                None => true,
                Some(masked) => below(
                    self.models
                        .sketch(masked)
                        .and_then(|sketch| self.phrasings.best_sketch(&sketch)),
                ),
            }
    }

    /// One call to the embedder for both texts; a failure is noted and the lookup ends.
    async fn embed(
        &self,
        scope: &Scope<'_>,
        masked: Option<&str>,
        options: &Options,
        finding: &mut Finding,
    ) -> Option<(Option<Vec<f32>>, Option<Vec<f32>>)> {
        let raw = scope.goal.text();
        let mut texts = Vec::with_capacity(2);
        if scope.partition {
            texts.push(raw.to_owned());
        }
        if let Some(masked) = masked.filter(|masked| !scope.partition || *masked != raw) {
            texts.push(masked.to_owned());
        }
        let deadline = self.deadline(options);
        let started = Instant::now();
        let num_texts = texts.len();
        match self.models.embed(texts, deadline).await {
            Ok(mut vectors) => {
                self.metrics
                    .embed_duration
                    .observe(started.elapsed().as_secs_f64());
                self.metrics.embedded_texts.inc_by(num_texts as u64);
                let last = vectors.pop();
                Some(match (scope.partition, masked) {
                    (true, None) => (last, None),
                    (true, Some(_)) if num_texts == 1 => (last.clone(), last),
                    (true, Some(_)) => (vectors.pop(), last),
                    (false, _) => (None, last),
                })
            }
            Err(error) => {
                tracing::debug!(error = %crate::error::chain(&error), "lookup without embedding");
                self.metrics
                    .lookup_failures
                    .with_label_values(&["embedder"])
                    .inc();
                finding.reason = Some("the goal could not be embedded in time".into());
                None
            }
        }
    }

    fn terms<'a>(&self, request: &'a Request, options: &Options) -> Terms<'a> {
        Terms {
            min_similarity: options
                .threshold
                .map_or(self.limits.min_similarity, |asked| {
                    asked.max(self.limits.min_similarity)
                }),
            asked_similarity: options.threshold,
            max_age_ms: options.max_age_ms,
            max_tokens: request.max_tokens,
            stop: &request.stop,
            now_ms: now_ms(),
        }
    }

    /// Counts a hit for its entry.
    pub fn record(&self, hit: &Hit, saved_usd: Option<f64>) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "millionths of a dollar, rounded"
        )]
        let saved_micro_usd = (saved_usd.unwrap_or(0.0) * 1e6).round().max(0.0) as u64;
        match hit {
            Hit::Entry {
                entry,
                tier,
                now_ms,
            } => {
                let tier = match tier {
                    Tier::Exact => counters::Tier::Exact,
                    Tier::Semantic => counters::Tier::Semantic,
                    Tier::Coalesced => counters::Tier::Coalesced,
                    Tier::Stale => counters::Tier::Stale,
                };
                self.cache
                    .record_hit(Some(entry.id), tier, saved_micro_usd, *now_ms);
            }
            Hit::Template { .. } => {
                self.cache
                    .record_hit(None, counters::Tier::Template, saved_micro_usd, now_ms());
            }
        }
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
