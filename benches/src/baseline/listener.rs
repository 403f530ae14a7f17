//! A listener whose address is known before Pingora binds it.
//!
//! Pingora takes an address and never tells the port it got. So the port is reserved here first, by a socket that is
//! bound and never listens: with SO_REUSEPORT on both, Pingora's socket may take the same port, and only it gets
//! connections.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use pingora::{
    listeners::{ListenerConfig, TcpSocketOptions},
    protocols::l4::stream::L4BufferSettings,
};
use serde_json::json;
use tokio::net::TcpSocket;

/// Read and write buffer of a connection. Head and body of an answer leave in one write; with Pingora's default of
/// 1,460 bytes they leave in two.
const BUFFER_BYTES: usize = 16_384;
/// How long Pingora may take to listen.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often it is tried whether it does.
const START_POLL: Duration = Duration::from_millis(2);

/// An address that is ours until this is dropped.
pub(super) struct Listener {
    address: SocketAddr,
    /// Holds the port; `None` when the caller chose it.
    reservation: Option<TcpSocket>,
}

impl Listener {
    /// Reserves `address`; port 0 takes a free port.
    ///
    /// # Errors
    /// When the address cannot be bound, which includes that somebody listens there.
    pub(super) fn reserve(address: SocketAddr) -> Result<Self> {
        let bound = || format!("cannot listen on {address}");
        if address.port() != 0 {
            // Pingora would try for half a minute, in silence.
            drop(TcpListener::bind(address).with_context(bound)?);
            return Ok(Self {
                address,
                reservation: None,
            });
        }
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }
        .with_context(bound)?;
        socket.set_reuseport(true).with_context(bound)?;
        socket.bind(address).with_context(bound)?;
        Ok(Self {
            address: socket.local_addr().with_context(bound)?,
            reservation: Some(socket),
        })
    }

    /// Returns what Pingora needs to listen there.
    pub(super) fn config(&self) -> ListenerConfig {
        let mut options = TcpSocketOptions::default();
        options.so_reuseport = self.reservation.is_some().then_some(true);
        ListenerConfig::tcp(self.address.to_string())
            .tcp_socket_options(options)
            .l4_buffer(L4BufferSettings::new(BUFFER_BYTES, BUFFER_BYTES))
    }

    /// Prints `{"listen": ADDRESS, "pid": PID}` on a thread of its own as soon as connections are accepted.
    pub(super) fn announce(self) -> JoinHandle<Result<()>> {
        thread::spawn(move || {
            let begun = Instant::now();
            while TcpStream::connect(self.address).is_err() {
                if begun.elapsed() > START_LIMIT {
                    bail!("nobody listens on {}", self.address);
                }
                thread::sleep(START_POLL);
            }
            drop(self.reservation);
            let line = json!({ "listen": self.address.to_string(), "pid": std::process::id() });
            writeln!(io::stdout().lock(), "{line}")?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_can_be_listened_on_by_a_second_socket_only() -> Result<()> {
        let listener = Listener::reserve("127.0.0.1:0".parse()?)?;
        assert_ne!(listener.address.port(), 0);
        assert!(
            TcpStream::connect(listener.address).is_err(),
            "a reservation does not listen"
        );
        assert!(
            TcpListener::bind(listener.address).is_err(),
            "the port is taken for those who do not share it"
        );
        Ok(())
    }

    #[test]
    fn an_address_in_use_is_refused_at_once() -> Result<()> {
        let other = TcpListener::bind("127.0.0.1:0")?;
        let refused = Listener::reserve(other.local_addr()?);
        assert!(
            refused
                .err()
                .is_some_and(|error| error.to_string().starts_with("cannot listen on 127.0.0.1:"))
        );
        Ok(())
    }
}
