#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use serde_json::json;

use super::*;

fn candidate(parts: &Value, finish: &str) -> Vec<u8> {
    let candidate =
        json!({"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0});
    json!({"candidates": [candidate], "modelVersion": "real"})
        .to_string()
        .into_bytes()
}

fn stamp() -> Stamp {
    Stamp {
        id: "r".to_owned(),
        created: 9,
        model: "asked".to_owned(),
    }
}

#[test]
fn a_reply_is_read_without_its_thoughts() {
    let parts = json!([{"text": "mm", "thought": true}, {"text": "a"}, {"text": "b", "thoughtSignature": "AA=="}]);
    let reply = decode(&candidate(&parts, "STOP")).unwrap();
    assert_eq!(
        (reply.text.as_str(), reply.finish, reply.model.as_deref()),
        ("ab", FinishReason::Stop, Some("real"))
    );
    assert_eq!(reply.unstorable, None);
}

#[test]
fn usage_is_mapped_with_tools_into_the_input_and_thoughts_into_the_output() {
    let body = json!({
        "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
        "usageMetadata": {"promptTokenCount": 18, "candidatesTokenCount": 80, "totalTokenCount": 140,
            "thoughtsTokenCount": 35, "toolUsePromptTokenCount": 7, "cachedContentTokenCount": 3},
    });
    let reply = decode(body.to_string().as_bytes()).unwrap();
    let counts = TokenCounts {
        input: 25,
        output: 115,
        cached: Some(3),
        reasoning: Some(35),
    };
    assert_eq!(reply.usage, Some(counts));
    assert_eq!(counts.total(), 140);
}

#[test]
fn parts_and_counts_may_be_missing() {
    // Recorded: a cap of five tokens on a model that thinks.
    let body =
        br#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}],
        "usageMetadata":{"promptTokenCount":4,"totalTokenCount":6,"thoughtsTokenCount":2}}"#;
    let reply = decode(body).unwrap();
    assert_eq!(
        (reply.text.as_str(), &reply.finish),
        ("", &FinishReason::Length)
    );
    assert_eq!(reply.usage.unwrap().output, 2);
    assert!(decode(br#"{"candidates":[{"finishReason":"STOP"}]}"#).is_ok());
}

#[test]
fn every_finish_reason_is_mapped() {
    let other = |word: &str| FinishReason::Other(word.to_owned());
    for (word, expected) in [
        ("STOP", FinishReason::Stop),
        ("MAX_TOKENS", FinishReason::Length),
        ("CONTINUATION", FinishReason::Length),
        ("SAFETY", FinishReason::ContentFilter),
        ("RECITATION", FinishReason::ContentFilter),
        ("BLOCKLIST", FinishReason::ContentFilter),
        ("PROHIBITED_CONTENT", FinishReason::ContentFilter),
        ("SPII", FinishReason::ContentFilter),
        ("LANGUAGE", FinishReason::ContentFilter),
        ("IMAGE_SAFETY", FinishReason::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", other("MALFORMED_FUNCTION_CALL")),
        ("OTHER", other("OTHER")),
    ] {
        let reply = decode(&candidate(&json!([{"text": "x"}]), word)).unwrap();
        assert_eq!(reply.finish, expected, "{word}");
        assert_eq!(reply.into_answer().is_ok(), word == "STOP", "{word}");
    }
}

#[test]
fn stop_with_a_call_means_tool_calls() {
    let reply = decode(&candidate(
        &json!([{"functionCall": {"name": "f", "args": {"a": 1}}}]),
        "STOP",
    ))
    .unwrap();
    assert_eq!(reply.finish, FinishReason::ToolCalls);
    assert_eq!(
        reply.tool_calls,
        [ToolCall {
            id: None,
            name: "f".to_owned(),
            arguments: "{\"a\":1}".to_owned()
        }]
    );
    assert_eq!(reply.into_answer(), Err(NotStorable::ToolCalls));
}

#[test]
fn only_a_complete_answer_of_text_may_be_stored() {
    let reason = |body: Value| {
        decode(body.to_string().as_bytes())
            .unwrap()
            .into_answer()
            .err()
    };
    let text = json!({"parts": [{"text": "x"}]});
    for (body, expected) in [
        (
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
            NotStorable::Blocked,
        ),
        (
            json!({"candidates": [{"content": text, "finishReason": "STOP"}, {"index": 1}]}),
            NotStorable::MultipleChoices,
        ),
        (
            json!({"candidates": [{"content": text, "finishReason": "STOP", "groundingMetadata": {"a": 1}}]}),
            NotStorable::NotTextAlone,
        ),
        (
            json!({"candidates": [{"content": {"parts": [{"inlineData": {}}]}, "finishReason": "STOP"}]}),
            NotStorable::NotTextAlone,
        ),
        (
            json!({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}),
            NotStorable::Empty,
        ),
    ] {
        assert_eq!(reason(body.clone()), Some(expected), "{body}");
    }
}

#[test]
fn what_is_no_reply_is_broken() {
    assert_eq!(decode(b"nope"), Err(BrokenReply::NotJson));
    assert_eq!(decode(b"{}"), Err(BrokenReply::NoAnswer));
    assert_eq!(
        decode(br#"{"candidates":[{"content":{"parts":[{"text":"cut"}]}}]}"#),
        Err(BrokenReply::NoAnswer)
    );
    let error = br#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#;
    assert!(matches!(decode(error), Err(BrokenReply::Error(error)) if error.status == 503));
}

#[test]
fn a_reply_is_written_in_geminis_own_form() {
    let mut reply = decode(&candidate(&json!([{"text": "hi"}]), "STOP")).unwrap();
    reply.usage = Some(TokenCounts {
        input: 4,
        output: 5,
        cached: Some(0),
        reasoning: Some(3),
    });
    let expected = concat!(
        r#"{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP","index":0}],"#,
        r#""usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":9,"#,
        r#""thoughtsTokenCount":3},"modelVersion":"asked","responseId":"r"}"#
    );
    assert_eq!(
        String::from_utf8(encode(&reply, &stamp())).unwrap(),
        expected
    );
}
