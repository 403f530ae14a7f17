//! `/admin/v1/requests`: why the latest requests were answered as they were.

use http::StatusCode;

use super::{Reply, query};
use crate::app::App;
use crate::commands::requests::{self, Latest};

/// The latest decisions; how many is given in the query.
pub(super) fn latest(app: &App, text: Option<&str>) -> Reply {
    match query::parse::<Latest>(text) {
        Ok(latest) => Reply::json(StatusCode::OK, &requests::latest(app, &latest)),
        Err(error) => Reply::problem(StatusCode::BAD_REQUEST, &error),
    }
}

/// The decision of one request.
pub(super) fn one(app: &App, id: &str) -> Reply {
    let id = crate::protocol::route::percent_decoded(id);
    match requests::one(app, &id) {
        Ok(decision) => Reply::json(StatusCode::OK, &decision),
        Err(error) => Reply::problem(StatusCode::NOT_FOUND, &error),
    }
}
