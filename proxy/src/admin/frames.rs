//! `POST /admin/v1/frames/{id}/approve` and `.../reject`: an operator's word on a learned frame.

use std::sync::Arc;

use http::StatusCode;
use pingora::protocols::http::ServerSession;

use super::{Reply, json_body};
use crate::app::App;
use crate::commands::frames::{self, Decision, Refusal};

/// What the paths begin with.
pub(super) const PREFIX: &str = "/admin/v1/frames/";

/// Takes the operator's word; the answer is the frame as it is now.
pub(super) async fn decide(app: &Arc<App>, path: &str, session: &mut ServerSession) -> Reply {
    let Some((id, verb)) = path
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('/'))
    else {
        return Reply::problem(
            StatusCode::NOT_FOUND,
            "no such path; use frames/{id}/approve or frames/{id}/reject",
        );
    };
    let body = match json_body(session).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let decision = match Decision::parse(verb, &body) {
        Ok(decision) => decision,
        Err(message) => return Reply::problem(StatusCode::BAD_REQUEST, &message),
    };
    let (app, id) = (Arc::clone(app), id.to_owned());
    // It is written to a file before it is answered, which an event loop must not wait for.
    let decided = tokio::task::spawn_blocking(move || frames::decide(&app, &id, decision)).await;
    match decided {
        Ok(Ok(frame)) => Reply::json(StatusCode::OK, &frame),
        Ok(Err(refusal)) => {
            let status = match &refusal {
                Refusal::Shape(_) => StatusCode::BAD_REQUEST,
                Refusal::Frame(crate::frame::learned::Error::Unknown(_)) => StatusCode::NOT_FOUND,
                Refusal::Frame(_) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            Reply::problem(status, &crate::error::chain(&refusal).to_string())
        }
        Err(error) => Reply::problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
