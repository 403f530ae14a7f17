//! How a command asks a goal: the request a client would have sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::frame::GoalPlace;
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::{Format, Framed, Request};

use crate::app::App;
use crate::identity;
use crate::protocol::Protocol;

/// The model that commands ask for unless told otherwise.
pub const DEFAULT_MODEL: &str = "default";

/// The options `--namespace --model --protocol --frame --shape`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// The namespace; unless given, that of a caller without a credential.
    pub namespace: Option<String>,
    /// The model asked for; `default` unless given.
    pub model: Option<String>,
    /// The client's protocol; OpenAI unless given.
    pub protocol: Option<String>,
    /// The frame around the goal; none unless given.
    pub frame: Option<String>,
    /// The shape of the answer; the frame's, or Markdown.
    pub shape: Option<String>,
}

/// An option that names something that is not there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unknown {
    /// No such frame.
    #[error("no frame is named {0:?}; see [[frames]] in the configuration")]
    Frame(String),
    /// No such shape.
    #[error(
        "no shape is named {0:?}; use markdown, json-tasks or one of [[shapes]] in the configuration"
    )]
    Shape(String),
    /// No such protocol.
    #[error("no protocol is named {0:?}; use openai or gemini")]
    Protocol(String),
    /// A namespace that cannot be one.
    #[error("namespace {0:?} is empty, too long or holds a control character")]
    Namespace(String),
}

impl Asking {
    /// Checks the options against the configuration.
    ///
    /// # Errors
    /// See [`Unknown`].
    pub fn check(&self, app: &App) -> Result<(), Unknown> {
        self.protocol()?;
        self.request(app, "goal").map(|_| ())
    }

    /// The protocol the goal is asked in.
    ///
    /// # Errors
    /// [`Unknown::Protocol`].
    pub fn protocol(&self) -> Result<Protocol, Unknown> {
        match self.protocol.as_deref() {
            None | Some("openai") => Ok(Protocol::OpenAi),
            Some("gemini") => Ok(Protocol::Gemini),
            Some(other) => Err(Unknown::Protocol(other.to_owned())),
        }
    }

    /// The model asked for.
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT_MODEL)
    }

    /// The request that asks this goal.
    ///
    /// # Errors
    /// See [`Unknown`].
    pub fn request(&self, app: &App, goal: &str) -> Result<Request, Unknown> {
        let namespace = match &self.namespace {
            None => identity::namespace(
                app.config.cache().namespace().map(|name| name.as_str()),
                None,
                None,
            )
            .map_err(|error| Unknown::Namespace(error.to_string()))?,
            Some(name) => Namespace::new(name).map_err(|_| Unknown::Namespace(name.clone()))?,
        };
        let mut request = Request {
            namespace,
            // What the operator asks and brings is shared, and what is in quarantine is shown to nobody else.
            caller: Contributor::OPERATOR,
            model: self.model().to_owned(),
            system: String::new(),
            earlier: Vec::new(),
            user: goal.to_owned(),
            framed: None,
            format: Format::Text,
            settings: BTreeMap::new(),
            max_tokens: None,
            stop: Vec::new(),
        };
        if let Some(name) = &self.frame {
            app.frames
                .wrap(name, goal, &mut request)
                .ok_or_else(|| Unknown::Frame(name.clone()))?;
        } else {
            app.frames.apply(&mut request);
        }
        if let Some(shape) = &self.shape {
            if !app.lookup.has_shape(shape) {
                return Err(Unknown::Shape(shape.clone()));
            }
            match &mut request.framed {
                Some(framed) => framed.shape.clone_from(shape),
                // A bare goal in Markdown is what a client without a frame asks.
                None if shape == "markdown" => {}
                None => {
                    request.framed = Some(Framed {
                        frame: "bare".to_owned(),
                        goal: goal.to_owned(),
                        shape: shape.clone(),
                        ttl: None,
                        place: GoalPlace::User,
                    });
                }
            }
        }
        Ok(request)
    }
}
