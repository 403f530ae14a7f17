//! What a client is told when no upstream answers.

use pingora::proxy::Session;

use crate::exchange::report::Report;
use crate::exchange::{Exchange, refuse};
use crate::policy::{Ineligible, Plan};
use crate::protocol::chat::ChatRequest;
use crate::protocol::error::ErrorKind;
use crate::upstream::Upstream;
use crate::upstream::send::Failure;

/// The upstream was asked and did not answer.
pub(super) async fn failed(
    exchange: &Exchange<'_>,
    session: &mut Session,
    failure: &Failure,
    upstream: &Upstream,
    report: &Report,
) -> pingora::Result<()> {
    tracing::warn!(upstream = %upstream.name, error = %crate::error::chain(failure), "upstream failed");
    let (kind, what) = match failure {
        Failure::Connect(_) => (ErrorKind::UpstreamFailed, "cannot be reached"),
        Failure::NoResponse(_) => (
            ErrorKind::UpstreamFailed,
            "closed the connection without an answer",
        ),
        Failure::TimedOut => (
            ErrorKind::Timeout,
            "did not answer in time (upstreams.read_timeout)",
        ),
    };
    let message = format!("upstream {:?} {what}", upstream.name);
    refuse::write(exchange, session, kind, &message, Some(report)).await
}

/// There is no upstream at all.
pub(super) async fn no_upstream(
    exchange: &Exchange<'_>,
    session: &mut Session,
    report: &Report,
) -> pingora::Result<()> {
    let error = refuse::no_upstream("no stored answer fits this goal and");
    refuse::write_error(exchange, session, &error, Some(report)).await
}

/// The upstream would be called with a key of its operator, and nobody has vouched for the caller.
pub(super) async fn unknown_caller(
    exchange: &Exchange<'_>,
    session: &mut Session,
    report: &Report,
) -> pingora::Result<()> {
    refuse::write_error(exchange, session, &refuse::unknown_caller(), Some(report)).await
}

/// There are upstreams, but none that may serve this request.
pub(super) async fn none_eligible(
    exchange: &Exchange<'_>,
    session: &mut Session,
    chat: &ChatRequest,
    plan: &Plan,
    report: &Report,
) -> pingora::Result<()> {
    let reasons: Vec<String> = plan
        .ruled_out
        .iter()
        .map(|(name, reason)| format!("{name}: {}", reason.as_str()))
        .collect();
    let (kind, lead) = if plan
        .ruled_out
        .iter()
        .all(|(_, reason)| *reason == Ineligible::Model)
    {
        (
            ErrorKind::ModelNotFound,
            format!("no upstream serves model {:?}", chat.model),
        )
    } else if plan
        .ruled_out
        .iter()
        .any(|(_, reason)| matches!(reason, Ineligible::Feature(_)))
    {
        (
            ErrorKind::Unsupported,
            "no upstream can serve this request".to_owned(),
        )
    } else if plan
        .ruled_out
        .iter()
        .any(|(_, reason)| *reason == Ineligible::Caller)
    {
        (
            ErrorKind::InvalidApiKey,
            "no upstream has accepted this credential".to_owned(),
        )
    } else {
        (
            ErrorKind::NoUpstream,
            "no upstream may serve this request".to_owned(),
        )
    };
    let message = format!(
        "{lead} ({}); see [[upstreams]] in tollfree.toml",
        reasons.join("; ")
    );
    refuse::write(exchange, session, kind, &message, Some(report)).await
}
