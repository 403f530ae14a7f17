//! The way of one decoded request: read, look up, answer from the cache or ask an upstream and learn.
//!
//! Requests that need none of this (undecoded paths, or a switched-off cache in front of a single upstream)
//! never come here: Pingora streams them unread.

pub mod admit;
pub mod annotate;
pub mod body;
pub mod detach;
pub mod flight;
pub mod follow;
pub mod hit;
pub mod miss;
pub mod refresh;
pub mod refuse;
pub mod relay;
pub mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::proxy::Session;
use tollfree_cache::counters::Counter;
use tollfree_config::types::Variety;

use crate::app::App;
use crate::controls::Controls;
use crate::identity::{self, Credential};
use crate::ids::Id;
use crate::lookup::{CacheStatus, Finding};
use crate::protocol::Protocol;
use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::ErrorKind;
use crate::protocol::route::Operation;
use report::Report;

/// Everything that stays the same while one request is served.
pub struct Exchange<'a> {
    /// The running proxy.
    pub app: &'a Arc<App>,
    /// The caller's protocol.
    pub protocol: Protocol,
    /// The call it made.
    pub operation: Operation,
    /// The caller's credential, if it sent one.
    pub credential: Option<Credential>,
    /// What it asked of the cache.
    pub controls: Controls,
    /// When the request header was read.
    pub started: Instant,
    /// Its name in the decision log.
    pub id: Id,
    /// The client's own name for it.
    pub alias: Option<Arc<str>>,
}

impl Exchange<'_> {
    /// Serves the request; an error means that the client's connection broke or must be closed.
    ///
    /// # Errors
    /// When the client has gone or the answer broke off half-way.
    pub async fn serve(&self, session: &mut Session) -> pingora::Result<()> {
        let body = match body::read(session, self.app.config.server().max_body_bytes()).await? {
            Ok(body) => body,
            Err(too_large) => {
                return Box::pin(refuse::write(
                    self,
                    session,
                    ErrorKind::TooLarge,
                    &too_large.to_string(),
                    None,
                ))
                .await;
            }
        };
        if !self.app.config.cache().enabled() && self.app.policy.sole(self.protocol).is_some() {
            return Box::pin(miss::forward_undecoded(
                self,
                session,
                body,
                Report::bypass("disabled"),
            ))
            .await;
        }
        let decoded = body::plain(
            session.req_header(),
            &body,
            self.app.config.server().max_body_bytes(),
        )
        .and_then(|plain| {
            self.protocol
                .codec()
                .decode_request(&self.operation, &plain)
                .ok()
        });
        let Some(decoded) = decoded else {
            let report = Report::bypass("undecodable");
            self.count(&report);
            if self.wants_only_stored() {
                return Box::pin(self.refuse_unstored(session, &report)).await;
            }
            return Box::pin(miss::forward_undecoded(self, session, body, report)).await;
        };
        let chat = decoded.request;
        if let Some(reason) = self.bypass_reason(decoded.bypass, &chat) {
            let report = Report::bypass(reason);
            self.count(&report);
            if self.wants_only_stored() {
                return Box::pin(self.refuse_unstored(session, &report)).await;
            }
            return self.ask_upstream(session, &chat, body, report, None).await;
        }
        self.look_up_and_answer(session, &chat, body).await
    }

    async fn look_up_and_answer(
        &self,
        session: &mut Session,
        chat: &ChatRequest,
        body: Bytes,
    ) -> pingora::Result<()> {
        let configured = self
            .app
            .config
            .cache()
            .namespace()
            .map(|name| name.as_str());
        let namespace = identity::namespace(
            configured,
            self.credential.as_ref(),
            self.controls.namespace.as_deref(),
        );
        let namespace = match namespace {
            Ok(namespace) => namespace,
            Err(error) => {
                let message = format!("x-tollfree-namespace: {error}");
                return Box::pin(refuse::write(
                    self,
                    session,
                    ErrorKind::InvalidRequest,
                    &message,
                    None,
                ))
                .await;
            }
        };
        let mut request = chat.canonical(namespace);
        if let Some(credential) = &self.credential {
            request.caller = credential.contributor();
        }
        self.app.frames.apply(&mut request);
        let asked = Instant::now();
        let mut finding = if !self.is_known() {
            Finding::unasked(&request, "credential not yet accepted by an upstream")
        } else if self.controls.no_cache {
            Finding::unasked(&request, "cache-control: no-cache")
        } else {
            self.app
                .lookup
                .find(&request, &self.lookup_options(chat))
                .await
        };
        if self.app.config.log().goals() {
            let decision = finding
                .hit
                .as_ref()
                .map_or("miss", |hit| hit.status().as_str());
            tracing::info!(
                goal = request.goal(),
                decision,
                similarity = finding.similarity,
                "goal decided"
            );
        }
        let looked = self.looked(&request, &mut finding, asked);
        if let Some(hit) = finding.hit.take() {
            if hit.status() == CacheStatus::Stale && !self.wants_only_stored() {
                refresh::start(self, session, chat, &request, &body);
            }
            return hit::write(self, session, chat, &finding, &hit, looked, Duration::ZERO).await;
        }
        if self.is_known() {
            self.app.frames.learn_from(&request);
        }
        let mut report = Report {
            looked,
            ..Report::miss(&finding)
        };
        if self.wants_only_stored() {
            self.count(&report);
            return Box::pin(self.refuse_unstored(session, &report)).await;
        }
        let mut permit = None;
        if self.may_coalesce() {
            let began = Instant::now();
            let missed = follow::Missed {
                chat,
                request: &request,
                finding: &finding,
                looked: report.looked.clone(),
            };
            match Box::pin(follow::coalesce(self, session, &missed)).await? {
                follow::Outcome::Answered => return Ok(()),
                follow::Outcome::Ask(given) => permit = given,
            }
            report.waited = began.elapsed();
        }
        self.count(&report);
        let learn = admit::Learn::new(chat, request, finding).leading(permit);
        self.ask_upstream(session, chat, body, report, Some(learn))
            .await
    }

    async fn ask_upstream(
        &self,
        session: &mut Session,
        chat: &ChatRequest,
        body: Bytes,
        report: Report,
        learn: Option<admit::Learn>,
    ) -> pingora::Result<()> {
        // The futures below hold whole connections: kept off this future, which every hit allocates too.
        Box::pin(miss::forward(self, session, chat, body, report, learn)).await
    }

    /// Counts a request that goes upstream, or would.
    fn count(&self, report: &Report) {
        if !self.app.config.cache().enabled() {
            return;
        }
        let metrics = &self.app.metrics;
        metrics
            .lookups
            .with_label_values(&[report.status.as_str()])
            .inc();
        let bypassed = report.status == CacheStatus::Bypass;
        if let (true, Some(reason)) = (bypassed, &report.reason) {
            metrics.bypasses.with_label_values(&[reason]).inc();
        }
        let counter = if bypassed {
            Counter::Bypasses
        } else {
            Counter::Misses
        };
        self.app.lookup.cache().count(counter, 1);
    }

    /// Whether the request may wait for an equal one: not if its caller might be refused, or if it wants an answer
    /// made for itself.
    fn may_coalesce(&self) -> bool {
        self.app.config.cache().coalesce()
            && self.is_known()
            && !self.controls.no_cache
            && self.controls.max_age != Some(0)
    }

    /// Whether the caller wants a stored answer or none.
    fn wants_only_stored(&self) -> bool {
        self.controls.only_if_cached && self.app.config.cache().enabled()
    }

    async fn refuse_unstored(&self, session: &mut Session, report: &Report) -> pingora::Result<()> {
        let message = "no stored answer fits and the request allows no upstream call (cache-control: only-if-cached)";
        refuse::write(self, session, ErrorKind::NotCached, message, Some(report)).await
    }

    fn bypass_reason(
        &self,
        decoded: Option<BypassReason>,
        chat: &ChatRequest,
    ) -> Option<&'static str> {
        if !self.app.config.cache().enabled() {
            return Some("disabled");
        }
        if self.controls.no_store {
            return Some(BypassReason::NoStore.as_str());
        }
        if chat.asks_for_variety() && self.app.config.cache().variety() == Variety::Bypass {
            return Some(BypassReason::Variety.as_str());
        }
        decoded.map(BypassReason::as_str)
    }

    pub(in crate::exchange) fn lookup_options(&self, chat: &ChatRequest) -> crate::lookup::Options {
        let exact_only = !chat.opaque_fields.is_empty()
            || (chat.asks_for_variety() && self.app.config.cache().variety() == Variety::Exact);
        crate::lookup::Options {
            threshold: self.controls.threshold,
            max_age_ms: self
                .controls
                .max_age
                .map(|seconds| seconds.saturating_mul(1000)),
            exact_only,
            live: Some(self.id),
            only_stored: self.controls.only_if_cached,
            ..crate::lookup::Options::default()
        }
    }

    /// Whether the cache may answer this caller, and the operator's keys be spent on it.
    pub fn is_known(&self) -> bool {
        self.app.knows(self.protocol, self.credential.as_ref())
    }

    /// Whether response headers of ours may be added.
    pub fn may_annotate(&self) -> bool {
        self.app.config.cache().enabled()
    }
}
