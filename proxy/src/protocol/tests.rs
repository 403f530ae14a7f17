//! What holds across protocols, and for any bytes.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Protocol;
use super::capture::Capture;
use super::reply::{Framing, ReplyForm, Stamp, StreamEvent};
use super::route::Operation;
use super::stream::encode_answer;
use super::translate::StreamTranslator;
use tollfree_cache::entry::{Answer, Finish, Usage};
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::Request;

const FORMS: [(Protocol, Framing); 5] = [
    (Protocol::OpenAi, Framing::Whole),
    (Protocol::OpenAi, Framing::Sse),
    (Protocol::Gemini, Framing::Whole),
    (Protocol::Gemini, Framing::Sse),
    (Protocol::Gemini, Framing::Array),
];

fn operations() -> [(Protocol, Operation); 3] {
    let model = "m".to_owned();
    [
        (Protocol::OpenAi, Operation::ChatCompletions),
        (
            Protocol::Gemini,
            Operation::Generate {
                model: model.clone(),
            },
        ),
        (
            Protocol::Gemini,
            Operation::StreamGenerate { model, sse: false },
        ),
    ]
}

fn stamp() -> Stamp {
    Stamp {
        id: "7".to_owned(),
        created: 9,
        model: "asked".to_owned(),
    }
}

fn answer(text: &str) -> Answer {
    let usage = Usage {
        input_tokens: 4,
        output_tokens: 2,
    };
    Answer {
        text: text.to_owned(),
        finish: Finish::Stop,
        usage,
        model: "asked".to_owned(),
    }
}

fn canonical(protocol: Protocol, operation: &Operation, body: &Value) -> Request {
    let decoded = protocol
        .codec()
        .decode_request(operation, body.to_string().as_bytes())
        .unwrap();
    assert_eq!(decoded.bypass, None);
    decoded.request.canonical(Namespace::anonymous())
}

#[test]
fn the_same_request_is_equal_in_both_protocols() {
    let openai = json!({
        "model": "m", "temperature": 0.5, "top_p": 0.9, "top_k": 5, "seed": 3, "max_tokens": 100, "stop": "END",
        "presence_penalty": 0.1, "frequency_penalty": 0.2, "response_format": {"type": "json_object"},
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    });
    let gemini = json!({
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "b"}]},
            {"role": "user", "parts": [{"text": "c"}]},
        ],
        "generationConfig": {"temperature": 0.5, "topP": 0.9, "topK": 5.0, "seed": 3, "maxOutputTokens": 100,
            "stopSequences": ["END"], "presencePenalty": 0.1, "frequencyPenalty": 0.2,
            "responseMimeType": "application/json"},
    });
    let generate = Operation::Generate {
        model: "models/m".to_owned(),
    };
    assert_eq!(
        canonical(Protocol::OpenAi, &Operation::ChatCompletions, &openai),
        canonical(Protocol::Gemini, &generate, &gemini),
    );
}

#[test]
fn an_operation_of_the_other_protocol_is_refused() {
    let generate = Operation::Generate {
        model: "m".to_owned(),
    };
    assert!(
        Protocol::OpenAi
            .codec()
            .decode_request(&generate, b"{}")
            .is_err()
    );
    assert!(
        Protocol::Gemini
            .codec()
            .decode_request(&Operation::ChatCompletions, b"{}")
            .is_err()
    );
}

#[test]
fn renaming_touches_the_model_and_nothing_else() {
    let body = b"{\"messages\" : [],\n\"model\":\"a\", \"temperature\":0.70}";
    let renamed = Protocol::OpenAi
        .codec()
        .rename_model("/v1/chat/completions?x=1", body, "b")
        .unwrap();
    assert_eq!(renamed.target, "/v1/chat/completions?x=1");
    assert_eq!(
        renamed.body,
        b"{\"messages\" : [],\n\"model\":\"b\", \"temperature\":0.70}"
    );
    let path = "/v1beta/models/a:streamGenerateContent?alt=sse";
    let renamed = Protocol::Gemini
        .codec()
        .rename_model(path, body, "b")
        .unwrap();
    assert_eq!(
        renamed.target,
        "/v1beta/models/b:streamGenerateContent?alt=sse"
    );
    assert_eq!(renamed.body, body);
}

#[test]
fn a_stored_answer_is_rendered_in_the_canonical_bytes_of_each_form() {
    let render = |(protocol, framing)| {
        let form = ReplyForm {
            framing,
            include_usage: false,
        };
        String::from_utf8(encode_answer(protocol, &answer("hi"), form, stamp())).unwrap()
    };
    let head = r#"{"id":"chatcmpl-7","object":"chat.completion.chunk","created":9,"model":"asked","choices":[{"index":0,"delta":"#;
    let openai = [
        format!(r#"{head}{{"role":"assistant","content":"","refusal":null}},"logprobs":null,"finish_reason":null}}]}}"#),
        format!(r#"{head}{{"content":"hi"}},"logprobs":null,"finish_reason":null}}]}}"#),
        format!(r#"{head}{{}},"logprobs":null,"finish_reason":"stop"}}]}}"#),
        "[DONE]".to_owned(),
    ]
    .map(|event| format!("data: {event}\n\n"))
    .concat();
    let gemini = concat!(
        r#"{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP","index":0}],"#,
        r#""usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":6},"#,
        r#""modelVersion":"asked","responseId":"7"}"#
    );
    assert_eq!(render((Protocol::OpenAi, Framing::Sse)), openai);
    assert_eq!(render((Protocol::Gemini, Framing::Whole)), gemini);
    assert_eq!(
        render((Protocol::Gemini, Framing::Sse)),
        format!("data: {gemini}\r\n\r\n")
    );
    assert_eq!(
        render((Protocol::Gemini, Framing::Array)),
        format!("[{gemini}\n]")
    );
}

/// Events with neighbouring texts joined: how a text is cut is no part of what a stream says.
fn events(protocol: Protocol, pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut decoder = protocol.codec().stream_decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.finish(&mut events);
    events
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let piece = bytes.get(start..end).unwrap();
            start = end;
            piece
        })
        .collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    proptest::collection::vec(any::<prop::sample::Index>(), 0..8)
}

/// Streams that are nearly right: valid events, mutilated ones and noise.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\xc3\xa9\"}}]}\n\n"[..]),
        Just(&b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{}}]},\"finish_reason\":\"stop\"}]}\r\n\r\n"[..]),
        Just(&b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n"[..]),
        Just(&b"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"]\\\"}\"}]}}]}"[..]),
        Just(&b"data:[DONE]\n\n"[..]),
        Just(&b": comment\r\revent: x\n"[..]),
        Just(&b"data: {\"error\":{\"code\":503,\"message\":\"m\"}}\n\n"[..]),
        Just(&b"{\n\"error\":{}}\n"[..]),
        Just(&b"["[..]),
        Just(&b"\n,\r\n"[..]),
        Just(&b"\n]"[..]),
        Just(&b"data: {\"cut\n"[..]),
        Just(&b"\xff\x00 \n"[..]),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// JSON that has the names of real requests in surprising places.
fn bodies() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(user|model|assistant|tool|json_schema|text|x|)".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "tools",
        "function",
        "tool_calls",
        "arguments",
        "stop",
        "response_format",
        "json_schema",
        "schema",
        "stream_options",
        "n",
        "seed",
        "max_tokens",
        "contents",
        "parts",
        "systemInstruction",
        "generationConfig",
        "thinkingConfig",
        "topK",
        "top_k",
        "functionCall",
        "functionResponse",
        "inlineData",
        "safetySettings",
        "responseSchema",
        "stopSequences",
        "toolConfig",
        "tool_choice",
        "unknown",
    ]);
    scalar.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// Another body that means the same: members in another order, whole numbers as floats.
fn respelt(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .rev()
                .map(|(name, value)| format!(" {} : {}", json!(name), respelt(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!(
            "[{}\n]",
            items.iter().map(respelt).collect::<Vec<_>>().join(" , ")
        ),
        Value::Number(number) if number.as_i64().is_some_and(|whole| whole.abs() < 1 << 50) => {
            format!("{number}.0e0")
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn cutting_a_stream_anywhere_changes_no_event(stream in streams(), cuts in cuts()) {
        for protocol in Protocol::ALL {
            prop_assert_eq!(events(protocol, &pieces(&stream, &cuts)), events(protocol, &[&stream]));
        }
    }

    #[test]
    fn cutting_a_stream_anywhere_changes_no_byte_of_its_translation(stream in streams(), cuts in cuts()) {
        for (from, to, framing) in [
            (Protocol::OpenAi, Protocol::Gemini, Framing::Sse),
            (Protocol::OpenAi, Protocol::Gemini, Framing::Array),
            (Protocol::Gemini, Protocol::OpenAi, Framing::Sse),
        ] {
            let translate = |pieces: &[&[u8]]| {
                let form = ReplyForm { framing, include_usage: true };
                let mut translator = StreamTranslator::new(from, to, form, stamp());
                let mut out: Vec<u8> = pieces.iter().flat_map(|piece| translator.push(piece)).collect();
                out.extend(translator.finish());
                String::from_utf8(out).unwrap()
            };
            let out = translate(&pieces(&stream, &cuts));
            prop_assert_eq!(&out, &translate(&[&stream]));
            if framing == Framing::Array {
                prop_assert!(serde_json::from_str::<Value>(&out).unwrap().is_array());
            }
        }
    }

    #[test]
    fn a_stored_answer_survives_every_form(text in "\\PC{0,20}[a-z]", cuts in cuts(), include_usage: bool) {
        for (protocol, framing) in FORMS {
            let form = ReplyForm { framing, include_usage };
            let body = encode_answer(protocol, &answer(&text), form, stamp());
            let mut capture = Capture::new(protocol, 200, 1000);
            for piece in pieces(&body, &cuts) {
                capture.push(piece);
            }
            let mut expected = answer(&text);
            if (protocol, framing, include_usage) == (Protocol::OpenAi, Framing::Sse, false) {
                expected.usage = Usage::default();
            }
            prop_assert_eq!(capture.finish(), Ok(expected));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (protocol, operation) in operations() {
            let codec = protocol.codec();
            let _ = codec.decode_request(&operation, &bytes);
            let _ = codec.decode_reply(&bytes);
            let _ = codec.decode_error(500, &bytes);
            let _ = events(protocol, &[&bytes]);
        }
    }

    #[test]
    fn surprising_json_never_panics(body in bodies()) {
        let bytes = body.to_string().into_bytes();
        for (protocol, operation) in operations() {
            let codec = protocol.codec();
            let _ = codec.decode_reply(&bytes);
            let _ = codec.decode_error(429, &bytes);
            if let Ok(decoded) = codec.decode_request(&operation, &bytes) {
                for to in Protocol::ALL {
                    let _ = to.codec().encode_request(&decoded.request, "m");
                }
            }
        }
    }

    #[test]
    fn member_order_and_number_form_never_change_the_request(body in bodies()) {
        let mut body = body;
        if let Some(members) = body.as_object_mut() {
            members.insert("model".to_owned(), json!("m"));
            members.insert("messages".to_owned(), json!([{"role": "user", "content": "x"}]));
            members.insert("contents".to_owned(), json!([{"parts": [{"text": "x"}]}]));
        }
        for (protocol, operation) in operations() {
            let decode = |text: &str| protocol.codec().decode_request(&operation, text.as_bytes()).map(|decoded| {
                (decoded.request.canonical(Namespace::anonymous()), decoded.bypass.is_some())
            });
            prop_assert_eq!(decode(&body.to_string()).ok(), decode(&respelt(&body)).ok());
        }
    }
}
