//! Following: a request that waits for an equal one's answer instead of asking the upstream a second time.
//!
//! What a follower gets is what the upstream said to the leader, never what became of the leader's client. Nothing
//! is written to it before that is an answer: the admitted entry, or the first text of a stream. From then on its own
//! stream ends as the upstream's does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use prometheus::IntGauge;
use tollfree_cache::request::Request;

use super::flight::feed::{Heard, Reader};
use super::flight::{Boarded, Follower, Permit, Turn};
use super::report::Report;
use super::{Exchange, hit, refuse, relay};
use crate::decisions::Looked;
use crate::lookup::{CacheStatus, Finding, Hit, Tier, now_ms};
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::reply::{Framing, StreamEvent};
use crate::protocol::stream::StreamEncoder;
use crate::upstream::headers;

/// What became of a request that tried to share a call.
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It asks the upstream; with a permit others wait for it.
    Ask(Option<Permit>),
}

/// A request that nothing stored answers.
pub struct Missed<'a> {
    /// The request as it came.
    pub chat: &'a ChatRequest,
    /// Its canonical form.
    pub request: &'a Request,
    /// What its lookup found.
    pub finding: &'a Finding,
    /// The same for the decision log.
    pub looked: Option<Arc<Looked>>,
}

/// Takes the lead for the request's key, or waits for the one that has it, for `cache.coalesce_wait` at most.
///
/// # Errors
/// When the client has gone.
pub async fn coalesce(
    exchange: &Exchange<'_>,
    session: &mut Session,
    missed: &Missed<'_>,
) -> pingora::Result<Outcome> {
    let Missed {
        chat,
        request,
        finding,
        looked,
    } = missed;
    let began = Instant::now();
    let key = exchange.app.lookup.flight_key(request, &finding.exact);
    let permit = match exchange.app.flights.board(key) {
        Boarded::Leader(permit) => permit,
        Boarded::Follower(follower) => match wait(exchange, session, chat, follower).await? {
            Turn::Lead(permit) => permit,
            Turn::Alone => return Ok(Outcome::Ask(None)),
            Turn::Landed(entry) => {
                let hit = Hit::Entry {
                    entry,
                    tier: Tier::Coalesced,
                    now_ms: now_ms(),
                };
                let waited = began.elapsed();
                hit::write(
                    exchange,
                    session,
                    chat,
                    finding,
                    &hit,
                    looked.clone(),
                    waited,
                )
                .await?;
                return Ok(Outcome::Answered);
            }
            Turn::Streaming(reader, events) => {
                let reading = Reading {
                    reader,
                    begun: events,
                    waited: began.elapsed(),
                };
                stream(exchange, session, missed, reading).await?;
                return Ok(Outcome::Answered);
            }
        },
    };
    // The answer may have been admitted between our lookup and our boarding.
    let options = exchange.lookup_options(chat);
    let Some(hit) = exchange.app.lookup.exact_again(request, &options) else {
        return Ok(Outcome::Ask(Some(permit)));
    };
    if let Hit::Entry { entry, .. } = &hit {
        permit.land(entry.clone());
    }
    let waited = began.elapsed();
    hit::write(
        exchange,
        session,
        chat,
        finding,
        &hit,
        looked.clone(),
        waited,
    )
    .await?;
    Ok(Outcome::Answered)
}

async fn wait(
    exchange: &Exchange<'_>,
    session: &mut Session,
    chat: &ChatRequest,
    mut follower: Follower,
) -> pingora::Result<Turn> {
    let _counted = Counted::new(&exchange.app.metrics.followers);
    let limit = exchange.app.config.cache().coalesce_wait().get();
    let streamed = chat.form.framing != Framing::Whole;
    tokio::select! {
        biased;
        turn = tokio::time::timeout(limit, follower.turn(streamed)) => Ok(turn.unwrap_or(Turn::Alone)),
        gone = relay::left(session) => Err(gone),
    }
}

/// One more on a gauge, for as long as it lives.
struct Counted<'a>(&'a IntGauge);

impl<'a> Counted<'a> {
    fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A leader's stream that has begun.
struct Reading {
    reader: Reader,
    begun: Vec<StreamEvent>,
    waited: Duration,
}

/// Writes the leader's stream as it comes, in this caller's protocol and form.
async fn stream(
    exchange: &Exchange<'_>,
    session: &mut Session,
    missed: &Missed<'_>,
    reading: Reading,
) -> pingora::Result<()> {
    let Missed { chat, request, .. } = missed;
    let Reading {
        mut reader,
        begun,
        waited,
    } = reading;
    let report = Report {
        looked: missed.looked.clone(),
        ..Report::new(CacheStatus::Coalesced)
    };
    let label = report.status.as_str();
    let metrics = &exchange.app.metrics;
    metrics.lookups.with_label_values(&[label]).inc();
    let mut head = Box::new(ResponseHeader::build(200, Some(8))?);
    let codec = exchange.protocol.codec();
    head.insert_header("content-type", codec.content_type(chat.form.framing))?;
    headers::frame(&mut head, relay::chunked(session))?;
    relay::annotate(exchange, &mut head, &report, waited)?;
    let downstream = session.as_downstream_mut();
    downstream.write_response_header(head).await?;
    let stamp = refuse::stamp(&chat.model);
    let mut encoder = StreamEncoder::new(exchange.protocol, chat.form, stamp);
    let mut heard = Heard::Events(begun);
    let mut out = Vec::new();
    loop {
        let over = !matches!(heard, Heard::Events(_));
        match heard {
            Heard::Events(events) => {
                for event in events {
                    encoder.push(event, &mut out);
                }
            }
            Heard::Over => {
                encoder.finish(&mut out);
                note_saving(exchange, chat, request);
            }
            Heard::Lagged => {
                let message = "this client read more slowly than cache.max_answer_bytes allows";
                encoder.fail(&ApiError::new(ErrorKind::Timeout, message), &mut out);
            }
        }
        // The end of an answer waits until the leader's call is over: a client that has it finds it stored.
        if over || !(out.is_empty() || encoder.is_closed()) {
            let body = Bytes::from(std::mem::take(&mut out));
            let downstream = session.as_downstream_mut();
            downstream.write_response_body(body, over).await?;
        }
        if over {
            return Ok(());
        }
        heard = tokio::select! {
            biased;
            heard = reader.next() => heard,
            gone = relay::left(session) => return Err(gone),
        };
    }
}

/// Counts what a streamed answer saved, once it is known what it took.
fn note_saving(exchange: &Exchange<'_>, chat: &ChatRequest, request: &Request) {
    let options = exchange.lookup_options(chat);
    if let Some(Hit::Entry { entry, now_ms, .. }) =
        exchange.app.lookup.exact_again(request, &options)
    {
        let hit = Hit::Entry {
            entry,
            tier: Tier::Coalesced,
            now_ms,
        };
        let saved_usd = exchange.app.price_of(&hit, chat);
        if let Some(saved) = saved_usd {
            let tier = hit.status().as_str();
            let metrics = &exchange.app.metrics;
            metrics.saved.with_label_values(&[tier]).inc_by(saved);
        }
        exchange.app.lookup.record(&hit, saved_usd);
    }
}
