//! Servers to compare with, each the least that does its job on Pingora.
//!
//! [`answer`] is the floor of an exact hit: it reads and parses the body and answers from memory. [`pass`] is the
//! floor of a miss: it names an upstream and nothing else. [`upstream`] stands in for the API behind the proxy.
//! They are built and run as the product is, so that a ratio compares code and not settings.

pub mod answer;
pub mod pass;
pub mod upstream;

mod chat;
mod listener;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use pingora::{
    apps::HttpServerApp,
    server::{RunArgs, Server, configuration::ServerConf},
    services::listening::Service,
};

use listener::Listener;

/// What every baseline server is started with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Number of threads that serve, at least 1.
    pub threads: usize,
}

/// Serves until a signal ends it; prints one JSON line with the real address once it accepts connections.
fn serve<A>(options: Options, service: impl FnOnce(&Arc<ServerConf>) -> Service<A>) -> Result<()>
where
    A: HttpServerApp + Send + Sync + 'static,
{
    let conf = ServerConf {
        threads: options.threads,
        // The upstream of a baseline speaks plain HTTP, but Pingora loads root certificates all the same and panics
        // on a machine that has none. An empty file holds none and is fine.
        ca_file: Some("/dev/null".to_owned()),
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = service(&server.configuration);
    let listener = Listener::reserve(options.listen)?;
    service.add_listener(listener.config());
    server.add_service(service);
    let announcing = listener.announce();
    server.run(RunArgs::default());
    drop(announcing);
    Ok(())
}
