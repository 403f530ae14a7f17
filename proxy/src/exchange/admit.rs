//! Learning an upstream's answer for the next time.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use pingora::http::ResponseHeader;
use tollfree_cache::entry::Answer;
use tollfree_cache::request::Request;

use crate::app::App;
use crate::lookup::{Finding, Pending};
use crate::protocol::Protocol;
use crate::protocol::capture::Capture;

/// What has to be kept from the lookup so that an answer can be admitted.
pub struct Learn {
    request: Request,
    finding: Finding,
    vector: Option<Pending>,
}

impl Learn {
    /// Keeps a request and what its lookup already worked out; a goal that the lookup did not have to embed is
    /// embedded now, beside the upstream's call.
    pub fn new(app: &App, request: Request, finding: Finding) -> Self {
        let vector = app.lookup.embed_beside(&request, &finding);
        Self {
            request,
            finding,
            vector,
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
        app.lookup
            .admit(self.request, self.finding, answer, upstream, late);
    }
}

/// Follows an upstream's answer on its way to the client and turns it into an entry once it is complete.
pub struct Tee<'a> {
    app: &'a App,
    upstream: String,
    capture: Option<(Capture, Learn)>,
    unpack: Option<MultiGzDecoder<Vec<u8>>>,
}

impl<'a> Tee<'a> {
    /// Starts to follow an answer; `learn` is `None` where nothing may be stored.
    pub fn new(
        app: &'a App,
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
        let max_bytes = app.config.cache().max_answer_bytes();
        Self {
            app,
            upstream: upstream.to_owned(),
            capture: learn.filter(|_| readable).map(|learn| {
                (
                    Capture::new(protocol, head.status.as_u16(), max_bytes),
                    learn,
                )
            }),
            unpack: (encoding != "identity").then(|| MultiGzDecoder::new(Vec::new())),
        }
    }

    /// Takes note of the next piece; call it before the piece is written to the client, so that a client
    /// that has read its answer finds it stored.
    pub async fn push(&mut self, piece: &[u8]) {
        let Some((capture, _)) = &mut self.capture else {
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
        if self
            .capture
            .as_ref()
            .is_some_and(|(capture, _)| capture.is_complete())
        {
            self.finish().await;
        }
    }

    /// The answer has ended cleanly.
    pub async fn finish(&mut self) {
        let Some((capture, learn)) = self.capture.take() else {
            return;
        };
        match capture.finish() {
            Ok(answer) => learn.admit(self.app, answer, &self.upstream).await,
            Err(reason) => self
                .app
                .metrics
                .unadmitted
                .with_label_values(&[reason.as_str()])
                .inc(),
        }
    }
}
