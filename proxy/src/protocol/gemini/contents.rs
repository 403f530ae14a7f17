//! `contents` and `systemInstruction` to turns. Field names are already in `snake_case`.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::{Message, Part, Undecodable};
use crate::protocol::draft::Draft;
use crate::protocol::fields::Fields;
use tollfree_cache::request::Role;

/// Decodes all contents into the draft.
pub(super) fn decode(contents: Value, draft: &mut Draft) -> Result<(), Undecodable> {
    let mut calls = Calls::default();
    for (index, content) in one_or_many(contents, "contents")?.into_iter().enumerate() {
        let mut fields = Fields::open(content, format!("contents.{index}"))?;
        let role = match fields.take_string("role")?.as_deref() {
            None | Some("user" | "function" | "") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(fields.wrong("role", "user or model")),
        };
        let parts = take_parts(&mut fields, draft, &mut calls)?;
        draft.keep_rest(fields);
        draft.messages.push(Message { role, parts });
    }
    if draft.messages.is_empty() {
        return Err(Undecodable::Missing {
            field: "contents".to_owned(),
        });
    }
    Ok(())
}

/// Decodes the system instruction into the draft. Its role says nothing: clients send `user`, `system` or none.
pub(super) fn decode_system(instruction: Value, draft: &mut Draft) -> Result<(), Undecodable> {
    let mut fields = Fields::open(instruction, "system_instruction")?;
    fields.drop(&["role"]);
    let message = Message {
        role: Role::System,
        parts: take_parts(&mut fields, draft, &mut Calls::default())?,
    };
    draft.system.extend(message.texts().map(str::to_owned));
    draft.keep_rest(fields);
    Ok(())
}

/// Identifiers of function calls. Gemini may leave them out, and then pairs calls and results by name and order.
#[derive(Default)]
struct Calls {
    num_calls: usize,
    open: HashMap<String, Vec<String>>,
}

impl Calls {
    fn call(&mut self, name: &str, id: Option<String>) -> String {
        let id = id.unwrap_or_else(|| format!("call_{}", self.num_calls));
        self.num_calls += 1;
        self.open
            .entry(name.to_owned())
            .or_default()
            .insert(0, id.clone());
        id
    }

    fn result(&mut self, name: &str, id: Option<String>) -> String {
        let oldest = self.open.get_mut(name).and_then(Vec::pop);
        id.or(oldest).unwrap_or_else(|| name.to_owned())
    }
}

/// A lone object stands for a list of one, as in Google's own examples.
fn one_or_many(value: Value, name: &str) -> Result<Vec<Value>, Undecodable> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Object(_) => Ok(vec![value]),
        _ => Err(Undecodable::WrongType {
            field: name.to_owned(),
            expected: "a list",
        }),
    }
}

fn take_parts(
    fields: &mut Fields,
    draft: &mut Draft,
    calls: &mut Calls,
) -> Result<Vec<Part>, Undecodable> {
    let path = fields.path_of("parts");
    let Some(parts) = fields.take("parts") else {
        return Ok(Vec::new());
    };
    let mut decoded = Vec::new();
    for (index, part) in one_or_many(parts, &path)?.into_iter().enumerate() {
        let path = format!("{path}.{index}");
        decoded.extend(decode_part(Fields::open(part, path)?, draft, calls)?);
    }
    Ok(decoded)
}

fn decode_part(
    mut fields: Fields,
    draft: &mut Draft,
    calls: &mut Calls,
) -> Result<Option<Part>, Undecodable> {
    // A thought that the client sends back is not what the model said, and still makes another request.
    if fields.take_bool("thought")?.unwrap_or(false) {
        let path = fields.path_of("thought");
        let rest = fields.rest().collect::<serde_json::Map<_, _>>();
        draft.keep(path, &Value::Object(rest));
        return Ok(None);
    }
    if let Some(text) = fields.take_string("text")? {
        draft.keep_rest(fields);
        return Ok(Some(Part::Text(text)));
    }
    if let Some(mut call) = fields.take_object("function_call")? {
        draft.bypass(BypassReason::Tools);
        let name = call
            .take_string("name")?
            .ok_or_else(|| call.missing("name"))?;
        let id = calls.call(&name, call.take_string("id")?);
        let arguments = call.take("args").unwrap_or_else(|| json!({}));
        return Ok(Some(Part::ToolCall {
            id,
            name,
            arguments,
        }));
    }
    if let Some(mut result) = fields.take_object("function_response")? {
        draft.bypass(BypassReason::Tools);
        let name = result
            .take_string("name")?
            .ok_or_else(|| result.missing("name"))?;
        let id = calls.result(&name, result.take_string("id")?);
        let content = result.take("response").unwrap_or_else(|| json!({}));
        return Ok(Some(Part::ToolResult {
            id,
            name: Some(name),
            content,
        }));
    }
    if let Some(mut data) = fields.take_object("inline_data")? {
        let media_type = data.take_string("mime_type")?.unwrap_or_default();
        let bytes = data.take_string("data")?.unwrap_or_default();
        return Ok(Some(image(
            media_type.clone(),
            format!("data:{media_type};base64,{bytes}"),
            draft,
        )));
    }
    if let Some(mut file) = fields.take_object("file_data")? {
        let media_type = file.take_string("mime_type")?.unwrap_or_default();
        let url = file.take_string("file_uri")?.unwrap_or_default();
        return Ok(Some(image(media_type, url, draft)));
    }
    let rest: Vec<_> = fields.rest().collect();
    if rest.is_empty() {
        // Proto-JSON drops an empty text, so this is one.
        return Ok(Some(Part::Text(String::new())));
    }
    draft.bypass_untranslatable(
        BypassReason::NonTextPart,
        "a part that is neither text nor an image",
    );
    Ok(Some(Part::Other))
}

fn image(media_type: String, url: String, draft: &mut Draft) -> Part {
    if media_type.starts_with("image/") {
        draft.bypass(BypassReason::NonTextPart);
        Part::Image {
            media_type: Some(media_type),
            url,
        }
    } else {
        draft.bypass_untranslatable(BypassReason::NonTextPart, "audio, video or a file");
        Part::Other
    }
}
