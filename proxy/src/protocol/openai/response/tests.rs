#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::json;

use super::*;

fn choice(message: &Value, finish: &str) -> Vec<u8> {
    json!({"model": "real", "choices": [{"index": 0, "message": message, "finish_reason": finish}]})
        .to_string()
        .into_bytes()
}

fn stamp() -> Stamp {
    Stamp {
        id: "7".to_owned(),
        created: 9,
        model: "asked".to_owned(),
    }
}

#[test]
fn a_reply_is_read_with_its_usage() {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "real", "system_fingerprint": "f",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi", "refusal": null, "annotations": []},
            "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 3}},
    });
    let reply = decode(body.to_string().as_bytes()).unwrap();
    assert_eq!(
        (reply.text.as_str(), &reply.finish),
        ("hi", &FinishReason::Stop)
    );
    let counts = TokenCounts {
        input: 4,
        output: 5,
        cached: Some(2),
        reasoning: Some(3),
    };
    assert_eq!(
        (reply.usage, reply.model.as_deref()),
        (Some(counts), Some("real"))
    );
    let answer = reply.into_answer().unwrap();
    assert_eq!(
        (answer.usage.input_tokens, answer.usage.output_tokens),
        (4, 5)
    );
}

#[test]
fn only_a_complete_answer_of_text_may_be_stored() {
    let call = json!({"content": null, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]});
    for (message, finish, expected) in [
        (json!({"content": "hi"}), "stop", None),
        (
            json!({"content": "hi", "reasoning": "mm", "tool_calls": []}),
            "stop",
            None,
        ),
        (
            json!({"content": "hi"}),
            "length",
            Some(NotStorable::Finish),
        ),
        (
            json!({"content": "hi"}),
            "content_filter",
            Some(NotStorable::Finish),
        ),
        (
            json!({"content": "hi"}),
            "never_heard_of",
            Some(NotStorable::Finish),
        ),
        (json!({"content": ""}), "stop", Some(NotStorable::Empty)),
        (json!({"content": null}), "stop", Some(NotStorable::Empty)),
        (call, "stop", Some(NotStorable::ToolCalls)),
        (
            json!({"content": "x", "function_call": {"name": "f"}}),
            "stop",
            Some(NotStorable::ToolCalls),
        ),
        (
            json!({"content": null, "refusal": "no"}),
            "stop",
            Some(NotStorable::Refusal),
        ),
        (
            json!({"content": "x", "audio": {"id": "a"}}),
            "stop",
            Some(NotStorable::NotTextAlone),
        ),
        (
            json!({"content": "x", "annotations": [{"type": "url_citation"}]}),
            "stop",
            Some(NotStorable::NotTextAlone),
        ),
    ] {
        let reply = decode(&choice(&message, finish)).unwrap();
        assert_eq!(reply.into_answer().err(), expected, "{message} {finish}");
    }
    let two = json!({"choices": [
        {"message": {"content": "a"}, "finish_reason": "stop"}, {"message": {"content": "b"}, "finish_reason": "stop"},
    ]});
    let reply = decode(two.to_string().as_bytes()).unwrap();
    assert_eq!(reply.into_answer(), Err(NotStorable::MultipleChoices));
}

#[test]
fn what_is_no_reply_is_broken() {
    assert_eq!(decode(b"<html>"), Err(BrokenReply::NotJson));
    assert_eq!(decode(b"[]"), Err(BrokenReply::NoAnswer));
    assert_eq!(decode(b"{}"), Err(BrokenReply::NoAnswer));
    assert_eq!(decode(br#"{"choices":[]}"#), Err(BrokenReply::NoAnswer));
    assert!(
        matches!(decode(br#"{"error":{"message":"no"}}"#), Err(BrokenReply::Error(error)) if error.message == "no")
    );
}

#[test]
fn a_reply_is_written_in_openais_own_form() {
    let mut reply = decode(&choice(&json!({"content": "say \"hi\""}), "length")).unwrap();
    reply.usage = Some(TokenCounts {
        input: 4,
        output: 2,
        cached: None,
        reasoning: None,
    });
    let expected = concat!(
        r#"{"id":"chatcmpl-7","object":"chat.completion","created":9,"model":"asked","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"say \"hi\"","refusal":null},"logprobs":null,"#,
        r#""finish_reason":"length"}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#
    );
    assert_eq!(
        String::from_utf8(encode(&reply, &stamp())).unwrap(),
        expected
    );
}

#[test]
fn calls_are_written_with_null_content_and_their_finish_reason() {
    let call =
        json!({"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{\"a\":1}"}}]});
    let reply = decode(&choice(&call, "stop")).unwrap();
    let written: Value = serde_json::from_slice(&encode(&reply, &stamp())).unwrap();
    let choice = written.pointer("/choices/0").unwrap();
    assert_eq!(choice.pointer("/message/content"), Some(&Value::Null));
    assert_eq!(choice.pointer("/finish_reason"), Some(&json!("tool_calls")));
    let expected =
        json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    assert_eq!(choice.pointer("/message/tool_calls/0"), Some(&expected));
}
