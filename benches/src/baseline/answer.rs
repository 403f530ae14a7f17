//! The floor of an exact hit: a Pingora handler that reads the body, parses it and answers from memory.

use anyhow::Result;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use pingora::{
    Error, ErrorType,
    http::ResponseHeader,
    modules::http::HttpModules,
    proxy::{ProxyHttp, Session, http_proxy_service},
    upstreams::peer::HttpPeer,
};

use super::{
    Options,
    chat::{ChatRequest, completion},
};

/// A longer body is refused.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

struct Answer {
    body: Bytes,
}

/// Serves until a signal ends it.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(options: Options) -> Result<()> {
    let body = completion("gpt-4o-mini", None)?.into();
    super::serve(options, |conf| http_proxy_service(conf, Answer { body }))
}

#[async_trait]
impl ProxyHttp for Answer {
    type CTX = ();

    fn new_ctx(&self) {}

    /// Leaves out the compression module, which is disabled and costs time all the same.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, _: &mut ()) -> pingora::Result<bool> {
        let body = read_body(session).await?;
        let request: ChatRequest<'_> = serde_json::from_slice(&body).map_err(|error| {
            Error::because(ErrorType::HTTPStatus(400), "body is no chat request", error)
        })?;
        std::hint::black_box(&request);
        let mut header = ResponseHeader::build(200, Some(2))?;
        header.insert_header("content-type", "application/json")?;
        header.insert_header("content-length", self.body.len())?;
        session
            .write_response_header(Box::new(header), false)
            .await?;
        session
            .write_response_body(Some(self.body.clone()), true)
            .await?;
        Ok(true)
    }

    /// Never asked: every request is answered before.
    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Error::e_explain(ErrorType::HTTPStatus(500), "this baseline has no upstream")
    }
}

/// Reads the whole body; one that arrives in one piece is not copied.
async fn read_body(session: &mut Session) -> pingora::Result<Bytes> {
    let Some(first) = session.read_request_body().await? else {
        return Ok(Bytes::new());
    };
    let Some(second) = session.read_request_body().await? else {
        return Ok(first);
    };
    let mut body = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(bytes) = next {
        if body.len() + bytes.len() > MAX_BODY_BYTES {
            return Error::e_explain(ErrorType::HTTPStatus(413), "body is too long");
        }
        body.extend_from_slice(&bytes);
        next = session.read_request_body().await?;
    }
    Ok(body.freeze())
}
