//! Where an upstream is: name resolution kept off the request's way, and the peer Pingora connects to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;

/// How long a resolved address is used before it is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(30);

/// Time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the TCP and TLS handshakes together.
    pub connect: Duration,
    /// Between two reads of the response.
    pub read: Duration,
}

struct Resolved {
    peer: Arc<HttpPeer>,
    at: Instant,
}

/// Host, port and scheme of an upstream, with the last address they resolved to.
///
/// A stale address is used once more while a new one is looked up in the background, so that a slow resolver
/// delays only the first call.
pub struct Address {
    host: String,
    port: u16,
    tls: bool,
    timeouts: Timeouts,
    resolved: ArcSwapOption<Resolved>,
    refreshing: AtomicBool,
}

impl Address {
    /// Names an upstream's server: a domain or an IP address without brackets.
    pub fn new(host: &str, port: u16, tls: bool, timeouts: Timeouts) -> Self {
        Self {
            host: host.to_owned(),
            port,
            tls,
            timeouts,
            resolved: ArcSwapOption::empty(),
            refreshing: AtomicBool::new(false),
        }
    }

    /// The peer to connect to.
    ///
    /// # Errors
    /// When the name was never resolved and cannot be now.
    pub async fn peer(self: &Arc<Self>) -> std::io::Result<Arc<HttpPeer>> {
        if let Some(resolved) = self.resolved.load_full() {
            let stale =
                resolved.at.elapsed() > RESOLVED_FOR && self.host.parse::<IpAddr>().is_err();
            if stale && !self.refreshing.swap(true, Ordering::AcqRel) {
                let address = Arc::clone(self);
                tokio::spawn(async move {
                    if let Err(error) = address.resolve().await {
                        tracing::warn!(host = %address.host, %error, "cannot resolve upstream, last address is kept");
                    }
                    address.refreshing.store(false, Ordering::Release);
                });
            }
            return Ok(Arc::clone(&resolved.peer));
        }
        self.resolve().await
    }

    async fn resolve(&self) -> std::io::Result<Arc<HttpPeer>> {
        let address = match self.host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, self.port),
            Err(_) => {
                let found: Vec<SocketAddr> =
                    tokio::net::lookup_host((self.host.as_str(), self.port))
                        .await?
                        .collect();
                found
                    .iter()
                    .find(|address| address.is_ipv4())
                    .or_else(|| found.first())
                    .copied()
                    .ok_or_else(|| std::io::Error::other(format!("{} has no address", self.host)))?
            }
        };
        // Pingora switches certificate checks off for an empty SNI; the host is never empty here.
        let mut peer = HttpPeer::new(address, self.tls, self.host.clone());
        peer.options.connection_timeout = Some(self.timeouts.connect);
        peer.options.total_connection_timeout = Some(self.timeouts.connect);
        peer.options.read_timeout = Some(self.timeouts.read);
        peer.options.write_timeout = Some(self.timeouts.read);
        peer.options.idle_timeout = Some(super::IDLE_TIMEOUT);
        if self.tls {
            peer.options.alpn = ALPN::H2H1;
        }
        let peer = Arc::new(peer);
        self.resolved.store(Some(Arc::new(Resolved {
            peer: Arc::clone(&peer),
            at: Instant::now(),
        })));
        Ok(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, port: u16, tls: bool) -> Address {
        let second = Duration::from_secs(1);
        Address::new(
            host,
            port,
            tls,
            Timeouts {
                connect: second,
                read: second,
            },
        )
    }

    #[tokio::test]
    async fn an_ip_address_needs_no_resolver() -> anyhow::Result<()> {
        let peer = Arc::new(address("::1", 8000, false)).peer().await?;
        assert_eq!(peer._address.to_string(), "[::1]:8000");
        Ok(())
    }
}
