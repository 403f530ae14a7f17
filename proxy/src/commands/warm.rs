//! `tollfree warm`: answers made ahead of traffic.
//!
//! The command line decides what is asked when (`cli/warm`); here is the work on one goal, by the process that owns
//! the data directory: whether it is answered already, what a call would cost, the call itself.

mod ask;
pub mod group;

use serde_json::{Map, Value, json};
use tollfree_cache::entry::{Answer, Finish, Usage};
use tollfree_cache::request::Request;

use super::goal::Asking;
use super::{bad_line, fields, text};
use crate::app::App;
use crate::lookup::{Finding, Hit, Options, Tier, now_ms};
use ask::{Asked, Refusal};

/// What `x-tollfree-upstream` says of an answer that came with its goal.
const GIVEN: &str = "warm";

/// Whether a goal has to be asked: its decision, and the price of every upstream that might get it.
///
/// `{.., goal, answered: exact|template|semantic|null, entry, input_tokens, upstreams: [{name, price}]}`, the price
/// `{input, output}` in USD per million tokens or `null`.
pub async fn plan_line(app: &App, asking: &Asking, line: &Value) -> Value {
    let (goal, request) = match read(app, asking, line) {
        Ok(read) => read,
        Err(error) => return bad_line(line, &error),
    };
    let finding = find(app, &request).await;
    let mut result = fields(line);
    result.insert("goal".to_owned(), goal.into());
    insert_answered(&mut result, covering(&finding, line));
    let words = [request.system.as_str(), request.user.as_str()];
    let tokens: u64 = words
        .iter()
        .map(|text| app.lookup.models().count_tokens(text))
        .sum();
    let upstreams: Vec<Value> = match ask::eligible(app, asking, &request) {
        Ok(choices) => choices
            .iter()
            .map(|choice| {
                let price = choice.upstream.price;
                json!({
                    "name": choice.upstream.name,
                    "price": price.map(|price| json!({ "input": price.input(), "output": price.output() })),
                })
            })
            .collect(),
        Err(reason) => {
            result.insert("reason".to_owned(), reason.into());
            Vec::new()
        }
    };
    result.insert("input_tokens".to_owned(), tokens.into());
    result.insert("upstreams".to_owned(), upstreams.into());
    Value::Object(result)
}

/// Answers one goal ahead of traffic, with the line's `answer` or an upstream's.
///
/// `{.., goal, outcome, ..}`, where the outcome is `answered` (it was already; nothing was asked), `admitted` (the
/// line's own answer was taken in), `asked` (an upstream's was), `unstorable` (the upstream answered, but nothing
/// that may be kept), `limited` (the upstream wants a pause) or `failed`. What is told as kept is durable.
pub async fn line(app: &App, asking: &Asking, line: &Value) -> Value {
    let (goal, request) = match read(app, asking, line) {
        Ok(read) => read,
        Err(error) => return bad_line(line, &error),
    };
    let given = match line.get("answer") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(_) => return bad_line(line, "field `answer` must be a text that is not empty"),
    };
    let mut result = fields(line);
    result.insert("goal".to_owned(), goal.into());
    // Somebody may have asked since the plan was made.
    let finding = find(app, &request).await;
    if let Some(hit) = covering(&finding, line) {
        result.insert("outcome".to_owned(), "answered".into());
        insert_answered(&mut result, Some(hit));
        return Value::Object(result);
    }
    if let Some(text) = given {
        let usage = Usage {
            input_tokens: app.lookup.models().count_tokens(&request.user),
            output_tokens: app.lookup.models().count_tokens(&text),
        };
        let answer = Answer {
            text,
            finish: Finish::Stop,
            usage,
            model: String::new(),
        };
        keep(app, request, answer, GIVEN, "admitted", &mut result).await;
        return Value::Object(result);
    }
    match ask::ask(app, asking, &request).await {
        Ok(asked) => {
            tell(&asked, &mut result);
            let Asked {
                upstream, answer, ..
            } = asked;
            match answer {
                Ok(answer) => {
                    keep(app, request, answer, &upstream, "asked", &mut result).await;
                }
                Err(reason) => {
                    result.insert("outcome".to_owned(), "unstorable".into());
                    result.insert("reason".to_owned(), reason.into());
                    app.metrics.unadmitted.with_label_values(&[reason]).inc();
                }
            }
        }
        Err(Refusal::Limited {
            upstream,
            retry_after,
            exhausted,
            message,
        }) => {
            result.insert("outcome".to_owned(), "limited".into());
            result.insert("upstream".to_owned(), upstream.into());
            result.insert(
                "retry_after_s".to_owned(),
                json!(retry_after.map(|wait| wait.as_secs())),
            );
            result.insert("exhausted".to_owned(), exhausted.into());
            result.insert("reason".to_owned(), message.into());
        }
        Err(Refusal::Failed {
            upstream,
            message,
            sent,
        }) => {
            result.insert("outcome".to_owned(), "failed".into());
            result.insert("upstream".to_owned(), json!(upstream));
            result.insert("sent".to_owned(), sent.into());
            result.insert("reason".to_owned(), message.into());
        }
    }
    Value::Object(result)
}

fn read<'a>(app: &App, asking: &Asking, line: &'a Value) -> Result<(&'a str, Request), String> {
    let goal = text(line, "goal")?;
    let request = asking
        .request(app, goal)
        .map_err(|error| error.to_string())?;
    Ok((goal, request))
}

async fn find(app: &App, request: &Request) -> Finding {
    let options = Options {
        patient: true,
        ..Options::default()
    };
    app.lookup.find(request, &options).await
}

/// The hit that makes a line needless: any, or for a line with an answer of its own only one to the very goal.
fn covering<'a>(finding: &'a Finding, line: &Value) -> Option<&'a Hit> {
    let has_answer = line.get("answer").is_some_and(|answer| !answer.is_null());
    finding.hit.as_ref().filter(|hit| {
        !has_answer
            || matches!(
                hit,
                Hit::Entry {
                    tier: Tier::Exact,
                    ..
                }
            )
    })
}

fn insert_answered(result: &mut Map<String, Value>, hit: Option<&Hit>) {
    result.insert(
        "answered".to_owned(),
        json!(hit.map(|hit| hit.status().as_str())),
    );
    result.insert("entry".to_owned(), json!(hit.map(Hit::id)));
}

fn tell(asked: &Asked, result: &mut Map<String, Value>) {
    let usage = asked.usage;
    for (name, value) in [
        ("upstream", json!(asked.upstream)),
        ("model", json!(asked.model)),
        ("input_tokens", json!(usage.map(|usage| usage.input))),
        ("output_tokens", json!(usage.map(|usage| usage.output))),
        ("cost_usd", json!(asked.cost_usd)),
        ("seconds", json!(asked.took.as_secs_f64())),
    ] {
        result.insert(name.to_owned(), value);
    }
}

/// Takes an answer in and waits until it is durable; says which entry it became.
async fn keep(
    app: &App,
    request: Request,
    answer: Answer,
    upstream: &str,
    outcome: &str,
    result: &mut Map<String, Value>,
) {
    let exact = request.exact_key();
    let kept = app.lookup.admit_now(request, answer, upstream).await;
    super::make_durable(app).await;
    let entry = app.lookup.cache().exact(&exact, now_ms());
    let (outcome, reason) = match (&entry, kept) {
        (Some(_), Ok(())) => (outcome, None),
        (_, Err(error)) => (
            "unstorable",
            Some(format!(
                "the goal cannot be embedded: {}",
                crate::error::chain(&error)
            )),
        ),
        (None, Ok(())) => (
            "unstorable",
            Some("the cache does not keep such an answer".to_owned()),
        ),
    };
    if reason.is_none() {
        app.metrics.admissions.inc();
    }
    result.insert("outcome".to_owned(), outcome.into());
    result.insert(
        "entry".to_owned(),
        json!(entry.map(|entry| entry.id.to_string())),
    );
    if let Some(reason) = reason {
        result.insert("reason".to_owned(), reason.into());
    }
}
