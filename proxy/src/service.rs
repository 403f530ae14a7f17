//! The proxy as Pingora calls it: each phase is a short call into the module that knows.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::ErrorType;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use std::sync::Arc;

use crate::app::App;
use crate::controls::{Controls, OWN_REQUEST_HEADERS};
use crate::exchange::Exchange;
use crate::identity::Credential;
use crate::ids::Id;
use crate::protocol::Protocol;
use crate::protocol::error::{ApiError, ErrorKind};
use crate::protocol::reply::Framing;
use crate::protocol::route::{Operation, Route, normal_path, route};
use crate::upstream::Upstream;
use crate::upstream::send::unpooled;

/// The proxy service.
pub struct Proxy {
    app: Arc<App>,
}

/// What one request carries from phase to phase.
pub struct Context {
    started: Instant,
    /// The form of errors.
    protocol: Option<Protocol>,
    /// What the upstream of a pass-through speaks on this path.
    wire: Option<Protocol>,
    /// Whether the path is one of a protocol we know.
    known_path: bool,
    upstream: Option<Arc<Upstream>>,
    attempts: u32,
}

/// A write to a client may take this long.
const CLIENT_WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// What a client still sends after its answer is read for this long, so that it sees the answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

impl Proxy {
    /// Serves with this application.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    fn route(head: &RequestHeader) -> Route {
        route(
            head.method.as_str(),
            head.uri.path(),
            head.uri.query(),
            |name| head.headers.get(name).and_then(|value| value.to_str().ok()),
        )
    }

    /// The upstream that takes every call of a protocol as it is, if there is just one; then a body longer than
    /// we read may stream through.
    fn sole_for_long_body(
        &self,
        protocol: Protocol,
        head: &RequestHeader,
    ) -> Option<&Arc<Upstream>> {
        let length: Option<usize> = head
            .headers
            .get("content-length")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let long = length.is_some_and(|length| length > self.app.config.server().max_body_bytes());
        self.app.policy.sole(protocol).filter(|_| long)
    }

    async fn exchange(
        &self,
        session: &mut Session,
        ctx: &Context,
        protocol: Protocol,
        operation: Operation,
    ) -> pingora::Result<()> {
        let head = session.req_header();
        let exchange = Exchange {
            app: &self.app,
            protocol,
            operation,
            credential: Credential::of(head),
            controls: Controls::of(head),
            started: ctx.started,
            id: Id::fresh(),
            alias: crate::decisions::alias(head),
        };
        exchange.serve(session).await
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context {
            started: Instant::now(),
            protocol: None,
            wire: None,
            known_path: false,
            upstream: None,
            attempts: 0,
        }
    }

    // The default adds a compression module that is switched off; without it nothing stands between us and
    // the bytes.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(
        &self,
        session: &mut Session,
        _ctx: &mut Context,
    ) -> pingora::Result<()> {
        let downstream = session.as_downstream_mut();
        downstream.set_pipelining_enabled(true);
        // A client that reads nothing, or sends without end, may not hold a connection for ever.
        downstream.set_write_timeout(Some(CLIENT_WRITE_TIMEOUT));
        downstream.set_total_drain_timeout(Some(DRAIN_TIMEOUT));
        Ok(())
    }

    async fn request_filter(
        &self,
        session: &mut Session,
        ctx: &mut Context,
    ) -> pingora::Result<bool> {
        let (protocol, upstream) = match Self::route(session.req_header()) {
            Route::Decoded {
                protocol,
                operation,
            } => {
                ctx.protocol = Some(protocol);
                let Some(upstream) = self.sole_for_long_body(protocol, session.req_header()) else {
                    self.exchange(session, ctx, protocol, operation).await?;
                    return Ok(true);
                };
                ctx.wire = Some(protocol);
                (Some(protocol), Some(upstream))
            }
            Route::Passthrough { protocol, upstream } => {
                ctx.wire = upstream.or(protocol);
                (
                    protocol.or(upstream),
                    self.app.policy.for_passthrough(ctx.wire),
                )
            }
        };
        ctx.protocol = protocol;
        ctx.known_path = ctx.wire.is_some();
        // With one upstream there is no other whose credential a path of no protocol we know could carry.
        ctx.wire = ctx
            .wire
            .or_else(|| self.app.policy.only().map(|only| only.protocol()));
        ctx.upstream = upstream.cloned();
        if let Some(upstream) = &ctx.upstream {
            let credential = Credential::of(session.req_header());
            let wire = ctx.wire.unwrap_or(upstream.protocol());
            if !upstream.has_own_key() || self.app.knows(wire, credential.as_ref()) {
                return Ok(false);
            }
            let message = "auth is passthrough, and no upstream has accepted this credential yet";
            let error = ApiError::new(ErrorKind::InvalidApiKey, message);
            write_error(session, protocol.unwrap_or(Protocol::OpenAi), &error).await?;
            return Ok(true);
        }
        let message = "this path is passed through, and no upstream is configured; set GEMINI_API_KEY or add an \
                       [[upstreams]] section to tollfree.toml";
        let error = ApiError {
            should_retry: Some(false),
            ..ApiError::new(ErrorKind::NoUpstream, message)
        };
        write_error(session, protocol.unwrap_or(Protocol::OpenAi), &error).await?;
        Ok(true)
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        ctx: &mut Context,
    ) -> pingora::Result<Box<HttpPeer>> {
        let upstream = ctx.upstream.as_ref().ok_or_else(|| {
            pingora::Error::explain(ErrorType::InternalError, "no upstream was chosen")
        })?;
        let peer = upstream.address.peer().await.map_err(|error| {
            pingora::Error::because(ErrorType::ConnectNoRoute, "resolving the upstream", error)
        })?;
        ctx.attempts += 1;
        // After a pooled connection that had gone stale only a fresh one is sure to be alive.
        let again = ctx.attempts > 1;
        Ok(Box::new(if again {
            unpooled(&peer)
        } else {
            HttpPeer::clone(&peer)
        }))
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        head: &mut RequestHeader,
        ctx: &mut Context,
    ) -> pingora::Result<()> {
        let Some(upstream) = &ctx.upstream else {
            return Ok(());
        };
        for name in OWN_REQUEST_HEADERS {
            head.remove_header(name);
        }
        let sent = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        // A path of no protocol we know stays as it is, to the letter.
        let target = if ctx.known_path {
            let path = normal_path(head.uri.path());
            head.uri.query().map_or_else(
                || path.clone().into_owned(),
                |query| format!("{path}?{query}"),
            )
        } else {
            sent.to_owned()
        };
        let target = upstream.target(&target);
        crate::upstream::set_target(head, &target)?;
        head.insert_header("host", upstream.authority())?;
        upstream.authorize(head, ctx.wire)
    }

    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        session: &mut Session,
        error: Box<pingora::Error>,
        ctx: &mut Context,
        client_reused: bool,
    ) -> Box<pingora::Error> {
        let mut error = error.more_context(format!("peer {peer}"));
        // A pooled connection that had gone stale answered nothing: whatever the method, sending it again is
        // the first time the server sees it, as long as the body is still at hand.
        let untouched = session.response_written().is_none()
            && !session.as_downstream().retry_buffer_truncated();
        error
            .retry
            .decide_reuse(client_reused && untouched && ctx.attempts < 2);
        error
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> pingora::Result<()> {
        crate::upstream::headers::strip_named_by_connection(head);
        if session.req_header().version == http::Version::HTTP_10 {
            // It knows no chunks: the end of the connection ends its answer.
            head.remove_header("transfer-encoding");
        }
        if let Some(upstream) = &ctx.upstream {
            let class = match head.status.as_u16() / 100 {
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                5 => "5xx",
                _ => return Ok(()),
            };
            self.app
                .metrics
                .upstream_requests
                .with_label_values(&[&upstream.name, class])
                .inc();
        }
        Ok(())
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &pingora::Error,
        ctx: &mut Context,
    ) -> FailToProxy {
        let closed = FailToProxy {
            error_code: 0,
            can_reuse_downstream: false,
        };
        if session.response_written().is_some()
            || *error.esource() == pingora::ErrorSource::Downstream
        {
            return closed;
        }
        let name = ctx
            .upstream
            .as_ref()
            .map_or("", |upstream| upstream.name.as_str());
        tracing::warn!(upstream = name, %error, "upstream failed");
        if !name.is_empty() {
            self.app
                .metrics
                .upstream_requests
                .with_label_values(&[name, "failed"])
                .inc();
        }
        let api_error = match error.etype() {
            ErrorType::ReadTimedout | ErrorType::WriteTimedout | ErrorType::ConnectTimedout => {
                ApiError::new(
                    ErrorKind::Timeout,
                    format!("upstream {name:?} did not answer in time"),
                )
            }
            ErrorType::HTTPStatus(status) if *status < 500 => {
                ApiError::new(ErrorKind::InvalidRequest, "the request is not valid HTTP")
            }
            _ => ApiError::new(
                ErrorKind::UpstreamFailed,
                format!("upstream {name:?} cannot be reached or broke off"),
            ),
        };
        session.as_downstream_mut().set_keepalive(None);
        match write_error(
            session,
            ctx.protocol.unwrap_or(Protocol::OpenAi),
            &api_error,
        )
        .await
        {
            Ok(()) => FailToProxy {
                error_code: api_error.status,
                can_reuse_downstream: false,
            },
            Err(_) => closed,
        }
    }

    fn suppress_error_log(
        &self,
        _session: &Session,
        _ctx: &Context,
        _error: &pingora::Error,
    ) -> bool {
        // Said once by `fail_to_proxy`, without the request's path.
        true
    }

    async fn logging(
        &self,
        session: &mut Session,
        error: Option<&pingora::Error>,
        ctx: &mut Context,
    ) {
        let status = session
            .response_written()
            .map_or(0, |head| head.status.as_u16());
        let took: Duration = ctx.started.elapsed();
        tracing::debug!(
            status,
            took_us = took.as_micros(),
            failed = error.is_some(),
            "request done"
        );
    }
}

async fn write_error(
    session: &mut Session,
    protocol: Protocol,
    error: &ApiError,
) -> pingora::Result<()> {
    let codec = protocol.codec();
    let body = bytes::Bytes::from(codec.encode_error(error, Framing::Whole));
    let mut head = Box::new(ResponseHeader::build(codec.error_status(error), Some(4))?);
    head.insert_header("content-type", codec.content_type(Framing::Whole))?;
    head.insert_header("content-length", body.len().to_string())?;
    if let Some(should_retry) = error.should_retry {
        head.insert_header(
            "x-should-retry",
            if should_retry { "true" } else { "false" },
        )?;
    }
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
