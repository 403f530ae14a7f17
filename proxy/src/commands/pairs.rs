//! `tollfree pairs`: would an answer stored for `a` be served for `b`?
//!
//! Each pair gets an empty cache into which only `a` is put, and the very function that serves requests
//! decides on `b`.

use serde_json::{Value, json};
use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::entry::{Answer, Finish, Usage};

use super::goal::Asking;
use super::{bad_line, fields, text};
use crate::app::App;
use crate::lookup::Options;

/// The verdict for one line with `a` and `b`; its other fields are copied through.
pub async fn line(app: &App, asking: &Asking, line: &Value) -> Value {
    let (cached, asked) = match (text(line, "a"), text(line, "b")) {
        (Ok(cached), Ok(asked)) => (cached, asked),
        (Err(error), _) | (_, Err(error)) => return bad_line(line, &error),
    };
    let (cached_request, asked_request) =
        match (asking.request(app, cached), asking.request(app, asked)) {
            (Ok(cached), Ok(asked)) => (cached, asked),
            (Err(error), _) | (_, Err(error)) => return bad_line(line, &error.to_string()),
        };
    let model = app
        .lookup
        .models()
        .pool()
        .model()
        .map(|model| model.to_string());
    let lookup = app.lookup.over(Cache::in_memory(CacheOptions {
        model,
        ..app.cache_options()
    }));
    let answer = Answer {
        text: "the answer to a".to_owned(),
        finish: Finish::Stop,
        usage: Usage {
            input_tokens: 1,
            output_tokens: 1,
        },
        model: String::new(),
    };
    if let Err(error) = lookup.admit_now(cached_request, answer, "pairs").await {
        return bad_line(line, &crate::error::chain(&error).to_string());
    }
    let finding = lookup
        .find(
            &asked_request,
            &Options {
                patient: true,
                ..Options::default()
            },
        )
        .await;
    let mut result = fields(line);
    let reason = match &finding.hit {
        Some(hit) => hit.status().as_str().into(),
        None => finding.reason.clone().unwrap_or("miss".into()),
    };
    result.insert("similarity".to_owned(), json!(finding.similarity));
    result.insert("confidence".to_owned(), json!(finding.confidence));
    result.insert("needed".to_owned(), json!(finding.needed));
    result.insert("hit".to_owned(), finding.hit.is_some().into());
    result.insert("reason".to_owned(), reason.into());
    Value::Object(result)
}
