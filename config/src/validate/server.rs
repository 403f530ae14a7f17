//! `[server]`

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Around;
use super::report::{Place, Report};
use crate::config::Server;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::env;
use crate::error::{Error, Result};
use crate::raw::RawServer;
use crate::types::{AuthMode, bounds};

pub(super) fn validate(
    raw: RawServer,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Server {
    let flags = around.overrides;
    let listen = Given {
        flag: ("--listen", flags.listen.as_deref()),
        variable: env::TOLLFREE_LISTEN,
        field: (path.key("listen"), raw.listen),
    };
    let admin_listen = Given {
        flag: ("--admin-listen", flags.admin_listen.as_deref()),
        variable: env::TOLLFREE_ADMIN_LISTEN,
        field: (path.key("admin_listen"), raw.admin_listen),
    };
    let (listen, listen_place) = listen.address(around, report);
    let (admin_listen, admin_place) = admin_listen.address(around, report);
    // An address with a problem of its own must not bring a second one with it.
    let sound = listen.is_some() && admin_listen.is_some();
    let listen = listen.flatten().unwrap_or(defaults::LISTEN);
    let admin_listen = admin_listen.flatten().unwrap_or(defaults::ADMIN_LISTEN);
    let data_dir = data_dir(
        raw.data_dir.as_deref(),
        &path.key("data_dir"),
        around,
        report,
    );

    let auth = raw.auth.unwrap_or(defaults::AUTH);
    let expose_open = raw.expose_open.unwrap_or(defaults::EXPOSE_OPEN);
    const EXPOSE: &str = "listen on loopback, such as 127.0.0.1, or set server.expose_open = true";
    if auth == AuthMode::Open && !listen.ip().is_loopback() && !expose_open {
        let message = format!(
            "{listen} is not loopback, and with auth = \"open\" everyone who reaches it is answered"
        );
        report.add_at(
            &listen_place,
            message,
            format!("set server.auth = \"passthrough\", {EXPOSE}"),
        );
    }
    if !admin_listen.ip().is_loopback() && !expose_open {
        let message = format!(
            "{admin_listen} is not loopback, and the admin listener asks for no credential"
        );
        report.add_at(&admin_place, message, EXPOSE);
    }
    if sound && listen == admin_listen && listen.port() != 0 {
        let message = format!("{admin_listen} is also the address of the proxy listener");
        report.add_at(&admin_place, message, "use another port for one of the two");
    }

    let threads = report.field(&path.key("threads"), raw.threads, defaults::THREADS, |n| {
        bounds::THREADS.count(n)
    });
    let body = &path.key("max_body_bytes");
    Server {
        listen,
        admin_listen,
        data_dir,
        threads,
        max_body_bytes: report.field(body, raw.max_body_bytes, defaults::MAX_BODY_BYTES, |n| {
            bounds::MAX_BODY_BYTES.count(n)
        }),
        auth,
        auth_ttl: report.field(
            &path.key("auth_ttl"),
            raw.auth_ttl,
            defaults::AUTH_TTL,
            |text| bounds::AUTH_TTL.check(text.parse()?),
        ),
        expose_open,
    }
}

/// What was given for a setting that has a flag, a variable and a field.
struct Given<'a> {
    flag: (&'static str, Option<&'a str>),
    variable: &'static str,
    field: (FieldPath, Option<String>),
}

impl Given<'_> {
    /// Returns the address that wins (`Some(None)`: none was given; `None`: it has a problem), and where it came
    /// from; what loses is not looked at.
    fn address(
        self,
        around: &Around<'_>,
        report: &mut Report<'_>,
    ) -> (Option<Option<SocketAddr>>, Place) {
        let (flag, on_flag) = self.flag;
        let (path, in_file) = self.field;
        let (place, text) = if let Some(text) = on_flag {
            (Place::Outside(flag), Ok(Some(text.to_owned())))
        } else if around.environment.get(self.variable).is_some() {
            (
                Place::Outside(self.variable),
                around.environment.text(self.variable),
            )
        } else {
            (Place::Field(path), Ok(in_file))
        };
        let parsed = text.and_then(|text| text.map(|text| address(&text)).transpose());
        (report.check_at(&place, parsed), place)
    }
}

fn address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| Error::Address {
        text: text.to_owned(),
    })
}

fn data_dir(
    raw: Option<&str>,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> PathBuf {
    let outside = around
        .overrides
        .data_dir
        .clone()
        .or_else(|| around.environment.path(env::TOLLFREE_DATA_DIR));
    outside.unwrap_or_else(|| {
        report.field(path, raw, PathBuf::from(defaults::DATA_DIR), |text| {
            around.resolve(text)
        })
    })
}
