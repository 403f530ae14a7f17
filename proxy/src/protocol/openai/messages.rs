//! The `messages` of a chat request to turns.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::{Message, Part, Undecodable};
use crate::protocol::draft::Draft;
use crate::protocol::fields::Fields;
use crate::protocol::json;
use tollfree_cache::request::Role;

/// Decodes all messages into the draft.
pub(super) fn decode(list: Vec<Value>, draft: &mut Draft) -> Result<(), Undecodable> {
    if list.is_empty() {
        return Err(Undecodable::WrongType {
            field: "messages".to_owned(),
            expected: "a list of at least one",
        });
    }
    // A tool's result names only its call; Gemini wants the function's name.
    let mut called = HashMap::new();
    for (index, message) in list.into_iter().enumerate() {
        let mut fields = Fields::open(message, format!("messages.{index}"))?;
        let role = fields
            .take_string("role")?
            .ok_or_else(|| fields.missing("role"))?;
        let message = match role.as_str() {
            "system" | "developer" => {
                let parts = take_content(&mut fields, draft)?;
                if role == "developer" {
                    // The same to models that know it, and yet another request.
                    draft.settings.put("developer_role", &json!(true));
                }
                Message {
                    role: Role::System,
                    parts,
                }
            }
            "user" => Message {
                role: Role::User,
                parts: take_content(&mut fields, draft)?,
            },
            "assistant" => take_assistant(&mut fields, draft, &mut called)?,
            "tool" | "function" => take_result(&mut fields, draft, &called)?,
            _ => return Err(fields.wrong("role", "a role of OpenAI's")),
        };
        draft.keep_rest(fields);
        if message.role == Role::System && draft.messages.is_empty() {
            draft.system.extend(message.texts().map(str::to_owned));
        } else {
            draft.messages.push(message);
        }
    }
    Ok(())
}

fn take_content(fields: &mut Fields, draft: &mut Draft) -> Result<Vec<Part>, Undecodable> {
    let path = fields.path_of("content");
    match fields.take("content") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::Text(text)]),
        Some(Value::Array(parts)) => {
            let parts = parts.into_iter().enumerate();
            parts
                .map(|(index, part)| decode_part(part, format!("{path}.{index}"), draft))
                .collect()
        }
        Some(_) => Err(fields.wrong("content", "a string or a list of parts")),
    }
}

fn decode_part(part: Value, path: String, draft: &mut Draft) -> Result<Part, Undecodable> {
    let mut fields = Fields::open(part, path)?;
    let kind = fields
        .take_string("type")?
        .ok_or_else(|| fields.missing("type"))?;
    match kind.as_str() {
        "text" => {
            let text = fields
                .take_string("text")?
                .ok_or_else(|| fields.missing("text"))?;
            draft.keep_rest(fields);
            Ok(Part::Text(text))
        }
        "refusal" => {
            draft.bypass(BypassReason::NonTextPart);
            Ok(Part::Text(
                fields.take_string("refusal")?.unwrap_or_default(),
            ))
        }
        "image_url" => {
            draft.bypass(BypassReason::NonTextPart);
            let mut image = fields
                .take_object("image_url")?
                .ok_or_else(|| fields.missing("image_url"))?;
            let url = image
                .take_string("url")?
                .ok_or_else(|| image.missing("url"))?;
            Ok(Part::Image {
                media_type: None,
                url,
            })
        }
        _ => {
            draft.bypass_untranslatable(
                BypassReason::NonTextPart,
                "audio, a file or another part that is not text",
            );
            Ok(Part::Other)
        }
    }
}

fn take_assistant(
    fields: &mut Fields,
    draft: &mut Draft,
    called: &mut HashMap<String, String>,
) -> Result<Message, Undecodable> {
    let mut parts = take_content(fields, draft)?;
    if let Some(refusal) = fields.take_string("refusal")? {
        draft.bypass(BypassReason::NonTextPart);
        parts.push(Part::Text(refusal));
    }
    if fields.take_set("audio") {
        draft.bypass_untranslatable(BypassReason::NonTextPart, "an answer in audio");
    }
    if fields.take_set("function_call") {
        draft.bypass_untranslatable(
            BypassReason::Tools,
            "a function or a web search in OpenAI's older form",
        );
    }
    for (index, call) in fields
        .take_list("tool_calls")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        draft.bypass(BypassReason::Tools);
        let mut call = Fields::open(call, format!("{}.{index}", fields.path_of("tool_calls")))?;
        let id = call
            .take_string("id")?
            .unwrap_or_else(|| format!("call_{index}"));
        let Some(mut function) = call.take_object("function")? else {
            draft
                .untranslatable
                .get_or_insert("a tool that is not a function");
            continue;
        };
        let name = function
            .take_string("name")?
            .ok_or_else(|| function.missing("name"))?;
        let text = function.take_string("arguments")?.unwrap_or_default();
        let arguments = if text.trim().is_empty() {
            Some(json!({}))
        } else {
            object(&text)
        };
        let Some(arguments) = arguments else {
            draft
                .untranslatable
                .get_or_insert("a function call whose arguments are not a JSON object");
            continue;
        };
        called.insert(id.clone(), name.clone());
        parts.push(Part::ToolCall {
            id,
            name,
            arguments,
        });
    }
    Ok(Message {
        role: Role::Assistant,
        parts,
    })
}

fn object(text: &str) -> Option<Value> {
    json::parse(text.as_bytes())
        .ok()
        .map(|parsed| parsed.value)
        .filter(Value::is_object)
}

fn take_result(
    fields: &mut Fields,
    draft: &mut Draft,
    called: &HashMap<String, String>,
) -> Result<Message, Undecodable> {
    draft.bypass(BypassReason::Tools);
    let texts = Message {
        role: Role::User,
        parts: take_content(fields, draft)?,
    };
    let content = texts.texts().collect::<Vec<_>>().join("\n");
    let name = fields.take_string("name")?;
    let id = fields.take_string("tool_call_id")?;
    let name = name.or_else(|| id.as_ref().and_then(|id| called.get(id).cloned()));
    if name.is_none() {
        draft
            .untranslatable
            .get_or_insert("a tool result whose call is not in the conversation");
    }
    let id = id.or_else(|| name.clone()).unwrap_or_default();
    Ok(Message {
        role: Role::User,
        parts: vec![Part::ToolResult {
            id,
            name,
            content: Value::String(content),
        }],
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;
    use crate::protocol::chat::ToolChoice;

    #[test]
    fn calls_and_their_results_are_kept_for_translation() {
        let body = json!({
            "model": "m",
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "messages": [
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "done"},
            ],
        });
        let request = crate::protocol::openai::request::decode(body.to_string().as_bytes())
            .unwrap()
            .request;
        assert_eq!(request.untranslatable, None);
        assert_eq!(
            request.tool_choice,
            Some(ToolChoice::Named(vec!["f".to_owned()]))
        );
        assert_eq!(
            request.tools.first().unwrap().description.as_deref(),
            Some("d")
        );
        let result = Part::ToolResult {
            id: "c1".to_owned(),
            name: Some("f".to_owned()),
            content: json!("done"),
        };
        assert_eq!(
            request.messages.last().unwrap(),
            &Message {
                role: Role::User,
                parts: vec![result]
            }
        );
    }
}
