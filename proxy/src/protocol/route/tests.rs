use super::*;

const NONE: fn(&str) -> Option<&'static str> = |_| None;

fn check(method: &str, target: &str, expected: &Route) {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    assert_eq!(
        &route(method, path, query, NONE),
        expected,
        "{method} {target}"
    );
}

fn generate(model: &str) -> Route {
    let operation = Operation::Generate {
        model: model.to_owned(),
    };
    Route::Decoded {
        protocol: Protocol::Gemini,
        operation,
    }
}

fn stream(model: &str, sse: bool) -> Route {
    let operation = Operation::StreamGenerate {
        model: model.to_owned(),
        sse,
    };
    Route::Decoded {
        protocol: Protocol::Gemini,
        operation,
    }
}

#[test]
fn chat_completions_are_found_whatever_the_base_address() {
    let chat = Route::Decoded {
        protocol: Protocol::OpenAi,
        operation: Operation::ChatCompletions,
    };
    for path in [
        "/v1/chat/completions",
        "//v1/chat/completions",
        "/v1/v1/chat/completions",
        "/v1//chat/completions/",
        "/chat/completions",
    ] {
        check("POST", path, &chat);
    }
    check(
        "GET",
        "/v1/chat/completions",
        &passthrough(Some(Protocol::OpenAi)),
    );
}

#[test]
fn generate_content_is_found_under_both_versions_and_encoded() {
    for path in [
        "/v1/models/gemini-x:generateContent",
        "/v1beta/models/gemini-x:generateContent",
        "/v1beta/models/gemini-x%3AgenerateContent",
        "/v1beta/models/gemini-x%3agenerateContent",
        "/v1beta/models%2Fgemini-x:generateContent",
        "/v1/v1beta/models/gemini-x:generateContent",
        "/v1beta//models/gemini-x:generateContent",
        "/models/gemini-x:generateContent",
        "/v1beta/models/gemini-x:generateContent?key=k",
    ] {
        check("POST", path, &generate("gemini-x"));
    }
    check(
        "POST",
        "/v1beta/models/a:b:generateContent",
        &generate("a:b"),
    );
    check(
        "POST",
        "/v1beta/tunedModels/t:generateContent",
        &generate("tunedModels/t"),
    );
}

#[test]
fn the_form_of_a_stream_is_told_by_alt() {
    for (query, sse) in [
        ("?alt=sse", true),
        ("?key=k&alt=sse", true),
        ("?%24alt=sse", true),
        ("", false),
        ("?alt=json", false),
    ] {
        check(
            "POST",
            &format!("/v1beta/models/g:streamGenerateContent{query}"),
            &stream("g", sse),
        );
    }
}

#[test]
fn everything_else_passes_through() {
    let gemini = passthrough(Some(Protocol::Gemini));
    let openai = passthrough(Some(Protocol::OpenAi));
    let nobody = passthrough(None);
    for (method, path, expected) in [
        ("POST", "/v1beta/models/g:countTokens", &gemini),
        ("POST", "/v1/models/g:countTokens", &gemini),
        ("POST", "/v1/models/g:batchEmbedContents", &gemini),
        ("POST", "/v1beta/models/g:predictLongRunning", &gemini),
        ("GET", "/v1beta/models/g:generateContent", &gemini),
        ("POST", "/v1beta/models/:generateContent", &gemini),
        ("POST", "/v1/projects/p/models/g:generateContent", &gemini),
        ("GET", "/v1beta/models", &gemini),
        ("POST", "/v1/interactions", &gemini),
        ("POST", "/upload/v1beta/files", &gemini),
        ("GET", "/v1/models", &openai),
        ("GET", "/v1/models/ft:gpt-4o:org::id", &openai),
        ("POST", "/v1/embeddings", &openai),
        ("POST", "/v1/responses", &openai),
        ("POST", "/v1/messages", &nobody),
        ("POST", "/v1/messages/count_tokens", &nobody),
        ("GET", "/", &nobody),
        ("GET", "/favicon.ico", &nobody),
        ("POST", "/chat/other", &nobody),
    ] {
        check(method, path, expected);
    }
}

#[test]
fn geminis_compatible_paths_speak_openai_but_go_to_gemini() {
    let expected = Route::Passthrough {
        protocol: Some(Protocol::OpenAi),
        upstream: Some(Protocol::Gemini),
    };
    check("POST", "/v1beta/openai/chat/completions", &expected);
    check("GET", "/v1beta/openai/models", &expected);
}

#[test]
fn the_list_of_models_belongs_to_whoever_asks() {
    let list = |query, name: &'static str, value: &'static str| {
        route("GET", "/v1/models", query, move |header| {
            (header == name).then_some(value)
        })
    };
    let gemini = passthrough(Some(Protocol::Gemini));
    assert_eq!(list(None, "x-goog-api-key", "k"), gemini);
    assert_eq!(list(Some("pageSize=1&key=k"), "", ""), gemini);
    assert_eq!(
        list(None, "user-agent", "google-genai-sdk/3.4.0 gl-python/3.11"),
        gemini
    );
    assert_eq!(
        list(None, "x-goog-api-client", "google-genai-sdk/3.4.0"),
        gemini
    );
    assert_eq!(
        list(None, "anthropic-version", "2023-06-01"),
        passthrough(None)
    );
    assert_eq!(
        list(None, "user-agent", "OpenAI/Python 3.54"),
        passthrough(Some(Protocol::OpenAi))
    );
}

#[test]
fn a_normal_path_is_not_touched_and_others_become_one() {
    for path in [
        "/",
        "/v1/chat/completions",
        "/v1beta/models/a%3AgenerateContent",
        "/x/v1/v1",
        "/v1/files/",
    ] {
        assert!(
            matches!(normal_path(path), Cow::Borrowed(same) if same == path),
            "{path}"
        );
    }
    for (path, expected) in [
        ("//v1/v1/models", "/v1/models"),
        (
            "/v1/v1beta/models/a:generateContent",
            "/v1beta/models/a:generateContent",
        ),
        (
            "/models/a:generateContent",
            "/v1beta/models/a:generateContent",
        ),
        ("/models", "/v1/models"),
        ("", "/"),
    ] {
        assert_eq!(normal_path(path), expected, "{path}");
    }
}

#[test]
fn hostile_paths_never_panic() {
    for path in [
        "%",
        "/%",
        "/v1/models/%zz:generateContent",
        "/v1/models/%ff%3AgenerateContent",
        "/:",
        "/%3A",
    ] {
        let _ = route("POST", path, Some("&=&alt&%"), NONE);
    }
}
