#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::*;
use crate::protocol::chat::{Part, ToolChoice};
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::{Format, Request, Role};

fn body(more: Value) -> Value {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "learn Spanish"}]}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn decoded(body: &Value) -> Decoded {
    decode("gemini-x", Framing::Whole, body.to_string().as_bytes()).unwrap()
}

fn with(more: Value) -> Request {
    decoded(&body(more))
        .request
        .canonical(Namespace::anonymous())
}

fn config(config: Value) -> Request {
    with(json!({"generationConfig": config}))
}

#[test]
fn what_sdks_add_by_default_does_not_show() {
    for more in [
        json!({"generationConfig": {}}),
        json!({"generation_config": {"candidateCount": 1, "stopSequences": [], "responseMimeType": "text/plain"}}),
        json!({"safetySettings": [], "tools": [], "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}),
        json!({"generationConfig": {"temperature": 1.0, "presencePenalty": 0, "responseLogprobs": false}}),
        json!({"generationConfig": {"thinkingConfig": {}, "seed": null, "responseModalities": ["TEXT"]}}),
        json!({"generationConfig": {"thinkingConfig": {"includeThoughts": false}}}),
        json!({"systemInstruction": {"role": "user", "parts": []}}),
        json!({"labels": {"team": "a"}, "serviceTier": "flex", "store": false, "model": "models/gemini-x"}),
        json!({"contents": [{"parts": [{"text": "learn Spanish"}]}]}),
        json!({"contents": {"parts": {"text": "learn Spanish"}}}),
    ] {
        assert_eq!(with(more.clone()), with(json!({})), "{more}");
        assert_eq!(decoded(&body(more.clone())).bypass, None, "{more}");
    }
}

#[test]
fn snake_and_camel_and_number_form_do_not_show() {
    let one = json!({
        "systemInstruction": {"parts": [{"text": "s"}], "role": "user"},
        "generationConfig": {"topK": 5.0, "maxOutputTokens": 100, "thinkingConfig": {"thinking_budget": 0}},
        "safetySettings": [{"category": "A", "threshold": "OFF"}, {"category": "B", "threshold": "OFF"}],
    });
    let other = json!({
        "safety_settings": [{"threshold": "OFF", "category": "B"}, {"category": "A", "threshold": "OFF"}],
        "generation_config": {"thinking_config": {"thinkingBudget": 0.0}, "top_k": 5, "max_output_tokens": 1e2},
        "system_instruction": {"parts": {"text": "s"}},
    });
    let request = with(one);
    assert_eq!(request, with(other));
    assert_eq!(request.max_tokens, Some(100));
    assert_eq!(request.settings.get("top_k").unwrap(), "5");
    assert_eq!(
        request.settings.get("thinking").unwrap(),
        r#"{"thinking_budget":0}"#
    );
}

#[test]
fn whatever_may_change_the_answer_shows() {
    let schema = json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}});
    let mut seen = vec![with(json!({}))];
    for more in [
        json!({"generationConfig": {"temperature": 0.7}}),
        json!({"generationConfig": {"temperature": 0}}),
        json!({"generationConfig": {"topP": 0.95}}),
        json!({"generationConfig": {"topK": 64}}),
        json!({"generationConfig": {"seed": 0}}),
        json!({"generationConfig": {"maxOutputTokens": 5}}),
        json!({"generationConfig": {"stopSequences": ["a"]}}),
        json!({"generationConfig": {"frequencyPenalty": 0.1}}),
        json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
        json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}),
        json!({"generationConfig": {"responseMimeType": "application/json"}}),
        json!({"generationConfig": {"responseMimeType": "application/json", "responseSchema": schema}}),
        json!({"generationConfig": {"enableEnhancedCivicAnswers": true}}),
        json!({"safetySettings": [{"category": "A", "threshold": "OFF"}]}),
        json!({"systemInstruction": {"parts": [{"text": "s"}]}}),
        json!({"systemInstruction": {"parts": [{"text": "s"}, {"text": "t"}]}}),
        json!({"systemInstruction": {"parts": [{"text": "s\nt"}]}}),
        json!({"neverHeardOf": 1}),
        json!({"temperature": 0.7}),
        json!({"contents": [{"parts": [{"text": "learn French"}]}]}),
        json!({"contents": [{"role": "model", "parts": [{"text": "hi"}]}, {"parts": [{"text": "learn Spanish"}]}]}),
        json!({"contents": [{"parts": [{"text": "learn Spanish", "thoughtSignature": "AA"}]}]}),
        json!({"contents": [{"parts": [{"text": "mm", "thought": true}, {"text": "learn Spanish"}]}]}),
    ] {
        let request = with(more.clone());
        assert!(!seen.contains(&request), "{more}");
        seen.push(request);
    }
}

#[test]
fn the_case_of_schema_types_does_not_show_and_both_kinds_of_schema_are_one() {
    let upper = json!({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}});
    let lower = json!({"properties": {"a": {"type": "string"}}, "type": "object"});
    let of = |name: &str, schema: &Value| {
        config(json!({"responseMimeType": "application/json", name: schema}))
    };
    assert_eq!(of("responseSchema", &upper), of("response_schema", &lower));
    assert_eq!(
        of("responseSchema", &upper),
        of("responseJsonSchema", &lower)
    );
    let expected = r#"{"properties":{"a":{"type":"string"}},"type":"object"}"#;
    assert_eq!(
        of("responseSchema", &upper).format,
        Format::Schema(expected.to_owned())
    );
    // In a plain JSON Schema names are the caller's: these are two schemas.
    let named = |name: &str| config(json!({"responseJsonSchema": {"properties": {name: {}}}}));
    assert_ne!(named("dueDate"), named("due_date"));
}

#[test]
fn every_reason_for_a_bypass_is_found() {
    let part = |part: Value| json!({"contents": [{"parts": [part, {"text": "x"}]}]});
    for (more, reason) in [
        (
            part(json!({"inlineData": {"data": "AA==", "mime_type": "image/png"}})),
            "non_text_part",
        ),
        (
            part(json!({"fileData": {"fileUri": "u", "mimeType": "video/mp4"}})),
            "non_text_part",
        ),
        (
            part(json!({"executableCode": {"code": "1"}})),
            "non_text_part",
        ),
        (
            part(json!({"functionCall": {"name": "f", "args": {}}})),
            "tools",
        ),
        (
            part(json!({"functionResponse": {"name": "f", "response": {}}})),
            "tools",
        ),
        (json!({"tools": [{"googleSearch": {}}]}), "tools"),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "f"}]}]}),
            "tools",
        ),
        (json!({"cachedContent": "cachedContents/x"}), "server_state"),
        (
            json!({"cached_content": "cachedContents/x"}),
            "server_state",
        ),
        (json!({"store": true}), "server_state"),
        (
            json!({"generationConfig": {"candidateCount": 2}}),
            "multiple_choices",
        ),
        (
            json!({"generationConfig": {"responseLogprobs": true}}),
            "logprobs",
        ),
        (json!({"generationConfig": {"logprobs": 3}}), "logprobs"),
        (
            json!({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}),
            "non_text_output",
        ),
        (
            json!({"generationConfig": {"responseMimeType": "text/x.enum"}}),
            "unsupported_format",
        ),
        (
            json!({"generationConfig": {"thinkingConfig": {"includeThoughts": true}}}),
            "reply_extras",
        ),
        (
            json!({"generationConfig": {"topK": 1, "top_k": 2}}),
            "ambiguous_field",
        ),
        (
            json!({"contents": [{"role": "model", "parts": [{"text": "x"}]}]}),
            "no_goal",
        ),
        (json!({"contents": [{"role": "user"}]}), "no_goal"),
        (json!({"contents": [{"parts": [{}]}]}), "no_goal"),
    ] {
        let reason_found = decoded(&body(more.clone()))
            .bypass
            .map(BypassReason::as_str);
        assert_eq!(reason_found, Some(reason), "{more}");
    }
}

#[test]
fn what_is_no_request_is_left_to_the_upstream() {
    for (body, error) in [
        ("nope", "body is not JSON at line 1, column 2"),
        ("[{}]", "body is not a JSON object"),
        ("{}", "field contents is missing"),
        (r#"{"contents":"hi"}"#, "field contents is not a list"),
        (r#"{"contents":[]}"#, "field contents is missing"),
        (
            r#"{"contents":[{"role":"god","parts":[{"text":"x"}]}]}"#,
            "field contents.0.role is not user or model",
        ),
        (
            r#"{"contents":[{"parts":[{"text":5}]}]}"#,
            "field contents.0.parts.0.text is not a string",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"topP":"x"}}"#,
            "field generation_config.top_p is not a number",
        ),
    ] {
        let found = decode("m", Framing::Whole, body.as_bytes())
            .unwrap_err()
            .to_string();
        assert_eq!(found, error, "{body}");
    }
}

#[test]
fn the_models_prefix_does_not_show() {
    let body = body(json!({})).to_string();
    let model = |model| {
        decode(model, Framing::Sse, body.as_bytes())
            .unwrap()
            .request
            .model
    };
    assert_eq!(model("models/gemini-x"), "gemini-x");
    assert_eq!(model("gemini-x"), "gemini-x");
    assert_eq!(model("tunedModels/x"), "tunedModels/x");
}

#[test]
fn calls_without_identifiers_are_paired_by_name_and_order() {
    let request = decoded(&json!({
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "contents": [
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {"dueDate": 1}}},
                {"functionCall": {"name": "f", "args": {"dueDate": 2}}},
            ]},
            {"role": "function", "parts": [
                {"functionResponse": {"name": "f", "response": {"r": 1}}},
                {"functionResponse": {"name": "f", "response": {"r": 2}}},
            ]},
        ],
    }))
    .request;
    assert_eq!(request.untranslatable, None);
    assert_eq!(
        request.tool_choice,
        Some(ToolChoice::Named(vec!["f".to_owned()]))
    );
    assert_eq!(
        request.tools.first().unwrap().parameters,
        Some(json!({"type": "object"}))
    );
    let ids = |index: usize| -> Vec<String> {
        let parts = &request.messages.get(index).unwrap().parts;
        parts
            .iter()
            .filter_map(|part| match part {
                Part::ToolCall { id, .. } | Part::ToolResult { id, .. } => Some(id.clone()),
                _ => None,
            })
            .collect()
    };
    assert_eq!(ids(0), ["call_0", "call_1"]);
    assert_eq!(ids(0), ids(1));
    assert_eq!(request.messages.get(1).unwrap().role, Role::User);
}
