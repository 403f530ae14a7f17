//! Learning an upstream's answer for the next time.

use std::io::Write;
use std::sync::Arc;

use flate2::write::MultiGzDecoder;
use pingora::http::ResponseHeader;
use tollfree_cache::entry::Answer;
use tollfree_cache::request::Request;

use super::flight::Permit;
use crate::app::App;
use crate::lookup::{Finding, Pending, now_ms};
use crate::protocol::Protocol;
use crate::protocol::capture::Capture;
use crate::protocol::chat::ChatRequest;

/// What has to be kept from the lookup so that an answer can be admitted.
pub struct Learn {
    request: Request,
    finding: Finding,
    /// Whether other wordings may find the answer.
    by_meaning: bool,
    vector: Option<Pending>,
    /// The lead of a flight, where others wait for the answer.
    permit: Option<Permit>,
}

impl Learn {
    /// Keeps a request and what its lookup already worked out.
    ///
    /// With settings we do not know, or stop strings, only the same request may be answered from it again: they
    /// shape an answer in ways that the compatibility key does not tell.
    pub fn new(chat: &ChatRequest, request: Request, finding: Finding) -> Self {
        Self {
            request,
            finding,
            by_meaning: chat.opaque_fields.is_empty() && chat.stop.is_empty(),
            vector: None,
            permit: None,
        }
    }

    /// Answers the followers of a flight with what is learned.
    pub fn leading(self, permit: Option<Permit>) -> Self {
        Self { permit, ..self }
    }

    /// Whether others wait for the answer.
    pub fn is_awaited(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_awaited)
    }

    /// Returns once nobody else waits for the answer.
    pub async fn unawaited(&self) {
        if let Some(permit) = &self.permit {
            permit.unawaited().await;
        }
    }

    /// Nothing can be learned, whatever the answer will be: who waits for it shall not.
    pub fn dissolve(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.dissolve();
        }
    }

    /// Passes on what a stream has said. Who boards later reads it from the beginning.
    fn share(&self, capture: &mut Capture) {
        if let Some(permit) = &self.permit {
            permit.share(capture.heard());
        }
    }

    /// Whether anybody reads along.
    fn is_read(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_read)
    }

    /// The upstream has begun to answer: a goal that the lookup did not have to embed is embedded beside it.
    fn begin(&mut self, app: &App) {
        if self.by_meaning {
            self.vector = app.lookup.embed_beside(&self.request, &mut self.finding);
        }
    }

    /// Stores a complete answer, with its goal's vector where it has one.
    ///
    /// An upstream takes far longer than an embedding, so that the vector is there; if it is not, the entry is
    /// found by exact repeats at once and by meaning a moment later.
    async fn admit(mut self, app: &App, answer: Answer, upstream: &str) {
        app.metrics.admissions.inc();
        let mut late = None;
        if let Some(mut pending) = self.vector.take() {
            match tokio::time::timeout(app.config.embedder().deadline().get(), &mut pending).await {
                Ok(vector) => self.finding.vector = vector.ok().flatten(),
                Err(_) => late = Some(pending),
            }
        }
        let shared = self.finding.exact;
        let own = app.lookup.flight_key(&self.request, &shared);
        app.lookup.admit(
            self.request,
            self.finding,
            answer,
            upstream,
            self.by_meaning,
            late,
        );
        if let Some(permit) = self.permit {
            // Shared is what the cache would serve: if it kept nothing, the next follower asks for itself.
            let kept = |key| app.lookup.cache().exact(key, now_ms());
            if let Some(entry) = kept(&own).or_else(|| kept(&shared)) {
                permit.land(entry);
            }
        }
    }
}

/// Follows an upstream's answer on its way to the client and turns it into an entry once it is complete.
pub struct Tee {
    app: Arc<App>,
    upstream: String,
    capture: Option<(Capture, Learn)>,
    unpack: Option<MultiGzDecoder<Vec<u8>>>,
}

impl Tee {
    /// Starts to follow an answer; `learn` is `None` where nothing may be stored.
    pub fn new(
        app: &Arc<App>,
        protocol: Protocol,
        upstream: &str,
        head: &ResponseHeader,
        learn: Option<Learn>,
    ) -> Self {
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let encoding = text("content-encoding")
            .unwrap_or("identity")
            .to_ascii_lowercase();
        let readable = matches!(encoding.as_str(), "identity" | "gzip" | "x-gzip");
        if learn.is_some() && !readable {
            app.metrics
                .unadmitted
                .with_label_values(&["content_encoding"])
                .inc();
        }
        let learn = match learn {
            Some(mut learn) if !readable => {
                learn.dissolve();
                None
            }
            learn => learn,
        };
        let max_bytes = app.config.cache().max_answer_bytes();
        Self {
            app: Arc::clone(app),
            upstream: upstream.to_owned(),
            capture: learn.map(|mut learn| {
                if head.status == 200 {
                    learn.begin(app);
                }
                let mut capture = Capture::new(protocol, head.status.as_u16(), max_bytes);
                if learn.permit.is_some() {
                    capture = capture.listening();
                }
                (capture, learn)
            }),
            unpack: (encoding != "identity").then(|| MultiGzDecoder::new(Vec::new())),
        }
    }

    /// Takes note of the next piece; call it before the piece is written to the client, so that a client
    /// that has read its answer finds it stored.
    pub async fn push(&mut self, piece: &[u8]) {
        let Some((capture, learn)) = &mut self.capture else {
            return;
        };
        match &mut self.unpack {
            None => capture.push(piece),
            Some(unpack) => {
                let unpacked = unpack.write_all(piece).and_then(|()| unpack.flush());
                if unpacked.is_err()
                    || unpack.get_ref().len() > self.app.config.cache().max_answer_bytes()
                {
                    self.app
                        .metrics
                        .unadmitted
                        .with_label_values(&["content_encoding"])
                        .inc();
                    self.capture = None;
                    return;
                }
                capture.push(unpack.get_ref());
                unpack.get_mut().clear();
            }
        }
        learn.share(capture);
        // What cannot be kept any more is given up at once, so that a follower need not wait for its end; who has
        // begun to read it reads on.
        let over = capture.is_given_up() && !learn.is_read();
        if capture.is_complete() || over {
            self.finish().await;
        }
    }

    /// The answer has ended cleanly.
    pub async fn finish(&mut self) {
        let Some((mut capture, learn)) = self.capture.take() else {
            return;
        };
        capture.end();
        learn.share(&mut capture);
        match capture.finish() {
            Ok(answer) => learn.admit(&self.app, answer, &self.upstream).await,
            Err(reason) => self
                .app
                .metrics
                .unadmitted
                .with_label_values(&[reason.as_str()])
                .inc(),
        }
    }

    /// Whether there is still something to be learned.
    pub fn is_listening(&self) -> bool {
        self.capture.is_some()
    }

    /// Whether others wait for the answer.
    pub fn is_awaited(&self) -> bool {
        self.capture
            .as_ref()
            .is_some_and(|(_, learn)| learn.is_awaited())
    }

    /// Returns once nobody else waits for the answer.
    pub async fn unawaited(&self) {
        if let Some((_, learn)) = &self.capture {
            learn.unawaited().await;
        }
    }
}
