//! Answering from the cache, in the caller's protocol and form.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::report::Report;
use super::{Exchange, annotate};
use crate::decisions::Looked;
use crate::lookup::{CacheStatus, Finding, Hit};
use crate::protocol::chat::ChatRequest;
use crate::protocol::stream::encode_answer;

/// Writes a stored or rendered answer.
///
/// # Errors
/// When the client has gone.
pub async fn write(
    exchange: &Exchange<'_>,
    session: &mut Session,
    chat: &ChatRequest,
    finding: &Finding,
    hit: &Hit,
    looked: Option<Arc<Looked>>,
) -> pingora::Result<()> {
    let app = exchange.app;
    let answer = hit.answer();
    let codec = exchange.protocol.codec();
    let stamp = super::refuse::stamp(&chat.model);
    let body = Bytes::from(encode_answer(exchange.protocol, answer, chat.form, stamp));

    let saved_usd = app.price_of(hit, chat);
    let tier = hit.status().as_str();
    match hit.status() {
        CacheStatus::Exact => app.metrics.exact_lookups.inc(),
        _ => app.metrics.lookups.with_label_values(&[tier]).inc(),
    }
    if let Some(saved) = saved_usd {
        app.metrics.saved.with_label_values(&[tier]).inc_by(saved);
    }
    app.lookup.record(hit, saved_usd);

    // Names are sent in lower case as they stand: keeping their case would cost a second map.
    let mut head = Box::new(ResponseHeader::build_no_case(200, Some(16))?);
    head.insert_header("content-type", codec.content_type(chat.form.framing))?;
    head.insert_header("content-length", body.len().to_string())?;
    let report = Report {
        status: hit.status(),
        similarity: finding.similarity,
        entry: Some(hit.id()),
        age: Some(hit.age_seconds()),
        upstream: hit.upstream().map(str::to_owned),
        saved_usd,
        reason: None,
        looked,
        routed: None,
    };
    let overhead = exchange.started.elapsed();
    app.metrics.overhead.observe(overhead.as_secs_f64());
    annotate::annotate(exchange, &mut head, &report, overhead, Duration::ZERO)?;
    let downstream = session.as_downstream_mut();
    downstream.write_response_header(head).await?;
    downstream.write_response_body(body, true).await
}
