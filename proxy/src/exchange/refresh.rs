//! Stale-while-revalidate (RFC 5861): a request that was answered from an entry just expired asks the upstream anew,
//! behind the caller's back, with its own bytes and credential.
//!
//! One call at a time for an entry, since a refresh leads the flight of its key, and a bounded number in all. What
//! fails leaves the stale entry as it was; the next request tries again.

use std::sync::Arc;

use bytes::Bytes;
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use tollfree_cache::request::Request;

use super::Exchange;
use super::admit::Learn;
use super::detach::{self, Asked, Purpose};
use super::flight::Boarded;
use super::miss::request::{prepare, request_head};
use super::miss::sending;
use crate::app::App;
use crate::identity::Credential;
use crate::lookup::{Finding, Hit};
use crate::policy::Need;
use crate::protocol::Protocol;
use crate::protocol::chat::ChatRequest;

/// Refreshes under way at most. Beyond it stale entries are served unrefreshed until there is room again.
pub const MAX_REFRESHES: usize = 32;

struct Refresh {
    app: Arc<App>,
    protocol: Protocol,
    credential: Option<Credential>,
    known_caller: bool,
    client: RequestHeader,
    chat: ChatRequest,
    body: Bytes,
    learn: Learn,
}

/// Refreshes the entry of a request in the background, unless somebody is at it.
pub fn start(
    exchange: &Exchange<'_>,
    session: &Session,
    chat: &ChatRequest,
    request: &Request,
    body: &Bytes,
) {
    let app = exchange.app;
    let count = |result: &str| app.metrics.refreshes.with_label_values(&[result]).inc();
    let finding = Finding::unasked(request, "stale");
    let key = app.lookup.flight_key(request, &finding.exact);
    let Boarded::Leader(permit) = app.flights.board(key) else {
        return count("joined");
    };
    let options = exchange.lookup_options(chat);
    if let Some(Hit::Entry { entry, .. }) = app.lookup.exact_again(request, &options) {
        // Somebody was at it, and is done.
        permit.land(entry);
        return count("joined");
    }
    let Ok(place) = Arc::clone(&app.refreshes).try_acquire_owned() else {
        return count("full");
    };
    count("started");
    let refresh = Refresh {
        app: Arc::clone(app),
        protocol: exchange.protocol,
        credential: exchange.credential,
        known_caller: exchange.is_known(),
        client: session.req_header().clone(),
        chat: chat.clone(),
        body: body.clone(),
        learn: Learn::new(chat, request.clone(), finding).leading(Some(permit)),
    };
    tokio::spawn(async move {
        let _place = place;
        if let Err(reason) = refresh.run().await {
            tracing::debug!(reason, "stale entry not refreshed");
        }
    });
}

impl Refresh {
    async fn run(self) -> Result<(), String> {
        let need = Need {
            protocol: self.protocol,
            model: &self.chat.model,
            known_caller: self.known_caller,
            untranslatable: self.chat.untranslatable,
        };
        let plan = self.app.policy.plan(&need, true);
        let choice = plan
            .choices
            .iter()
            .find(|choice| choice.upstream.admit)
            .ok_or("no upstream whose answers are stored may serve it")?;
        let upstream = &choice.upstream;
        let request = prepare(self.protocol, &self.chat, &self.body, choice, &self.client)?;
        let head = request_head(self.protocol, &self.client, upstream, &request)
            .map_err(|error| error.to_string())?;
        let asked = Asked {
            upstream: Arc::clone(upstream),
            protocol: self.protocol,
            credential: self.credential,
            sending: sending::begin(&self.app, upstream, head, request.body),
            learn: self.learn,
        };
        detach::answer(&self.app, asked, Purpose::Refresh).await;
        Ok(())
    }
}
