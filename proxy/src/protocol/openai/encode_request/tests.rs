#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::{Value, json};

use crate::protocol::Protocol;
use crate::protocol::chat::Untranslatable;
use crate::protocol::route::Operation;

/// Reads a Gemini request and writes it for OpenAI.
fn translated(stream: bool, body: &Value) -> Result<Value, Untranslatable> {
    let model = "gemini-x".to_owned();
    let operation = match stream {
        true => Operation::StreamGenerate { model, sse: true },
        false => Operation::Generate { model },
    };
    let request = Protocol::Gemini
        .codec()
        .decode_request(&operation, body.to_string().as_bytes())
        .unwrap()
        .request;
    let upstream = Protocol::OpenAi.codec().encode_request(&request, "llama")?;
    assert_eq!(upstream.target, "/v1/chat/completions");
    Ok(serde_json::from_slice(&upstream.body).unwrap())
}

#[test]
fn a_gemini_request_becomes_a_chat_request() {
    let body = json!({
        "systemInstruction": {"parts": [{"text": "be kind"}, {"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        ],
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "topK": 5.0, "maxOutputTokens": 100, "stopSequences": ["END"], "seed": 7,
            "presencePenalty": 0.1, "frequencyPenalty": 0.2,
            "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
        },
        "safetySettings": [{"category": "A", "threshold": "OFF"}],
    });
    let expected = json!({
        "model": "llama",
        "messages": [
            {"role": "system", "content": "be kind\n\nbe brief"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "ab"},
        ],
        "temperature": 0.5, "top_p": 0.9, "top_k": 5, "max_completion_tokens": 100, "stop": ["END"], "seed": 7,
        "presence_penalty": 0.1, "frequency_penalty": 0.2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": {"type": "object"}}},
    });
    assert_eq!(translated(false, &body), Ok(expected));
}

#[test]
fn a_stream_asks_for_its_usage() {
    let body = translated(true, &json!({"contents": [{"parts": [{"text": "hi"}]}]})).unwrap();
    assert_eq!(body.get("stream"), Some(&json!(true)));
    assert_eq!(
        body.get("stream_options"),
        Some(&json!({"include_usage": true}))
    );
}

#[test]
fn calls_results_and_images_are_translated() {
    let body = json!({
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "contents": [
            {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"r": 2}}}]},
        ],
    });
    let body = translated(false, &body).unwrap();
    let expected = json!([
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
        ]},
        {"role": "tool", "tool_call_id": "c", "content": "{\"r\":2}"},
    ]);
    assert_eq!(body.get("messages"), Some(&expected));
    assert_eq!(body.get("tool_choice"), Some(&json!("required")));
    let function =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    assert_eq!(body.get("tools"), Some(&function));
}

#[test]
fn what_only_gemini_can_do_is_refused_and_named() {
    let contents = json!([{"parts": [{"text": "hi"}]}]);
    for (body, feature) in [
        (
            json!({"contents": contents, "tools": [{"googleSearch": {}}]}),
            "a tool of Gemini's own",
        ),
        (
            json!({"contents": contents, "cachedContent": "c"}),
            "cached content of the upstream",
        ),
        (
            json!({"contents": contents, "generationConfig": {"candidateCount": 2}}),
            "more than one candidate",
        ),
        (
            json!({"contents": [{"parts": [{"fileData": {"fileUri": "u", "mimeType": "video/mp4"}}]}]}),
            "audio, video or a file",
        ),
    ] {
        assert_eq!(
            translated(false, &body),
            Err(Untranslatable { feature }),
            "{body}"
        );
    }
}
