//! One call to an upstream that no client waits for.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use pingora::http::RequestHeader;
use tollfree_cache::entry::Answer;
use tollfree_cache::request::{Request, Role};

use crate::app::App;
use crate::commands::goal::Asking;
use crate::policy::{Choice, Need};
use crate::protocol::Protocol;
use crate::protocol::chat::{ChatRequest, Message, ResponseFormat, Sampling};
use crate::protocol::error::ErrorKind;
use crate::protocol::reply::{Framing, ReplyForm, TokenCounts};
use crate::upstream::Upstream;
use crate::upstream::send::{Call, Failure, send};

/// Answers and errors are read into memory up to this size, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// What an upstream answered.
pub(super) struct Asked {
    pub(super) upstream: String,
    /// The upstream's own name of the model.
    pub(super) model: String,
    pub(super) usage: Option<TokenCounts>,
    /// `None` where the price or the usage is not known.
    pub(super) cost_usd: Option<f64>,
    pub(super) took: Duration,
    /// The answer, or why it may not be kept.
    pub(super) answer: Result<Answer, &'static str>,
}

/// Why there is no answer.
pub(super) enum Refusal {
    /// The upstream wants fewer calls.
    Limited {
        upstream: String,
        retry_after: Option<Duration>,
        /// Waiting a little does not help.
        exhausted: bool,
        message: String,
    },
    /// Anything else.
    Failed {
        upstream: Option<String>,
        message: String,
        /// Whether an upstream may have been reached.
        sent: bool,
    },
}

/// The upstreams that the policy would try, without those that want a client's credential, which a warmer has not,
/// and those whose answers are not kept.
///
/// # Errors
/// Why there is none, with the remedy.
pub(super) fn eligible(
    app: &App,
    asking: &Asking,
    request: &Request,
) -> Result<Vec<Choice>, String> {
    plan(app, asking, request, false)
}

fn plan(
    app: &App,
    asking: &Asking,
    request: &Request,
    advance: bool,
) -> Result<Vec<Choice>, String> {
    if app.policy.upstreams().is_empty() {
        return Err(
            "no upstream is configured; set GEMINI_API_KEY or add an [[upstreams]] section to tollfree.toml".to_owned(),
        );
    }
    let protocol = asking.protocol().map_err(|error| error.to_string())?;
    let need = Need {
        protocol,
        model: &request.model,
        known_caller: true,
        untranslatable: None,
    };
    let plan = app.policy.plan(&need, advance);
    let mut reasons: Vec<String> = plan
        .ruled_out
        .iter()
        .map(|(name, reason)| format!("{name}: {}", reason.as_str()))
        .collect();
    let mut choices = plan.choices;
    choices.retain(|choice| {
        let reason = if choice.upstream.wants_client_credential() {
            "takes the credential of a client, and a warmer has none; give it an api_key"
        } else if !choice.upstream.admit {
            "its answers are not kept (upstreams.admit = false)"
        } else {
            return true;
        };
        reasons.push(format!("{}: {reason}", choice.upstream.name));
        false
    });
    if choices.is_empty() {
        return Err(format!(
            "no upstream may be asked for model {:?} ({})",
            request.model,
            reasons.join("; ")
        ));
    }
    Ok(choices)
}

/// Asks the best upstream that can be reached, as a miss does.
pub(super) async fn ask(app: &App, asking: &Asking, request: &Request) -> Result<Asked, Refusal> {
    let unsent = |message: String| Refusal::Failed {
        upstream: None,
        message,
        sent: false,
    };
    let protocol = asking
        .protocol()
        .map_err(|error| unsent(error.to_string()))?;
    let choices = plan(app, asking, request, true).map_err(unsent)?;
    let chat = chat(protocol, request);
    let mut unreachable = unsent("no upstream may be asked".to_owned());
    for choice in &choices {
        match ask_one(app, &chat, choice).await {
            // Nothing was sent: the next one may be asked without a doubt.
            Err(refusal @ Refusal::Failed { sent: false, .. }) => unreachable = refusal,
            other => return other,
        }
    }
    Err(unreachable)
}

fn chat(protocol: Protocol, request: &Request) -> ChatRequest {
    let system = Some(request.system.clone()).filter(|text| !text.is_empty());
    ChatRequest {
        protocol,
        model: request.model.clone(),
        system: system.into_iter().collect(),
        messages: vec![Message::text(Role::User, request.user.clone())],
        sampling: Sampling::default(),
        max_tokens: None,
        stop: Vec::new(),
        format: ResponseFormat::Text,
        tools: Vec::new(),
        tool_choice: None,
        untranslatable: None,
        form: ReplyForm {
            framing: Framing::Whole,
            include_usage: false,
        },
        settings: request.settings.clone(),
        opaque_fields: Vec::new(),
    }
}

async fn ask_one(app: &App, chat: &ChatRequest, choice: &Choice) -> Result<Asked, Refusal> {
    let upstream = &*choice.upstream;
    let failed = |message: String, sent: bool| Refusal::Failed {
        upstream: Some(upstream.name.clone()),
        message,
        sent,
    };
    let codec = upstream.protocol().codec();
    let encoded = codec
        .encode_request(chat, &choice.model)
        .map_err(|error| failed(error.to_string(), false))?;
    let body = Bytes::from(encoded.body);
    let head = head(upstream, chat.protocol, &encoded.target, body.len())
        .map_err(|error| failed(format!("the request cannot be made: {error}"), false))?;
    let asked = Instant::now();
    let sent = send(&app.connector, upstream, &head, &body).await;
    let count = |class: &str| {
        app.metrics
            .upstream_requests
            .with_label_values(&[&upstream.name, class])
            .inc();
    };
    let mut call = sent.map_err(|failure| {
        count("failed");
        let sent = !matches!(failure, Failure::Connect(_));
        failed(crate::error::chain(&failure).to_string(), sent)
    })?;
    let (status, waits) = call
        .session
        .response_header()
        .map_or((0, None), |head| (head.status.as_u16(), retry_after(head)));
    count(match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    });
    app.metrics
        .upstream_duration
        .with_label_values(&[&upstream.name])
        .observe(asked.elapsed().as_secs_f64());
    let Some(body) = whole(&mut call).await else {
        call.session.shutdown().await;
        return Err(failed("the answer broke off".to_owned(), true));
    };
    call.release(&app.connector).await;
    if status != 200 {
        let error = codec.decode_error(status, &body);
        if status == 429 {
            return Err(Refusal::Limited {
                upstream: upstream.name.clone(),
                retry_after: waits.or(error.retry_after),
                exhausted: error.kind == ErrorKind::QuotaExhausted,
                message: error.message,
            });
        }
        return Err(failed(format!("status {status}: {}", error.message), true));
    }
    let reply = codec
        .decode_reply(&body)
        .map_err(|error| failed(format!("the answer is not of its protocol: {error}"), true))?;
    let usage = reply.usage;
    let limit = app.config.cache().max_answer_bytes();
    let answer = match reply.into_answer() {
        Ok(answer) if answer.text.len() > limit => Err("too_large"),
        Ok(answer) => Ok(answer),
        Err(reason) => Err(reason.as_str()),
    };
    Ok(Asked {
        upstream: upstream.name.clone(),
        model: choice.model.clone(),
        usage,
        cost_usd: usage.and_then(|usage| upstream.cost(usage.input, usage.output)),
        took: asked.elapsed(),
        answer,
    })
}

fn head(
    upstream: &Upstream,
    protocol: Protocol,
    target: &str,
    body_len: usize,
) -> pingora::Result<RequestHeader> {
    let mut head = RequestHeader::build("POST", upstream.target(target).as_bytes(), Some(8))?;
    head.insert_header("host", upstream.authority())?;
    head.insert_header("content-type", "application/json")?;
    head.insert_header("content-length", body_len.to_string())?;
    head.insert_header("accept", "application/json")?;
    head.insert_header("accept-encoding", "identity")?;
    head.insert_header(
        "user-agent",
        concat!("tollfree/", env!("CARGO_PKG_VERSION")),
    )?;
    upstream.authorize(&mut head, Some(protocol))?;
    Ok(head)
}

async fn whole(call: &mut Call) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match call.session.read_response_body().await {
            Ok(Some(piece)) if body.len() + piece.len() <= MAX_BODY => {
                body.extend_from_slice(&piece)
            }
            Ok(None) => return Some(body),
            Ok(Some(_)) | Err(_) => return None,
        }
    }
}

/// How long a server asks to wait: seconds, or until a date (RFC 9110, section 10.2.3).
fn retry_after(head: &pingora::http::ResponseHeader) -> Option<Duration> {
    let text = head.headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}
