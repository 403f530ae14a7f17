//! The request an upstream is sent: the client's own bytes wherever they can stay.

use bytes::Bytes;
use pingora::http::RequestHeader;

use crate::policy::Choice;
use crate::protocol::Protocol;
use crate::protocol::chat::ChatRequest;
use crate::protocol::codec::UpstreamRequest;
use crate::protocol::route::normal_path;
use crate::upstream::{Upstream, headers};

/// A request made ready for one upstream, all but its header.
pub(in crate::exchange) struct Prepared {
    target: String,
    pub(in crate::exchange) body: Bytes,
    change: Needed,
}

/// What the answer will need.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Nothing,
    Rename,
    Translate,
}

/// The body for one upstream: the client's own bytes wherever they can stay.
pub(in crate::exchange) fn prepare(
    protocol: Protocol,
    chat: &ChatRequest,
    body: &Bytes,
    choice: &Choice,
    client: &RequestHeader,
) -> Result<Prepared, String> {
    let target = target_of(client);
    if choice.upstream.protocol() != protocol {
        let codec = choice.upstream.protocol().codec();
        let UpstreamRequest { target, body } = codec
            .encode_request(chat, &choice.model)
            .map_err(|error| format!("no upstream can serve {}", error.feature))?;
        return Ok(Prepared {
            target,
            body: body.into(),
            change: Needed::Translate,
        });
    }
    if choice.model == chat.model {
        return Ok(Prepared {
            target,
            body: body.clone(),
            change: Needed::Nothing,
        });
    }
    if client.headers.contains_key("content-encoding") {
        return Err(format!(
            "model {:?} has another name upstream, and a body with a content-encoding cannot be changed",
            chat.model
        ));
    }
    let UpstreamRequest { target, body } = protocol
        .codec()
        .rename_model(&target, body, &choice.model)
        .ok_or_else(|| "the request names no model".to_owned())?;
    Ok(Prepared {
        target,
        body: body.into(),
        change: Needed::Rename,
    })
}

/// The target as the upstream shall see it: SDKs are given bases with and without a version or a slash, so the
/// path of a call we know is put right.
fn target_of(client: &RequestHeader) -> String {
    let path = normal_path(client.uri.path());
    client.uri.query().map_or_else(
        || path.clone().into_owned(),
        |query| format!("{path}?{query}"),
    )
}

pub(in crate::exchange) fn untouched_head(
    protocol: Protocol,
    client: &RequestHeader,
    upstream: &Upstream,
    body_len: usize,
) -> pingora::Result<Box<RequestHeader>> {
    headers::for_upstream(client, upstream, protocol, &target_of(client), body_len)
}

pub(in crate::exchange) fn request_head(
    protocol: Protocol,
    client: &RequestHeader,
    upstream: &Upstream,
    request: &Prepared,
) -> pingora::Result<Box<RequestHeader>> {
    let mut head = headers::for_upstream(
        client,
        upstream,
        protocol,
        &request.target,
        request.body.len(),
    )?;
    if request.change != Needed::Nothing {
        // Whatever changes the answer reads it: it has to come unpacked.
        head.insert_header("accept-encoding", "identity")?;
    }
    if request.change == Needed::Translate {
        head.insert_header("content-type", "application/json")?;
        for name in [
            "content-encoding",
            "x-goog-api-client",
            "openai-organization",
            "openai-project",
        ] {
            head.remove_header(name);
        }
    }
    Ok(head)
}
