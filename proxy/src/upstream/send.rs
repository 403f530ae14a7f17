//! One call to an upstream: connect, write, wait for the response header.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::ErrorType;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::http::client::HttpSession;
use pingora::upstreams::peer::HttpPeer;

use super::{IDLE_TIMEOUT, Upstream};

/// Why a call got no response header.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent: another upstream may be asked without a doubt.
    #[error("cannot connect")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request may have been processed.
    #[error("no response")]
    NoResponse(#[source] Box<pingora::Error>),
    /// The upstream took longer than its read timeout.
    #[error("timed out waiting for the response")]
    TimedOut,
}

/// A call whose response header has arrived.
pub struct Call {
    /// The session to read the body from; boxed, since it is large and moves through many futures.
    pub session: Box<HttpSession>,
    peer: Arc<HttpPeer>,
}

impl Call {
    /// Gives the connection back for the next call, if it can be used again.
    pub async fn release(self, connector: &Connector) {
        connector
            .release_http_session(*self.session, &*self.peer, Some(IDLE_TIMEOUT))
            .await;
    }
}

/// Sends a request and waits for the final response header.
///
/// A pooled connection that the server had closed while it was idle is replaced by a fresh one, once: the server
/// cannot have seen the request.
///
/// # Errors
/// See [`Failure`].
pub async fn send(
    connector: &Connector,
    upstream: &Upstream,
    head: &RequestHeader,
    body: &Bytes,
) -> Result<Call, Failure> {
    let peer = upstream
        .address
        .peer()
        .await
        .map_err(|error| Failure::Connect(error.into()))?;
    let mut tried = peer.clone();
    loop {
        let (session, reused) = connector
            .get_http_session(&*tried)
            .await
            .map_err(|error| Failure::Connect(error.into()))?;
        let mut session = Box::new(session);
        let asked = Instant::now();
        let Err(error) = exchange(&mut session, &peer, head, body).await else {
            return Ok(Call { session, peer });
        };
        session.shutdown().await;
        match error.etype() {
            ErrorType::ReadTimedout | ErrorType::WriteTimedout => return Err(Failure::TimedOut),
            _ if reused && was_stale(&error, asked.elapsed()) => {
                tracing::debug!(upstream = %upstream.name, "pooled connection was closed");
                tried = Arc::new(unpooled(&peer));
            }
            _ => return Err(Failure::NoResponse(error)),
        }
    }
}

/// The same peer under a group of its own, so that no pooled connection matches it.
pub fn unpooled(peer: &HttpPeer) -> HttpPeer {
    static GROUP: AtomicU64 = AtomicU64::new(1);
    let mut peer = peer.clone();
    peer.group_key = GROUP.fetch_add(1, Ordering::Relaxed);
    peer
}

/// Whether a pooled connection broke before a byte of a response came and at once: the server had closed it
/// while it was idle. One that thinks first and then closes may have processed the request.
fn was_stale(error: &pingora::Error, after: Duration) -> bool {
    let broke = matches!(
        error.etype(),
        ErrorType::ConnectionClosed | ErrorType::ReadError | ErrorType::WriteError
    );
    broke && after < AT_ONCE
}

/// A connection that was closed before shows it within a round trip.
const AT_ONCE: Duration = Duration::from_millis(250);

/// An upstream that takes no more of a body for this long may have answered already.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

async fn exchange(
    session: &mut HttpSession,
    peer: &HttpPeer,
    head: &RequestHeader,
    body: &Bytes,
) -> pingora::Result<()> {
    session.set_read_timeout(peer.options.read_timeout);
    session.set_write_timeout(Some(WRITE_TIMEOUT));
    session.write_request_header(Box::new(head.clone())).await?;
    if let Err(error) = write_body(session, body).await {
        // A server may refuse a body before it has read it all: its answer is worth more than our error.
        session.set_read_timeout(Some(AT_ONCE));
        return session.read_response_header().await.map_err(|_| error);
    }
    loop {
        session.read_response_header().await?;
        match session.response_header() {
            Some(response) if response.status.is_informational() => {}
            _ => return Ok(()),
        }
    }
}

async fn write_body(session: &mut HttpSession, body: &Bytes) -> pingora::Result<()> {
    if !body.is_empty() {
        session.write_request_body(body.clone(), true).await?;
    }
    session.finish_request_body().await
}
