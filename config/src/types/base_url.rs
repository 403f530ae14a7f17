//! Where an upstream is reached.

use std::fmt;

use serde::{Serialize, Serializer};
use url::{Host, Url};

use super::UpstreamKind;
use crate::error::{Error, Result};

/// The `http` or `https` address of an upstream with an optional path prefix; no query, no fragment, no user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    tls: bool,
    host: String,
    authority: String,
    port: u16,
    path: String,
}

impl BaseUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    /// [`Error::Url`] when it is no URL, its scheme is another, the host is missing, or it holds a user, password,
    /// query or fragment. The text is never repeated in the error, since those may hold a key.
    pub fn new(text: &str) -> Result<Self> {
        const WRITE: &str = "write scheme, host and path, such as \"https://api.openai.com/v1\"";
        let refuse = |problem: &str, remedy| {
            Err(Error::Url {
                problem: problem.to_owned(),
                remedy,
            })
        };
        // The parser is lenient as browsers are ("http:host", spaces around); a configuration need not be.
        let scheme = text
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return refuse("does not start with http:// or https://", WRITE);
        }
        if text.contains(":///") {
            return refuse("has no host", WRITE);
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return refuse("holds a space, control character or backslash", WRITE);
        }
        let url = Url::parse(text).map_err(|error| Error::Url {
            problem: format!("cannot be read: {error}"),
            remedy: WRITE,
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "holds a user name or password",
                "remove them; give the key by api_key",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse(
                "holds a query or a fragment",
                "remove all from \"?\" or \"#\" on; give the key by api_key",
            );
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refuse("has no host", WRITE);
        };
        if port == 0 {
            return refuse("has port 0", "write the port on which the upstream listens");
        }
        Ok(Self {
            tls: url.scheme() == "https",
            host: match host {
                Host::Domain(domain) => domain.to_owned(),
                Host::Ipv4(address) => address.to_string(),
                Host::Ipv6(address) => address.to_string(),
            },
            authority: match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_string(),
            },
            port,
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Tells whether the scheme is `https`.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Returns the domain or IP address, without brackets; the name for TLS and for the resolver.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, also where it is that of the scheme.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns host and port as the `Host` header has them: brackets around IPv6, no port where it is that of the
    /// scheme.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the path without a slash at the end; empty where there is none.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the upstream's path for the path of a client's request (which has no query).
    ///
    /// A base URL is written as for the SDKs, with or without the version: a path that ends with `/v1` or
    /// `/v1beta` loses that end, since the request brings its own. With `openai` another path takes the place of
    /// the request's `/v1`, as `/v1beta/openai` of Gemini's OpenAI-compatible API has to; with `gemini` it comes
    /// before the request's path.
    pub fn path_for(&self, kind: UpstreamKind, request_path: &str) -> String {
        for version in ["/v1", "/v1beta"] {
            if let Some(prefix) = self.path.strip_suffix(version) {
                return format!("{prefix}{request_path}");
            }
        }
        let replaces = kind == UpstreamKind::Openai && !self.path.is_empty();
        let rest = match request_path.strip_prefix("/v1") {
            Some(rest) if replaces && (rest.is_empty() || rest.starts_with('/')) => rest,
            _ => request_path,
        };
        format!("{}{rest}", self.path)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl Serialize for BaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed constructor fails the test")]

    use super::*;

    #[test]
    fn the_parts_of_a_url_are_taken_apart() {
        let check = |text, tls, host, port, authority, path| {
            let url = BaseUrl::new(text).unwrap();
            assert_eq!((url.tls(), url.host(), url.port()), (tls, host, port));
            assert_eq!((url.authority(), url.path()), (authority, path));
        };
        check(
            "https://api.openai.com/v1/",
            true,
            "api.openai.com",
            443,
            "api.openai.com",
            "/v1",
        );
        check(
            "http://127.0.0.1:8000",
            false,
            "127.0.0.1",
            8000,
            "127.0.0.1:8000",
            "",
        );
        check(
            "HTTPS://[::1]:8443/a/b",
            true,
            "::1",
            8443,
            "[::1]:8443",
            "/a/b",
        );
        check("http://vllm:80/", false, "vllm", 80, "vllm", "");
    }

    #[test]
    fn the_version_is_never_doubled() {
        let check = |kind, base, request, expected| {
            assert_eq!(
                BaseUrl::new(base).unwrap().path_for(kind, request),
                expected
            );
        };
        let openai = |base, request, expected| check(UpstreamKind::Openai, base, request, expected);
        openai("http://h", "/v1/chat/completions", "/v1/chat/completions");
        openai("http://h/", "/v1/models", "/v1/models");
        openai(
            "http://h/v1",
            "/v1/chat/completions",
            "/v1/chat/completions",
        );
        openai(
            "http://h/openai/v1/",
            "/v1/chat/completions",
            "/openai/v1/chat/completions",
        );
        openai(
            "http://h/v1beta/openai",
            "/v1/chat/completions",
            "/v1beta/openai/chat/completions",
        );
        openai(
            "http://h/gateway",
            "/v1beta/models",
            "/gateway/v1beta/models",
        );
        openai("http://h/gateway", "/health", "/gateway/health");
        openai("http://h/v1", "/health", "/health");
        let gemini = |base, request, expected| check(UpstreamKind::Gemini, base, request, expected);
        gemini(
            "http://h",
            "/v1beta/models/m:generateContent",
            "/v1beta/models/m:generateContent",
        );
        gemini(
            "http://h/v1beta",
            "/v1beta/models/m:generateContent",
            "/v1beta/models/m:generateContent",
        );
        gemini(
            "http://h/v1beta",
            "/v1/models/m:generateContent",
            "/v1/models/m:generateContent",
        );
        gemini(
            "http://h/gateway",
            "/v1/models/m:generateContent",
            "/gateway/v1/models/m:generateContent",
        );
    }

    #[test]
    fn what_is_no_plain_http_address_is_refused_and_never_repeated() {
        let texts = [
            "",
            "api.openai.com",
            "ftp://sesame.example",
            "http:sesame",
            "http://",
            "http:///v1",
            "http://?sesame",
            "http://sesame@h",
            "http://user:sesame@h",
            "http://h/?key=sesame",
            "http://h/#sesame",
            "http://h:0",
            "http://h:99999",
            "http://se same",
            " http://h",
            "http://h\\sesame",
            "http://[::1",
            "héllo wörld",
        ];
        for text in texts {
            let error = BaseUrl::new(text).unwrap_err();
            assert!(
                !format!("{error} {}", error.remedy()).contains("sesame"),
                "{text} is repeated: {error}"
            );
        }
    }
}
