//! `/admin/v1/cache/export`, `import`, `purge` and `release`: stored entries out, in, away, and shared.

use http::StatusCode;
use pingora::protocols::http::ServerSession;
use serde_json::{Value, json};

use super::{Reply, query, read_json};
use crate::app::App;
use crate::commands::Lines;
use crate::commands::portable::{self, Page};
use crate::commands::purge::{self, Purge, Refused};
use crate::commands::release::{self, Release};

/// One page of entries; the page is given in the query.
pub(super) fn export(app: &App, text: Option<&str>) -> Reply {
    let page: Page = match query::parse(text) {
        Ok(page) => page,
        Err(error) => return Reply::problem(StatusCode::BAD_REQUEST, &error),
    };
    match portable::export(app, &page) {
        Ok(page) => Reply::json(StatusCode::OK, &page),
        Err(error) => Reply::problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// Takes in exported lines; one result for each.
pub(super) async fn import(app: &App, session: &mut ServerSession) -> Reply {
    let call: Lines = match read_json(session).await {
        Ok(call) => call,
        Err(reply) => return reply,
    };
    let results = portable::import(app, &call.numbered()).await;
    Reply::json(StatusCode::OK, &Value::from(results))
}

/// Takes entries out, or says which would go.
pub(super) async fn purge(app: &App, session: &mut ServerSession) -> Reply {
    let call: Purge = match read_json(session).await {
        Ok(call) => call,
        Err(reply) => return reply,
    };
    match purge::purge(app, &call).await {
        Ok(purged) => Reply::json(StatusCode::OK, &purged),
        Err(error) => {
            let status = match error {
                Refused::Embedding(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            let message = crate::error::chain(&error).to_string();
            Reply::json(status, &json!({ "error": message }))
        }
    }
}

/// Shares entries that are in quarantine.
pub(super) async fn release(app: &App, session: &mut ServerSession) -> Reply {
    let call: Release = match read_json(session).await {
        Ok(call) => call,
        Err(reply) => return reply,
    };
    match release::release(app, &call).await {
        Ok(outcomes) => Reply::json(StatusCode::OK, &outcomes),
        Err(error) => Reply::problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}
