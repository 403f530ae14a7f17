//! `tools` and `toolConfig`. Field names are already in `snake_case`; any tool keeps the request out of the cache.

use serde_json::Value;

use crate::protocol::bypass::BypassReason;
use crate::protocol::chat::{Tool, ToolChoice, Undecodable};
use crate::protocol::draft::Draft;
use crate::protocol::fields::Fields;
use crate::protocol::schema;

/// Takes the tools and the choice among them.
pub(super) fn take(
    fields: &mut Fields,
    draft: &mut Draft,
) -> Result<(Vec<Tool>, Option<ToolChoice>), Undecodable> {
    let list = match fields.take("tools") {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(lone @ Value::Object(_)) => vec![lone],
        Some(_) => return Err(fields.wrong("tools", "a list")),
    };
    let config = fields.take_object("tool_config")?;
    if list.is_empty() {
        // Without tools the configuration of their use says nothing.
        return Ok((Vec::new(), None));
    }
    draft.bypass(BypassReason::Tools);
    let mut tools = Vec::new();
    for (index, tool) in list.into_iter().enumerate() {
        let mut tool = Fields::open(tool, format!("tools.{index}"))?;
        for (position, function) in tool
            .take_list("function_declarations")?
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let path = format!("{}.{position}", tool.path_of("function_declarations"));
            tools.push(take_function(Fields::open(function, path)?)?);
        }
        if tool.rest().next().is_some() {
            draft.untranslatable.get_or_insert("a tool of Gemini's own");
        }
    }
    Ok((
        tools,
        config
            .map(|config| take_choice(config, draft))
            .transpose()?
            .flatten(),
    ))
}

fn take_function(mut function: Fields) -> Result<Tool, Undecodable> {
    let plain = function.take("parameters_json_schema");
    Ok(Tool {
        name: function
            .take_string("name")?
            .ok_or_else(|| function.missing("name"))?,
        description: function.take_string("description")?,
        parameters: plain.or(function.take("parameters").map(schema::to_json_schema)),
    })
}

fn take_choice(mut config: Fields, draft: &mut Draft) -> Result<Option<ToolChoice>, Undecodable> {
    let Some(mut calling) = config.take_object("function_calling_config")? else {
        return Ok(None);
    };
    let mut names = Vec::new();
    for name in calling
        .take_list("allowed_function_names")?
        .unwrap_or_default()
    {
        match name {
            Value::String(name) => names.push(name),
            _ => return Err(calling.wrong("allowed_function_names", "a list of strings")),
        }
    }
    Ok(match calling.take_string("mode")?.as_deref() {
        None | Some("MODE_UNSPECIFIED") => None,
        Some("NONE") => Some(ToolChoice::None),
        Some("AUTO" | "VALIDATED") => Some(ToolChoice::Auto),
        Some("ANY") if names.is_empty() => Some(ToolChoice::Required),
        Some("ANY") => Some(ToolChoice::Named(names)),
        Some(_) => {
            draft
                .untranslatable
                .get_or_insert("a mode of calling functions");
            None
        }
    })
}
