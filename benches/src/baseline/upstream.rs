//! A fast stand-in for an OpenAI-compatible API.

use anyhow::Result;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode, header};
use pingora::{
    apps::http_app::ServeHttp, protocols::http::ServerSession, services::listening::Service,
};

use super::{
    Options,
    chat::{ChatRequest, completion},
};

/// A longer body is refused.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

struct Upstream {
    fixed: Vec<u8>,
    echo: bool,
}

/// Serves until a signal ends it. With `echo` an answer repeats the goal and names the model that was asked for;
/// without it the body is read and not looked at.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(options: Options, echo: bool) -> Result<()> {
    let upstream = Upstream {
        fixed: completion("gpt-4o-mini", None)?,
        echo,
    };
    super::serve(options, |_| Service::new("upstream".to_owned(), upstream))
}

#[async_trait]
impl ServeHttp for Upstream {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let (status, body) = match read_body(session).await {
            Some(body) if self.echo => match echo(&body) {
                Ok(answer) => (StatusCode::OK, answer),
                Err(_) => (
                    StatusCode::BAD_REQUEST,
                    error("the body is no chat request"),
                ),
            },
            Some(_) => (StatusCode::OK, self.fixed.clone()),
            None => (
                StatusCode::BAD_REQUEST,
                error("the body is broken or too long"),
            ),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let length = response.body().len().into();
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json"),
        );
        response
    }
}

async fn read_body(session: &mut ServerSession) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(bytes) = session.read_request_body().await.ok()? {
        if body.len() + bytes.len() > MAX_BODY_BYTES {
            return None;
        }
        body.extend_from_slice(&bytes);
    }
    Some(body.freeze())
}

fn echo(body: &[u8]) -> serde_json::Result<Vec<u8>> {
    let request: ChatRequest<'_> = serde_json::from_slice(body)?;
    completion(&request.model, Some(request.goal()))
}

/// Writes an error body as the API does.
fn error(message: &str) -> Vec<u8> {
    serde_json::json!({ "error": { "message": message, "type": "invalid_request_error" } })
        .to_string()
        .into_bytes()
}
