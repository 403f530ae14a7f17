#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::*;

fn quota(id: &str, value: &str, delay: &str) -> Vec<u8> {
    json!({"error": {"code": 429, "message": "You exceeded your current quota", "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
             "violations": [{"quotaId": "Other"}, {"quotaId": id, "quotaValue": value}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
        ]}})
    .to_string()
    .into_bytes()
}

#[test]
fn a_bad_key_is_400_here_and_401_in_between() {
    let body = json!({"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}});
    let error = decode(400, body.to_string().as_bytes());
    assert_eq!((error.kind, error.status), (ErrorKind::InvalidApiKey, 401));
    assert_eq!(status(&error), 400);
    let written: Value = serde_json::from_slice(&encode(&error)).unwrap();
    assert_eq!(written.pointer("/error/code"), Some(&json!(400)));
    assert_eq!(
        written.pointer("/error/status"),
        Some(&json!("INVALID_ARGUMENT"))
    );
    assert_eq!(
        written.pointer("/error/details/0/reason"),
        Some(&json!("API_KEY_INVALID"))
    );
}

#[test]
fn the_quota_of_a_day_is_used_up_whatever_delay_comes_along() {
    let error = decode(
        429,
        &quota(
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            "500",
            "26s",
        ),
    );
    assert_eq!(
        (error.kind, error.retry_after, error.should_retry),
        (ErrorKind::QuotaExhausted, None, Some(false))
    );
    let none = decode(
        429,
        &quota(
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "0",
            "26s",
        ),
    );
    assert_eq!(none.kind, ErrorKind::QuotaExhausted);
}

#[test]
fn the_quota_of_a_minute_is_over_after_the_delay() {
    let error = decode(
        429,
        &quota(
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "15",
            "38.5s",
        ),
    );
    assert_eq!(
        (error.kind, error.should_retry),
        (ErrorKind::RateLimited, None)
    );
    assert_eq!(error.retry_after, Some(Duration::from_millis(38_500)));
    assert_eq!(
        decode(429, &quota("PerMinute", "15", "-1s")).retry_after,
        None
    );
    assert_eq!(
        decode(429, &quota("PerMinute", "15", "soon")).retry_after,
        None
    );
}

#[test]
fn the_details_may_be_missing() {
    let body =
        br#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota)."}}"#;
    assert_eq!(decode(429, body).kind, ErrorKind::RateLimited);
    let zero =
        br#"{"error":{"code":429,"message":"Quota exceeded for metric: x, limit: 0, model: g"}}"#;
    assert_eq!(decode(429, zero).kind, ErrorKind::QuotaExhausted);
}

#[test]
fn an_error_wrapped_in_an_array_is_read() {
    let error = decode(
        503,
        br#"[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]"#,
    );
    assert_eq!(
        (error.kind, error.status, error.message.as_str()),
        (ErrorKind::Overloaded, 503, "busy")
    );
}

#[test]
fn a_body_that_is_no_error_of_geminis_is_not_shown() {
    for body in [
        "<html>secret</html>",
        "{}",
        "[]",
        "null",
        r#"{"error":"secret"}"#,
    ] {
        let error = decode(502, body.as_bytes());
        assert_eq!(
            (error.status, error.message.as_str()),
            (502, "the upstream answered with status 502")
        );
    }
}

#[test]
fn every_kind_has_its_word() {
    for (kind, code, word) in [
        (ErrorKind::InvalidRequest, 400, "INVALID_ARGUMENT"),
        (ErrorKind::Unsupported, 400, "INVALID_ARGUMENT"),
        (ErrorKind::PermissionDenied, 403, "PERMISSION_DENIED"),
        (ErrorKind::ModelNotFound, 404, "NOT_FOUND"),
        (ErrorKind::RateLimited, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind::QuotaExhausted, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind::ServerError, 500, "INTERNAL"),
        (ErrorKind::NoUpstream, 503, "UNAVAILABLE"),
        (ErrorKind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let written: Value = serde_json::from_slice(&encode(&ApiError::new(kind, "m"))).unwrap();
        let expected = json!({"error": {"code": code, "message": "m", "status": word}});
        assert_eq!(written, expected, "{kind:?}");
    }
}
