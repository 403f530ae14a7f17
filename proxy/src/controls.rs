//! What a request asks of the cache: RFC 9111 `Cache-Control` and our own request headers.

use pingora::http::RequestHeader;

/// The cache controls of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controls {
    /// No lookup; the answer may be admitted (`Cache-Control: no-cache`).
    pub no_cache: bool,
    /// Neither lookup nor admission (`Cache-Control: no-store`).
    pub no_store: bool,
    /// A miss is answered 504 instead of going upstream (`Cache-Control: only-if-cached`).
    pub only_if_cached: bool,
    /// Older entries miss, in seconds (`Cache-Control: max-age=N`).
    pub max_age: Option<u64>,
    /// Least similarity for a hit, in [-1, 1]; may only raise the configured one (`x-tollfree-threshold`).
    pub threshold: Option<f32>,
    /// A part of the caller's own namespace (`x-tollfree-namespace`).
    pub namespace: Option<String>,
}

impl Controls {
    /// Reads the controls of a request.
    ///
    /// A value that does not parse counts as the strictest one: an age of nothing (RFC 9111, section 4.2.1), a
    /// similarity of one. A namespace that is sent twice or is no text is kept unusable, to be refused.
    pub fn of(head: &RequestHeader) -> Self {
        let mut controls = Self::default();
        for value in head.headers.get_all("cache-control") {
            for directive in value.to_str().unwrap_or("").split(',') {
                let directive = directive.trim();
                let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-cache" => controls.no_cache = true,
                    "no-store" => controls.no_store = true,
                    "only-if-cached" => controls.only_if_cached = true,
                    "max-age" => {
                        controls.max_age =
                            Some(argument.trim().trim_matches('"').parse().unwrap_or(0))
                    }
                    _ => {}
                }
            }
        }
        controls.threshold = head.headers.get("x-tollfree-threshold").map(|value| {
            let asked = value
                .to_str()
                .ok()
                .and_then(|text| text.trim().parse::<f32>().ok());
            asked
                .filter(|asked| (-1.0..=1.0).contains(asked))
                .unwrap_or(STRICTEST)
        });
        let mut names = head.headers.get_all("x-tollfree-namespace").iter();
        controls.namespace = names
            .next()
            .map(|first| {
                names.fold(first.as_bytes().to_vec(), |all, next| {
                    [&all, next.as_bytes()].join(&b'\n')
                })
            })
            .map(|name| {
                String::from_utf8(name)
                    .unwrap_or_else(|_| "\u{0}".to_owned())
                    // HTTP's own white space only: any other is a part of the name, else two names were one.
                    .trim_matches([' ', '\t'])
                    .to_owned()
            })
            .filter(|name| !name.is_empty());
        controls
    }
}

/// The similarity that only the same words reach.
const STRICTEST: f32 = 1.0;

/// Request headers that are for the proxy alone and never reach an upstream.
pub const OWN_REQUEST_HEADERS: [&str; 2] = ["x-tollfree-threshold", "x-tollfree-namespace"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], expect: &Controls) -> anyhow::Result<()> {
        let mut head = RequestHeader::build("POST", b"/", None)?;
        for (name, value) in headers {
            head.append_header(*name, *value)?;
        }
        assert_eq!(&Controls::of(&head), expect, "{headers:?}");
        Ok(())
    }

    #[test]
    fn directives_are_read_wherever_they_stand() -> anyhow::Result<()> {
        let none = Controls::default();
        check(&[], &none)?;
        check(
            &[("cache-control", "No-Cache")],
            &Controls {
                no_cache: true,
                ..none.clone()
            },
        )?;
        check(
            &[
                ("cache-control", "no-store, max-age=60"),
                ("cache-control", "only-if-cached"),
            ],
            &Controls {
                no_store: true,
                max_age: Some(60),
                only_if_cached: true,
                ..none.clone()
            },
        )?;
        check(
            &[("cache-control", "max-age=soon, private")],
            &Controls {
                max_age: Some(0),
                ..none.clone()
            },
        )?;
        check(
            &[("x-tollfree-threshold", "0.95")],
            &Controls {
                threshold: Some(0.95),
                ..none.clone()
            },
        )?;
        check(
            &[("x-tollfree-threshold", "7")],
            &Controls {
                threshold: Some(1.0),
                ..none.clone()
            },
        )?;
        check(
            &[("x-tollfree-threshold", "NaN")],
            &Controls {
                threshold: Some(1.0),
                ..none.clone()
            },
        )?;
        check(
            &[("x-tollfree-namespace", " team-a ")],
            &Controls {
                namespace: Some("team-a".into()),
                ..none
            },
        )
    }
}
