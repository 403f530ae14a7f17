#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::*;

const OPENAI: &str = concat!(
    "data: {\"model\":\"real\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    ": OPENROUTER PROCESSING\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hél\"}}],\"obfuscation\":\"xx\"}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2,\"total_tokens\":6}}\n\n",
    "data: [DONE]\n\n",
);

const GEMINI: &str = concat!(
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"mm\",\"thought\":true}]}}],",
    "\"usageMetadata\":{\"promptTokenCount\":4,\"thoughtsTokenCount\":1},\"modelVersion\":\"real\"}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hél\"}]}}],",
    "\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":1,\"thoughtsTokenCount\":1}}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"lo\"}]},\"finishReason\":\"STOP\"}],",
    "\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":1,\"thoughtsTokenCount\":1}}\r\n\r\n",
);

fn capture(protocol: Protocol, body: &str) -> Result<Answer, NotStorable> {
    let mut capture = Capture::new(protocol, 200, 1000);
    for byte in body.as_bytes().chunks(1) {
        capture.push(byte);
    }
    capture.finish()
}

/// Gemini's events as a list.
fn as_list(events: &str) -> String {
    let objects: Vec<_> = events
        .split("\r\n\r\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    format!("[{}\n]", objects.join("\n,\r\n"))
}

#[test]
fn a_complete_stream_becomes_an_answer() {
    for (protocol, body) in [
        (Protocol::OpenAi, OPENAI.to_owned()),
        (Protocol::Gemini, GEMINI.to_owned()),
        (Protocol::Gemini, as_list(GEMINI)),
    ] {
        let answer = capture(protocol, &body).unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.model.as_str()),
            ("Héllo", "real"),
            "{body}"
        );
        assert_eq!(
            (answer.usage.input_tokens, answer.usage.output_tokens),
            (4, 2)
        );
    }
}

#[test]
fn an_end_mark_may_be_missing_but_not_the_finish_reason() {
    let without_done = OPENAI.replace("data: [DONE]\n\n", "");
    assert!(capture(Protocol::OpenAi, &without_done).is_ok());
    let without_finish = OPENAI.replace(",\"finish_reason\":\"stop\"", "");
    assert_eq!(
        capture(Protocol::OpenAi, &without_finish),
        Err(NotStorable::Incomplete)
    );
    let without_finish = GEMINI.replace(",\"finishReason\":\"STOP\"", "");
    assert_eq!(
        capture(Protocol::Gemini, &without_finish),
        Err(NotStorable::Incomplete)
    );
}

#[test]
fn a_cut_stream_is_never_stored() {
    for (protocol, body, finish) in [
        (
            Protocol::OpenAi,
            OPENAI.to_owned(),
            "\"finish_reason\":\"stop\"}]}",
        ),
        (
            Protocol::Gemini,
            GEMINI.to_owned(),
            "\"thoughtsTokenCount\":1}}\r\n\r\n",
        ),
        (
            Protocol::Gemini,
            as_list(GEMINI),
            "\"thoughtsTokenCount\":1}}\n]",
        ),
    ] {
        let whole_from =
            body.rfind(finish).unwrap() + finish.trim_end_matches(['\r', '\n', ']']).len();
        for cut in (0..whole_from).filter(|cut| body.is_char_boundary(*cut)) {
            assert!(
                capture(protocol, body.get(..cut).unwrap()).is_err(),
                "cut at {cut}"
            );
        }
        assert!(capture(protocol, body.get(..whole_from).unwrap()).is_ok());
    }
}

#[test]
fn whatever_is_not_one_complete_answer_of_text_is_refused() {
    let refused = NotStorable::Refusal;
    for (protocol, from, to, expected) in [
        (
            Protocol::OpenAi,
            "\"stop\"",
            "\"length\"",
            NotStorable::Finish,
        ),
        (
            Protocol::OpenAi,
            "{\"content\":\"lo\"}",
            "{\"refusal\":\"no\"}",
            refused,
        ),
        (
            Protocol::OpenAi,
            "{\"content\":\"lo\"}",
            "{\"tool_calls\":[{\"index\":0}]}",
            NotStorable::ToolCalls,
        ),
        (
            Protocol::OpenAi,
            "\"index\":0,\"delta\":{\"content\":\"lo\"}",
            "\"index\":1",
            NotStorable::MultipleChoices,
        ),
        (
            Protocol::OpenAi,
            "data: [DONE]",
            "data: {\"error\":{\"message\":\"m\"}}",
            NotStorable::Error,
        ),
        (
            Protocol::OpenAi,
            "data: [DONE]",
            "data: {\"choi",
            NotStorable::Malformed,
        ),
        (
            Protocol::OpenAi,
            "data: [DONE]\n\n",
            "data: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
            NotStorable::Malformed,
        ),
        (Protocol::OpenAi, "lo\"", "\"", NotStorable::Empty),
        (Protocol::Gemini, "STOP", "MAX_TOKENS", NotStorable::Finish),
        (
            Protocol::Gemini,
            "\"candidates\":[{",
            "\"promptFeedback\":{\"blockReason\":\"OTHER\"},\"candidates\":[{",
            NotStorable::Blocked,
        ),
        (
            Protocol::Gemini,
            "{\"text\":\"lo\"}",
            "{\"functionCall\":{\"name\":\"f\"}}",
            NotStorable::ToolCalls,
        ),
        (
            Protocol::Gemini,
            "{\"text\":\"lo\"}",
            "{\"inlineData\":{}}",
            NotStorable::NotTextAlone,
        ),
    ] {
        let body = match (protocol, expected) {
            (Protocol::OpenAi, NotStorable::Empty) => {
                OPENAI.replace("Hél", "").replace("lo\"", "\"")
            }
            (Protocol::OpenAi, _) => OPENAI.replacen(from, to, 1),
            (Protocol::Gemini, _) => GEMINI.replacen(from, to, 1),
        };
        assert_eq!(capture(protocol, &body), Err(expected), "{from} -> {to}");
    }
}

#[test]
fn a_bare_error_after_the_events_is_seen() {
    let body = format!(
        "{GEMINI}{{\n  \"error\": {{\n    \"code\": 503, \"message\": \"busy\"\n  }}\n}}\n"
    );
    assert_eq!(capture(Protocol::Gemini, &body), Err(NotStorable::Error));
}

#[test]
fn whole_replies_are_captured_too() {
    let openai =
        r#"{"model":"real","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    assert_eq!(capture(Protocol::OpenAi, openai).unwrap().text, "hi");
    assert_eq!(
        capture(Protocol::OpenAi, openai.get(..40).unwrap()),
        Err(NotStorable::Malformed)
    );
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}"#;
    assert_eq!(capture(Protocol::Gemini, gemini).unwrap().text, "hi");
    assert_eq!(
        capture(Protocol::OpenAi, "{\"error\":{\"message\":\"m\"}}"),
        Err(NotStorable::Malformed)
    );
    assert_eq!(capture(Protocol::OpenAi, ""), Err(NotStorable::Incomplete));
    assert_eq!(
        capture(Protocol::OpenAi, "<html></html>"),
        Err(NotStorable::Incomplete)
    );
}

#[test]
fn only_status_200_is_captured() {
    for status in [201, 206, 301, 400, 500] {
        let mut capture = Capture::new(Protocol::OpenAi, status, 1000);
        capture.push(OPENAI.as_bytes());
        assert!(capture.is_given_up());
        assert_eq!(capture.finish(), Err(NotStorable::Status), "{status}");
    }
}

#[test]
fn a_reply_beyond_the_limit_is_given_up_while_it_comes() {
    let event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"xxxxxxxxxx\"}}]}\n\n";
    let mut stream = Capture::new(Protocol::OpenAi, 200, 25);
    stream.push(event.repeat(2).as_bytes());
    assert!(!stream.is_given_up());
    stream.push(event.as_bytes());
    assert!(stream.is_given_up());
    assert_eq!(stream.finish(), Err(NotStorable::TooLarge));

    let mut whole = Capture::new(Protocol::OpenAi, 200, 10);
    whole.push(br#"{"choices":[{"message":{"content":"eleven byte"},"finish_reason":"stop"}]}"#);
    assert_eq!(whole.finish(), Err(NotStorable::TooLarge));
    let mut endless = Capture::new(Protocol::OpenAi, 200, 10);
    endless.push(format!("{{{}", " ".repeat(70_000)).as_bytes());
    assert!(endless.is_given_up());
}

#[test]
fn a_listener_hears_a_stream_to_its_end_though_nothing_of_it_is_stored() {
    let mut capture = Capture::new(Protocol::OpenAi, 200, 8).listening();
    let mut said = String::new();
    for piece in ["one ", "two ", "three ", "four"] {
        let event =
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{piece}\"}}}}]}}\n\n");
        capture.push(event.as_bytes());
        for event in capture.heard() {
            if let StreamEvent::Text(text) = event {
                said.push_str(&text);
            }
        }
    }
    assert_eq!(said, "one two three four");
    assert!(capture.is_given_up());
    assert_eq!(capture.finish(), Err(NotStorable::TooLarge));
}
