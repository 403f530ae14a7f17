//! Every metric the proxy exports, named once, here.
//!
//! Names follow `tollfree_<noun>_<unit>`; labels come from closed sets or the configuration, never from
//! requests.

use prometheus::{
    CounterVec, Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Seconds, from an exact hit (tens of microseconds) to a cold upstream (minutes).
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Cosine similarity, finer where thresholds lie.
const SIMILARITIES: &[f64] = &[
    0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0,
];

/// The proxy's metrics and the registry that holds them.
pub struct Metrics {
    registry: Registry,
    /// Decisions by value of `x-tollfree-cache`.
    pub lookups: IntCounterVec,
    /// `lookups` of exact hits, found once: it is the path on which finding a label shows.
    pub exact_lookups: IntCounter,
    /// `lookup_duration` of exact hits, likewise.
    pub exact_duration: Histogram,
    /// Time to a decision, by the tier that made it.
    pub lookup_duration: HistogramVec,
    /// Similarity of the best candidate, whatever became of it.
    pub best_similarity: Histogram,
    /// Candidates refused by the verifier, by reason.
    pub refusals: IntCounterVec,
    /// Requests that were not looked up at all, by reason.
    pub bypasses: IntCounterVec,
    /// Answers that were not admitted, by reason.
    pub unadmitted: IntCounterVec,
    /// Answers refused for personal data or secrets, by kind.
    pub pii: IntCounterVec,
    /// Answers admitted.
    pub admissions: IntCounter,
    /// Lookups that ended as a miss because a part failed, by part.
    pub lookup_failures: IntCounterVec,
    /// Requests that wait for an equal one's answer.
    pub followers: IntGauge,
    /// Refreshes of stale entries, by what became of them.
    pub refreshes: IntCounterVec,
    /// Entries held.
    pub entries: IntGauge,
    /// Bytes of entries held in memory.
    pub bytes: IntGauge,
    /// Entries evicted so far, by reason.
    pub evictions: IntCounterVec,
    /// Failed writes of the store so far.
    pub store_errors: IntCounter,
    /// Texts embedded.
    pub embedded_texts: IntCounter,
    /// Time of one embedder call, queueing included.
    pub embed_duration: Histogram,
    /// Time of one verification by the same-answer model, queueing included.
    pub verify_duration: Histogram,
    /// Semantic hits under a bound or in shadow mode, by what became of them.
    pub bound_decisions: IntCounterVec,
    /// Labels of entries, by outcome.
    pub bound_labels: IntCounterVec,
    /// Embedder jobs waiting.
    pub embed_queue: IntGauge,
    /// Request time less upstream time.
    pub overhead: Histogram,
    /// Time to the upstream's response header, by upstream.
    pub upstream_duration: HistogramVec,
    /// Learned frames by state.
    pub frames: IntGaugeVec,
    /// Requests that the frame learner had no room for.
    pub frame_samples_dropped: IntCounter,
    /// Upstream calls by upstream and status class.
    pub upstream_requests: IntCounterVec,
    /// US dollars not spent thanks to hits, by tier.
    pub saved: CounterVec,
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// When two metrics share a name, which a test rules out.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let build = IntGaugeVec::new(
            Opts::new(
                "tollfree_build_info",
                "Version of the running binary; always 1.",
            ),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        let r = &registry;
        let lookups = counters(
            r,
            "tollfree_cache_lookups_total",
            "Decisions by outcome.",
            "result",
        )?;
        let lookup_duration = histograms(
            r,
            "tollfree_cache_lookup_duration_seconds",
            "Time from decoded request to decision, by the tier that decided.",
            "tier",
        )?;
        Ok(Self {
            exact_lookups: lookups.with_label_values(&["exact"]),
            exact_duration: lookup_duration.with_label_values(&["exact"]),
            lookups,
            lookup_duration,
            best_similarity: histogram(
                r,
                "tollfree_cache_best_similarity",
                "Cosine similarity of the best candidate.",
                SIMILARITIES,
            )?,
            refusals: counters(
                r,
                "tollfree_cache_refusals_total",
                "Candidates refused by the verifier, by reason.",
                "reason",
            )?,
            bypasses: counters(
                r,
                "tollfree_cache_bypasses_total",
                "Requests that were not looked up, by reason.",
                "reason",
            )?,
            unadmitted: counters(
                r,
                "tollfree_cache_unadmitted_total",
                "Upstream answers that were not stored, by reason.",
                "reason",
            )?,
            pii: counters(
                r,
                "tollfree_cache_pii_total",
                "Answers not stored for personal data or secrets in them or in their goal, by kind.",
                "kind",
            )?,
            admissions: counter(
                r,
                "tollfree_cache_admissions_total",
                "Upstream answers stored.",
            )?,
            lookup_failures: counters(
                r,
                "tollfree_cache_lookup_failures_total",
                "Lookups that became a miss because a part failed, by part.",
                "part",
            )?,
            followers: gauge(
                r,
                "tollfree_cache_followers",
                "Requests that wait for an equal one's answer.",
            )?,
            refreshes: counters(
                r,
                "tollfree_cache_refreshes_total",
                "Refreshes of stale entries: started, joined to one under way, or left for lack of room (full).",
                "result",
            )?,
            entries: gauge(r, "tollfree_cache_entries", "Entries held.")?,
            bytes: gauge(
                r,
                "tollfree_cache_bytes",
                "Bytes of entries held in memory.",
            )?,
            evictions: counters(
                r,
                "tollfree_cache_evictions_total",
                "Entries evicted, by reason.",
                "reason",
            )?,
            store_errors: counter(
                r,
                "tollfree_cache_store_errors_total",
                "Failed writes of the store.",
            )?,
            embedded_texts: counter(r, "tollfree_embedder_texts_total", "Texts embedded.")?,
            embed_duration: histogram(
                r,
                "tollfree_embedder_duration_seconds",
                "Time of one embedder call, queueing included.",
                SECONDS,
            )?,
            verify_duration: histogram(
                r,
                "tollfree_verifier_duration_seconds",
                "Time of one verification by the same-answer model, queueing included.",
                SECONDS,
            )?,
            bound_decisions: counters(
                r,
                "tollfree_bound_decisions_total",
                "Semantic hits by what became of them: serve, explore, audit (could have been served) or shadow.",
                "decision",
            )?,
            bound_labels: counters(
                r,
                "tollfree_bound_labels_total",
                "Stored answers compared with an upstream's (right, wrong, unlabelled) and feedback (feedback_right, feedback_wrong).",
                "label",
            )?,
            embed_queue: gauge(r, "tollfree_embedder_queue_jobs", "Embedder jobs waiting.")?,
            overhead: histogram(
                r,
                "tollfree_proxy_overhead_seconds",
                "Request time less the time spent waiting for an upstream.",
                SECONDS,
            )?,
            upstream_duration: histograms(
                r,
                "tollfree_upstream_header_duration_seconds",
                "Time from choosing an upstream to its response header.",
                "upstream",
            )?,
            frames: {
                let frames = IntGaugeVec::new(
                    Opts::new("tollfree_frames", "Learned frames, by state."),
                    &["state"],
                )?;
                registry.register(Box::new(frames.clone()))?;
                frames
            },
            frame_samples_dropped: counter(
                r,
                "tollfree_frame_samples_dropped_total",
                "Requests that the frame learner had no room for.",
            )?,
            upstream_requests: {
                let requests = IntCounterVec::new(
                    Opts::new(
                        "tollfree_upstream_requests_total",
                        "Upstream calls by upstream and status class.",
                    ),
                    &["upstream", "status"],
                )?;
                registry.register(Box::new(requests.clone()))?;
                requests
            },
            saved: {
                let saved = CounterVec::new(
                    Opts::new(
                        "tollfree_saved_usd_total",
                        "US dollars not spent thanks to hits, by tier.",
                    ),
                    &["tier"],
                )?;
                registry.register(Box::new(saved.clone()))?;
                saved
            },
            registry,
        })
    }

    /// Brings a counter up to a total that is counted elsewhere.
    pub fn raise(counter: &IntCounter, total: u64) {
        counter.inc_by(total.saturating_sub(counter.get()));
    }

    /// Renders all metrics in the Prometheus text format.
    ///
    /// # Errors
    /// When a metric cannot be encoded.
    pub fn render(&self) -> prometheus::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(8192);
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }
}

/// The label of an upstream's status; `None` for one that is no final answer.
pub fn status_class(status: u16) -> Option<&'static str> {
    match status / 100 {
        2 => Some("2xx"),
        3 => Some("3xx"),
        4 => Some("4xx"),
        5 => Some("5xx"),
        _ => None,
    }
}

fn counter(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntCounter> {
    let metric = IntCounter::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
) -> prometheus::Result<IntCounterVec> {
    let metric = IntCounterVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let metric = IntGauge::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
) -> prometheus::Result<Histogram> {
    let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
) -> prometheus::Result<HistogramVec> {
    let metric = HistogramVec::new(
        HistogramOpts::new(name, help).buckets(SECONDS.to_vec()),
        &[label],
    )?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn every_metric_registers_and_renders() -> anyhow::Result<()> {
        let metrics = Metrics::new()?;
        metrics.lookups.with_label_values(&["exact"]).inc();
        let text = String::from_utf8(metrics.render()?)?;
        assert!(
            text.contains("tollfree_cache_lookups_total{result=\"exact\"} 1"),
            "{text}"
        );
        assert!(text.contains("tollfree_build_info"), "{text}");
        Ok(())
    }
}
