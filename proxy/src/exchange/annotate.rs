//! Telling a decision: to the client in headers, to the operator in the decision log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora::http::ResponseHeader;
use tollfree_cache::request::Request;

use super::Exchange;
use super::report::Report;
use crate::decisions::{Decision, Looked, Routed};
use crate::lookup::{Finding, now_ms};
use crate::policy::Plan;

/// The header that names a request in the decision log. Not `x-request-id`, which is the upstream's.
const REQUEST_ID: &str = "x-tollfree-request-id";

/// Adds the report to a response header and keeps the decision, unless nothing may be added: with the cache off
/// there is no decision to tell.
///
/// # Errors
/// Never: every value is printable ASCII.
pub fn annotate(
    exchange: &Exchange<'_>,
    head: &mut ResponseHeader,
    report: &Report,
    overhead: Duration,
    waited: Duration,
) -> pingora::Result<()> {
    if !exchange.may_annotate() {
        return Ok(());
    }
    report.write(head, overhead)?;
    let decisions = &exchange.app.decisions;
    if decisions.is_on() {
        head.insert_header(REQUEST_ID, exchange.id.to_string())?;
        decisions.push(Decision {
            id: exchange.id,
            alias: exchange.alias.clone(),
            at_ms: now_ms(),
            protocol: exchange.protocol,
            status: report.status,
            reason: report.reason.clone(),
            entry: report.entry.clone(),
            similarity: report.similarity,
            saved_usd: report.saved_usd,
            upstream: report.upstream.clone(),
            looked: report.looked.clone(),
            routed: report.routed.clone(),
            overhead,
            waited,
        });
    }
    Ok(())
}

impl Exchange<'_> {
    /// What a lookup that began at `asked` saw, for the decision log.
    pub(super) fn looked(
        &self,
        request: &Request,
        finding: &mut Finding,
        asked: Instant,
    ) -> Option<Arc<Looked>> {
        self.app.decisions.is_on().then(|| {
            let with_goals = self.app.config.log().goals();
            let threshold = self.controls.threshold;
            Arc::new(Looked::new(
                request,
                finding,
                threshold,
                asked.elapsed(),
                with_goals,
            ))
        })
    }

    /// Why the `index`th choice of a plan is asked, for the decision log.
    pub(super) fn routed(&self, plan: &Plan, index: usize) -> Option<Arc<Routed>> {
        let configured = self.app.policy.upstreams().len();
        let is_told = self.may_annotate() && self.app.decisions.is_on();
        is_told.then(|| Arc::new(Routed::new(plan, index, configured)))
    }
}
