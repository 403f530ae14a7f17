#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::{Value, json};

use crate::protocol::Protocol;
use crate::protocol::chat::Untranslatable;
use crate::protocol::route::Operation;

/// Reads a chat request and writes it for Gemini: path and body.
fn translated(model: &str, body: &Value) -> Result<(String, Value), Untranslatable> {
    let codec = Protocol::OpenAi.codec();
    let decoded = codec
        .decode_request(&Operation::ChatCompletions, body.to_string().as_bytes())
        .unwrap();
    let upstream = Protocol::Gemini
        .codec()
        .encode_request(&decoded.request, model)?;
    Ok((
        upstream.target,
        serde_json::from_slice(&upstream.body).unwrap(),
    ))
}

fn with(model: &str, more: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    translated(model, &body).unwrap().1
}

#[test]
fn a_chat_request_becomes_a_gemini_request() {
    let body = json!({
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi", "name": "ann"},
            {"role": "user", "content": "there"},
            {"role": "assistant", "content": "hello"},
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "plan"}]},
        ],
        "temperature": 1, "top_p": 0.9, "top_k": 5, "max_tokens": 100, "stop": "END", "seed": 7,
        "presence_penalty": 0.1, "frequency_penalty": 0.2, "n": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": {"a": 1}}},
        "user": "u", "metadata": {"a": "b"}, "store": true, "verbosity": "low",
    });
    let (target, body) = translated("gemini-x", &body).unwrap();
    assert_eq!(target, "/v1beta/models/gemini-x:generateContent");
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "be kind"}, {"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"text": "there"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "plan"}]},
        ],
        "generationConfig": {
            "temperature": 1.0, "topP": 0.9, "topK": 5, "maxOutputTokens": 100, "stopSequences": ["END"], "seed": 7,
            "presencePenalty": 0.1, "frequencyPenalty": 0.2,
            "responseMimeType": "application/json", "responseJsonSchema": {"a": 1},
        },
    });
    assert_eq!(body, expected);
}

#[test]
fn a_stream_is_asked_for_as_events() {
    let body =
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let (target, body) = translated("models/gemini-x", &body).unwrap();
    assert_eq!(
        target,
        "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
    );
    assert_eq!(
        body,
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    );
}

#[test]
fn a_long_seed_is_cut_to_what_gemini_takes() {
    let seed = |seed: i64| {
        with("g", json!({"seed": seed}))
            .pointer("/generationConfig/seed")
            .cloned()
    };
    assert_eq!(seed(-5), Some(json!(-5)));
    assert_eq!(seed(0x1_0000_0007), Some(json!(7)));
}

#[test]
fn effort_becomes_the_thinking_that_the_model_knows() {
    for (model, effort, expected) in [
        (
            "gemini-3.8-flash",
            "none",
            Some(json!({"thinkingLevel": "LOW"})),
        ),
        (
            "gemini-3.8-flash",
            "medium",
            Some(json!({"thinkingLevel": "MEDIUM"})),
        ),
        (
            "gemini-3.5-flash-lite",
            "high",
            Some(json!({"thinkingLevel": "HIGH"})),
        ),
        (
            "gemini-2.5-flash",
            "none",
            Some(json!({"thinkingBudget": 0})),
        ),
        (
            "models/gemini-2.5-pro",
            "low",
            Some(json!({"thinkingBudget": 1024})),
        ),
        ("gemma-3", "high", None),
    ] {
        let body = with(model, json!({"reasoning_effort": effort}));
        assert_eq!(
            body.pointer("/generationConfig/thinkingConfig").cloned(),
            expected,
            "{model} {effort}"
        );
    }
}

#[test]
fn calls_results_and_images_are_translated() {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let body = json!({
        "model": "m",
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "messages": [
            {"role": "user", "content": [image("data:image/png;base64,AA=="), image("https://x/a.png")]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                {"id": "c2", "type": "function", "function": {"name": "f", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "plain"},
            {"role": "tool", "tool_call_id": "c2", "content": "{\"r\":2}"},
        ],
    });
    let body = translated("g", &body).unwrap().1;
    let expected = json!([
        {"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "AA=="}}, {"fileData": {"fileUri": "https://x/a.png"}},
        ]},
        {"role": "model", "parts": [
            {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
            {"functionCall": {"id": "c2", "name": "f", "args": {}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "c1", "name": "f", "response": {"result": "plain"}}},
            {"functionResponse": {"id": "c2", "name": "f", "response": {"r": 2}}},
        ]},
    ]);
    assert_eq!(body.get("contents"), Some(&expected));
    let calling = json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}});
    assert_eq!(body.get("toolConfig"), Some(&calling));
    let declaration =
        json!({"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}});
    assert_eq!(
        body.get("tools"),
        Some(&json!([{"functionDeclarations": [declaration]}]))
    );
}

#[test]
fn what_only_openai_can_do_is_refused_and_named() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let call = json!({"id": "1", "function": {"name": "f", "arguments": "[1]"}});
    for (body, feature) in [
        (
            json!({"model": "m", "messages": messages, "n": 2}),
            "more than one choice",
        ),
        (
            json!({"model": "m", "messages": messages, "logprobs": true}),
            "logprobs",
        ),
        (
            json!({"model": "m", "messages": messages, "logit_bias": {"1": 1}}),
            "logit_bias",
        ),
        (
            json!({"model": "m", "messages": messages, "audio": {"voice": "v"}}),
            "output that is not text",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}),
            "audio, a file or another part that is not text",
        ),
        (
            json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}]}),
            "a function call whose arguments are not a JSON object",
        ),
        (
            json!({"model": "m", "messages": [{"role": "tool", "tool_call_id": "x", "content": "r"}]}),
            "a tool result whose call is not in the conversation",
        ),
    ] {
        assert_eq!(
            translated("g", &body),
            Err(Untranslatable { feature }),
            "{body}"
        );
    }
}
