//! One call to an upstream: connect, write, wait for the response header.

use std::sync::Arc;

use bytes::Bytes;
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
    /// The session to read the body from.
    pub session: HttpSession,
    peer: Arc<HttpPeer>,
}

impl Call {
    /// Gives the connection back for the next call, if it can be used again.
    pub async fn release(self, connector: &Connector) {
        connector
            .release_http_session(self.session, &*self.peer, Some(IDLE_TIMEOUT))
            .await;
    }
}

/// Sends a request and waits for the final response header.
///
/// A pooled connection that the server had already closed is replaced and the request sent again: the server
/// cannot have answered it.
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
    loop {
        let (mut session, reused) = connector
            .get_http_session(&*peer)
            .await
            .map_err(|error| Failure::Connect(error.into()))?;
        match exchange(&mut session, &peer, head, body).await {
            Ok(()) => return Ok(Call { session, peer }),
            Err(error) => {
                session.shutdown().await;
                match error.etype() {
                    pingora::ErrorType::ReadTimedout | pingora::ErrorType::WriteTimedout => {
                        return Err(Failure::TimedOut);
                    }
                    _ if reused => {
                        tracing::debug!(upstream = %upstream.name, "pooled connection was closed")
                    }
                    _ => return Err(Failure::NoResponse(error)),
                }
            }
        }
    }
}

async fn exchange(
    session: &mut HttpSession,
    peer: &HttpPeer,
    head: &RequestHeader,
    body: &Bytes,
) -> pingora::Result<()> {
    session.set_read_timeout(peer.options.read_timeout);
    session.set_write_timeout(peer.options.write_timeout);
    session.write_request_header(Box::new(head.clone())).await?;
    if !body.is_empty() {
        session.write_request_body(body.clone(), true).await?;
    }
    session.finish_request_body().await?;
    loop {
        session.read_response_header().await?;
        match session.response_header() {
            Some(response) if response.status.is_informational() => {}
            _ => return Ok(()),
        }
    }
}
