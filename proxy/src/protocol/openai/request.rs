//! Body of `POST /v1/chat/completions` to [`Decoded`].

use serde_json::{Value, json};

use super::messages;
use crate::protocol::Protocol;
use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::{
    ChatRequest, Decoded, ResponseFormat, Sampling, Tool, ToolChoice, Undecodable,
};
use crate::protocol::draft::Draft;
use crate::protocol::fields::Fields;
use crate::protocol::json;
use crate::protocol::reply::{Framing, ReplyForm};

/// Fields that never change the answer: who asks, how it is billed, scheduled or cached upstream.
const WITHOUT_EFFECT: &[&str] = &[
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "request_id",
    "safety_identifier",
    "service_tier",
    "session_id",
    "user",
];

/// Settings of vLLM and its kin that we know, with the value that says nothing.
const KNOWN_EXTRAS: &[(&str, f64)] = &[
    ("length_penalty", 1.0),
    ("min_p", 0.0),
    ("min_tokens", 0.0),
    ("repetition_penalty", 1.0),
];

/// Fields that tie the answer to a grammar or pattern.
const CONSTRAINTS: &[&str] = &[
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "structured_outputs",
];

/// Fields that add to the reply what an entry does not hold.
const REPLY_EXTRAS: &[&str] = &[
    "echo",
    "return_prompt_text",
    "return_token_ids",
    "return_tokens_as_token_ids",
];

/// Decodes a body.
pub(super) fn decode(body: &[u8]) -> Result<Decoded, Undecodable> {
    let parsed = json::parse(body)?;
    let mut draft = Draft::of(&parsed);
    let mut fields = Fields::open(parsed.value, "")?;
    let model = fields
        .take_string("model")?
        .ok_or_else(|| fields.missing("model"))?;
    let list = fields
        .take_list("messages")?
        .ok_or_else(|| fields.missing("messages"))?;
    messages::decode(list, &mut draft)?;
    draft.check_goal();

    fields.drop(WITHOUT_EFFECT);
    let form = take_form(&mut fields)?;
    let (tools, tool_choice) = take_tools(&mut fields, &mut draft)?;
    take_bypassed(&mut fields, &mut draft);
    let sampling = take_sampling(&mut fields, &mut draft)?;
    let max_tokens = take_max_tokens(&mut fields, &mut draft)?;
    let stop = take_stop(&mut fields, &mut draft)?;
    let format = take_format(&mut fields, &mut draft)?;
    for (name, default) in KNOWN_EXTRAS {
        let value = fields.take_f64(name)?;
        draft.settings.put_unless(name, value, default);
    }
    draft.keep_rest(fields);

    let (settings, opaque_fields) = draft.settings.finish();
    Ok(Decoded {
        request: ChatRequest {
            protocol: Protocol::OpenAi,
            model,
            system: draft.system,
            messages: draft.messages,
            sampling,
            max_tokens,
            stop,
            format,
            tools,
            tool_choice,
            untranslatable: draft.untranslatable,
            form,
            settings,
            opaque_fields,
        },
        bypass: draft.bypass,
    })
}

fn take_form(fields: &mut Fields) -> Result<ReplyForm, Undecodable> {
    let stream = fields.take_bool("stream")?.unwrap_or(false);
    let mut options = fields.take_object("stream_options")?;
    let include_usage = options
        .as_mut()
        .map(|options| options.take_bool("include_usage"))
        .transpose()?
        .flatten();
    Ok(ReplyForm {
        framing: if stream { Framing::Sse } else { Framing::Whole },
        include_usage: include_usage.unwrap_or(false),
    })
}

/// Takes the fields that keep a request out of the cache whatever else it says.
fn take_bypassed(fields: &mut Fields, draft: &mut Draft) {
    for name in ["functions", "function_call", "web_search_options"] {
        let value = fields.take(name);
        // `function_call: "none"` alone asks for nothing.
        if value.is_some_and(|value| !json::is_empty(&value) && value != "none" && value != "auto")
        {
            draft.bypass_untranslatable(
                BypassReason::Tools,
                "a function or a web search in OpenAI's older form",
            );
        }
    }
    for name in ["logprobs", "top_logprobs", "prompt_logprobs"] {
        if fields.take_set(name) {
            draft.bypass_untranslatable(BypassReason::Logprobs, "logprobs");
        }
    }
    for name in ["n", "best_of"] {
        if fields
            .take(name)
            .is_some_and(|count| count.as_f64() != Some(1.0))
        {
            draft.bypass_untranslatable(BypassReason::MultipleChoices, "more than one choice");
        }
    }
    for name in ["previous_response_id", "conversation"] {
        if fields.take_set(name) {
            draft.bypass_untranslatable(BypassReason::ServerState, "state kept by the upstream");
        }
    }
    // These change nothing in the answer itself, so that an upstream of another protocol may still give it.
    for name in ["background", "store"] {
        if fields.take_set(name) {
            draft.bypass(BypassReason::ServerState);
        }
    }
    if fields.take_set("cache_salt") {
        draft.bypass(BypassReason::CacheSalt);
    }
    if fields.take_set("prediction") {
        draft.bypass(BypassReason::Prediction);
    }
    if fields.take_set("logit_bias") {
        draft.bypass_untranslatable(BypassReason::LogitBias, "logit_bias");
    }
    let modalities = fields
        .take("modalities")
        .filter(|modalities| *modalities != json!(["text"]));
    if fields.take_set("audio") || modalities.is_some_and(|modalities| !json::is_empty(&modalities))
    {
        draft.bypass_untranslatable(BypassReason::NonTextOutput, "output that is not text");
    }
    for name in CONSTRAINTS {
        if fields.take_set(name) {
            draft.bypass_untranslatable(
                BypassReason::UnsupportedFormat,
                "a grammar or pattern for the answer",
            );
        }
    }
    for name in REPLY_EXTRAS {
        if fields.take_set(name) {
            draft.bypass_untranslatable(
                BypassReason::ReplyExtras,
                "token ids or the request in the reply",
            );
        }
    }
}

fn take_sampling(fields: &mut Fields, draft: &mut Draft) -> Result<Sampling, Undecodable> {
    let sampling = Sampling {
        temperature: fields.take_f64("temperature")?,
        top_p: fields.take_f64("top_p")?,
        top_k: fields
            .take_integer("top_k")?
            .and_then(|top_k| u32::try_from(top_k).ok())
            .filter(|top_k| *top_k > 0),
        seed: fields.take_integer("seed")?,
        presence_penalty: fields.take_f64("presence_penalty")?,
        frequency_penalty: fields.take_f64("frequency_penalty")?,
        reasoning_effort: fields.take_string("reasoning_effort")?,
    };
    let settings = &mut draft.settings;
    settings.put_unless("temperature", sampling.temperature, &1.0);
    settings.put_unless("top_p", sampling.top_p, &1.0);
    settings.put_unless("top_k", sampling.top_k, &0);
    settings.put("seed", &json!(sampling.seed));
    settings.put_unless("presence_penalty", sampling.presence_penalty, &0.0);
    settings.put_unless("frequency_penalty", sampling.frequency_penalty, &0.0);
    settings.put("reasoning_effort", &json!(sampling.reasoning_effort));
    settings.put("verbosity", &fields.take("verbosity").unwrap_or_default());
    Ok(sampling)
}

fn take_max_tokens(fields: &mut Fields, draft: &mut Draft) -> Result<Option<u32>, Undecodable> {
    let newer = fields.take_count("max_completion_tokens")?;
    let older = fields.take_count("max_tokens")?;
    draft.bypass_if(
        newer.is_some() && older.is_some() && newer != older,
        BypassReason::AmbiguousField,
    );
    let max_tokens = newer.or(older);
    draft.settings.put("max_tokens", &json!(max_tokens));
    Ok(max_tokens)
}

fn take_stop(fields: &mut Fields, draft: &mut Draft) -> Result<Vec<String>, Undecodable> {
    let wrong = fields.wrong("stop", "a string or a list of strings");
    let stop = match fields.take("stop") {
        None => Vec::new(),
        Some(Value::String(stop)) => vec![stop],
        Some(value) => serde_json::from_value(value).map_err(|_| wrong)?,
    };
    draft.settings.put("stop", &json!(stop));
    Ok(stop)
}

fn take_format(fields: &mut Fields, draft: &mut Draft) -> Result<ResponseFormat, Undecodable> {
    let Some(mut format) = fields.take_object("response_format")? else {
        return Ok(ResponseFormat::Text);
    };
    let kind = format
        .take_string("type")?
        .ok_or_else(|| format.missing("type"))?;
    let decoded = match kind.as_str() {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => {
            let mut wrapper = format
                .take_object("json_schema")?
                .ok_or_else(|| format.missing("json_schema"))?;
            let schema = wrapper.take("schema").unwrap_or_else(|| json!({}));
            // Name, description and strictness are seen by the model or its sampler, so they stay in the exact key.
            for name in ["name", "description", "strict"] {
                let value = wrapper
                    .take(name)
                    .filter(|value| *value != false)
                    .unwrap_or_default();
                draft
                    .settings
                    .put(&format!("response_format.{name}"), &value);
            }
            draft.keep_rest(wrapper);
            ResponseFormat::Schema(schema)
        }
        _ => {
            draft.bypass_untranslatable(
                BypassReason::UnsupportedFormat,
                "a grammar or pattern for the answer",
            );
            return Ok(ResponseFormat::Text);
        }
    };
    draft.keep_rest(format);
    Ok(decoded)
}

fn take_tools(
    fields: &mut Fields,
    draft: &mut Draft,
) -> Result<(Vec<Tool>, Option<ToolChoice>), Undecodable> {
    let list = fields.take_list("tools")?.unwrap_or_default();
    let choice = fields.take("tool_choice");
    if list.is_empty() {
        // Without tools every choice but a forced call says nothing, and a forced call is the upstream's to refuse.
        let says_nothing = choice
            .as_ref()
            .is_none_or(|choice| choice == "none" || choice == "auto");
        draft.bypass_if(!says_nothing, BypassReason::Tools);
        return Ok((Vec::new(), None));
    }
    draft.bypass(BypassReason::Tools);
    let mut tools = Vec::with_capacity(list.len());
    for (index, tool) in list.into_iter().enumerate() {
        let mut tool = Fields::open(tool, format!("tools.{index}"))?;
        let Some(mut function) = tool.take_object("function")? else {
            draft
                .untranslatable
                .get_or_insert("a tool that is not a function");
            continue;
        };
        tools.push(Tool {
            name: function
                .take_string("name")?
                .ok_or_else(|| function.missing("name"))?,
            description: function.take_string("description")?,
            parameters: function.take("parameters"),
        });
    }
    let choice = match choice {
        None => None,
        Some(Value::String(word)) => match word.as_str() {
            "none" => Some(ToolChoice::None),
            "auto" => Some(ToolChoice::Auto),
            "required" => Some(ToolChoice::Required),
            _ => return Err(fields.wrong("tool_choice", "none, auto, required or a function")),
        },
        Some(value) => match value.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => Some(ToolChoice::Named(vec![name.to_owned()])),
            None => {
                draft
                    .untranslatable
                    .get_or_insert("a choice of tools that is not a function");
                None
            }
        },
    };
    Ok((tools, choice))
}

#[cfg(test)]
mod tests;
