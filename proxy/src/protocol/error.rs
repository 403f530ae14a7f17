//! An API error between two wire formats: what an upstream's error body says, or what the proxy itself has to say.

use std::time::Duration;

/// One error for the client, in no protocol's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status as OpenAI would give it; [`super::Codec::error_status`] has the last word.
    pub status: u16,
    /// What went wrong.
    pub kind: ErrorKind,
    /// Text for the person who reads it.
    pub message: String,
    /// How long to wait before another try, where known (`retry-after`).
    pub retry_after: Option<Duration>,
    /// Whether the client's SDK should try again by itself (`x-should-retry`); `None` leaves it to the status.
    pub should_retry: Option<bool>,
}

/// What went wrong: a closed set, each with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong.
    InvalidRequest,
    /// The credential is missing or wrong.
    InvalidApiKey,
    /// The credential may not do this.
    PermissionDenied,
    /// There is no such model.
    ModelNotFound,
    /// The body is larger than allowed.
    TooLarge,
    /// No upstream can do what the request asks for.
    Unsupported,
    /// Too many requests for now.
    RateLimited,
    /// The quota is used up: trying again soon does not help.
    QuotaExhausted,
    /// The server failed.
    ServerError,
    /// The upstream could not be reached, or its answer is broken.
    UpstreamFailed,
    /// No upstream is configured or eligible.
    NoUpstream,
    /// The server is overloaded or not up yet.
    Overloaded,
    /// The upstream took too long.
    Timeout,
    /// The client wants a cached answer only, and there is none.
    NotCached,
}

impl ErrorKind {
    /// Gives OpenAI's `code`, also used as metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidApiKey => "invalid_api_key",
            Self::PermissionDenied => "permission_denied",
            Self::ModelNotFound => "model_not_found",
            Self::TooLarge => "request_too_large",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate_limit_exceeded",
            Self::QuotaExhausted => "insufficient_quota",
            Self::ServerError => "server_error",
            Self::UpstreamFailed => "upstream_failed",
            Self::NoUpstream => "no_upstream",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::NotCached => "not_cached",
        }
    }

    /// Gives the HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::Unsupported => 400,
            Self::InvalidApiKey => 401,
            Self::PermissionDenied => 403,
            Self::ModelNotFound => 404,
            Self::TooLarge => 413,
            Self::RateLimited | Self::QuotaExhausted => 429,
            Self::ServerError => 500,
            Self::UpstreamFailed => 502,
            Self::NoUpstream | Self::Overloaded => 503,
            Self::Timeout | Self::NotCached => 504,
        }
    }

    /// Gives the kind that an HTTP status alone stands for.
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::InvalidApiKey,
            403 => Self::PermissionDenied,
            404 => Self::ModelNotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            502 => Self::UpstreamFailed,
            503 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            _ => Self::ServerError,
        }
    }

    /// SDKs retry 408, 409, 429 and 5xx by themselves; these would only be hammered.
    fn should_retry(self) -> Option<bool> {
        matches!(
            self,
            Self::QuotaExhausted | Self::NoUpstream | Self::NotCached
        )
        .then_some(false)
    }
}

impl ApiError {
    /// Makes an error with the status and the advice of its kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            status: kind.status(),
            kind,
            message: message.into(),
            retry_after: None,
            should_retry: kind.should_retry(),
        }
    }

    /// Makes the error for an upstream's status whose body says nothing that we can read.
    pub fn of_status(status: u16) -> Self {
        let kind = ErrorKind::of_status(status);
        Self {
            status,
            ..Self::new(kind, format!("the upstream answered with status {status}"))
        }
    }

    /// Makes the error for a stream that ended before the answer did.
    pub(crate) fn ended_early() -> Self {
        Self::new(
            ErrorKind::UpstreamFailed,
            "the upstream's stream ended before its answer was complete",
        )
    }

    /// Makes the error for a stream event that we cannot read.
    pub(crate) fn malformed() -> Self {
        Self::new(
            ErrorKind::UpstreamFailed,
            "the upstream sent a stream event that is not of its protocol",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_no_retry_cures_say_so() {
        assert_eq!(
            ApiError::new(ErrorKind::NoUpstream, "x").should_retry,
            Some(false)
        );
        assert_eq!(
            ApiError::new(ErrorKind::QuotaExhausted, "x").should_retry,
            Some(false)
        );
        assert_eq!(
            ApiError::new(ErrorKind::RateLimited, "x").should_retry,
            None
        );
    }

    #[test]
    fn a_bare_status_keeps_its_number() {
        for status in [
            400, 401, 403, 404, 408, 409, 413, 418, 429, 500, 502, 503, 504, 529,
        ] {
            assert_eq!(ApiError::of_status(status).status, status);
        }
    }
}
