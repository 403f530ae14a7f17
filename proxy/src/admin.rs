//! The admin listener: health, metrics, and the commands' work for whoever shares the data directory.

mod entries;
mod frames;
pub mod owner;
mod query;
mod requests;

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, Response, StatusCode};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;
use serde_json::{Value, json};
use tollfree_cache::template;

use crate::app::App;
use crate::commands::templates::Add;
use crate::commands::{self, Call, PerLine};
use crate::lookup::AddError;

/// Largest admin request, in bytes.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The admin service.
pub struct Admin {
    app: Arc<App>,
    instance: String,
}

impl Admin {
    /// Serves this application under the identity `instance`, by which commands recognise it.
    pub fn new(app: Arc<App>, instance: String) -> Self {
        Self { app, instance }
    }

    async fn answer(&self, session: &mut ServerSession) -> Reply {
        let head = session.req_header();
        // The answer to HEAD has the header of GET; its body is left out below.
        let method = if head.method == Method::HEAD {
            Method::GET
        } else {
            head.method.clone()
        };
        let path = head.uri.path().to_owned();
        let query = head.uri.query().map(str::to_owned);
        match (&method, path.as_str()) {
            (&Method::GET, "/") => Reply::text(StatusCode::OK, self.overview()),
            (&Method::GET, "/healthz") => Reply::text(StatusCode::OK, "ok\n".to_owned()),
            (&Method::GET, "/readyz") => self.readiness(),
            (&Method::GET, "/metrics") => self.metrics(),
            (&Method::GET, "/admin/v1/instance") => {
                Reply::json(StatusCode::OK, &json!({ "instance": self.instance }))
            }
            (&Method::GET, "/admin/v1/cache/stats") => {
                Reply::json(StatusCode::OK, &commands::stats::stats(&self.app))
            }
            (&Method::GET, "/admin/v1/templates") => {
                Reply::json(StatusCode::OK, &commands::templates::list(&self.app))
            }
            (&Method::GET, "/admin/v1/near-misses") => {
                Reply::json(StatusCode::OK, &commands::near_misses::list(&self.app))
            }
            (&Method::GET, "/admin/v1/calibration") => {
                Reply::json(StatusCode::OK, &commands::calibrate::live(&self.app))
            }
            (&Method::GET, "/admin/v1/frames") => {
                Reply::json(StatusCode::OK, &commands::frames::list(&self.app))
            }
            (&Method::GET, "/admin/v1/cache/export") => {
                entries::export(&self.app, query.as_deref())
            }
            (&Method::GET, "/admin/v1/requests") => requests::latest(&self.app, query.as_deref()),
            (&Method::GET, path) => match path.strip_prefix("/admin/v1/requests/") {
                Some(id) => requests::one(&self.app, id),
                None => Reply::problem(StatusCode::NOT_FOUND, "no such path"),
            },
            (&Method::POST, "/admin/v1/cache/import") => entries::import(&self.app, session).await,
            (&Method::POST, "/admin/v1/cache/purge") => entries::purge(&self.app, session).await,
            (&Method::POST, "/admin/v1/cache/release") => {
                entries::release(&self.app, session).await
            }
            (&Method::POST, path) if path.starts_with(frames::PREFIX) => {
                frames::decide(&self.app, path, session).await
            }
            (&Method::POST, path) => match path.strip_prefix("/admin/v1/") {
                Some(name) => self.command(name, session).await,
                None => Reply::problem(StatusCode::NOT_FOUND, "no such path"),
            },
            _ => Reply::problem(StatusCode::NOT_FOUND, "no such path"),
        }
    }

    async fn command(&self, name: &str, session: &mut ServerSession) -> Reply {
        if name == "feedback" {
            return match json_body(session).await {
                Ok(body) => match commands::feedback::give(&self.app, &body) {
                    Ok(value) => Reply::json(StatusCode::OK, &value),
                    Err(error) => Reply::problem(error.status(), &error.to_string()),
                },
                Err(reply) => reply,
            };
        }
        if name == "templates" {
            return match read_json(session).await {
                Ok(add) => self.add_template(add).await,
                Err(reply) => reply,
            };
        }
        let call: Call = match read_json(session).await {
            Ok(call) => call,
            Err(reply) => return reply,
        };
        let result = match name {
            "lookup" => PerLine::Lookup.run(&self.app, &call).await.map(Value::from),
            "pairs" => PerLine::Pairs.run(&self.app, &call).await.map(Value::from),
            "coverage" => PerLine::Coverage
                .run(&self.app, &call)
                .await
                .map(Value::from),
            "warm-plan" => PerLine::WarmPlan
                .run(&self.app, &call)
                .await
                .map(Value::from),
            "warm" => PerLine::Warm.run(&self.app, &call).await.map(Value::from),
            "explain" => match call
                .lines
                .first()
                .and_then(|line| line.get("goal"))
                .and_then(Value::as_str)
            {
                Some(goal) => commands::explain::explain(&self.app, &call.asking, goal).await,
                None => return Reply::problem(StatusCode::BAD_REQUEST, "lines[0].goal is missing"),
            },
            "clusters" => {
                return match commands::templates::clusters(&self.app, &call.lines).await {
                    Ok(value) => Reply::json(StatusCode::OK, &value),
                    Err(error) => Reply::problem(
                        StatusCode::SERVICE_UNAVAILABLE,
                        &crate::error::chain(&error).to_string(),
                    ),
                };
            }
            _ => return Reply::problem(StatusCode::NOT_FOUND, "no such command"),
        };
        match result {
            Ok(value) => Reply::json(StatusCode::OK, &value),
            Err(error) => Reply::problem(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    /// `POST /admin/v1/templates`: `{"text": TOML, "replace": false}`.
    async fn add_template(&self, add: Add) -> Reply {
        match commands::templates::add(&self.app, add, true).await {
            Ok(added) => Reply::json(StatusCode::OK, &added),
            Err(error) => {
                let status = match &error {
                    AddError::NoFolder | AddError::Refused(template::AddError::Exists { .. }) => {
                        StatusCode::CONFLICT
                    }
                    AddError::Refused(template::AddError::Problems(_)) => {
                        StatusCode::UNPROCESSABLE_ENTITY
                    }
                    AddError::Embedder(_) => StatusCode::SERVICE_UNAVAILABLE,
                    AddError::Refused(template::AddError::Write { .. }) | AddError::Stopped => {
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                };
                Reply::json(status, &commands::templates::refusal(&error))
            }
        }
    }

    fn readiness(&self) -> Reply {
        match self.app.lookup.readiness() {
            Ok(()) => Reply::text(StatusCode::OK, "ready\n".to_owned()),
            Err(why) => Reply::text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        }
    }

    fn metrics(&self) -> Reply {
        self.app.observe();
        match self.app.metrics.render() {
            Ok(body) => Reply {
                status: StatusCode::OK,
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                body,
            },
            Err(error) => Reply::problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    fn overview(&self) -> String {
        let stats = commands::stats::stats(&self.app);
        format!(
            "tollfree {}\n\nentries    {}\ntemplates  {}\nupstreams  {}\n\n/metrics /healthz /readyz /admin/v1/cache/stats /admin/v1/templates /admin/v1/requests /admin/v1/frames\n",
            env!("CARGO_PKG_VERSION"),
            stats.get("entries").unwrap_or(&Value::Null),
            self.app.lookup.library().templates().len(),
            self.app.policy.upstreams().len(),
        )
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let Reply {
            status,
            content_type,
            body,
        } = self.answer(session).await;
        let length = body.len();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert("content-type", http::HeaderValue::from_static(content_type));
        headers.insert("content-length", length.into());
        response
    }
}

struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Reply {
    fn text(status: StatusCode, body: String) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.into_bytes(),
        }
    }

    fn json(status: StatusCode, value: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: value.to_string().into_bytes(),
        }
    }

    fn problem(status: StatusCode, message: &str) -> Self {
        Self::json(status, &json!({ "error": message }))
    }
}

/// The body of a call as JSON.
async fn read_json<T: serde::de::DeserializeOwned>(
    session: &mut ServerSession,
) -> Result<T, Reply> {
    let body = json_body(session).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Reply::problem(StatusCode::BAD_REQUEST, &format!("body: {error}")))
}

/// Reads a body that must be sent as JSON: a page in a browser can send a form to loopback, but no JSON without
/// asking first, and this is what keeps other sites' pages out.
async fn json_body(session: &mut ServerSession) -> Result<Vec<u8>, Reply> {
    let is_json = session
        .get_header("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return Err(Reply::problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type must be application/json",
        ));
    }
    read(session).await
}

async fn read(session: &mut ServerSession) -> Result<Vec<u8>, Reply> {
    let mut body = Vec::new();
    loop {
        match session.read_request_body().await {
            Ok(Some(piece)) if body.len() + piece.len() <= MAX_BODY_BYTES => {
                body.extend_from_slice(&piece)
            }
            Ok(Some(_)) => {
                let message =
                    format!("body is larger than {MAX_BODY_BYTES} bytes; send fewer lines at once");
                return Err(Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, &message));
            }
            Ok(None) => return Ok(body),
            Err(_) => return Err(Reply::problem(StatusCode::BAD_REQUEST, "body broke off")),
        }
    }
}
