//! A request on its way to an upstream, owned by nobody's connection: it can outlive the client that caused it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use crate::app::App;
use crate::exchange::relay;
use crate::telemetry::metrics::status_class;
use crate::upstream::Upstream;
use crate::upstream::send::{Call, Failure, send};

/// The call once its response header is there, with the time that took.
pub(in crate::exchange) type Sent = Result<(Call, Duration), Failure>;

/// The wait for a response header. Dropping it cancels the call.
pub(in crate::exchange) type Sending = Pin<Box<dyn Future<Output = Sent> + Send>>;

/// Begins a call; it is counted when its response header is there.
pub(in crate::exchange) fn begin(
    app: &Arc<App>,
    upstream: &Arc<Upstream>,
    head: Box<RequestHeader>,
    body: Bytes,
) -> Sending {
    let (app, upstream) = (Arc::clone(app), Arc::clone(upstream));
    Box::pin(async move {
        let asked = Instant::now();
        let result = send(&app.connector, &upstream, &head, &body).await;
        let waited = asked.elapsed();
        let status = result.as_ref().map_or("failed", |call| {
            let status = call
                .session
                .response_header()
                .map_or(0, |head| head.status.as_u16());
            status_class(status).unwrap_or("5xx")
        });
        app.metrics
            .upstream_requests
            .with_label_values(&[&upstream.name, status])
            .inc();
        app.metrics
            .upstream_duration
            .with_label_values(&[&upstream.name])
            .observe(waited.as_secs_f64());
        result.map(|call| (call, waited))
    })
}

/// Waits for the response header and, as long as it takes, for the client's leaving.
///
/// # Errors
/// When the client has gone; the call then still goes on, unless it is dropped.
pub(in crate::exchange) async fn watched(
    session: &mut Session,
    mut sending: Sending,
) -> Result<Sent, (Box<pingora::Error>, Sending)> {
    tokio::select! {
        biased;
        sent = &mut sending => Ok(sent),
        gone = relay::left(session) => Err((gone, sending)),
    }
}
