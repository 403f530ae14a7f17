//! Asking an upstream: untouched where it speaks the caller's protocol, translated where it does not.

mod failure;
mod reply;
mod request;

use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use super::admit::Learn;
use super::report::Report;
use super::{Exchange, refuse, relay};
use crate::policy::Need;
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::ErrorKind;
use crate::upstream::Upstream;
use crate::upstream::send::{Call, Failure, send};
use failure::{failed, no_upstream, none_eligible, unknown_caller};
use reply::{Answering, carry, carry_translated};
use request::{prepare, request_head, untouched_head};

/// Forwards a request that was read but not understood, byte for byte, to the upstream for undecoded paths.
///
/// # Errors
/// When the client has gone.
pub async fn forward_undecoded(
    exchange: &Exchange<'_>,
    session: &mut Session,
    body: Bytes,
    mut report: Report,
) -> pingora::Result<()> {
    let Some(upstream) = exchange.app.policy.for_passthrough(Some(exchange.protocol)) else {
        return no_upstream(exchange, session, &report).await;
    };
    if upstream.has_own_key() && !exchange.is_known() {
        return unknown_caller(exchange, session, &report).await;
    }
    report.upstream = Some(upstream.name.clone());
    let head = untouched_head(exchange, session.req_header(), upstream, body.len())?;
    match ask(exchange, session, upstream, &head, &body).await? {
        Ok((call, waited)) => {
            let answering = Answering {
                upstream,
                call,
                report,
                waited,
                learn: None,
            };
            carry(exchange, session, answering, None).await
        }
        Err(failure) => failed(exchange, session, &failure, upstream, &report).await,
    }
}

/// Forwards a decoded request to the best upstream that can be reached.
///
/// # Errors
/// When the client has gone.
pub async fn forward(
    exchange: &Exchange<'_>,
    session: &mut Session,
    chat: &ChatRequest,
    body: Bytes,
    mut report: Report,
    learn: Option<Learn>,
) -> pingora::Result<()> {
    let app = exchange.app;
    let need = Need {
        protocol: exchange.protocol,
        model: &chat.model,
        known_caller: exchange.is_known(),
        untranslatable: chat.untranslatable,
    };
    let plan = app.policy.plan(&need, true);
    let Some(last) = plan.choices.len().checked_sub(1) else {
        return if app.policy.upstreams().is_empty() {
            no_upstream(exchange, session, &report).await
        } else {
            none_eligible(exchange, session, chat, &plan, &report).await
        };
    };
    for (index, choice) in plan.choices.iter().enumerate() {
        let upstream = &choice.upstream;
        report.upstream = Some(upstream.name.clone());
        report.routed = exchange.routed(&plan, index);
        let request = match prepare(exchange, chat, &body, choice, session.req_header()) {
            Ok(request) => request,
            Err(_) if index < last => continue,
            Err(message) => {
                return refuse::write(
                    exchange,
                    session,
                    ErrorKind::Unsupported,
                    &message,
                    Some(&report),
                )
                .await;
            }
        };
        let head = request_head(exchange, session.req_header(), upstream, &request)?;
        match ask(exchange, session, upstream, &head, &request.body).await? {
            Ok((call, waited)) => {
                let learn = learn.filter(|_| upstream.admit);
                let answering = Answering {
                    upstream,
                    call,
                    report,
                    waited,
                    learn,
                };
                return if upstream.protocol() == exchange.protocol {
                    let renamed = (choice.model != chat.model).then_some(chat.model.as_str());
                    carry(exchange, session, answering, renamed).await
                } else {
                    carry_translated(exchange, session, answering, chat).await
                };
            }
            // Nothing was sent yet: the next upstream may be asked without a doubt.
            Err(Failure::Connect(error)) if index < last => {
                tracing::warn!(upstream = %upstream.name, %error, "cannot connect, trying the next upstream");
            }
            Err(failure) => return failed(exchange, session, &failure, upstream, &report).await,
        }
    }
    Ok(())
}

/// Sends a request and waits for the response header and, as long as it takes, for the client's leaving: a call
/// that nobody waits for any more is cancelled.
///
/// The outer error means that the client has gone.
async fn ask(
    exchange: &Exchange<'_>,
    session: &mut Session,
    upstream: &Upstream,
    head: &RequestHeader,
    body: &Bytes,
) -> pingora::Result<Result<(Call, Duration), Failure>> {
    let asked = Instant::now();
    let result = tokio::select! {
        biased;
        result = send(&exchange.app.connector, upstream, head, body) => result,
        gone = relay::left(session) => return Err(gone),
    };
    let status = match &result {
        Ok(call) => match call
            .session
            .response_header()
            .map_or(0, |head| head.status.as_u16())
            / 100
        {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        },
        Err(_) => "failed",
    };
    let metrics = &exchange.app.metrics;
    metrics
        .upstream_requests
        .with_label_values(&[&upstream.name, status])
        .inc();
    metrics
        .upstream_duration
        .with_label_values(&[&upstream.name])
        .observe(asked.elapsed().as_secs_f64());
    let waited = asked.elapsed();
    Ok(result.map(|call| (call, waited)))
}
