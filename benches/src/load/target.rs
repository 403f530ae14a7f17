//! Where requests go and what stands in their heads.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// An HTTP endpoint and the headers that every request to it carries.
#[derive(Debug, Clone)]
pub struct Target {
    authority: String,
    host: String,
    port: u16,
    path: String,
    headers: HeaderMap,
}

impl Target {
    /// Makes a target of an `http://` URL and extra headers, each written `name: value`.
    ///
    /// # Errors
    /// When the URL is none, asks for TLS (the client speaks plain HTTP only), or a header is malformed.
    pub fn new(url: &str, headers: &[String]) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url:?} is no URL"))?;
        if uri.scheme_str() != Some("http") {
            bail!("{url:?} does not begin with http://; TLS is not spoken");
        }
        let authority = uri
            .authority()
            .with_context(|| format!("{url:?} names no host"))?;
        let mut map = HeaderMap::new();
        map.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        for line in headers {
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("{line:?} is not `name: value`"))?;
            let name: HeaderName = name
                .trim()
                .parse()
                .with_context(|| format!("{line:?} has no header name"))?;
            if [
                header::CONTENT_LENGTH,
                header::TRANSFER_ENCODING,
                header::HOST,
            ]
            .contains(&name)
            {
                bail!("{name} is set by the client itself");
            }
            let value = HeaderValue::from_str(value.trim())
                .with_context(|| format!("{line:?} has no header value"))?;
            map.insert(name, value);
        }
        Ok(Self {
            authority: authority.to_string(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            headers: map,
        })
    }

    /// Looks the host up; the first address is used throughout the run.
    pub(super) async fn resolve(&self) -> anyhow::Result<SocketAddr> {
        let mut addresses = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .with_context(|| format!("{} does not resolve", self.authority))?;
        addresses
            .next()
            .with_context(|| format!("{} has no address", self.authority))
    }

    /// Writes the whole request that carries `body`, head and body in one piece so that they leave in one write.
    pub fn request(&self, body: &[u8]) -> Bytes {
        let mut request = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\n",
            self.path, self.authority
        )
        .into_bytes();
        for (name, value) in &self.headers {
            request.extend_from_slice(name.as_str().as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        request.extend_from_slice(body);
        request.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, headers: &[&str]) -> Result<String, String> {
        let headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
        let target = Target::new(url, &headers).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&target.request(b"{}")).into_owned())
    }

    #[test]
    fn a_request_names_its_host_and_carries_its_length() {
        assert_eq!(
            request("http://127.0.0.1:80/v1/chat?x=1", &[]).as_deref(),
            Ok(
                "POST /v1/chat?x=1 HTTP/1.1\r\nhost: 127.0.0.1:80\r\ncontent-type: application/json\r\n\
                content-length: 2\r\n\r\n{}"
            )
        );
    }

    #[test]
    fn a_given_header_replaces_the_default() {
        let request = request(
            "http://localhost",
            &["Content-Type: text/plain", "x-a:  b: c "],
        );
        let request = request.unwrap_or_default();
        assert!(
            request.starts_with("POST / HTTP/1.1\r\nhost: localhost\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\ncontent-type: text/plain\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nx-a: b: c\r\n"), "{request}");
    }

    #[test]
    fn wrong_targets_are_refused() {
        assert!(request("https://127.0.0.1/", &[]).is_err());
        assert!(request("/v1", &[]).is_err());
        assert!(request("http://127.0.0.1/", &["no colon"]).is_err());
        assert!(request("http://127.0.0.1/", &["content-length: 3"]).is_err());
        assert!(request("http://127.0.0.1/", &["a: b\u{1}"]).is_err());
    }

    #[tokio::test]
    async fn an_address_resolves_to_itself() -> anyhow::Result<()> {
        let target = Target::new("http://127.0.0.1:8123/", &[])?;
        assert_eq!(target.resolve().await?, "127.0.0.1:8123".parse()?);
        let target = Target::new("http://[::1]/", &[])?;
        assert_eq!(target.resolve().await?, "[::1]:80".parse()?);
        Ok(())
    }
}
