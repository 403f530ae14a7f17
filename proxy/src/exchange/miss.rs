//! Asking an upstream: untouched where it speaks the caller's protocol, translated where it does not.

mod failure;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod sending;

use std::sync::Arc;

use bytes::Bytes;
use pingora::proxy::Session;

use super::admit::Learn;
use super::report::Report;
use super::{Exchange, detach, refuse};
use crate::policy::Need;
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::ErrorKind;
use crate::upstream::send::Failure;
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
    let head = untouched_head(
        exchange.protocol,
        session.req_header(),
        upstream,
        body.len(),
    )?;
    let sending = sending::begin(exchange.app, upstream, head, body);
    let sent = match sending::watched(session, sending).await {
        Ok(sent) => sent,
        // A call that nobody waits for any more is cancelled.
        Err((gone, _)) => return Err(gone),
    };
    match sent {
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
    mut learn: Option<Learn>,
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
        let request = match prepare(exchange.protocol, chat, &body, choice, session.req_header()) {
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
        let head = request_head(exchange.protocol, session.req_header(), upstream, &request)?;
        if let Some(learn) = learn.as_mut().filter(|_| !upstream.admit) {
            learn.dissolve();
        }
        let sending = sending::begin(exchange.app, upstream, head, request.body);
        let sent = match sending::watched(session, sending).await {
            Ok(sent) => sent,
            Err((gone, sending)) => {
                if let Some(learn) = learn.filter(Learn::is_awaited) {
                    let asked = detach::Asked {
                        upstream: Arc::clone(upstream),
                        protocol: exchange.protocol,
                        credential: exchange.credential,
                        sending,
                        learn,
                    };
                    detach::wait_on(exchange.app, asked);
                }
                return Err(gone);
            }
        };
        match sent {
            Ok((call, waited)) => {
                let answering = Answering {
                    upstream,
                    call,
                    report,
                    waited,
                    learn: learn.filter(|_| upstream.admit),
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
            Err(failure) => {
                // A follower shall not wait until this client has read its error.
                drop(learn);
                return failed(exchange, session, &failure, upstream, &report).await;
            }
        }
    }
    Ok(())
}
