//! A handle on who does the work, for commands that have several calls under way at once.

use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::Backend;
use crate::app::App;
use crate::commands::goal::Asking;
use crate::commands::portable::{self, Page};
use crate::commands::purge::{self, Purge};
use crate::commands::release::{self, Release};
use crate::commands::{Call, PerLine};
use crate::lookup::phrasings;

/// The server that owns the data directory, or this process.
#[derive(Clone)]
pub(in crate::cli) enum Worker {
    Server {
        client: reqwest::Client,
        base: String,
    },
    Here(Arc<App>),
}

impl Backend {
    /// The handle.
    pub(in crate::cli) fn worker(&self) -> Worker {
        match self {
            Self::Server { client, base, .. } => Worker::Server {
                client: client.clone(),
                base: base.clone(),
            },
            Self::Here { app, .. } => Worker::Here(Arc::clone(app)),
        }
    }

    /// Runs a command's own work to its end.
    pub(in crate::cli) fn block_on<F: Future>(&self, work: F) -> F::Output {
        match self {
            Self::Server { runtime, .. } | Self::Here { runtime, .. } => runtime.block_on(work),
        }
    }
}

impl Worker {
    /// Waits for the models, where they are this process's own.
    pub(in crate::cli) async fn prepare(&self) -> anyhow::Result<()> {
        match self {
            Self::Server { .. } => Ok(()),
            Self::Here(app) => phrasings::prepare(&app.lookup)
                .await
                .context("loading the models"),
        }
    }

    /// Runs a command for some lines; [`Self::prepare`] comes first.
    pub(in crate::cli) async fn lines(
        &self,
        command: PerLine,
        asking: &Asking,
        lines: Vec<Value>,
    ) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Server { .. } => {
                let body = json!({ "asking": asking, "lines": lines });
                list(self.post(command.as_str(), &body).await?)
            }
            Self::Here(app) => {
                let call = Call {
                    asking: asking.clone(),
                    lines,
                };
                Ok(command.run(app, &call).await?)
            }
        }
    }

    /// One page of entries.
    pub(in crate::cli) async fn export(&self, page: &Page) -> anyhow::Result<Value> {
        match self {
            Self::Server { client, base } => {
                let request = client.get(format!("{base}/cache/export")).query(page);
                answer(request).await
            }
            Self::Here(app) => Ok(portable::export(app, page)?),
        }
    }

    /// Takes in exported lines.
    pub(in crate::cli) async fn import(&self, lines: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Server { .. } => list(
                self.post("cache/import", &json!({ "lines": lines }))
                    .await?,
            ),
            Self::Here(app) => Ok(portable::import(app, &lines).await),
        }
    }

    /// Takes entries out, or says which would go.
    pub(in crate::cli) async fn purge(&self, purge: &Purge) -> anyhow::Result<Value> {
        match self {
            Self::Server { .. } => self.post("cache/purge", purge).await,
            Self::Here(app) => Ok(purge::purge(app, purge).await?),
        }
    }

    /// Shares entries that are in quarantine; one outcome for each.
    pub(in crate::cli) async fn release(&self, release: &Release) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Server { .. } => list(self.post("cache/release", release).await?),
            Self::Here(app) => list(release::release(app, release).await?),
        }
    }

    /// The decision of a request.
    pub(in crate::cli) async fn request(&self, id: &str) -> anyhow::Result<Value> {
        match self {
            Self::Server { client, base } => {
                let mut url = reqwest::Url::parse(&format!("{base}/requests"))?;
                if let Ok(mut segments) = url.path_segments_mut() {
                    segments.push(id);
                }
                answer(client.get(url)).await
            }
            Self::Here(app) => bail!(
                "no server runs on {}: decisions are kept in a server's memory and end with it",
                app.config.server().data_dir().display()
            ),
        }
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> anyhow::Result<Value> {
        match self {
            Self::Server { client, base } => {
                answer(client.post(format!("{base}/{path}")).json(body)).await
            }
            Self::Here(_) => bail!("no server"),
        }
    }
}

fn list(value: Value) -> anyhow::Result<Vec<Value>> {
    match value {
        Value::Array(results) => Ok(results),
        _ => bail!("the server's answer is not a list"),
    }
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let response = request.send().await.context("asking the server")?;
    let status = response.status();
    let value: Value = response
        .json()
        .await
        .context("reading the server's answer")?;
    if !status.is_success() {
        let error = value.get("error").and_then(Value::as_str);
        bail!("{}", error.unwrap_or("the server refused"));
    }
    Ok(value)
}
