//! Reading a request's body whole, within a limit, whatever its framing.

use std::borrow::Cow;
use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use pingora::http::RequestHeader;
use pingora::proxy::Session;

/// The body is larger than the limit.
#[derive(Debug, thiserror::Error)]
#[error("request body is larger than {limit} bytes (server.max_body_bytes)")]
pub struct TooLarge {
    limit: usize,
}

/// The length of the body in bytes, if the header says it.
pub fn declared_length(head: &RequestHeader) -> Option<usize> {
    head.headers
        .get("content-length")?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Reads the whole body, answering `Expect: 100-continue` first; bodies of any framing work alike.
///
/// # Errors
/// The outer error means a broken connection; the inner one a body over `limit` bytes, after which the
/// connection is closed once answered.
pub async fn read(session: &mut Session, limit: usize) -> pingora::Result<Result<Bytes, TooLarge>> {
    let head = session.req_header();
    let declared = declared_length(head);
    if declared.is_some_and(|length| length > limit) {
        session.as_downstream_mut().set_keepalive(None);
        return Ok(Err(TooLarge { limit }));
    }
    let expects_continue = head
        .headers
        .get("expect")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let downstream = session.as_downstream_mut();
    if expects_continue {
        downstream.write_continue_response().await?;
    }
    // Most bodies arrive in one piece: that piece is the body, uncopied.
    let Some(first) = downstream.read_request_body().await? else {
        return Ok(Ok(Bytes::new()));
    };
    let Some(second) = downstream.read_request_body().await? else {
        return Ok(if first.len() > limit {
            Err(TooLarge { limit })
        } else {
            Ok(first)
        });
    };
    let mut body = BytesMut::with_capacity(
        declared
            .unwrap_or((first.len() + second.len()) * 2)
            .min(limit),
    );
    body.extend_from_slice(&first);
    body.extend_from_slice(&second);
    while let Some(piece) = downstream.read_request_body().await? {
        if body.len() + piece.len() > limit {
            downstream.set_keepalive(None);
            return Ok(Err(TooLarge { limit }));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Ok(body.freeze()))
}

/// The body without its content encoding, for looking into it; `None` for an encoding we do not read or a
/// body that unpacks to more than `limit` bytes.
pub fn plain<'a>(head: &RequestHeader, body: &'a Bytes, limit: usize) -> Option<Cow<'a, [u8]>> {
    match head
        .headers
        .get("content-encoding")
        .map(|value| value.as_bytes().to_ascii_lowercase())
    {
        None => Some(Cow::Borrowed(body)),
        Some(encoding) if encoding == b"identity" => Some(Cow::Borrowed(body)),
        Some(encoding) if encoding == b"gzip" || encoding == b"x-gzip" => {
            let mut unpacked = Vec::new();
            let mut decoder = MultiGzDecoder::new(body.as_ref()).take(limit as u64 + 1);
            decoder.read_to_end(&mut unpacked).ok()?;
            (unpacked.len() <= limit).then_some(Cow::Owned(unpacked))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_body_that_unpacks_beyond_the_limit_is_not_looked_into() -> anyhow::Result<()> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 1_000_000])?;
        let packed = Bytes::from(encoder.finish()?);
        let mut head = RequestHeader::build("POST", b"/", None)?;
        head.insert_header("content-encoding", "gzip")?;
        assert_eq!(
            plain(&head, &packed, 1_000_000).map(|body| body.len()),
            Some(1_000_000)
        );
        assert!(plain(&head, &packed, 999_999).is_none());
        assert!(plain(&head, &Bytes::from_static(b"not gzip"), 100).is_none());
        head.insert_header("content-encoding", "br")?;
        assert!(plain(&head, &packed, 1_000_000).is_none());
        Ok(())
    }
}
