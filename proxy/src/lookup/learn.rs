//! Keeping an upstream's answer for the next time it is asked for, in the same words or in others.

use std::sync::Arc;
use std::time::Duration;

use tollfree_cache::entry::{Answer, NewEntry};
use tollfree_cache::error::Error;
use tollfree_cache::goal::Goal;
use tollfree_cache::request::{Format, Request};

use super::{Finding, Lookup, MAX_GOAL_BYTES, models, now_ms};

/// A vector that is being made.
pub type Pending = tokio::task::JoinHandle<Option<Vec<f32>>>;

impl Lookup {
    /// Starts to embed the goal of a request that goes upstream, if its answer may be found by meaning and its
    /// lookup did not embed it.
    pub fn embed_beside(&self, request: &Request, finding: &mut Finding) -> Option<Pending> {
        if finding.vector.is_some() || !may_have_vector(request) {
            return None;
        }
        // Kept: the entry is made from it too.
        let goal = finding
            .goal
            .get_or_insert_with(|| Goal::analyse(request.goal()));
        if self.exact_only_reason(goal).is_some() {
            return None;
        }
        let (models, metrics, text) = (
            Arc::clone(&self.models),
            Arc::clone(&self.metrics),
            goal.text().to_owned(),
        );
        Some(tokio::spawn(async move {
            match models.embed(vec![text], models::PATIENCE).await {
                Ok(mut vectors) => {
                    metrics.embedded_texts.inc();
                    vectors.pop()
                }
                Err(error) => {
                    tracing::debug!(error = %crate::error::chain(&error), "entry stays without vector");
                    metrics
                        .lookup_failures
                        .with_label_values(&["embedder"])
                        .inc();
                    None
                }
            }
        }))
    }

    /// Keeps an answer; a vector that comes late is added when it is there.
    pub fn admit(
        &self,
        request: Request,
        mut finding: Finding,
        answer: Answer,
        upstream: &str,
        by_meaning: bool,
        late: Option<Pending>,
    ) {
        if let Some(explored) = finding.explored.take() {
            self.compare_beside(explored, finding.request_id, &answer);
        }
        let of_frame = request.framed.as_ref().and_then(|framed| framed.ttl);
        let (mut entry, _) = self.entry(request, finding, answer, upstream, by_meaning);
        let now_ms = now_ms();
        let kept = self.keep(entry.clone(), now_ms);
        let Some(late) = late.filter(|_| kept) else {
            return;
        };
        let this = self.clone();
        tokio::spawn(async move {
            if let Ok(Some(values)) = late.await {
                entry.ttl = this.ttl(of_frame, || this.category_of_vector(&values));
                entry.vector = this.models.vector(values);
                this.keep(entry, now_ms);
            }
        });
    }

    /// Keeps an answer and returns once it can be found by meaning.
    ///
    /// # Errors
    /// When its goal cannot be embedded.
    pub async fn admit_now(
        &self,
        request: Request,
        answer: Answer,
        upstream: &str,
    ) -> tollfree_embedder::Result<()> {
        let finding = Finding::unasked(&request, "");
        let of_frame = request.framed.as_ref().and_then(|framed| framed.ttl);
        let (mut entry, semantic) = self.entry(request, finding, answer, upstream, true);
        if semantic {
            entry = self.with_vector(entry, of_frame).await?;
        }
        self.keep(entry, now_ms());
        Ok(())
    }

    /// The entry to keep, and whether it may be found by meaning.
    fn entry(
        &self,
        request: Request,
        finding: Finding,
        mut answer: Answer,
        upstream: &str,
        by_meaning: bool,
    ) -> (NewEntry, bool) {
        let long = request.goal().len() > MAX_GOAL_BYTES;
        let goal = finding
            .goal
            .unwrap_or_else(|| Goal::analyse(if long { "" } else { request.goal() }));
        let semantic =
            by_meaning && may_have_vector(&request) && self.exact_only_reason(&goal).is_none();
        let compatibility = finding
            .compatibility
            .unwrap_or_else(|| request.compatibility_key(&self.limits.vary, goal.language()));
        let sketch = if semantic {
            finding.sketch.or_else(|| self.models.sketch(goal.text()))
        } else {
            None
        };
        let of_frame = request.framed.and_then(|framed| framed.ttl);
        let ttl = self.ttl(of_frame, || match &finding.vector {
            Some(vector) => self.category_of_vector(vector),
            None => self.category_of_words(&goal),
        });
        let vector = if semantic {
            finding.vector.and_then(|values| self.models.vector(values))
        } else {
            None
        };
        if answer.usage.output_tokens == 0 {
            // A stream need not tell its usage; the token cap of a later request is checked against this.
            answer.usage.output_tokens = self.models.count_tokens(&answer.text);
        }
        let entry = NewEntry {
            namespace: request.namespace,
            exact: finding.exact,
            compatibility,
            goal: if long {
                String::new()
            } else {
                goal.text().to_owned()
            },
            answer,
            upstream: upstream.to_owned(),
            model_requested: request.model,
            language: goal.language().clone(),
            contributor: request.caller,
            quarantine: self.limits.quarantine,
            ttl,
            vector,
            sketch,
        };
        (entry, semantic)
    }

    async fn with_vector(
        &self,
        mut entry: NewEntry,
        of_frame: Option<Duration>,
    ) -> tollfree_embedder::Result<NewEntry> {
        let mut vectors = self
            .models
            .embed(vec![entry.goal.clone()], models::PATIENCE)
            .await?;
        self.metrics.embedded_texts.inc();
        let values = vectors.pop();
        entry.ttl = self.ttl(of_frame, || self.category_of_vector(values.as_deref()?));
        entry.vector = values.and_then(|values| self.models.vector(values));
        Ok(entry)
    }

    /// Says whether the entry was taken in.
    fn keep(&self, entry: NewEntry, now_ms: u64) -> bool {
        let Err(error) = self.cache.admit(entry, now_ms) else {
            return true;
        };
        tracing::debug!(error = %crate::error::chain(&error), "entry not kept");
        let reason = if let Error::Pii { kind } = &error {
            self.metrics.pii.with_label_values(&[kind.as_str()]).inc();
            "pii"
        } else {
            "cache"
        };
        self.metrics.unadmitted.with_label_values(&[reason]).inc();
        false
    }
}

/// Says whether the form of a request lets its answer be found by meaning.
fn may_have_vector(request: &Request) -> bool {
    request.format == Format::Text && request.goal().len() <= MAX_GOAL_BYTES
}
