//! Upstream calls that no client of their own waits for: a leader's that has left while others follow, and the
//! refresh of a stale entry.

use std::sync::Arc;
use std::time::Duration;

use super::admit::{Learn, Tee};
use super::miss::sending::Sending;
use crate::app::App;
use crate::exchange::miss::reply::note_credential;
use crate::identity::Credential;
use crate::protocol::Protocol;
use crate::upstream::Upstream;
use crate::upstream::send::Call;

/// A call nobody watches ends after this long, whatever the upstream still says.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// For how long a detached call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// As long as a follower waits.
    Followers,
    /// To its end: the answer is wanted for the next request.
    Refresh,
}

/// A call before its response header.
pub struct Asked {
    /// The upstream that was asked.
    pub upstream: Arc<Upstream>,
    /// The caller's protocol.
    pub protocol: Protocol,
    /// The caller's credential.
    pub credential: Option<Credential>,
    /// The call.
    pub sending: Sending,
    /// What to do with its answer.
    pub learn: Learn,
}

/// Reads an answer to its end in a task of its own, for those who still wait for it.
pub fn carry_on(app: &Arc<App>, call: Call, tee: Tee) {
    let app = Arc::clone(app);
    tracing::debug!("client left, its followers keep the call");
    tokio::spawn(async move {
        let drained = drain(&app, call, tee, Purpose::Followers);
        if tokio::time::timeout(LONGEST, drained).await.is_err() {
            tracing::warn!("detached upstream call took too long");
        }
    });
}

/// Waits for an answer and reads it to its end in a task of its own, for those who still wait for it.
pub fn wait_on(app: &Arc<App>, asked: Asked) {
    let app = Arc::clone(app);
    tracing::debug!("client left, its followers keep the call");
    tokio::spawn(async move { answer(&app, asked, Purpose::Followers).await });
}

/// Waits for an answer and reads it to its end; it is admitted, if it may be.
pub async fn answer(app: &Arc<App>, asked: Asked, purpose: Purpose) {
    if tokio::time::timeout(LONGEST, answer_in_time(app, asked, purpose))
        .await
        .is_err()
    {
        tracing::warn!("detached upstream call took too long");
    }
}

async fn answer_in_time(app: &Arc<App>, asked: Asked, purpose: Purpose) {
    let Asked {
        upstream,
        protocol,
        credential,
        sending,
        learn,
    } = asked;
    let sent = tokio::select! {
        biased;
        sent = sending => sent,
        () = learn.unawaited(), if purpose == Purpose::Followers => return,
    };
    let (call, _) = match sent {
        Ok(answering) => answering,
        Err(failure) => {
            tracing::warn!(upstream = %upstream.name, error = %crate::error::chain(&failure), "upstream failed");
            return;
        }
    };
    let Some(head) = call.session.response_header() else {
        return;
    };
    note_credential(app, protocol, credential, &upstream, head.status.as_u16());
    let tee = Tee::new(app, upstream.protocol(), &upstream.name, head, Some(learn));
    drain(app, call, tee, purpose).await;
}

async fn drain(app: &App, mut call: Call, mut tee: Tee, purpose: Purpose) {
    while tee.is_listening() {
        let piece = tokio::select! {
            biased;
            piece = call.session.read_response_body() => piece,
            () = tee.unawaited(), if purpose == Purpose::Followers => break,
        };
        match piece {
            Ok(Some(piece)) => {
                tee.push(&piece).await;
                if call.session.response_done() {
                    tee.finish().await;
                    return call.release(&app.connector).await;
                }
            }
            Ok(None) => {
                tee.finish().await;
                return call.release(&app.connector).await;
            }
            Err(error) => {
                tracing::warn!(%error, "upstream broke off its answer");
                break;
            }
        }
    }
    // A stream that said it was over before its body was: the rest is a few bytes, but not worth waiting for.
    call.session.shutdown().await;
}
