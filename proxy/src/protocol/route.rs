//! Which protocol and operation a method and a path stand for.
//!
//! SDKs are given base addresses with and without a version and a trailing slash, so `//`, a doubled version and a
//! missing one are put right. The protocol is told by the path; only where two protocols share a path (the list of
//! models) do headers and query decide.

use std::borrow::Cow;

use super::Protocol;

/// Where a request belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// An operation whose body we decode.
    Decoded {
        /// The client's protocol.
        protocol: Protocol,
        /// What it asks for.
        operation: Operation,
    },
    /// Everything else passes through untouched.
    Passthrough {
        /// The client's protocol, for the form of errors; `None` if no protocol of ours has this path.
        protocol: Option<Protocol>,
        /// The native protocol of the upstream that serves this path; another than the client's only for Gemini's
        /// OpenAI-compatible paths.
        upstream: Option<Protocol>,
    },
}

/// An operation whose body we decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// OpenAI chat completions.
    ChatCompletions,
    /// Gemini, whole reply.
    Generate {
        /// Model without `models/`; a tuned model keeps its `tunedModels/`.
        model: String,
    },
    /// Gemini, streamed reply.
    StreamGenerate {
        /// Model without `models/`; a tuned model keeps its `tunedModels/`.
        model: String,
        /// Server-sent events; else a JSON array.
        sse: bool,
    },
}

const VERSIONS: [&str; 2] = ["v1", "v1beta"];

/// First segments of paths whose version a client may have left out.
const UNVERSIONED: [&str; 6] = [
    "chat",
    "completions",
    "embeddings",
    "models",
    "responses",
    "tunedModels",
];

/// Methods that only Gemini has; others (`:predict`) need Gemini's collections in the path.
const GEMINI_METHODS: [&str; 7] = [
    "generateContent",
    "streamGenerateContent",
    "countTokens",
    "embedContent",
    "batchEmbedContents",
    "asyncBatchEmbedContent",
    "batchGenerateContent",
];

/// Finds the route of a request. `query` is without its `?`; `header` looks a header up by its lower-case name.
pub fn route<'a>(
    method: &str,
    path: &str,
    query: Option<&str>,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Route {
    let path = normal_path(path);
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    if let Some((model, action)) = gemini_action(&segments) {
        return gemini(method, model, &action, query);
    }
    match segments.as_slice() {
        ["v1beta", "openai", ..] => Route::Passthrough {
            protocol: Some(Protocol::OpenAi),
            upstream: Some(Protocol::Gemini),
        },
        ["v1beta", ..] | ["upload", ..] => passthrough(Some(Protocol::Gemini)),
        ["v1", "messages", ..] => passthrough(None),
        ["v1", "chat", "completions"] if method == "POST" => Route::Decoded {
            protocol: Protocol::OpenAi,
            operation: Operation::ChatCompletions,
        },
        ["v1", "interactions" | "cachedContents" | "tunedModels", ..] => {
            passthrough(Some(Protocol::Gemini))
        }
        ["v1", ..] if is_gemini_client(query, &header) => passthrough(Some(Protocol::Gemini)),
        ["v1", ..] if header("anthropic-version").is_some() => passthrough(None),
        ["v1", ..] => passthrough(Some(Protocol::OpenAi)),
        _ => passthrough(None),
    }
}

/// Puts a path right that comes from a base address with one slash or version too many, or without its version.
///
/// Use it as the path sent upstream: the upstream knows no other.
///
/// Only the front of the path is touched; what follows the version stays as it was sent, to the letter.
pub fn normal_path(path: &str) -> Cow<'_, str> {
    let mut version = None;
    let mut rest = path.trim_start_matches('/');
    loop {
        let (first, after) = rest.split_once('/').unwrap_or((rest, ""));
        if !VERSIONS.contains(&first) {
            break;
        }
        version = Some(first);
        rest = after.trim_start_matches('/');
    }
    let segments: Vec<&str> = rest
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let chat = matches!(segments.as_slice(), ["chat", next, ..] if *next != "completions");
    let known = segments
        .first()
        .is_some_and(|first| UNVERSIONED.contains(first))
        && !chat;
    if version.is_none() && known {
        version = Some(if gemini_action(&segments).is_some() {
            "v1beta"
        } else {
            "v1"
        });
    }
    let normal = match version {
        None => format!("/{rest}"),
        Some(version) if rest.is_empty() => {
            format!("/{version}{}", if path.ends_with('/') { "/" } else { "" })
        }
        Some(version) => format!("/{version}/{rest}"),
    };
    if normal == path {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(normal)
    }
}

fn passthrough(protocol: Option<Protocol>) -> Route {
    Route::Passthrough {
        protocol,
        upstream: protocol,
    }
}

/// Splits the last segment into model and method of Gemini, at its last colon once decoded.
///
/// OpenAI's fine-tuned models have colons too (`ft:gpt-4o:org::id`), so only Gemini's methods count.
fn gemini_action(segments: &[&str]) -> Option<(Option<String>, String)> {
    let (last, before) = segments.split_last()?;
    if !last.contains(':') && !last.contains('%') {
        return None;
    }
    let decoded = percent_decoded(last);
    let (id, action) = decoded.rsplit_once(':')?;
    if !GEMINI_METHODS.contains(&action) {
        return None;
    }
    let id = id.strip_prefix("models/").unwrap_or(id);
    let model = match before {
        _ if id.is_empty() => None,
        ["v1" | "v1beta", "models"] => Some(id.to_owned()),
        ["v1" | "v1beta", "tunedModels"] => Some(format!("tunedModels/{id}")),
        ["v1" | "v1beta"]
            if decoded.starts_with("models/") || decoded.starts_with("tunedModels/") =>
        {
            Some(id.to_owned())
        }
        _ => None,
    };
    Some((model, action.to_owned()))
}

fn gemini(method: &str, model: Option<String>, action: &str, query: Option<&str>) -> Route {
    let operation = match (model, action) {
        (Some(model), "generateContent") => Operation::Generate { model },
        (Some(model), "streamGenerateContent") => {
            let sse = parameter(query, "alt").or(parameter(query, "$alt")) == Some("sse");
            Operation::StreamGenerate { model, sse }
        }
        _ => return passthrough(Some(Protocol::Gemini)),
    };
    if method == "POST" {
        Route::Decoded {
            protocol: Protocol::Gemini,
            operation,
        }
    } else {
        passthrough(Some(Protocol::Gemini))
    }
}

fn is_gemini_client<'a>(query: Option<&str>, header: &impl Fn(&str) -> Option<&'a str>) -> bool {
    let is_sdk = |name| header(name).is_some_and(|value| value.starts_with("google-genai-sdk/"));
    header("x-goog-api-key").is_some()
        || parameter(query, "key").is_some()
        || is_sdk("user-agent")
        || is_sdk("x-goog-api-client")
}

fn parameter<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    query?
        .split('&')
        .find_map(|pair| match pair.split_once('=') {
            Some((key, value)) if key == name || percent_decoded(key) == name => Some(value),
            _ => None,
        })
}

/// Decodes `%XX`; a text that is no UTF-8 once decoded stays as it is.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let hex = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                    continue;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(*byte),
        }
        rest = tail;
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests;
