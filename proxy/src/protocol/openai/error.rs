//! OpenAI's error bodies, read and written.

use serde::Serialize;
use serde_json::Value;

use crate::protocol::error::{ApiError, ErrorKind};

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'static str,
}

/// Writes an error body.
pub(super) fn encode(error: &ApiError) -> Vec<u8> {
    let body = Body {
        error: Inner {
            message: &error.message,
            r#type: type_of(error.kind),
            param: (error.kind == ErrorKind::ModelNotFound).then_some("model"),
            code: error.kind.as_str(),
        },
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

fn type_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::InvalidApiKey
        | ErrorKind::PermissionDenied
        | ErrorKind::ModelNotFound
        | ErrorKind::TooLarge
        | ErrorKind::Unsupported => "invalid_request_error",
        ErrorKind::RateLimited => "requests",
        ErrorKind::QuotaExhausted => "insufficient_quota",
        ErrorKind::ServerError
        | ErrorKind::UpstreamFailed
        | ErrorKind::NoUpstream
        | ErrorKind::Overloaded
        | ErrorKind::Timeout
        | ErrorKind::NotCached => "server_error",
    }
}

/// Reads an error body: OpenAI's, vLLM's (`code` is the status; very old builds put the members at the top), or an
/// array of one as Gemini's OpenAI-compatible endpoint sends it.
pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return ApiError::of_status(status);
    };
    let document = document.get(0).unwrap_or(&document);
    let error = document.get("error").unwrap_or(document);
    let Some(message) = error
        .get("message")
        .and_then(Value::as_str)
        .or(error.as_str())
    else {
        return ApiError::of_status(status);
    };
    let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match (word("code"), word("type")) {
        ("insufficient_quota", _) | (_, "insufficient_quota") => ErrorKind::QuotaExhausted,
        ("invalid_api_key", _) => ErrorKind::InvalidApiKey,
        ("model_not_found", _) => ErrorKind::ModelNotFound,
        ("rate_limit_exceeded", _) => ErrorKind::RateLimited,
        _ => ErrorKind::of_status(status),
    };
    ApiError {
        status,
        ..ApiError::new(kind, message)
    }
}

#[cfg(test)]
mod tests;
