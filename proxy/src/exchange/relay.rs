//! Carrying an upstream's answer to the client, untouched or translated, while watching both ends.

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::protocols::http::client::HttpSession;
use pingora::proxy::Session;

use super::Exchange;
use super::admit::Tee;
use crate::protocol::rename::ReplyRenamer;
use crate::protocol::translate::StreamTranslator;

/// How carrying an answer ended.
pub enum End {
    /// The whole answer was read; the connection may be used again.
    Complete,
    /// The upstream broke off.
    Broken,
}

/// The next piece of the upstream's body; the client's leaving is an error.
///
/// # Errors
/// When the client has gone. The upstream's own error is the inner one.
pub async fn next(
    session: &mut Session,
    upstream: &mut HttpSession,
) -> pingora::Result<Result<Option<Bytes>, Box<pingora::Error>>> {
    tokio::select! {
        biased;
        piece = upstream.read_response_body() => Ok(piece),
        gone = left(session) => Err(gone),
    }
}

/// Waits for the client to leave; may be dropped and called again at any time.
pub async fn left(session: &mut Session) -> Box<pingora::Error> {
    match session.as_downstream_mut().read_body_or_idle(true).await {
        Err(error) => error.into_down(),
        Ok(_) => pingora::Error::explain(
            pingora::ErrorType::ConnectionClosed,
            "client closed before the answer was complete",
        )
        .into_down(),
    }
}

/// Carries an answer over byte for byte.
///
/// # Errors
/// When the client has gone.
pub async fn untouched(
    session: &mut Session,
    upstream: &mut HttpSession,
    head: Box<ResponseHeader>,
    mut tee: Tee<'_>,
) -> pingora::Result<End> {
    session
        .as_downstream_mut()
        .write_response_header(head)
        .await?;
    loop {
        match next(session, upstream).await? {
            Ok(Some(piece)) => {
                tee.push(&piece).await;
                let last = upstream.response_done();
                if last {
                    tee.finish().await;
                }
                session
                    .as_downstream_mut()
                    .write_response_body(piece, last)
                    .await?;
                if last {
                    return Ok(End::Complete);
                }
            }
            Ok(None) => {
                tee.finish().await;
                session
                    .as_downstream_mut()
                    .write_response_body(Bytes::new(), true)
                    .await?;
                return Ok(End::Complete);
            }
            Err(error) => {
                tracing::warn!(%error, "upstream broke off its answer");
                return Ok(End::Broken);
            }
        }
    }
}

/// What changes an answer on its way, piece by piece.
pub enum Change {
    /// Another protocol; an answer that breaks off ends as the client's protocol says an error ends.
    Translate(Box<StreamTranslator>),
    /// Another model name in the same protocol; every other byte stays.
    Rename(Box<ReplyRenamer>),
}

impl Change {
    fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        match self {
            Self::Translate(translator) => translator.push(piece),
            Self::Rename(renamer) => renamer.push(piece),
        }
    }

    fn finish(&mut self) -> Vec<u8> {
        match self {
            Self::Translate(translator) => translator.finish(),
            Self::Rename(renamer) => renamer.finish(),
        }
    }
}

/// Carries an answer of unknown length over, changed on its way.
///
/// # Errors
/// When the client has gone.
pub async fn changed(
    session: &mut Session,
    upstream: &mut HttpSession,
    head: Box<ResponseHeader>,
    mut change: Change,
    mut tee: Tee<'_>,
) -> pingora::Result<End> {
    session
        .as_downstream_mut()
        .write_response_header(head)
        .await?;
    let end = loop {
        match next(session, upstream).await? {
            Ok(Some(piece)) => {
                tee.push(&piece).await;
                let out = change.push(&piece);
                session
                    .as_downstream_mut()
                    .write_response_body(out.into(), false)
                    .await?;
            }
            Ok(None) => {
                tee.finish().await;
                break End::Complete;
            }
            Err(error) => {
                tracing::warn!(%error, "upstream broke off its answer");
                break End::Broken;
            }
        }
    };
    let rest = change.finish();
    let downstream = session.as_downstream_mut();
    match (&end, &change) {
        // Only a translated stream can say in words that it broke off; any other is left open-ended.
        (End::Broken, Change::Rename(_)) => {
            downstream.write_response_body(rest.into(), false).await?
        }
        _ => downstream.write_response_body(rest.into(), true).await?,
    }
    Ok(end)
}

/// Reads a whole answer of at most `limit` bytes; `None` when it breaks off or is larger.
///
/// # Errors
/// When the client has gone.
pub async fn whole(
    session: &mut Session,
    upstream: &mut HttpSession,
    limit: usize,
) -> pingora::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        match next(session, upstream).await? {
            Ok(Some(piece)) if body.len() + piece.len() <= limit => body.extend_from_slice(&piece),
            Ok(None) => return Ok(Some(body)),
            Ok(Some(_)) | Err(_) => return Ok(None),
        }
    }
}

/// Whether an answer of unknown length is sent to this client in chunks: HTTP/2 needs none and HTTP/1.0 knows
/// none, there the end of the connection ends it.
pub fn chunked(session: &Session) -> bool {
    session.req_header().version == http::Version::HTTP_11
}

/// Adds the proxy's report to a response header, where anything may be added at all.
///
/// # Errors
/// Never.
pub fn annotate(
    exchange: &Exchange<'_>,
    head: &mut ResponseHeader,
    report: &super::report::Report,
    waited: std::time::Duration,
) -> pingora::Result<()> {
    let overhead = exchange.started.elapsed().saturating_sub(waited);
    exchange
        .app
        .metrics
        .overhead
        .observe(overhead.as_secs_f64());
    super::annotate::annotate(exchange, head, report, overhead, waited)
}
