//! Goals that mean the same, found before anything is asked: each group costs one call.
//!
//! Goals are taken one by one into an empty cache, and the very function that serves requests decides whether an
//! answer to an earlier goal of the file would be served for the next. What it would not serve is asked for itself.

use std::collections::HashMap;

use serde_json::Value;
use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::entry::{Answer, Finish, Usage};

use crate::app::App;
use crate::commands::goal::Asking;
use crate::commands::text;
use crate::lookup::{Lookup, Options};

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Placed {
    /// It stands for itself, and maybe for later ones.
    First,
    /// The answer to an earlier line, given by its index, will be served for it.
    Same(usize),
    /// It cannot be read, and why.
    Bad(String),
}

/// Groups the lines of one file.
pub struct Grouping<'a> {
    app: &'a App,
    asking: &'a Asking,
    lookup: Lookup,
    /// Equal texts need no decision.
    texts: HashMap<String, usize>,
}

impl<'a> Grouping<'a> {
    /// Starts with no goal; `lines` is how many will come at most.
    pub fn new(app: &'a App, asking: &'a Asking, lines: usize) -> Self {
        let model = app
            .lookup
            .models()
            .pool()
            .model()
            .map(|model| model.to_string());
        let cache = Cache::in_memory(CacheOptions {
            model,
            max_entries: lines.max(1),
            ..app.cache_options()
        });
        Self {
            app,
            asking,
            lookup: app.lookup.over(cache),
            texts: HashMap::new(),
        }
    }

    /// Places the next line. Lines with an answer of their own stand for themselves: place them before those that
    /// have none.
    pub async fn place(&mut self, index: usize, line: &Value) -> Placed {
        let goal = match text(line, "goal") {
            Ok(goal) => goal,
            Err(error) => return Placed::Bad(error),
        };
        let request = match self.asking.request(self.app, goal) {
            Ok(request) => request,
            Err(error) => return Placed::Bad(error.to_string()),
        };
        let answered = line.get("answer").is_some_and(|answer| !answer.is_null());
        if let Some(first) = self.texts.get(goal).filter(|_| !answered) {
            return Placed::Same(*first);
        }
        let options = Options {
            patient: true,
            ..Options::default()
        };
        let finding = self.lookup.find(&request, &options).await;
        let first = finding
            .hit
            .as_ref()
            .and_then(|hit| hit.answer().text.parse().ok());
        if let Some(first) = first.filter(|_| !answered) {
            return Placed::Same(first);
        }
        self.texts.entry(goal.to_owned()).or_insert(index);
        // The stored answer is the line's own number: a hit tells which line it repeats.
        let answer = Answer {
            text: index.to_string(),
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: 1,
                output_tokens: 1,
            },
            model: String::new(),
        };
        if finding.vector.is_some() {
            self.lookup.admit(request, finding, answer, "", true, None);
        } else if let Err(error) = self.lookup.admit_now(request, answer, "").await {
            tracing::warn!(error = %crate::error::chain(&error), "a goal is not compared with the others");
        }
        Placed::First
    }
}
