#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::json;

use super::*;

#[test]
fn errors_are_written_in_openais_own_form() {
    let written = |kind| String::from_utf8(encode(&ApiError::new(kind, "m"))).unwrap();
    assert_eq!(
        written(ErrorKind::NoUpstream),
        r#"{"error":{"message":"m","type":"server_error","param":null,"code":"no_upstream"}}"#
    );
    assert_eq!(
        written(ErrorKind::ModelNotFound),
        r#"{"error":{"message":"m","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
    );
    assert_eq!(
        written(ErrorKind::QuotaExhausted),
        r#"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#
    );
}

#[test]
fn every_servers_form_of_an_error_is_read() {
    for (status, body, kind) in [
        (
            401,
            json!({"error": {"message": "m", "code": "invalid_api_key"}}),
            ErrorKind::InvalidApiKey,
        ),
        (
            404,
            json!({"error": {"message": "m", "type": "NotFoundError", "code": 404}}),
            ErrorKind::ModelNotFound,
        ),
        (
            400,
            json!({"object": "error", "message": "m", "code": 400}),
            ErrorKind::InvalidRequest,
        ),
        (
            429,
            json!({"error": {"message": "m", "type": "insufficient_quota"}}),
            ErrorKind::QuotaExhausted,
        ),
        (
            429,
            json!({"error": {"message": "m", "code": "rate_limit_exceeded"}}),
            ErrorKind::RateLimited,
        ),
        (
            503,
            json!([{"error": {"message": "m", "code": 503, "status": "UNAVAILABLE"}}]),
            ErrorKind::Overloaded,
        ),
        (500, json!({"error": "m"}), ErrorKind::ServerError),
    ] {
        let error = decode(status, body.to_string().as_bytes());
        assert_eq!(
            (error.status, error.kind, error.message.as_str()),
            (status, kind, "m"),
            "{body}"
        );
    }
}

#[test]
fn a_body_that_is_no_error_of_openais_is_not_shown() {
    for body in ["<html>secret</html>", "{}", "[]", "3"] {
        assert_eq!(
            decode(502, body.as_bytes()).message,
            "the upstream answered with status 502"
        );
    }
}
