//! Gemini's error bodies (google.rpc.Status), read and written.

use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::error::{ApiError, ErrorKind};

/// Gives the status of an error in this protocol: a bad key is 400 here.
pub(super) fn status(error: &ApiError) -> u16 {
    if error.kind == ErrorKind::InvalidApiKey {
        400
    } else {
        error.status
    }
}

/// Writes an error body.
pub(super) fn encode(error: &ApiError) -> Vec<u8> {
    let code = status(error);
    let mut inner =
        json!({"code": code, "message": error.message, "status": word(error.kind, code)});
    let details = details(error);
    if let (Value::Object(members), false) = (&mut inner, details.is_empty()) {
        members.insert("details".to_owned(), Value::Array(details));
    }
    json!({"error": inner}).to_string().into_bytes()
}

fn details(error: &ApiError) -> Vec<Value> {
    let mut details = Vec::new();
    if error.kind == ErrorKind::InvalidApiKey {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }));
    }
    if let Some(delay) = error.retry_after {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", delay.as_secs_f64()),
        }));
    }
    details
}

/// The word of google.rpc.Code that goes with kind and status.
fn word(kind: ErrorKind, code: u16) -> &'static str {
    match (kind, code) {
        (ErrorKind::RateLimited | ErrorKind::QuotaExhausted, _) => "RESOURCE_EXHAUSTED",
        (ErrorKind::PermissionDenied, _) => "PERMISSION_DENIED",
        (ErrorKind::ModelNotFound, _) => "NOT_FOUND",
        (ErrorKind::Timeout | ErrorKind::NotCached, _) => "DEADLINE_EXCEEDED",
        (ErrorKind::UpstreamFailed | ErrorKind::NoUpstream | ErrorKind::Overloaded, _) => {
            "UNAVAILABLE"
        }
        (_, 499) => "CANCELLED",
        (_, 500..) => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// Reads an error body, also one wrapped in an array.
pub(super) fn decode(status: u16, body: &[u8]) -> ApiError {
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return ApiError::of_status(status);
    };
    let document = document.get(0).unwrap_or(&document);
    let Some(error) = document.get("error") else {
        return ApiError::of_status(status);
    };
    let Some(message) = error.get("message").and_then(Value::as_str) else {
        return ApiError::of_status(status);
    };
    // Inside a stream the status of the response is 200: the error's own code counts.
    let code = error
        .get("code")
        .and_then(Value::as_u64)
        .and_then(|code| u16::try_from(code).ok());
    let code = code
        .filter(|code| (400..600).contains(code))
        .unwrap_or(status);
    let details = error
        .get("details")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let key_invalid = details
        .iter()
        .any(|detail| detail.get("reason") == Some(&json!("API_KEY_INVALID")));
    if key_invalid {
        return ApiError::new(ErrorKind::InvalidApiKey, message);
    }
    let kind = ErrorKind::of_status(code);
    if kind != ErrorKind::RateLimited {
        return ApiError {
            status: code,
            ..ApiError::new(kind, message)
        };
    }
    if is_used_up(details, message) {
        // The delay that comes along is wrong as often as right; no retry soon helps.
        return ApiError::new(ErrorKind::QuotaExhausted, message);
    }
    ApiError {
        retry_after: details.iter().find_map(retry_delay),
        ..ApiError::new(kind, message)
    }
}

/// A quota of the day is used up, or is zero because the model is not in the free tier at all.
fn is_used_up(details: &[Value], message: &str) -> bool {
    let mut violations = details
        .iter()
        .filter_map(|detail| detail.get("violations").and_then(Value::as_array))
        .flatten()
        .filter(|violation| violation.get("quotaId").is_some());
    let per_day = violations.any(|violation| {
        let text = |name: &str| {
            violation
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        text("quotaId").contains("PerDay") || text("quotaValue") == "0"
    });
    per_day || message.contains("limit: 0,") || message.ends_with("limit: 0")
}

/// A protobuf duration: `"38.2s"`.
fn retry_delay(detail: &Value) -> Option<Duration> {
    let seconds = detail
        .get("retryDelay")?
        .as_str()?
        .strip_suffix('s')?
        .parse::<f64>()
        .ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests;
