//! `tollfree cache stats`: what is stored and what it has saved.

use serde_json::{Value, json};

use tollfree_cache::counters::Counter;

use crate::app::App;

/// What labels have taught, and the account of hits served under a bound.
fn bound(app: &App) -> Value {
    let bound = app.lookup.cache().bound();
    let stats = bound.stats();
    json!({
        "max_wrong_hits": bound.max_wrong(),
        "labels_right": stats.right,
        "labels_wrong": stats.wrong,
        "labelled_entries": stats.labelled_entries,
        "blocked_entries": stats.blocked_entries,
        "served": stats.served,
        "expected_wrong": stats.expected_wrong,
        "caution": stats.caution,
        "max_risk": stats.max_risk,
    })
}

/// The figures of the cache as one object.
pub fn stats(app: &App) -> Value {
    let stats = app.lookup.cache().stats();
    let totals: serde_json::Map<String, Value> = Counter::ALL
        .iter()
        .map(|counter| {
            (
                counter.as_str().to_owned(),
                json!(stats.totals.get(counter.as_str())),
            )
        })
        .collect();
    json!({
        "entries": stats.entries,
        "indexed": stats.indexed,
        "quarantined": app.lookup.cache().quarantined(),
        "bytes": stats.bytes,
        "partitions": stats.partitions,
        "graph_partitions": stats.graph_partitions,
        "evictions": {
            "capacity": stats.evictions.capacity,
            "expired": stats.evictions.expired,
            "replaced": stats.evictions.replaced,
            "removed": stats.evictions.removed,
        },
        "totals": totals,
        "bound": bound(app),
        "store": stats.store.as_ref().map(|store| json!({
            "file_bytes": store.file_bytes,
            "errors": store.writer.errors,
            "dropped_writes": store.writer.dropped_writes,
            "last_error": store.writer.last_error,
        })),
    })
}
