//! A request in no protocol's words to path and body of `generateContent`.

use serde_json::{Map, Value, json};

use super::path;
use crate::protocol::chat::{
    ChatRequest, Message, Part, ResponseFormat, Tool, ToolChoice, Untranslatable,
};
use crate::protocol::codec::UpstreamRequest;
use crate::protocol::reply::Framing;
use tollfree_cache::request::Role;

/// Encodes the request for an upstream that calls the model `model`.
pub(super) fn encode(
    request: &ChatRequest,
    model: &str,
) -> Result<UpstreamRequest, Untranslatable> {
    if let Some(feature) = request.untranslatable {
        return Err(Untranslatable { feature });
    }
    let mut body = Map::new();
    let system = system_parts(request);
    if !system.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({"parts": system}));
    }
    body.insert("contents".to_owned(), contents(request));
    let config = generation_config(request, model);
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    if !request.tools.is_empty() {
        let functions: Vec<_> = request.tools.iter().map(function).collect();
        body.insert(
            "tools".to_owned(),
            json!([{"functionDeclarations": functions}]),
        );
        if let Some(choice) = &request.tool_choice {
            body.insert(
                "toolConfig".to_owned(),
                json!({"functionCallingConfig": calling(choice)}),
            );
        }
    }
    Ok(UpstreamRequest {
        target: path::target(model, request.form.framing != Framing::Whole),
        body: Value::Object(body).to_string().into_bytes(),
    })
}

/// Gemini has one place for system text: what stood between the turns moves there.
fn system_parts(request: &ChatRequest) -> Vec<Value> {
    let later = request
        .messages
        .iter()
        .filter(|message| message.role == Role::System)
        .flat_map(Message::texts);
    request
        .system
        .iter()
        .map(String::as_str)
        .chain(later)
        .map(|text| json!({"text": text}))
        .collect()
}

/// Consecutive turns of one role are merged: Gemini wants them to alternate.
fn contents(request: &ChatRequest) -> Value {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in &request.messages {
        let role = match message.role {
            Role::System => continue,
            Role::User => "user",
            Role::Assistant => "model",
        };
        let parts = message.parts.iter().filter_map(part);
        match turns.last_mut() {
            Some((last, merged)) if *last == role => merged.extend(parts),
            _ => turns.push((role, parts.collect())),
        }
    }
    turns
        .into_iter()
        .filter(|(_, parts)| !parts.is_empty())
        .map(|(role, parts)| json!({"role": role, "parts": parts}))
        .collect()
}

fn part(part: &Part) -> Option<Value> {
    Some(match part {
        Part::Text(text) => json!({"text": text}),
        Part::Image { media_type, url } => image(media_type.as_deref(), url),
        Part::ToolCall {
            id,
            name,
            arguments,
        } => {
            json!({"functionCall": {"id": id, "name": name, "args": arguments}})
        }
        Part::ToolResult { id, name, content } => {
            // The response must be an object; a result that is none is wrapped.
            let text = content.as_str();
            let parsed = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
            let response = match parsed.as_ref().unwrap_or(content) {
                object @ Value::Object(_) => object.clone(),
                _ => json!({"result": content}),
            };
            json!({"functionResponse": {"id": id, "name": name, "response": response}})
        }
        Part::Other => return None,
    })
}

fn image(media_type: Option<&str>, url: &str) -> Value {
    let inline = url
        .strip_prefix("data:")
        .and_then(|data| data.split_once(";base64,"));
    match inline {
        Some((mime_type, data)) => json!({"inlineData": {"mimeType": mime_type, "data": data}}),
        None => match media_type {
            Some(mime_type) => json!({"fileData": {"mimeType": mime_type, "fileUri": url}}),
            None => json!({"fileData": {"fileUri": url}}),
        },
    }
}

fn generation_config(request: &ChatRequest, model: &str) -> Map<String, Value> {
    let mut config = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            config.insert(name.to_owned(), value);
        }
    };
    let sampling = &request.sampling;
    put("temperature", json!(sampling.temperature));
    put("topP", json!(sampling.top_p));
    put("topK", json!(sampling.top_k));
    // Gemini's seed has 32 bits: the lower half of a longer one is as good a seed.
    #[expect(clippy::cast_possible_truncation, reason = "the truncation is meant")]
    let seed = sampling.seed.map(|seed| seed as i32);
    put("seed", json!(seed));
    put("presencePenalty", json!(sampling.presence_penalty));
    put("frequencyPenalty", json!(sampling.frequency_penalty));
    put("maxOutputTokens", json!(request.max_tokens));
    if !request.stop.is_empty() {
        put("stopSequences", json!(request.stop));
    }
    match &request.format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonObject => put("responseMimeType", json!("application/json")),
        ResponseFormat::Schema(schema) => {
            put("responseMimeType", json!("application/json"));
            put("responseJsonSchema", schema.clone());
        }
    }
    put(
        "thinkingConfig",
        thinking(sampling.reasoning_effort.as_deref(), model),
    );
    config
}

/// Models of generation 3 take a level (the newest none below LOW), those of 2.5 a budget; others do not think.
fn thinking(effort: Option<&str>, model: &str) -> Value {
    let Some(effort) = effort else {
        return Value::Null;
    };
    let model = model.strip_prefix("models/").unwrap_or(model);
    if model.starts_with("gemini-2.5") {
        let budget = match effort {
            "none" => 0,
            "minimal" | "low" => 1024,
            "medium" => 8192,
            "high" | "xhigh" => 24576,
            _ => return Value::Null,
        };
        json!({"thinkingBudget": budget})
    } else if model.starts_with("gemini-3") {
        let level = match effort {
            "none" | "minimal" | "low" => "LOW",
            "medium" => "MEDIUM",
            "high" | "xhigh" => "HIGH",
            _ => return Value::Null,
        };
        json!({"thinkingLevel": level})
    } else {
        Value::Null
    }
}

fn function(tool: &Tool) -> Value {
    let mut declaration = Map::new();
    declaration.insert("name".to_owned(), json!(tool.name));
    declaration.extend(
        tool.description
            .iter()
            .map(|text| ("description".to_owned(), json!(text))),
    );
    declaration.extend(
        tool.parameters
            .iter()
            .map(|schema| ("parametersJsonSchema".to_owned(), schema.clone())),
    );
    Value::Object(declaration)
}

fn calling(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(names) => json!({"mode": "ANY", "allowedFunctionNames": names}),
    }
}

#[cfg(test)]
mod tests;
