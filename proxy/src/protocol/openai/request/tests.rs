#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::*;
use tollfree_cache::namespace::Namespace;
use tollfree_cache::request::{Format, Request, Role, Turn};

/// A plain request with the members of `more` added.
fn body(more: Value) -> Value {
    let mut body =
        json!({"model": "m", "messages": [{"role": "user", "content": "learn Spanish"}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn decoded(body: &Value) -> Decoded {
    decode(body.to_string().as_bytes()).unwrap()
}

fn canonical(body: &Value) -> Request {
    decoded(body).request.canonical(Namespace::anonymous())
}

fn with(more: Value) -> Request {
    canonical(&body(more))
}

fn settings(more: Value) -> Vec<(String, String)> {
    decoded(&body(more)).request.settings.into_iter().collect()
}

fn error_of(body: &str) -> String {
    decode(body.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_plain_request_is_model_and_user_text() {
    let request = with(json!({}));
    assert_eq!(
        (request.model.as_str(), request.user.as_str()),
        ("m", "learn Spanish")
    );
    assert_eq!((request.system.as_str(), request.earlier.len()), ("", 0));
    assert_eq!((request.format, request.max_tokens), (Format::Text, None));
    assert!(request.settings.is_empty() && request.stop.is_empty());
    assert_eq!(decoded(&body(json!({}))).bypass, None);
}

#[test]
fn fields_without_effect_and_defaults_and_empties_do_not_show() {
    for more in [
        json!({"stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false}}),
        json!({"user": "u", "safety_identifier": "s", "metadata": {"a": "b"}, "service_tier": "flex"}),
        json!({"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"a": 1}}),
        json!({"request_id": "r", "session_id": "s", "parallel_tool_calls": false}),
        json!({"temperature": 1, "top_p": 1.0, "n": 1, "presence_penalty": 0, "frequency_penalty": 0.0}),
        json!({"tools": [], "tool_choice": "auto", "functions": [], "function_call": "none", "stop": []}),
        json!({"stop": null, "seed": null, "max_tokens": null, "response_format": {"type": "text"}}),
        json!({"logprobs": false, "top_logprobs": 0, "store": false, "logit_bias": {}, "modalities": ["text"]}),
        json!({"min_p": 0.0, "repetition_penalty": 1, "cache_salt": null, "documents": []}),
    ] {
        assert_eq!(with(more.clone()), with(json!({})), "{more}");
        assert_eq!(decoded(&body(more.clone())).bypass, None, "{more}");
    }
}

#[test]
fn number_form_does_not_show() {
    assert_eq!(
        settings(json!({"temperature": 0.0, "seed": 5.0})),
        settings(json!({"seed": 5, "temperature": 0}))
    );
    assert_eq!(
        settings(json!({"min_p": 0.50})),
        settings(json!({"min_p": 0.5}))
    );
}

#[test]
fn member_order_does_not_show() {
    let one =
        br#"{"model":"m","messages":[{"role":"user","content":"x"}],"seed":1,"x":{"a":1,"b":2}}"#;
    let other =
        br#"{"x":{"b":2,"a":1.0},"seed":1,"messages":[{"content":"x","role":"user"}],"model":"m"}"#;
    let canonical = |body: &[u8]| {
        decode(body)
            .unwrap()
            .request
            .canonical(Namespace::anonymous())
    };
    assert_eq!(canonical(one), canonical(other));
}

#[test]
fn whatever_may_change_the_answer_shows() {
    let mut seen = vec![with(json!({}))];
    for more in [
        json!({"model": "other"}),
        json!({"temperature": 0}),
        json!({"temperature": 0.7}),
        json!({"top_p": 0.9}),
        json!({"top_k": 40}),
        json!({"seed": 1}),
        json!({"presence_penalty": 0.5}),
        json!({"frequency_penalty": 0.5}),
        json!({"max_tokens": 100}),
        json!({"max_tokens": 101}),
        json!({"stop": "END"}),
        json!({"stop": ["END", "X"]}),
        json!({"reasoning_effort": "low"}),
        json!({"verbosity": "low"}),
        json!({"min_p": 0.1}),
        json!({"repetition_penalty": 1.1}),
        json!({"response_format": {"type": "json_object"}}),
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"a": 1}}}}),
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "b", "schema": {"a": 1}}}}),
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "b", "strict": true, "schema": {}}}}),
        json!({"chat_template": "x"}),
        json!({"never_heard_of": 1}),
        json!({"never_heard_of": "1"}),
        json!({"thinking": {"thinking_budget": 0}}),
        json!({"text_parts": [1]}),
        json!({"messages": [{"role": "user", "content": "learn French"}]}),
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "learn Spanish"}]}),
        json!({"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "learn Spanish"}]}),
        json!({"messages": [{"role": "user", "content": "learn Spanish", "name": "ann"}]}),
        json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "learn Spanish"}]}),
        json!({"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "learn Spanish"}]}),
    ] {
        let request = with(more.clone());
        assert!(!seen.contains(&request), "{more}");
        seen.push(request);
    }
}

#[test]
fn how_texts_are_cut_into_parts_shows_only_where_there_are_several() {
    let of = |content: Value| with(json!({"messages": [{"role": "user", "content": content}]}));
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(of(json!("a")), of(json!([text("a")])));
    let (cut, whole) = (of(json!([text("a\nb"), text("c")])), of(json!("a\nb\nc")));
    assert_eq!(cut.user, whole.user);
    assert_ne!(cut, whole);
    assert_ne!(cut, of(json!([text("a"), text("b\nc")])));
}

#[test]
fn system_texts_before_the_first_turn_are_the_system_and_later_ones_are_turns() {
    let request = with(json!({"messages": [
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "plan"},
    ]}));
    assert_eq!(request.system, "one\ntwo");
    let turn = |role, text: &str| Turn {
        role,
        text: text.to_owned(),
    };
    let expected = [
        turn(Role::User, "hi"),
        turn(Role::Assistant, "hello"),
        turn(Role::System, "be brief"),
    ];
    assert_eq!(request.earlier, expected);
    assert_eq!(request.user, "plan");
}

#[test]
fn both_names_of_the_token_cap_are_one() {
    assert_eq!(
        with(json!({"max_tokens": 9})),
        with(json!({"max_completion_tokens": 9.0}))
    );
    assert_eq!(with(json!({"max_tokens": 9})).max_tokens, Some(9));
    let both = decoded(&body(json!({"max_tokens": 9, "max_completion_tokens": 10})));
    assert_eq!(
        (both.bypass, both.request.max_tokens),
        (Some(BypassReason::AmbiguousField), Some(10))
    );
    assert_eq!(with(json!({"max_tokens": 1e30})).max_tokens, Some(u32::MAX));
}

#[test]
fn unknown_fields_are_named_so_that_only_the_exact_key_may_serve() {
    let request = decoded(&body(
        json!({"never_heard_of": [1.0], "chat_template_kwargs": {"a": true}}),
    ))
    .request;
    assert_eq!(
        request.opaque_fields,
        ["chat_template_kwargs", "never_heard_of"]
    );
    assert_eq!(request.settings.get("never_heard_of").unwrap(), "[1]");
    let named = json!({"messages": [{"role": "user", "content": "x", "name": "ann"}]});
    assert_eq!(
        decoded(&body(named)).request.opaque_fields,
        ["messages.0.name"]
    );
    assert!(
        decoded(&body(json!({"top_k": 5, "min_p": 0.1})))
            .request
            .opaque_fields
            .is_empty()
    );
}

#[test]
fn every_reason_for_a_bypass_is_found() {
    let user = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    for (more, reason) in [
        (
            user(
                json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]),
            ),
            "non_text_part",
        ),
        (
            user(json!([{"type": "input_audio", "input_audio": {}}])),
            "non_text_part",
        ),
        (user(json!([{"type": "file", "file": {}}])), "non_text_part"),
        (
            json!({"messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]},
                {"role": "user", "content": "what is it?"},
            ]}),
            "non_text_part",
        ),
        (json!({"tools": tool}), "tools"),
        (json!({"functions": [{"name": "f"}]}), "tools"),
        (json!({"function_call": {"name": "f"}}), "tools"),
        (json!({"tool_choice": "required"}), "tools"),
        (json!({"web_search_options": {"a": 1}}), "tools"),
        (
            json!({"messages": [
                {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "user", "content": "and?"},
            ]}),
            "tools",
        ),
        (
            json!({"messages": [{"role": "tool", "tool_call_id": "1", "content": "r"}]}),
            "tools",
        ),
        (json!({"logprobs": true}), "logprobs"),
        (json!({"top_logprobs": 2}), "logprobs"),
        (json!({"prompt_logprobs": 1}), "logprobs"),
        (json!({"n": 2}), "multiple_choices"),
        (json!({"n": 2.0}), "multiple_choices"),
        (json!({"store": true}), "server_state"),
        (json!({"previous_response_id": "r"}), "server_state"),
        (json!({"conversation": "c"}), "server_state"),
        (json!({"cache_salt": "s"}), "cache_salt"),
        (json!({"logit_bias": {"50256": -100}}), "logit_bias"),
        (
            json!({"prediction": {"type": "content", "content": "x"}}),
            "prediction",
        ),
        (
            json!({"modalities": ["text", "audio"], "audio": {"voice": "v"}}),
            "non_text_output",
        ),
        (
            json!({"response_format": {"type": "grammar", "grammar": "x"}}),
            "unsupported_format",
        ),
        (json!({"guided_regex": "a+"}), "unsupported_format"),
        (
            json!({"structured_outputs": {"choice": ["a"]}}),
            "unsupported_format",
        ),
        (json!({"echo": true}), "reply_extras"),
        (json!({"return_token_ids": true}), "reply_extras"),
        (
            json!({"messages": [{"role": "assistant", "content": "a"}]}),
            "no_goal",
        ),
        (user(json!("  ")), "no_goal"),
        (user(json!(null)), "no_goal"),
        (json!({"seed": 1e300}), "inexact_number"),
    ] {
        let reason_found = decoded(&body(more.clone()))
            .bypass
            .map(BypassReason::as_str);
        assert_eq!(reason_found, Some(reason), "{more}");
    }
}

#[test]
fn a_repeated_field_is_bypassed_because_the_upstream_may_read_the_other_one() {
    let body = br#"{"model":"m","model":"m","messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(
        decode(body).unwrap().bypass,
        Some(BypassReason::AmbiguousField)
    );
}

#[test]
fn what_is_no_chat_request_is_left_to_the_upstream() {
    for (body, error) in [
        ("", "body is not JSON at line 1, column 0"),
        ("{", "body is not JSON at line 1, column 1"),
        ("[]", "body is not a JSON object"),
        ("{}", "field model is missing"),
        (r#"{"model":"m"}"#, "field messages is missing"),
        (
            r#"{"model":"m","messages":[]}"#,
            "field messages is not a list of at least one",
        ),
        (
            r#"{"model":"m","messages":["x"]}"#,
            "field messages.0 is not an object",
        ),
        (
            r#"{"model":"m","messages":[{"role":"god"}]}"#,
            "field messages.0.role is not a role of OpenAI's",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":5}]}"#,
            "field messages.0.content is not a string or a list of parts",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"}"#,
            "field temperature is not a number",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":-1}"#,
            "field max_tokens is not zero or more",
        ),
    ] {
        assert_eq!(error_of(body), error, "{body}");
    }
}

#[test]
fn the_reply_form_is_read() {
    let form = |more| decoded(&body(more)).request.form;
    assert_eq!(
        form(json!({})),
        ReplyForm {
            framing: Framing::Whole,
            include_usage: false
        }
    );
    assert_eq!(
        form(json!({"stream": true})),
        ReplyForm {
            framing: Framing::Sse,
            include_usage: false
        }
    );
    let with_usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    assert_eq!(
        form(with_usage),
        ReplyForm {
            framing: Framing::Sse,
            include_usage: true
        }
    );
}
