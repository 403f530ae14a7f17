//! Asking an upstream: untouched where it speaks the caller's protocol, translated where it does not.

use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;

use super::admit::{Learn, Tee};
use super::relay::{self, Change, End};
use super::report::Report;
use super::{Exchange, refuse};
use crate::policy::{Choice, Need};
use crate::protocol::Protocol;
use crate::protocol::chat::ChatRequest;
use crate::protocol::codec::UpstreamRequest;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::rename::ReplyRenamer;
use crate::protocol::reply::Framing;
use crate::protocol::route::normal_path;
use crate::protocol::translate::{StreamTranslator, translate_reply};
use crate::upstream::send::{Call, Failure, send};
use crate::upstream::{Upstream, headers};

/// Errors and whole answers that are translated are read into memory up to this size, in bytes.
const MAX_TRANSLATED: usize = 16 * 1024 * 1024;

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
    report.upstream = Some(upstream.name.clone());
    let head = untouched_head(exchange, session.req_header(), upstream, body.len())?;
    let asked = Instant::now();
    match ask(exchange, upstream, &head, &body).await {
        Ok(call) => {
            carry(
                exchange,
                session,
                call,
                upstream,
                report,
                asked.elapsed(),
                None,
                None,
            )
            .await
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
        let asked = Instant::now();
        match ask(exchange, upstream, &head, &request.body).await {
            Ok(call) => {
                let learn = learn.filter(|_| upstream.admit);
                let waited = asked.elapsed();
                return if upstream.protocol() == exchange.protocol {
                    let renamed = (choice.model != chat.model).then_some(chat.model.as_str());
                    carry(
                        exchange, session, call, upstream, report, waited, learn, renamed,
                    )
                    .await
                } else {
                    carry_translated(
                        exchange, session, call, chat, upstream, report, waited, learn,
                    )
                    .await
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

struct Prepared {
    target: String,
    body: Bytes,
    change: Needed,
}

/// What the answer will need.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Nothing,
    Rename,
    Translate,
}

/// The body for one upstream: the client's own bytes wherever they can stay.
fn prepare(
    exchange: &Exchange<'_>,
    chat: &ChatRequest,
    body: &Bytes,
    choice: &Choice,
    client: &RequestHeader,
) -> Result<Prepared, String> {
    let target = target_of(client);
    if choice.upstream.protocol() != exchange.protocol {
        let codec = choice.upstream.protocol().codec();
        let UpstreamRequest { target, body } = codec
            .encode_request(chat, &choice.model)
            .map_err(|error| format!("no upstream can serve {}", error.feature))?;
        return Ok(Prepared {
            target,
            body: body.into(),
            change: Needed::Translate,
        });
    }
    if choice.model == chat.model {
        return Ok(Prepared {
            target,
            body: body.clone(),
            change: Needed::Nothing,
        });
    }
    if client.headers.contains_key("content-encoding") {
        return Err(format!(
            "model {:?} has another name upstream, and a body with a content-encoding cannot be changed",
            chat.model
        ));
    }
    let UpstreamRequest { target, body } = exchange
        .protocol
        .codec()
        .rename_model(&target, body, &choice.model)
        .ok_or_else(|| "the request names no model".to_owned())?;
    Ok(Prepared {
        target,
        body: body.into(),
        change: Needed::Rename,
    })
}

/// The target as the upstream shall see it: SDKs are given bases with and without a version or a slash, so the
/// path of a call we know is put right.
fn target_of(client: &RequestHeader) -> String {
    let path = normal_path(client.uri.path());
    client.uri.query().map_or_else(
        || path.clone().into_owned(),
        |query| format!("{path}?{query}"),
    )
}

fn untouched_head(
    exchange: &Exchange<'_>,
    client: &RequestHeader,
    upstream: &Upstream,
    body_len: usize,
) -> pingora::Result<Box<RequestHeader>> {
    headers::for_upstream(
        client,
        upstream,
        exchange.protocol,
        &target_of(client),
        body_len,
    )
}

fn request_head(
    exchange: &Exchange<'_>,
    client: &RequestHeader,
    upstream: &Upstream,
    request: &Prepared,
) -> pingora::Result<Box<RequestHeader>> {
    let mut head = headers::for_upstream(
        client,
        upstream,
        exchange.protocol,
        &request.target,
        request.body.len(),
    )?;
    if request.change != Needed::Nothing {
        // Whatever changes the answer reads it: it has to come unpacked.
        head.insert_header("accept-encoding", "identity")?;
    }
    if request.change == Needed::Translate {
        head.insert_header("content-type", "application/json")?;
        for name in [
            "content-encoding",
            "x-goog-api-client",
            "openai-organization",
            "openai-project",
        ] {
            head.remove_header(name);
        }
    }
    Ok(head)
}

async fn ask(
    exchange: &Exchange<'_>,
    upstream: &Upstream,
    head: &RequestHeader,
    body: &Bytes,
) -> Result<Call, Failure> {
    let asked = Instant::now();
    let result = send(&exchange.app.connector, upstream, head, body).await;
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
    result
}

/// Learns from the status whether the upstream knows the caller's credential.
fn note_credential(exchange: &Exchange<'_>, upstream: &Upstream, status: u16) {
    let (Some(credential), true) = (
        &exchange.credential,
        upstream.takes_credential_of(Some(exchange.protocol)),
    ) else {
        return;
    };
    let (accepted, protocol) = (&exchange.app.accepted, exchange.protocol);
    match status {
        200..=299 => accepted.accept(protocol, *credential, Instant::now()),
        401 | 403 => accepted.revoke(protocol, *credential),
        // Gemini says 400 to an unknown key. A caller sent a bad request costs itself one more upstream call.
        400 if exchange.protocol == Protocol::Gemini => accepted.revoke(protocol, *credential),
        _ => {}
    }
}

/// Carries an answer in the caller's protocol: byte for byte, or with `renamed` as the model it shows.
#[expect(
    clippy::too_many_arguments,
    reason = "the pieces of one answer, each used once"
)]
async fn carry(
    exchange: &Exchange<'_>,
    session: &mut Session,
    mut call: Call,
    upstream: &Upstream,
    report: Report,
    waited: Duration,
    learn: Option<Learn>,
    renamed: Option<&str>,
) -> pingora::Result<()> {
    let Some(response) = call.session.response_header() else {
        return failed(exchange, session, &Failure::TimedOut, upstream, &report).await;
    };
    note_credential(exchange, upstream, response.status.as_u16());
    let renamed = renamed
        .filter(|_| response.status == 200 && !response.headers.contains_key("content-encoding"));
    let mut head =
        headers::for_client(response, relay::client_is_http1(session), renamed.is_none())?;
    let tee = Tee::new(
        exchange.app,
        exchange.protocol,
        &upstream.name,
        response,
        learn,
    );
    relay::annotate(exchange, &mut head, &report, waited)?;
    let end = match renamed {
        None => relay::untouched(session, &mut call.session, head, tee).await,
        Some(model) => {
            let change = Change::Rename(Box::new(ReplyRenamer::new(exchange.protocol, model)));
            relay::changed(session, &mut call.session, head, change, tee).await
        }
    };
    close(exchange, session, call, end).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "the pieces of one answer, each used once"
)]
async fn carry_translated(
    exchange: &Exchange<'_>,
    session: &mut Session,
    mut call: Call,
    chat: &ChatRequest,
    upstream: &Upstream,
    report: Report,
    waited: Duration,
    learn: Option<Learn>,
) -> pingora::Result<()> {
    let Some(response) = call.session.response_header().cloned() else {
        return failed(exchange, session, &Failure::TimedOut, upstream, &report).await;
    };
    let (from, to) = (upstream.protocol(), exchange.protocol);
    let status = response.status.as_u16();
    let streamed = chat.form.framing != Framing::Whole && is_event_stream(&response);
    let success = (200..300).contains(&status);
    if success && streamed {
        let mut head = Box::new(ResponseHeader::build(200, Some(8))?);
        head.insert_header("content-type", to.codec().content_type(chat.form.framing))?;
        headers::frame(&mut head, relay::client_is_http1(session))?;
        relay::annotate(exchange, &mut head, &report, waited)?;
        let translator = StreamTranslator::new(from, to, chat.form, refuse::stamp(&chat.model));
        let change = Change::Translate(Box::new(translator));
        let tee = Tee::new(exchange.app, from, &upstream.name, &response, learn);
        let end = relay::changed(session, &mut call.session, head, change, tee).await;
        return close(exchange, session, call, end).await;
    }
    let Some(body) = relay::whole(session, &mut call.session, MAX_TRANSLATED).await? else {
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
    };
    call.release(&exchange.app.connector).await;
    if !success {
        let mut error = from.codec().decode_error(status, &body);
        if error.retry_after.is_none() {
            error.retry_after = retry_after(&response);
        }
        return refuse::write_error(exchange, session, &error, Some(&report)).await;
    }
    match translate_reply(from, to, &body, &refuse::stamp(&chat.model)) {
        Ok(reply) => {
            let mut tee = Tee::new(exchange.app, from, &upstream.name, &response, learn);
            tee.push(&body).await;
            tee.finish().await;
            let mut head = Box::new(ResponseHeader::build(200, Some(10))?);
            head.insert_header("content-type", to.codec().content_type(chat.form.framing))?;
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
        Err(error) => {
            call.session.shutdown().await;
            Err(error)
        }
    }
}

async fn failed(
    exchange: &Exchange<'_>,
    session: &mut Session,
    failure: &Failure,
    upstream: &Upstream,
    report: &Report,
) -> pingora::Result<()> {
    tracing::warn!(upstream = %upstream.name, error = %crate::error::chain(failure), "upstream failed");
    let (kind, what) = match failure {
        Failure::Connect(_) => (ErrorKind::UpstreamFailed, "cannot be reached"),
        Failure::NoResponse(_) => (
            ErrorKind::UpstreamFailed,
            "closed the connection without an answer",
        ),
        Failure::TimedOut => (
            ErrorKind::Timeout,
            "did not answer in time (upstreams.read_timeout)",
        ),
    };
    let message = format!("upstream {:?} {what}", upstream.name);
    refuse::write(exchange, session, kind, &message, Some(report)).await
}

async fn no_upstream(
    exchange: &Exchange<'_>,
    session: &mut Session,
    report: &Report,
) -> pingora::Result<()> {
    let message = "no stored answer fits this goal and no upstream is configured; set GEMINI_API_KEY or add an \
                   [[upstreams]] section to tollfree.toml";
    let error = ApiError {
        should_retry: Some(false),
        ..ApiError::new(ErrorKind::NoUpstream, message)
    };
    refuse::write_error(exchange, session, &error, Some(report)).await
}

async fn none_eligible(
    exchange: &Exchange<'_>,
    session: &mut Session,
    chat: &ChatRequest,
    plan: &crate::policy::Plan,
    report: &Report,
) -> pingora::Result<()> {
    use crate::policy::Ineligible;
    let reasons: Vec<String> = plan
        .ruled_out
        .iter()
        .map(|(name, reason)| format!("{name}: {}", reason.as_str()))
        .collect();
    let (kind, lead) = if plan
        .ruled_out
        .iter()
        .all(|(_, reason)| *reason == Ineligible::Model)
    {
        (
            ErrorKind::ModelNotFound,
            format!("no upstream serves model {:?}", chat.model),
        )
    } else if plan
        .ruled_out
        .iter()
        .any(|(_, reason)| matches!(reason, Ineligible::Feature(_)))
    {
        (
            ErrorKind::Unsupported,
            "no upstream can serve this request".to_owned(),
        )
    } else {
        (
            ErrorKind::NoUpstream,
            "no upstream may serve this request".to_owned(),
        )
    };
    let message = format!(
        "{lead} ({}); see [[upstreams]] in tollfree.toml",
        reasons.join("; ")
    );
    refuse::write(exchange, session, kind, &message, Some(report)).await
}
