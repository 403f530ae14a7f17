//! `tollfree serve`: runs the proxy and the admin listener.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use pingora::apps::HttpServerOptions;
use pingora::listeners::{L4BufferSettings, ListenerConfig, TcpSocketOptions};
use pingora::proxy::ProxyServiceBuilder;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use pingora::services::listening::Service;
use serde_json::json;
use tokio::net::TcpSocket;

use super::{Global, backend, out};
use crate::admin::Admin;
use crate::admin::owner::Owner;
use crate::app::App;
use crate::lookup::phrasings;
use crate::service::Proxy;

/// Requests in flight get this long to end after a SIGTERM.
const DRAIN: Duration = Duration::from_secs(5);

/// Between two attempts to embed the templates.
const RETRY: Duration = Duration::from_secs(5);

/// Bytes buffered for a client before a write: header and body of most answers leave in one packet.
const WRITE_BUFFER: usize = 16 * 1024;
/// Bytes read from a client at once; the default of 64 KiB is held by every idle connection.
const READ_BUFFER: usize = 16 * 1024;

/// Serves until told to stop.
pub(super) fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let Some(config) = backend::configuration(global) else {
        return Ok(ExitCode::FAILURE);
    };
    crate::telemetry::log::install(config.log());
    let config = Arc::new(config);
    let proxy = Reserved::new(config.server().listen(), "server.listen")?;
    let admin = Reserved::new(config.server().admin_listen(), "server.admin_listen")?;
    let app = Arc::new(App::open(Arc::clone(&config))?);
    if config.cache().enabled() {
        app.frames
            .start_learning()
            .context("starting to learn frames")?;
    }

    let mut server = Server::new_with_opt_and_conf(None, server_conf(&config)?);
    server.bootstrap();
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    let mut service = ProxyServiceBuilder::new(&server.configuration, Proxy::new(Arc::clone(&app)))
        .name("proxy")
        .server_options(options)
        .build();
    service.add_listener(proxy.listener());
    server.add_service(service);

    let owner = Owner {
        admin: admin.address.to_string(),
        instance: crate::ids::fresh(),
    };
    let mut service = Service::new(
        "admin".to_owned(),
        Admin::new(Arc::clone(&app), owner.instance.clone()),
    );
    service.threads = Some(1);
    service.add_listener(admin.listener());
    server.add_service(service);

    let start = Start {
        app: Arc::clone(&app),
        owner: owner.clone(),
        listen: proxy.address,
        admin_listen: admin.address,
        json: global.json,
    };
    let mut service = background_service("start", start);
    service.threads = Some(1);
    server.add_service(service);

    // The reserved sockets stay bound until Pingora's are: nobody else can take the ports in between.
    server.run(RunArgs::default());
    owner.withdraw(config.server().data_dir());
    app.lookup
        .cache()
        .flush_blocking()
        .context("writing the last entries")?;
    drop((proxy, admin));
    Ok(ExitCode::SUCCESS)
}

fn server_conf(config: &tollfree_config::Config) -> anyhow::Result<ServerConf> {
    Ok(ServerConf {
        threads: config.server().threads(),
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(DRAIN.as_secs()),
        upstream_keepalive_pool_size: 128,
        ca_file: crate::upstream::roots::ca_file(config.server().data_dir())?,
        ..ServerConf::default()
    })
}

/// An address that is ours before Pingora listens on it.
struct Reserved {
    address: SocketAddr,
    /// Bound, not listening, and only for a port the system chose.
    socket: Option<TcpSocket>,
}

impl Reserved {
    fn new(address: SocketAddr, field: &str) -> anyhow::Result<Self> {
        let remedy = || {
            format!(
                "listening on {address}; choose another address with {field} or stop what listens there"
            )
        };
        if address.port() != 0 {
            // Pingora panics on an address in use; this says so before.
            TcpListener::bind(address).with_context(remedy)?;
            return Ok(Self {
                address,
                socket: None,
            });
        }
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseport(true)?;
        socket.bind(address).with_context(remedy)?;
        Ok(Self {
            address: socket.local_addr()?,
            socket: Some(socket),
        })
    }

    fn listener(&self) -> ListenerConfig {
        let mut options = TcpSocketOptions::default();
        options.so_reuseport = self.socket.is_some().then_some(true);
        ListenerConfig::tcp(self.address.to_string())
            .tcp_socket_options(options)
            .l4_buffer(L4BufferSettings::new(READ_BUFFER, WRITE_BUFFER))
    }
}

/// What happens beside serving, once: load, then say so.
struct Start {
    app: Arc<App>,
    owner: Owner,
    listen: SocketAddr,
    admin_listen: SocketAddr,
    json: bool,
}

#[async_trait]
impl BackgroundService for Start {
    async fn start(&self, _shutdown: ShutdownWatch) {
        for address in [self.listen, self.admin_listen] {
            while tokio::net::TcpStream::connect(reachable(address))
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        if let Err(error) = self.owner.announce(self.app.config.server().data_dir()) {
            tracing::warn!(%error, "cannot leave a note in the data directory: commands will not find this server");
        }
        let mut prepared = phrasings::prepare(&self.app.lookup).await;
        self.announce();
        while let Err(error) = prepared {
            tracing::error!(error = %crate::error::chain(&error), "templates and the semantic tier are off");
            if self.app.lookup.models().failure().is_some() {
                return;
            }
            tokio::time::sleep(RETRY).await;
            prepared = phrasings::prepare(&self.app.lookup).await;
        }
    }
}

impl Start {
    fn announce(&self) {
        let stats = self.app.lookup.cache().stats();
        let failure = self.app.lookup.models().failure();
        if self.json {
            let line = json!({
                "listen": self.listen.to_string(),
                "admin_listen": self.admin_listen.to_string(),
                "entries": stats.entries,
                "templates": self.app.lookup.library().templates().len(),
                "upstreams": self.app.policy.upstreams().iter().map(|upstream| &upstream.name).collect::<Vec<_>>(),
                "embedder": failure.as_deref().unwrap_or("ready"),
            });
            out::announce(&line.to_string());
            return;
        }
        let upstreams: Vec<_> = self
            .app
            .policy
            .upstreams()
            .iter()
            .map(|upstream| upstream.name.as_str())
            .collect();
        let upstreams = if upstreams.is_empty() {
            "none: a miss is answered 503; set GEMINI_API_KEY or add [[upstreams]] to tollfree.toml"
                .to_owned()
        } else {
            upstreams.join(", ")
        };
        let embedder = failure.map_or_else(
            || "all-MiniLM-L6-v2, ready".to_owned(),
            |why| format!("off: {why}"),
        );
        out::announce(&format!(
            "tollfree {version}\n  proxy      http://{listen}\n  admin      http://{admin}\n  templates  {templates}\n  \
             entries    {entries}\n  embedder   {embedder}\n  upstreams  {upstreams}\n\nTry it:\n  curl -s -D- \
             http://{listen}/v1/chat/completions -H 'content-type: application/json' -d \
             '{{\"model\":\"any\",\"messages\":[{{\"role\":\"user\",\"content\":\"I want to learn conversational \
             Spanish in 3 months\"}}]}}'",
            version = env!("CARGO_PKG_VERSION"),
            listen = self.listen,
            admin = self.admin_listen,
            templates = self.app.lookup.library().templates().len(),
            entries = stats.entries,
        ));
    }
}

/// The address to connect to for one that means "all interfaces".
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        std::net::IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
