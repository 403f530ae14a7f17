//! Errors the proxy itself makes, in the caller's own protocol.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::report::Report;
use super::{Exchange, annotate};
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
    let codec = exchange.protocol.codec();
    // Clients of the array form parse errors as its only element; SSE clients expect a plain body.
    let framing = match exchange.operation {
        Operation::StreamGenerate { sse: false, .. } => Framing::Array,
        _ => Framing::Whole,
    };
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
    if let Some(report) = report {
        let overhead = exchange.started.elapsed();
        annotate::annotate(exchange, &mut head, report, overhead, Duration::ZERO)?;
    }
    let downstream = session.as_downstream_mut();
    downstream.write_response_header(head).await?;
    downstream.write_response_body(body, true).await
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
