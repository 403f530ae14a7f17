//! An upstream's error in the client's protocol.

use std::time::Duration;

use crate::protocol::Protocol;
use crate::protocol::reply::Framing;

/// An upstream's error in the client's protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranslatedError {
    /// HTTP status.
    pub status: u16,
    /// Content type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Value of `retry-after`, where the body says it.
    pub retry_after: Option<Duration>,
    /// Value of `x-should-retry`, where there is one.
    pub should_retry: Option<bool>,
}

/// Translates an upstream's error, whose status is not 200; `framing` is what the client asked for.
pub fn translate_error(
    from: Protocol,
    to: Protocol,
    status: u16,
    body: &[u8],
    framing: Framing,
) -> TranslatedError {
    let error = from.codec().decode_error(status, body);
    let codec = to.codec();
    // An error before the stream is no event: it is a document, in the array form a list of one.
    let framing = if framing == Framing::Sse {
        Framing::Whole
    } else {
        framing
    };
    TranslatedError {
        status: codec.error_status(&error),
        content_type: codec.content_type(framing),
        body: codec.encode_error(&error, framing),
        retry_after: error.retry_after,
        should_retry: error.should_retry,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn errors_are_translated_with_their_advice() {
        let key = json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
            "details": [{"reason": "API_KEY_INVALID"}]}});
        let day = json!({"error": {"code": 429, "message": "m", "details": [
            {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}, {"retryDelay": "26s"}]}});
        let minute =
            json!({"error": {"code": 429, "message": "m", "details": [{"retryDelay": "26s"}]}});
        let missing = json!({"error": {"code": 404, "message": "m", "status": "NOT_FOUND"}});
        let busy = json!({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}});
        for (status, body, expected, code, retry_after, should_retry) in [
            (400, key, 401, "invalid_api_key", None, None),
            (429, day, 429, "insufficient_quota", None, Some(false)),
            (
                429,
                minute,
                429,
                "rate_limit_exceeded",
                Some(Duration::from_secs(26)),
                None,
            ),
            (404, missing, 404, "model_not_found", None, None),
            (503, busy, 503, "overloaded", None, None),
        ] {
            let body = body.to_string();
            let error = translate_error(
                Protocol::Gemini,
                Protocol::OpenAi,
                status,
                body.as_bytes(),
                Framing::Sse,
            );
            let written: Value = serde_json::from_slice(&error.body).unwrap();
            assert_eq!(
                (error.status, written.pointer("/error/code")),
                (expected, Some(&json!(code))),
                "{body}"
            );
            assert_eq!(
                (error.retry_after, error.should_retry),
                (retry_after, should_retry),
                "{body}"
            );
            assert_eq!(error.content_type, "application/json");
        }
    }

    #[test]
    fn an_error_before_a_list_is_a_list_of_one() {
        let body = br#"{"error":{"message":"m","type":"x","code":"invalid_api_key"}}"#;
        let error = translate_error(
            Protocol::OpenAi,
            Protocol::Gemini,
            401,
            body,
            Framing::Array,
        );
        let written: Value = serde_json::from_slice(&error.body).unwrap();
        assert_eq!(
            (error.status, written.pointer("/0/error/code")),
            (400, Some(&json!(400)))
        );
        let error = translate_error(Protocol::OpenAi, Protocol::Gemini, 401, body, Framing::Sse);
        assert!(
            serde_json::from_slice::<Value>(&error.body)
                .unwrap()
                .is_object()
        );
        assert_eq!(error.content_type, "application/json; charset=UTF-8");
    }
}
