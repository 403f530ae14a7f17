//! `tollfree cache release`: the operator's word for answers in quarantine, which shares them with all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollfree_cache::cache::Vote;
use tollfree_cache::contributor::Contributor;
use tollfree_cache::entry::EntryId;

use crate::app::App;

/// Which entries to release.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Their ids.
    pub entries: Vec<String>,
}

/// An entry id that is none; then nothing was released.
#[derive(Debug, thiserror::Error)]
#[error("entry {0:?} is no entry id; give the 16 digits of x-tollfree-entry or of `cache export`")]
pub struct NoId(String);

/// Releases entries: one `{entry, outcome}` for each, in order, with outcome `shared` or `not_in_quarantine`.
///
/// What is released is found by all that share its namespace when this returns, and durably so.
///
/// # Errors
/// See [`NoId`].
pub async fn release(app: &App, release: &Release) -> Result<Value, NoId> {
    let ids: Vec<EntryId> = release
        .entries
        .iter()
        .map(|id| id.parse().map_err(|_| NoId(id.clone())))
        .collect::<Result<_, _>>()?;
    let lookup = app.lookup.clone();
    // Vectors are read back from the disk.
    let voting = tokio::task::spawn_blocking(move || {
        let vote = |id: EntryId| {
            let outcome = match lookup.cache().vote(id, Contributor::OPERATOR) {
                Vote::Shared => "shared",
                Vote::NotWaiting | Vote::NotIndependent => "not_in_quarantine",
            };
            json!({ "entry": id.to_string(), "outcome": outcome })
        };
        ids.into_iter().map(vote).collect::<Vec<Value>>()
    });
    let outcomes = voting.await.unwrap_or_else(|error| {
        tracing::error!(%error, "release was broken off");
        Vec::new()
    });
    super::make_durable(app).await;
    Ok(outcomes.into())
}
