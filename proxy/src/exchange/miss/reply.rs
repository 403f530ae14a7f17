//! An upstream's answer on its way to the client: as it is, renamed or translated.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::failure::failed;
use crate::app::App;
use crate::exchange::admit::{Learn, Tee};
use crate::exchange::relay::{self, Change, End};
use crate::exchange::report::Report;
use crate::exchange::{Exchange, detach, refuse};
use crate::identity::Credential;
use crate::protocol::Protocol;
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::ErrorKind;
use crate::protocol::rename::ReplyRenamer;
use crate::protocol::reply::Framing;
use crate::protocol::translate::{StreamTranslator, translate_reply};
use crate::upstream::send::{Call, Failure};
use crate::upstream::{Upstream, headers};

/// Errors and whole answers that are translated are read into memory up to this size, in bytes.
const MAX_TRANSLATED: usize = 16 * 1024 * 1024;

/// An upstream that has begun to answer.
pub(super) struct Answering<'a> {
    pub(super) upstream: &'a Arc<Upstream>,
    pub(super) call: Call,
    pub(super) report: Report,
    /// Time spent waiting for it so far.
    pub(super) waited: Duration,
    pub(super) learn: Option<Learn>,
}

/// Carries an answer in the caller's protocol: byte for byte, or with `renamed` as the model it shows.
pub(super) async fn carry(
    exchange: &Exchange<'_>,
    session: &mut Session,
    answering: Answering<'_>,
    renamed: Option<&str>,
) -> pingora::Result<()> {
    let Answering {
        upstream,
        mut call,
        report,
        waited,
        learn,
    } = answering;
    let Some(response) = call.session.response_header() else {
        return failed(exchange, session, &Failure::TimedOut, upstream, &report).await;
    };
    note_credential(
        exchange.app,
        exchange.protocol,
        exchange.credential,
        upstream,
        response.status.as_u16(),
    );
    let renamed = renamed
        .filter(|_| response.status == 200 && !response.headers.contains_key("content-encoding"));
    let mut head = headers::for_client(response, relay::chunked(session), renamed.is_none())?;
    let mut tee = Tee::new(
        exchange.app,
        exchange.protocol,
        &upstream.name,
        response,
        learn,
    );
    relay::annotate(exchange, &mut head, &report, waited)?;
    let end = match renamed {
        None => relay::untouched(session, &mut call.session, head, &mut tee).await,
        Some(model) => {
            let change = Change::Rename(Box::new(ReplyRenamer::new(exchange.protocol, model)));
            relay::changed(session, &mut call.session, head, change, &mut tee).await
        }
    };
    close(exchange, session, call, tee, end).await
}

/// Carries an answer over from the upstream's protocol into the caller's.
pub(super) async fn carry_translated(
    exchange: &Exchange<'_>,
    session: &mut Session,
    answering: Answering<'_>,
    chat: &ChatRequest,
) -> pingora::Result<()> {
    let Some(response) = answering.call.session.response_header().cloned() else {
        let Answering {
            upstream, report, ..
        } = answering;
        return failed(exchange, session, &Failure::TimedOut, upstream, &report).await;
    };
    let success = (200..300).contains(&response.status.as_u16());
    if success && chat.form.framing != Framing::Whole && is_event_stream(&response) {
        translate_stream(exchange, session, answering, chat, &response).await
    } else {
        translate_whole(exchange, session, answering, chat, &response, success).await
    }
}

async fn translate_stream(
    exchange: &Exchange<'_>,
    session: &mut Session,
    answering: Answering<'_>,
    chat: &ChatRequest,
    response: &ResponseHeader,
) -> pingora::Result<()> {
    let Answering {
        upstream,
        mut call,
        report,
        waited,
        learn,
    } = answering;
    let (from, to) = (upstream.protocol(), exchange.protocol);
    let mut head = Box::new(ResponseHeader::build(200, Some(8))?);
    head.insert_header("content-type", to.codec().content_type(chat.form.framing))?;
    headers::frame(&mut head, relay::chunked(session))?;
    relay::annotate(exchange, &mut head, &report, waited)?;
    let translator = StreamTranslator::new(from, to, chat.form, refuse::stamp(&chat.model));
    let change = Change::Translate(Box::new(translator));
    let mut tee = Tee::new(exchange.app, from, &upstream.name, response, learn);
    let end = relay::changed(session, &mut call.session, head, change, &mut tee).await;
    close(exchange, session, call, tee, end).await
}

async fn translate_whole(
    exchange: &Exchange<'_>,
    session: &mut Session,
    answering: Answering<'_>,
    chat: &ChatRequest,
    response: &ResponseHeader,
    success: bool,
) -> pingora::Result<()> {
    let Answering {
        upstream,
        mut call,
        report,
        waited,
        learn,
    } = answering;
    let (from, to) = (upstream.protocol(), exchange.protocol);
    let mut body = Vec::new();
    let read = relay::whole(session, &mut call.session, &mut body, MAX_TRANSLATED).await;
    let complete = match read {
        Ok(complete) => complete,
        Err(gone) => {
            let mut tee = Tee::new(exchange.app, from, &upstream.name, response, learn);
            tee.push(&body).await;
            abandon(exchange, call, tee).await;
            return Err(gone);
        }
    };
    if !complete {
        drop(learn);
        call.session.shutdown().await;
        let message = format!("upstream {:?} broke off its answer", upstream.name);
        return refuse::write(
            exchange,
            session,
            ErrorKind::UpstreamFailed,
            &message,
            Some(&report),
        )
        .await;
    }
    call.release(&exchange.app.connector).await;
    if !success {
        drop(learn);
        let mut error = from.codec().decode_error(response.status.as_u16(), &body);
        if error.retry_after.is_none() {
            error.retry_after = retry_after(response);
        }
        return refuse::write_error(exchange, session, &error, Some(&report)).await;
    }
    match translate_reply(from, to, &body, &refuse::stamp(&chat.model)) {
        Ok(reply) => {
            let mut tee = Tee::new(exchange.app, from, &upstream.name, response, learn);
            tee.push(&body).await;
            tee.finish().await;
            let mut head = Box::new(ResponseHeader::build(200, Some(10))?);
            head.insert_header("content-type", to.codec().content_type(Framing::Whole))?;
            head.insert_header("content-length", reply.len().to_string())?;
            relay::annotate(exchange, &mut head, &report, waited)?;
            let downstream = session.as_downstream_mut();
            downstream.write_response_header(head).await?;
            downstream.write_response_body(reply.into(), true).await
        }
        Err(error) => {
            tracing::warn!(upstream = %upstream.name, %error, "cannot read the upstream's answer");
            let message = format!(
                "upstream {:?} sent an answer that is not of its protocol",
                upstream.name
            );
            refuse::write(
                exchange,
                session,
                ErrorKind::UpstreamFailed,
                &message,
                Some(&report),
            )
            .await
        }
    }
}

/// Learns from the status whether the upstream knows the caller's credential.
pub(in crate::exchange) fn note_credential(
    app: &App,
    protocol: Protocol,
    credential: Option<Credential>,
    upstream: &Upstream,
    status: u16,
) {
    let (Some(credential), true) = (credential, upstream.takes_credential_of(Some(protocol)))
    else {
        return;
    };
    let accepted = &app.accepted;
    match status {
        200..=299 => accepted.accept(protocol, credential, Instant::now()),
        401 | 403 => accepted.revoke(protocol, credential),
        // Gemini says 400 to an unknown key. A caller sent a bad request costs itself one more upstream call.
        400 if protocol == Protocol::Gemini => accepted.revoke(protocol, credential),
        _ => {}
    }
}

/// The seconds an upstream asks to wait; a date is left to the client's own back-off.
fn retry_after(head: &ResponseHeader) -> Option<Duration> {
    let seconds = head
        .headers
        .get("retry-after")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

fn is_event_stream(head: &ResponseHeader) -> bool {
    head.headers.get("content-type").is_some_and(|value| {
        value
            .as_bytes()
            .to_ascii_lowercase()
            .starts_with(b"text/event-stream")
    })
}

/// Gives the upstream connection back after a complete answer and drops it otherwise; what broke off half-way
/// must not look complete to the client, so its connection is closed.
async fn close(
    exchange: &Exchange<'_>,
    session: &mut Session,
    mut call: Call,
    tee: Tee,
    end: pingora::Result<End>,
) -> pingora::Result<()> {
    match end {
        Ok(End::Complete) => {
            call.release(&exchange.app.connector).await;
            Ok(())
        }
        Ok(End::Broken) => {
            call.session.shutdown().await;
            session.as_downstream_mut().shutdown().await;
            Err(pingora::Error::explain(
                pingora::ErrorType::ConnectionClosed,
                "upstream broke off its answer",
            ))
        }
        Err(gone) => {
            abandon(exchange, call, tee).await;
            Err(gone)
        }
    }
}

/// The client has gone: the call goes on if others wait for its answer, and is cancelled otherwise.
async fn abandon(exchange: &Exchange<'_>, mut call: Call, tee: Tee) {
    if tee.is_awaited() {
        detach::carry_on(exchange.app, call, tee);
    } else {
        call.session.shutdown().await;
    }
}
