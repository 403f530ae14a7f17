//! A request in no protocol's words to the body of `POST /v1/chat/completions`.

use serde_json::{Map, Value, json};

use crate::protocol::chat::{
    ChatRequest, Message, Part, ResponseFormat, ToolChoice, Untranslatable,
};
use crate::protocol::codec::UpstreamRequest;
use crate::protocol::reply::Framing;
use tollfree_cache::request::Role;

/// Path of chat completions.
pub(super) const PATH: &str = "/v1/chat/completions";

/// Encodes the request for an upstream that calls the model `model`.
pub(super) fn encode(
    request: &ChatRequest,
    model: &str,
) -> Result<UpstreamRequest, Untranslatable> {
    if let Some(feature) = request.untranslatable {
        return Err(Untranslatable { feature });
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model));
    body.insert("messages".to_owned(), Value::Array(messages(request)));
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    let sampling = &request.sampling;
    put("temperature", json!(sampling.temperature));
    put("top_p", json!(sampling.top_p));
    put("top_k", json!(sampling.top_k));
    put("seed", json!(sampling.seed));
    put("presence_penalty", json!(sampling.presence_penalty));
    put("frequency_penalty", json!(sampling.frequency_penalty));
    put("reasoning_effort", json!(sampling.reasoning_effort));
    put("max_completion_tokens", json!(request.max_tokens));
    if !request.stop.is_empty() {
        put("stop", json!(request.stop));
    }
    put("response_format", format(&request.format));
    if !request.tools.is_empty() {
        put("tools", tools(request));
        put("tool_choice", tool_choice(request.tool_choice.as_ref()));
    }
    if request.form.framing != Framing::Whole {
        put("stream", json!(true));
        // The usage is asked for even if this client does not want it: a Gemini client always gets it, and so
        // does the entry.
        put("stream_options", json!({"include_usage": true}));
    }
    Ok(UpstreamRequest {
        target: PATH.to_owned(),
        body: Value::Object(body).to_string().into_bytes(),
    })
}

fn messages(request: &ChatRequest) -> Vec<Value> {
    let mut list = Vec::with_capacity(request.messages.len() + 1);
    if !request.system.is_empty() {
        list.push(json!({"role": "system", "content": request.system.join("\n\n")}));
    }
    for message in &request.messages {
        push_message(message, &mut list);
    }
    list
}

fn push_message(message: &Message, list: &mut Vec<Value>) {
    // Results come before the words that follow them: OpenAI wants them right after their calls.
    for part in &message.parts {
        if let Part::ToolResult { id, content, .. } = part {
            let text = content
                .as_str()
                .map_or_else(|| content.to_string(), str::to_owned);
            list.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
        }
    }
    let calls: Vec<_> = message.parts.iter().filter_map(tool_call).collect();
    let content = content(message);
    if content.is_null() && calls.is_empty() {
        return;
    }
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let mut encoded = json!({"role": role, "content": content});
    if let (Value::Object(members), false) = (&mut encoded, calls.is_empty()) {
        members.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    list.push(encoded);
}

/// A single text as a string, several parts as a list, none as null.
fn content(message: &Message) -> Value {
    let parts: Vec<_> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(json!({"type": "text", "text": text})),
            Part::Image { url, .. } => {
                Some(json!({"type": "image_url", "image_url": {"url": url}}))
            }
            Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Other => None,
        })
        .collect();
    if parts.is_empty() {
        return Value::Null;
    }
    // Texts alone become one string: not every server of this protocol reads a list of parts, and what Gemini
    // is sent in parts it reads as one text.
    let only_texts = message.texts().count() == parts.len();
    if only_texts {
        json!(message.texts().collect::<String>())
    } else {
        Value::Array(parts)
    }
}

fn tool_call(part: &Part) -> Option<Value> {
    let Part::ToolCall {
        id,
        name,
        arguments,
    } = part
    else {
        return None;
    };
    Some(
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}}),
    )
}

fn format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => Value::Null,
        ResponseFormat::JsonObject => json!({"type": "json_object"}),
        ResponseFormat::Schema(schema) => {
            json!({"type": "json_schema", "json_schema": {"name": "response", "schema": schema}})
        }
    }
}

fn tools(request: &ChatRequest) -> Value {
    let function = |tool: &crate::protocol::chat::Tool| {
        let mut function = json!({"name": tool.name});
        if let Value::Object(members) = &mut function {
            members.extend(
                tool.description
                    .iter()
                    .map(|text| ("description".to_owned(), json!(text))),
            );
            members.extend(
                tool.parameters
                    .iter()
                    .map(|schema| ("parameters".to_owned(), schema.clone())),
            );
        }
        json!({"type": "function", "function": function})
    };
    request.tools.iter().map(function).collect()
}

fn tool_choice(choice: Option<&ToolChoice>) -> Value {
    match choice {
        None => Value::Null,
        Some(ToolChoice::None) => json!("none"),
        Some(ToolChoice::Auto) => json!("auto"),
        Some(ToolChoice::Required) => json!("required"),
        Some(ToolChoice::Named(names)) => match names.as_slice() {
            [name] => json!({"type": "function", "function": {"name": name}}),
            // OpenAI cannot force a choice among several in this form; that one of all is called is nearest.
            _ => json!("required"),
        },
    }
}

#[cfg(test)]
mod tests;
