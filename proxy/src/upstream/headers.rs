//! Which headers cross the proxy, and which belong to one hop.

use pingora::http::{RequestHeader, ResponseHeader};

use super::Upstream;
use crate::controls::OWN_REQUEST_HEADERS;
use crate::protocol::Protocol;

/// Headers of one hop (RFC 9110, section 7.6.1), and those that frame the message anew.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Removes the headers that an upstream's `connection` header names; Pingora's pipeline leaves these in.
pub fn strip_named_by_connection(head: &mut ResponseHeader) {
    if head.headers.contains_key("connection") && head.status != 101 {
        for name in named_by_connection(&head.headers) {
            if name != "transfer-encoding" {
                head.remove_header(name.as_str());
            }
        }
        head.remove_header("keep-alive");
    }
}

/// The headers that `connection` names, in lower case.
fn named_by_connection(headers: &http::HeaderMap) -> Vec<String> {
    headers
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "content-length" && name != "host")
        .collect()
}

/// A client's request header made ready for an upstream: same end-to-end headers in the same order and case,
/// own framing, host and credential.
///
/// # Errors
/// When the target or the configured key cannot stand in a header.
pub fn for_upstream(
    client: &RequestHeader,
    upstream: &Upstream,
    protocol: Protocol,
    target: &str,
    body_len: usize,
) -> pingora::Result<Box<RequestHeader>> {
    let mut head = Box::new(client.clone());
    for name in named_by_connection(&client.headers) {
        head.remove_header(name.as_str());
    }
    for name in HOP_BY_HOP
        .iter()
        .chain(&["expect"])
        .chain(&OWN_REQUEST_HEADERS)
    {
        head.remove_header(*name);
    }
    head.set_version(http::Version::HTTP_11);
    super::set_target(&mut head, &upstream.target(target))?;
    head.insert_header("host", upstream.authority())?;
    head.insert_header("content-length", body_len.to_string())?;
    upstream.authorize(&mut head, Some(protocol))?;
    Ok(head)
}

/// An upstream's response header made ready for the client: own framing, nothing else changed.
///
/// With `keep_length` false the body's length is not known beforehand.
///
/// # Errors
/// Never for a header that came from the wire.
pub fn for_client(
    upstream: &ResponseHeader,
    client_is_http1: bool,
    keep_length: bool,
) -> pingora::Result<Box<ResponseHeader>> {
    let mut head = Box::new(upstream.clone());
    for name in named_by_connection(&upstream.headers) {
        head.remove_header(name.as_str());
    }
    for name in HOP_BY_HOP {
        head.remove_header(name);
    }
    head.set_version(http::Version::HTTP_11);
    if !keep_length {
        head.remove_header("content-length");
    }
    frame(&mut head, client_is_http1)?;
    Ok(head)
}

/// Chooses chunked framing for an HTTP/1 response of unknown length.
///
/// # Errors
/// Never.
pub fn frame(head: &mut ResponseHeader, client_is_http1: bool) -> pingora::Result<()> {
    let no_body = matches!(head.status.as_u16(), 204 | 304);
    if client_is_http1 && !no_body && !head.headers.contains_key("content-length") {
        head.insert_header("transfer-encoding", "chunked")?;
    }
    Ok(())
}
