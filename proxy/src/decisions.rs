//! The latest decisions, kept in memory so that each can be explained by the id its client was told.
//!
//! Whoever asks is an operator, and goals are private text of users: unless `log.goals` says otherwise, a decision
//! holds a goal's digest and length, and of stored goals that were compared with it only their entries.

mod ring;

use std::sync::Arc;
use std::time::Duration;

use pingora::http::RequestHeader;
use tollfree_cache::decision::{Considered, Proposer};
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::Request;

use crate::ids::Id;
use crate::lookup::{CacheStatus, Finding};
use crate::policy::Plan;
use crate::protocol::Protocol;
pub use ring::Decisions;

/// Longest name of a client's own that is kept for a request, in bytes.
const MAX_ALIAS_BYTES: usize = 128;

/// One decision, small enough to be pushed on the way of an exact hit.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What `x-tollfree-request-id` told the client.
    pub id: Id,
    /// The client's own `x-request-id`, if it sent one.
    pub alias: Option<Arc<str>>,
    /// When the answer began, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The protocol of the client.
    pub protocol: Protocol,
    /// What `x-tollfree-cache` told.
    pub status: CacheStatus,
    /// What `x-tollfree-reason` told.
    pub reason: Option<String>,
    /// What `x-tollfree-entry` told.
    pub entry: Option<String>,
    /// What `x-tollfree-similarity` told.
    pub similarity: Option<f32>,
    /// What `x-tollfree-saved-usd` told.
    pub saved_usd: Option<f64>,
    /// What `x-tollfree-upstream` told.
    pub upstream: Option<String>,
    /// What the lookup saw, if there was one.
    pub looked: Option<Arc<Looked>>,
    /// Why that upstream, if one was asked.
    pub routed: Option<Arc<Routed>>,
    /// Time of the proxy itself.
    pub overhead: Duration,
    /// Time until the upstream began to answer.
    pub waited: Duration,
}

/// What a lookup saw.
#[derive(Debug)]
pub struct Looked {
    /// The isolation boundary.
    pub namespace: Namespace,
    /// The model asked for.
    pub model: String,
    /// The frame around the goal and the shape it wants, if it was in one.
    pub frame: Option<(String, String)>,
    /// The goal, only where `log.goals` allows it.
    pub goal: Option<String>,
    /// BLAKE3 of the goal.
    pub goal_digest: [u8; 32],
    /// Length of the goal in bytes.
    pub goal_bytes: usize,
    /// The language of the goal, where the lookup got that far.
    pub language: Option<Language>,
    /// Digest of the whole request.
    pub exact: ExactKey,
    /// Digest of all but the goal, where the lookup got that far.
    pub compatibility: Option<CompatibilityKey>,
    /// Least similarity that the client asked for.
    pub asked_similarity: Option<f32>,
    /// The candidates in the order they were looked at.
    pub considered: Vec<Considered>,
    /// How long it took.
    pub took: Duration,
}

impl Looked {
    /// Keeps what a lookup saw; the candidates are taken out of the finding, which needs them no more.
    pub fn new(
        request: &Request,
        finding: &mut Finding,
        asked_similarity: Option<f32>,
        took: Duration,
        with_goals: bool,
    ) -> Self {
        let mut considered = std::mem::take(&mut finding.considered);
        if !with_goals {
            for candidate in &mut considered {
                // A template's phrasing is public, a stored goal and the word at fault are not.
                if candidate.proposer == Proposer::Semantic {
                    candidate.text.clear();
                }
                candidate.detail = None;
            }
        }
        let goal = request.goal();
        Self {
            namespace: request.namespace.clone(),
            model: request.model.clone(),
            frame: request
                .framed
                .as_ref()
                .map(|framed| (framed.frame.clone(), framed.shape.clone())),
            goal: with_goals.then(|| goal.to_owned()),
            goal_digest: *blake3::hash(goal.as_bytes()).as_bytes(),
            goal_bytes: goal.len(),
            language: finding.goal.as_ref().map(|goal| goal.language().clone()),
            exact: finding.exact,
            compatibility: finding.compatibility,
            asked_similarity,
            considered,
            took,
        }
    }
}

/// Why an upstream was asked.
#[derive(Debug)]
pub struct Routed {
    /// The upstream's own name of the model, where the request was decoded.
    pub model: Option<String>,
    /// Why it was chosen, in words.
    pub reason: String,
    /// The others, each with what ruled it out.
    pub ruled_out: Vec<(String, &'static str)>,
}

impl Routed {
    /// The outcome of the policy for the `index`th choice of a plan; `configured` is the number of all upstreams.
    pub fn new(plan: &Plan, index: usize, configured: usize) -> Self {
        let before = index
            .checked_sub(1)
            .and_then(|before| plan.choices.get(before));
        Self {
            model: plan.choices.get(index).map(|choice| choice.model.clone()),
            reason: match before {
                Some(before) => format!("{} could not be reached", before.upstream.name),
                None => plan.why(configured),
            },
            ruled_out: plan
                .ruled_out
                .iter()
                .map(|(name, reason)| (name.clone(), reason.as_str()))
                .collect(),
        }
    }
}

/// The client's own name for a request; one that is too long to be a name counts as none.
pub fn alias(head: &RequestHeader) -> Option<Arc<str>> {
    let text = head.headers.get("x-request-id")?.to_str().ok()?;
    (!text.is_empty() && text.len() <= MAX_ALIAS_BYTES).then(|| text.into())
}
