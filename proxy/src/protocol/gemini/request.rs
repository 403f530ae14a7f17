//! Body of `generateContent` and `streamGenerateContent` to [`Decoded`].

use serde_json::{Value, json};

use super::{contents, names, tools};
use crate::protocol::Protocol;
use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::{ChatRequest, Decoded, ResponseFormat, Sampling, Undecodable};
use crate::protocol::draft::Draft;
use crate::protocol::fields::Fields;
use crate::protocol::reply::{Framing, ReplyForm};
use crate::protocol::{json, schema};

/// Decodes a body for the model that the path names.
pub(super) fn decode(model: &str, framing: Framing, body: &[u8]) -> Result<Decoded, Undecodable> {
    let parsed = json::parse(body)?;
    let mut draft = Draft::of(&parsed);
    let (value, both_spellings) = names::unify(parsed.value);
    draft.bypass_if(both_spellings, BypassReason::AmbiguousField);
    let mut fields = Fields::open(value, "")?;

    let list = fields
        .take("contents")
        .ok_or_else(|| fields.missing("contents"))?;
    contents::decode(list, &mut draft)?;
    if let Some(system) = fields.take("system_instruction") {
        contents::decode_system(system, &mut draft)?;
    }
    draft.check_goal();
    let (tools, tool_choice) = tools::take(&mut fields, &mut draft)?;
    if fields.take_set("cached_content") {
        draft.bypass_untranslatable(BypassReason::ServerState, "cached content of the upstream");
    }
    if fields.take_set("store") {
        draft.bypass(BypassReason::ServerState);
    }
    // `model` repeats what the path says; the other two never change the answer.
    fields.drop(&["labels", "model", "service_tier"]);
    take_safety(&mut fields, &mut draft)?;

    let mut config = match fields.take_object("generation_config")? {
        Some(config) => config,
        None => Fields::open(json!({}), "generation_config")?,
    };
    take_bypassed(&mut config, &mut draft)?;
    let sampling = take_sampling(&mut config, &mut draft)?;
    let max_tokens = config
        .take_count("max_output_tokens")?
        .filter(|max_tokens| *max_tokens > 0);
    draft.settings.put("max_tokens", &json!(max_tokens));
    let stop = take_stop(&mut config, &mut draft)?;
    let format = take_format(&mut config, &mut draft)?;
    take_thinking(&mut config, &mut draft)?;
    draft.keep_rest(config);
    draft.keep_rest(fields);

    let (settings, opaque_fields) = draft.settings.finish();
    Ok(Decoded {
        request: ChatRequest {
            protocol: Protocol::Gemini,
            model: model.strip_prefix("models/").unwrap_or(model).to_owned(),
            system: draft.system,
            messages: draft.messages,
            sampling,
            max_tokens,
            stop,
            format,
            tools,
            tool_choice,
            untranslatable: draft.untranslatable,
            form: ReplyForm {
                framing,
                include_usage: true,
            },
            settings,
            opaque_fields,
        },
        bypass: draft.bypass,
    })
}

fn take_safety(fields: &mut Fields, draft: &mut Draft) -> Result<(), Undecodable> {
    // The order of the categories says nothing.
    let mut safety = fields.take_list("safety_settings")?.unwrap_or_default();
    safety.sort_by_cached_key(json::canonical);
    draft.settings.put("safety", &Value::Array(safety));
    Ok(())
}

fn take_bypassed(config: &mut Fields, draft: &mut Draft) -> Result<(), Undecodable> {
    if config
        .take_integer("candidate_count")?
        .is_some_and(|count| count > 1)
    {
        draft.bypass_untranslatable(BypassReason::MultipleChoices, "more than one candidate");
    }
    for name in ["response_logprobs", "logprobs"] {
        if config.take_set(name) {
            draft.bypass_untranslatable(BypassReason::Logprobs, "logprobs");
        }
    }
    let modalities = config.take("response_modalities");
    let other_modalities = modalities.is_some_and(|modalities| {
        modalities != json!(["TEXT"])
            && modalities != json!(["text"])
            && !json::is_empty(&modalities)
    });
    let mut other_output = other_modalities;
    for name in [
        "speech_config",
        "image_config",
        "audio_transcription_config",
    ] {
        other_output |= config.take_set(name);
    }
    if other_output {
        draft.bypass_untranslatable(BypassReason::NonTextOutput, "output that is not text");
    }
    if config.take_set("continuation_token") {
        draft.bypass_untranslatable(
            BypassReason::ServerState,
            "the continuation of an earlier answer",
        );
    }
    // Says how finely images are read; without images it says nothing.
    config.drop(&["media_resolution"]);
    Ok(())
}

fn take_sampling(config: &mut Fields, draft: &mut Draft) -> Result<Sampling, Undecodable> {
    let sampling = Sampling {
        temperature: config.take_f64("temperature")?,
        top_p: config.take_f64("top_p")?,
        top_k: config.take_count("top_k")?.filter(|top_k| *top_k > 0),
        seed: config.take_integer("seed")?,
        presence_penalty: config.take_f64("presence_penalty")?,
        frequency_penalty: config.take_f64("frequency_penalty")?,
        reasoning_effort: None,
    };
    let settings = &mut draft.settings;
    // The defaults of topP and topK differ by model, so a given value is never known to be one.
    settings.put_unless("temperature", sampling.temperature, &1.0);
    settings.put("top_p", &json!(sampling.top_p));
    settings.put("top_k", &json!(sampling.top_k));
    settings.put("seed", &json!(sampling.seed));
    settings.put_unless("presence_penalty", sampling.presence_penalty, &0.0);
    settings.put_unless("frequency_penalty", sampling.frequency_penalty, &0.0);
    Ok(sampling)
}

fn take_stop(config: &mut Fields, draft: &mut Draft) -> Result<Vec<String>, Undecodable> {
    let wrong = config.wrong("stop_sequences", "a list of strings");
    let stop: Vec<String> = match config.take("stop_sequences") {
        None => Vec::new(),
        Some(value) => serde_json::from_value(value).map_err(|_| wrong)?,
    };
    draft.settings.put("stop", &json!(stop));
    Ok(stop)
}

fn take_format(config: &mut Fields, draft: &mut Draft) -> Result<ResponseFormat, Undecodable> {
    let media_type = config.take_string("response_mime_type")?;
    let openapi = config
        .take("response_schema")
        .filter(|schema| !json::is_empty(schema));
    let plain = config
        .take("response_json_schema")
        .filter(|schema| !json::is_empty(schema));
    draft.bypass_if(
        openapi.is_some() && plain.is_some(),
        BypassReason::AmbiguousField,
    );
    let schema = plain.or(openapi.map(schema::to_json_schema));
    Ok(
        match (media_type.as_deref().unwrap_or("text/plain"), schema) {
            ("text/plain" | "application/json" | "", Some(schema)) => {
                ResponseFormat::Schema(schema)
            }
            ("text/plain" | "", None) => ResponseFormat::Text,
            ("application/json", None) => ResponseFormat::JsonObject,
            (_, schema) => {
                // `text/x.enum` wants one bare word of the schema's enum: no JSON, and nothing that we check.
                draft.bypass_untranslatable(
                    BypassReason::UnsupportedFormat,
                    "a media type of the answer",
                );
                schema.map_or(ResponseFormat::Text, ResponseFormat::Schema)
            }
        },
    )
}

fn take_thinking(config: &mut Fields, draft: &mut Draft) -> Result<(), Undecodable> {
    let Some(mut thinking) = config.take_object("thinking_config")? else {
        return Ok(());
    };
    // Thoughts are not stored, so an answer from the cache would lack them.
    let with_thoughts = thinking.take_bool("include_thoughts")?.unwrap_or(false);
    draft.bypass_if(with_thoughts, BypassReason::ReplyExtras);
    let rest = thinking.rest().map(|(path, value)| {
        let name = path.rsplit('.').next().unwrap_or_default().to_owned();
        (name, value)
    });
    draft
        .settings
        .put("thinking", &Value::Object(rest.collect()));
    Ok(())
}

#[cfg(test)]
mod tests;
