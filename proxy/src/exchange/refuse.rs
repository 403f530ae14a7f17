//! Errors the proxy itself makes, in the caller's own protocol.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::report::Report;
use super::{Exchange, annotate};
use crate::protocol::Protocol;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::reply::{Framing, Stamp};
use crate::protocol::route::Operation;

/// Answers with an error that says what was wrong and what to do.
///
/// # Errors
/// When the client has gone.
pub async fn write(
    exchange: &Exchange<'_>,
    session: &mut Session,
    kind: ErrorKind,
    message: &str,
    report: Option<&Report>,
) -> pingora::Result<()> {
    write_error(exchange, session, &ApiError::new(kind, message), report).await
}

/// Answers with an error that is already worded, an upstream's translated one for example.
///
/// # Errors
/// When the client has gone.
pub async fn write_error(
    exchange: &Exchange<'_>,
    session: &mut Session,
    error: &ApiError,
    report: Option<&Report>,
) -> pingora::Result<()> {
    // Clients of the array form parse errors as its only element; SSE clients expect a plain body.
    let framing = match exchange.operation {
        Operation::StreamGenerate { sse: false, .. } => Framing::Array,
        _ => Framing::Whole,
    };
    let (mut head, body) = encode(exchange.protocol, error, framing)?;
    if let Some(report) = report {
        let overhead = exchange.started.elapsed().saturating_sub(report.waited);
        annotate::annotate(exchange, &mut head, report, overhead, report.waited)?;
    }
    let downstream = session.as_downstream_mut();
    downstream.write_response_header(head).await?;
    downstream.write_response_body(body, true).await
}

/// Answers with an error a request whose body was not read.
///
/// # Errors
/// When the client has gone.
pub async fn write_unread(
    session: &mut Session,
    protocol: Protocol,
    error: &ApiError,
) -> pingora::Result<()> {
    let (head, body) = encode(protocol, error, Framing::Whole)?;
    let waits_for_continue = session.req_header().headers.contains_key("expect");
    let downstream = session.as_downstream_mut();
    if waits_for_continue {
        // It sends nothing before it is told to, and now it never is.
        downstream.set_keepalive(None);
    } else {
        downstream.drain_request_body().await.ok();
    }
    downstream.write_response_header(head).await?;
    downstream.write_response_body(body, true).await
}

/// The error of a proxy without any upstream; `what` says why one is needed.
pub fn no_upstream(what: &str) -> ApiError {
    let message = format!(
        "{what} no upstream is configured; set GEMINI_API_KEY or add an [[upstreams]] section to tollfree.toml"
    );
    ApiError::new(ErrorKind::NoUpstream, message)
}

/// The error of a caller nobody has vouched for, where the upstream would be called with its operator's key.
pub fn unknown_caller() -> ApiError {
    ApiError::new(
        ErrorKind::InvalidApiKey,
        "auth is passthrough, and no upstream has accepted this credential yet",
    )
}

fn encode(
    protocol: Protocol,
    error: &ApiError,
    framing: Framing,
) -> pingora::Result<(Box<ResponseHeader>, Bytes)> {
    let codec = protocol.codec();
    let body = Bytes::from(codec.encode_error(error, framing));
    let mut head = Box::new(ResponseHeader::build(codec.error_status(error), Some(10))?);
    head.insert_header("content-type", codec.content_type(Framing::Whole))?;
    head.insert_header("content-length", body.len().to_string())?;
    if let Some(after) = error.retry_after {
        head.insert_header("retry-after", after.as_secs().max(1).to_string())?;
    }
    if let Some(should_retry) = error.should_retry {
        head.insert_header(
            "x-should-retry",
            if should_retry { "true" } else { "false" },
        )?;
    }
    Ok((head, body))
}

/// Mints what every reply carries anew: an id, the time, and the model name the client asked for.
pub fn stamp(model: &str) -> Stamp {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Stamp {
        id: crate::ids::fresh(),
        created: now.as_secs(),
        model: model.to_owned(),
    }
}
