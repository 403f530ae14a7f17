//! The floor of a miss: a plain Pingora pass-through that names its upstream and nothing else.

use std::net::SocketAddr;

use anyhow::Result;
use async_trait::async_trait;
use pingora::{
    proxy::{ProxyHttp, Session, http_proxy_service},
    upstreams::peer::HttpPeer,
};

use super::Options;

struct Pass {
    upstream: SocketAddr,
}

/// Serves until a signal ends it.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(options: Options, upstream: SocketAddr) -> Result<()> {
    super::serve(options, |conf| http_proxy_service(conf, Pass { upstream }))
}

#[async_trait]
impl ProxyHttp for Pass {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}
