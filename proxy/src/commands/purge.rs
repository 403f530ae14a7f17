//! `tollfree cache purge`: takes out the entries that its selectors name, or says which it would.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollfree_cache::entry::{Entry, EntryId};

use crate::app::App;
use crate::lookup::{models, now_ms};

/// What to purge: the entries that every selector given agrees on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Purge {
    /// One entry.
    pub entry: Option<String>,
    /// All of a namespace.
    pub namespace: Option<String>,
    /// Always refused: templates store nothing.
    pub template: Option<String>,
    /// Entries whose goal is similar to this text.
    pub similar_to: Option<String>,
    /// How similar, as a cosine in [-1, 1]; required beside `similar_to`.
    pub min_similarity: Option<f32>,
    /// Entries admitted longer ago than this: a number and `ms`, `s`, `m`, `h` or `d`.
    pub older_than: Option<String>,
    /// Every entry; only without another selector.
    pub all: bool,
    /// Only says what would go.
    pub dry_run: bool,
}

/// Why nothing is purged.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No selector at all.
    #[error(
        "nothing selects entries; give --entry, --namespace, --similar-to with --min-similarity, --older-than, or --all"
    )]
    NoSelector,
    /// `all` beside a selector.
    #[error("--all selects everything; leave it out, or leave out the other selectors")]
    AllAndMore,
    /// Templates hold no entries.
    #[error(
        "the answers of template {0:?} are rendered for each request and never stored, so that there is nothing to \
         purge; to change what it answers, put a file with the same id into templates.dir, or turn templates off"
    )]
    Template(String),
    /// A text without a similarity, or the other way round.
    #[error(
        "--similar-to and --min-similarity belong together; give both, for example --min-similarity 0.9"
    )]
    HalfSimilar,
    /// A similarity that is no cosine.
    #[error("min_similarity {0} is outside -1 to 1")]
    Similarity(f32),
    /// An entry id that is none.
    #[error(
        "entry {0:?} is no entry id; give the 16 digits of x-tollfree-entry or of `cache export`"
    )]
    Entry(String),
    /// A duration that cannot be read.
    #[error("older_than: {0}")]
    Age(tollfree_config::error::Error),
    /// The text cannot be embedded.
    #[error("similar_to cannot be embedded")]
    Embedding(#[source] tollfree_embedder::Error),
}

/// A purge that is well formed.
struct Selection<'a> {
    entry: Option<EntryId>,
    namespace: Option<&'a str>,
    older_than_ms: Option<u64>,
    similar: Option<(&'a str, f32)>,
}

impl Purge {
    fn check(&self) -> Result<Selection<'_>, Refused> {
        if let Some(template) = &self.template {
            return Err(Refused::Template(template.clone()));
        }
        let selects = self.entry.is_some()
            || self.namespace.is_some()
            || self.similar_to.is_some()
            || self.min_similarity.is_some()
            || self.older_than.is_some();
        match (self.all, selects) {
            (false, false) => return Err(Refused::NoSelector),
            (true, true) => return Err(Refused::AllAndMore),
            _ => {}
        }
        let similar = match (self.similar_to.as_deref(), self.min_similarity) {
            (None, None) => None,
            (Some(text), Some(least)) if (-1.0..=1.0).contains(&least) => Some((text, least)),
            (Some(_), Some(least)) => return Err(Refused::Similarity(least)),
            _ => return Err(Refused::HalfSimilar),
        };
        Ok(Selection {
            entry: self
                .entry
                .as_ref()
                .map(|id| id.parse().map_err(|_| Refused::Entry(id.clone())))
                .transpose()?,
            namespace: self.namespace.as_deref(),
            older_than_ms: self
                .older_than
                .as_ref()
                .map(|text| text.parse::<tollfree_config::types::Duration>())
                .transpose()
                .map_err(Refused::Age)?
                .map(tollfree_config::types::Duration::as_millis),
            similar,
        })
    }
}

impl Selection<'_> {
    fn wants(&self, entry: &Entry, now_ms: u64) -> bool {
        self.entry.is_none_or(|id| entry.id == id)
            && self
                .namespace
                .is_none_or(|namespace| entry.namespace.as_str() == namespace)
            && self
                .older_than_ms
                .is_none_or(|age_ms| now_ms.saturating_sub(entry.created_at_ms) > age_ms)
    }
}

/// Purges, or with `dry_run` only looks: `{dry_run, count, entries}`, the ids in order.
///
/// What is purged is gone for every request that comes later, and durably so when this returns.
///
/// # Errors
/// See [`Refused`]; then nothing was purged.
pub async fn purge(app: &App, purge: &Purge) -> Result<Value, Refused> {
    let selection = purge.check()?;
    let cache = app.lookup.cache();
    let now_ms = now_ms();
    let near: Option<HashMap<EntryId, f32>> = match selection.similar {
        None => None,
        Some((text, least)) => {
            let mut vectors = app
                .lookup
                .models()
                .embed(vec![text.to_owned()], models::PATIENCE)
                .await
                .map_err(Refused::Embedding)?;
            let vector = vectors.pop().unwrap_or_default();
            let similar = cache.similar(&vector, least).into_iter();
            Some(
                similar
                    .map(|(entry, similarity)| (entry.id, similarity))
                    .collect(),
            )
        }
    };
    let mut condemned: Vec<EntryId> = cache
        .entries()
        .iter()
        .filter(|entry| {
            selection.wants(entry, now_ms)
                && near
                    .as_ref()
                    .is_none_or(|near| near.contains_key(&entry.id))
        })
        .map(|entry| entry.id)
        .collect();
    condemned.sort_unstable();
    if !purge.dry_run {
        // One that was evicted meanwhile was not purged by this call.
        condemned.retain(|id| cache.remove(*id));
        super::make_durable(app).await;
    }
    let entries: Vec<String> = condemned.iter().map(ToString::to_string).collect();
    Ok(json!({ "dry_run": purge.dry_run, "count": entries.len(), "entries": entries }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(purge: Purge) -> String {
        purge
            .check()
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_purge_without_a_sound_selector_is_refused_with_the_remedy() {
        assert!(refused(Purge::default()).contains("--all"));
        let both = Purge {
            all: true,
            namespace: Some("a".into()),
            ..Purge::default()
        };
        assert!(refused(both).contains("leave"));
        let half = Purge {
            similar_to: Some("a".into()),
            ..Purge::default()
        };
        assert!(refused(half).contains("--min-similarity"));
        let lone = Purge {
            min_similarity: Some(0.9),
            ..Purge::default()
        };
        assert!(refused(lone).contains("--similar-to"));
        let far = Purge {
            similar_to: Some("a".into()),
            min_similarity: Some(f32::NAN),
            ..Purge::default()
        };
        assert!(refused(far).contains("outside"));
        let id = Purge {
            entry: Some("xyz".into()),
            ..Purge::default()
        };
        assert!(refused(id).contains("16 digits"));
        let age = Purge {
            older_than: Some("7 days".into()),
            ..Purge::default()
        };
        assert!(refused(age).contains("7 days"));
        let template = Purge {
            template: Some("learn-language".into()),
            ..Purge::default()
        };
        assert!(refused(template).contains("never stored"));
    }
}
