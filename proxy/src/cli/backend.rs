//! Who does a command's work: the server that owns the data directory, or this process.

pub(super) mod worker;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tollfree_config::env::Environment;
use tollfree_config::{Config, Overrides};

use super::{Global, out};
use crate::admin::owner::Owner;
use crate::app::App;
use crate::commands::frames::Decision;
use crate::commands::goal::Asking;
use crate::commands::lines::LINE_NUMBER;
use crate::commands::{self, Call, PerLine};
use crate::lookup::phrasings;

/// A server that is there says who it is within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Reads the configuration; on a problem prints all of them and returns `None`.
pub(super) fn configuration(global: &Global) -> Option<Config> {
    load(global)
        .inspect_err(|invalid| out::note(&invalid.to_string()))
        .ok()
}

/// Reads the configuration: the file given, else `./tollfree.toml` if it is there, else the built-in default.
pub(super) fn load(global: &Global) -> Result<Config, tollfree_config::Invalid> {
    let default = std::path::Path::new("tollfree.toml");
    let path = global
        .config
        .as_deref()
        .or_else(|| default.exists().then_some(default));
    let overrides = Overrides {
        listen: global.listen.clone(),
        admin_listen: global.admin_listen.clone(),
        data_dir: global.data_dir.clone(),
    };
    Config::load(path, &overrides, &Environment::process())
}

/// Makes the data directory, for a command that puts something into it.
pub(super) fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    let path = config.server().data_dir();
    std::fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))
}

/// Does the work of commands.
pub(super) enum Backend {
    /// A running server owns the data directory and works through its admin API.
    Server {
        client: reqwest::Client,
        base: String,
        runtime: tokio::runtime::Runtime,
    },
    /// No server runs: the store is opened here.
    Here {
        app: Arc<App>,
        runtime: tokio::runtime::Runtime,
    },
}

impl Backend {
    /// Finds the server of the configured data directory, or opens the directory.
    pub(super) fn open(config: Config) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let data_dir = config.server().data_dir().to_owned();
        if let Some(owner) = Owner::read(&data_dir) {
            let client = reqwest::Client::builder()
                .no_proxy()
                .connect_timeout(ANSWERS_WITHIN)
                .build()?;
            let base = format!("http://{}/admin/v1", owner.admin);
            let found = runtime.block_on(async {
                client
                    .get(format!("{base}/instance"))
                    .timeout(ANSWERS_WITHIN)
                    .send()
                    .await?
                    .json::<Value>()
                    .await
            });
            if found.is_ok_and(|found| {
                found.get("instance").and_then(Value::as_str) == Some(&owner.instance)
            }) {
                return Ok(Self::Server {
                    client,
                    base,
                    runtime,
                });
            }
        }
        let app = Arc::new(App::open_for_commands(Arc::new(config))?);
        Ok(Self::Here { app, runtime })
    }

    /// Runs a command for some lines.
    pub(super) fn run(
        &self,
        command: PerLine,
        asking: &Asking,
        lines: Vec<Value>,
    ) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Server { .. } => match self.post(command.as_str(), asking, lines)? {
                Value::Array(results) => Ok(results),
                _ => bail!("the server's answer is not a list"),
            },
            Self::Here { app, runtime } => {
                let call = Call {
                    asking: asking.clone(),
                    lines,
                };
                runtime.block_on(async {
                    phrasings::prepare(&app.lookup)
                        .await
                        .context("loading the models")?;
                    Ok(command.run(app, &call).await?)
                })
            }
        }
    }

    /// Explains a goal.
    pub(super) fn explain(&self, asking: &Asking, goal: &str) -> anyhow::Result<Value> {
        match self {
            Self::Server { .. } => self.post(
                "explain",
                asking,
                vec![serde_json::json!({ "goal": goal, LINE_NUMBER: 1 })],
            ),
            Self::Here { app, runtime } => runtime.block_on(async {
                phrasings::prepare(&app.lookup)
                    .await
                    .context("loading the models")?;
                Ok(commands::explain::explain(app, asking, goal).await?)
            }),
        }
    }

    /// The figures of the cache.
    pub(super) fn stats(&self) -> anyhow::Result<Value> {
        self.get("cache/stats", commands::stats::stats)
    }

    /// The loaded templates.
    pub(super) fn templates(&self) -> anyhow::Result<Value> {
        self.get("templates", commands::templates::list)
    }

    /// The frames found in traffic.
    pub(super) fn frames(&self) -> anyhow::Result<Value> {
        self.get("frames", commands::frames::list)
    }

    /// Takes an operator's word on one of them.
    pub(super) fn decide_frame(&self, id: &str, decision: Decision) -> anyhow::Result<Value> {
        match self {
            // An id is hexadecimal; anything else must not become another path.
            Self::Server { .. } if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                let path = format!("frames/{id}/{}", decision.as_str());
                self.send(&path, &decision.body())
            }
            Self::Server { .. } => {
                bail!("{id:?} is no id of a frame; `tollfree frames` lists them")
            }
            Self::Here { app, .. } => Ok(commands::frames::decide(app, id, decision)?),
        }
    }

    fn get(&self, path: &str, here: impl FnOnce(&App) -> Value) -> anyhow::Result<Value> {
        match self {
            Self::Server {
                client,
                base,
                runtime,
            } => {
                let url = format!("{base}/{path}");
                runtime.block_on(async {
                    Ok(client
                        .get(&url)
                        .send()
                        .await?
                        .error_for_status()?
                        .json()
                        .await?)
                })
            }
            Self::Here { app, .. } => Ok(here(app)),
        }
    }

    fn post(&self, path: &str, asking: &Asking, lines: Vec<Value>) -> anyhow::Result<Value> {
        self.send(
            path,
            &serde_json::json!({ "asking": asking, "lines": lines }),
        )
    }

    fn send(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let Self::Server {
            client,
            base,
            runtime,
        } = self
        else {
            bail!("no server")
        };
        runtime.block_on(async {
            let response = client
                .post(format!("{base}/{path}"))
                .json(body)
                .send()
                .await?;
            let status = response.status();
            let value: Value = response
                .json()
                .await
                .context("reading the server's answer")?;
            if !status.is_success() {
                bail!(
                    "{}",
                    value
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or("the server refused")
                );
            }
            Ok(value)
        })
    }
}
