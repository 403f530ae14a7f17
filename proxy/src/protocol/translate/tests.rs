#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::{Value, json};

use super::*;
use crate::protocol::reply::Framing;

fn stamp() -> Stamp {
    Stamp {
        id: "7".to_owned(),
        created: 9,
        model: "asked".to_owned(),
    }
}

fn form(framing: Framing, include_usage: bool) -> ReplyForm {
    ReplyForm {
        framing,
        include_usage,
    }
}

fn translate(from: Protocol, to: Protocol, form: ReplyForm, body: &str) -> String {
    let mut translator = StreamTranslator::new(from, to, form, stamp());
    let mut out = translator.push(body.as_bytes());
    out.extend(translator.finish());
    String::from_utf8(out).unwrap()
}

fn gemini_event(object: &Value) -> String {
    format!("data: {object}\r\n\r\n")
}

fn gemini_text(text: &str) -> Value {
    json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 1, "totalTokenCount": 5},
        "modelVersion": "real", "responseId": "other"})
}

fn gemini_last() -> Value {
    json!({"candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "AA"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 9,
            "thoughtsTokenCount": 3}})
}

const OPENAI: &str = concat!(
    "data: {\"id\":\"x\",\"model\":\"real\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n",
    "data: [DONE]\n\n",
);

#[test]
fn a_gemini_stream_becomes_an_openai_stream_byte_for_byte() {
    let upstream = [gemini_text("a"), gemini_text("b"), gemini_last()]
        .iter()
        .map(gemini_event)
        .collect::<String>();
    let head = r#"data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":9,"model":"asked","choices":["#;
    let chunk = |delta: &str, finish: &str| {
        format!(
            r#"{head}{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}"#
        )
    };
    let usage = r#"{"prompt_tokens":4,"completion_tokens":5,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":3}}"#;
    let expected = [
        chunk(
            r#"{"role":"assistant","content":"","refusal":null}"#,
            "null",
        ),
        chunk(r#"{"content":"a"}"#, "null"),
        chunk(r#"{"content":"b"}"#, "null"),
        chunk("{}", r#""stop""#),
        format!("{head}],\"usage\":{usage}}}"),
        "data: [DONE]".to_owned(),
    ]
    .map(|event| event + "\n\n")
    .concat();
    let form = form(Framing::Sse, true);
    assert_eq!(
        translate(Protocol::Gemini, Protocol::OpenAi, form, &upstream),
        expected
    );
    let list = format!(
        "[{}\n,\r\n{}\n,\r\n{}\n]",
        gemini_text("a"),
        gemini_text("b"),
        gemini_last()
    );
    assert_eq!(
        translate(Protocol::Gemini, Protocol::OpenAi, form, &list),
        expected
    );
}

#[test]
fn each_element_of_a_list_is_translated_as_soon_as_it_is_closed() {
    let form = form(Framing::Sse, false);
    let mut translator = StreamTranslator::new(Protocol::Gemini, Protocol::OpenAi, form, stamp());
    let out = translator.push(format!("[{},{{", gemini_text("early")).as_bytes());
    assert!(
        String::from_utf8(out)
            .unwrap()
            .contains("\"content\":\"early\"")
    );
}

#[test]
fn usage_is_left_out_unless_asked_for() {
    let upstream = gemini_event(&gemini_text("a")) + &gemini_event(&gemini_last());
    let out = translate(
        Protocol::Gemini,
        Protocol::OpenAi,
        form(Framing::Sse, false),
        &upstream,
    );
    assert!(!out.contains("usage"), "{out}");
    assert!(out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn an_openai_stream_becomes_a_gemini_stream_in_either_framing() {
    let piece = |text: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},"index":0}}],"modelVersion":"asked","responseId":"7"}}"#
        )
    };
    let last = concat!(
        r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"#,
        r#""usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":6},"#,
        r#""modelVersion":"asked","responseId":"7"}"#
    );
    let objects = [piece("a"), piece("b"), last.to_owned()];
    let sse = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        OPENAI,
    );
    assert_eq!(
        sse,
        objects
            .clone()
            .map(|object| format!("data: {object}\r\n\r\n"))
            .concat()
    );
    let array = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Array, true),
        OPENAI,
    );
    assert_eq!(array, format!("[{}\n]", objects.join("\n,\r\n")));
}

#[test]
fn geminis_events_are_nothing_but_data_and_empty_lines() {
    let noisy = format!(": note\n\nevent: x\n{}", OPENAI.replace("data: ", "data:"));
    let sse = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        &noisy,
    );
    assert!(
        sse.split("\r\n")
            .all(|line| line.is_empty() || line.starts_with("data: {")),
        "{sse}"
    );
    assert_eq!(
        sse,
        translate(
            Protocol::OpenAi,
            Protocol::Gemini,
            form(Framing::Sse, true),
            OPENAI
        )
    );
}

#[test]
fn a_stream_that_ends_early_ends_with_the_clients_error() {
    let message = "the upstream's stream ended before its answer was complete";
    let cut = gemini_event(&gemini_text("a"));
    let out = translate(
        Protocol::Gemini,
        Protocol::OpenAi,
        form(Framing::Sse, false),
        &cut,
    );
    let error = format!(
        "data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_failed\"}}}}\n\n"
    );
    assert!(out.ends_with(&error) && !out.contains("[DONE]"), "{out}");

    let cut = OPENAI.get(..OPENAI.find("\"stop\"").unwrap()).unwrap();
    let out = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        cut,
    );
    let last = out.trim_end().rsplit("\r\n\r\n").next().unwrap();
    // The cut event itself cannot be read, which is an error of its own.
    let error: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(error.pointer("/error/code"), Some(&json!(502)));
    assert_eq!(error.pointer("/error/status"), Some(&json!("UNAVAILABLE")));

    for cut in ["", "data: {\"choices\":[]}\n\n"] {
        let out = translate(
            Protocol::OpenAi,
            Protocol::Gemini,
            form(Framing::Array, true),
            cut,
        );
        let array: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(array.pointer("/0/error/message"), Some(&json!(message)));
    }
}

#[test]
fn nothing_follows_an_error() {
    let error =
        gemini_event(&json!({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}));
    let upstream = gemini_event(&gemini_text("a")) + &error + &gemini_event(&gemini_last());
    let out = translate(
        Protocol::Gemini,
        Protocol::OpenAi,
        form(Framing::Sse, false),
        &upstream,
    );
    assert!(out.ends_with("\"message\":\"busy\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n"));
}

#[test]
fn a_whole_answer_in_the_place_of_a_stream_is_streamed() {
    let whole =
        "{\n \"choices\": [{\"message\": {\"content\": \"a\"}, \"finish_reason\": \"stop\"}]\n}";
    let out = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        whole,
    );
    assert!(
        out.contains("\"text\":\"a\"") && out.contains("\"finishReason\":\"STOP\""),
        "{out}"
    );
    let whole = "{\"error\": {\"message\": \"no\"}}";
    let out = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        whole,
    );
    assert!(out.contains("\"message\":\"no\""), "{out}");
}

#[test]
fn a_call_in_pieces_becomes_one_part_and_back() {
    let call = |delta: Value| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"tool_calls": [delta]}}]})
        )
    };
    let upstream = [
        call(json!({"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}})),
        call(json!({"index": 0, "function": {"arguments": "{\"a\""}})),
        call(json!({"index": 0, "function": {"arguments": ":1}"}})),
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let out = translate(
        Protocol::OpenAi,
        Protocol::Gemini,
        form(Framing::Sse, true),
        &upstream,
    );
    let event: Value =
        serde_json::from_str(out.trim_end().strip_prefix("data: ").unwrap()).unwrap();
    let part = json!({"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}});
    assert_eq!(
        event.pointer("/candidates/0/content/parts"),
        Some(&json!([part]))
    );
    assert_eq!(
        event.pointer("/candidates/0/finishReason"),
        Some(&json!("STOP"))
    );

    let back = translate(
        Protocol::Gemini,
        Protocol::OpenAi,
        form(Framing::Sse, false),
        &out,
    );
    let delta = r#"{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#;
    assert!(back.contains(delta), "{back}");
    assert!(back.contains(r#""finish_reason":"tool_calls""#), "{back}");
}

#[test]
fn whole_replies_are_translated_and_show_the_model_asked_for() {
    let gemini = json!({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "SAFETY"}],
        "modelVersion": "real", "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}});
    let out = translate_reply(
        Protocol::Gemini,
        Protocol::OpenAi,
        gemini.to_string().as_bytes(),
        &stamp(),
    )
    .unwrap();
    let out: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(out.pointer("/model"), Some(&json!("asked")));
    assert_eq!(
        out.pointer("/choices/0/finish_reason"),
        Some(&json!("content_filter"))
    );
    assert_eq!(out.pointer("/usage/completion_tokens"), Some(&json!(2)));

    let openai = json!({"model": "real", "choices": [{"message": {"content": "a"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}});
    let out = translate_reply(
        Protocol::OpenAi,
        Protocol::Gemini,
        openai.to_string().as_bytes(),
        &stamp(),
    )
    .unwrap();
    let out: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(out.pointer("/modelVersion"), Some(&json!("asked")));
    assert_eq!(
        out.pointer("/candidates/0/finishReason"),
        Some(&json!("MAX_TOKENS"))
    );
    assert_eq!(
        out.pointer("/usageMetadata/candidatesTokenCount"),
        Some(&json!(2))
    );
    assert_eq!(
        out.pointer("/usageMetadata/thoughtsTokenCount"),
        Some(&json!(3))
    );
}
