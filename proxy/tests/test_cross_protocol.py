"""Either client protocol is answered by either kind of upstream: requests, answers and streams are translated."""

import gzip

import openai
import pytest
from google import genai
from google.genai import types

from harness import answers, config, raw
from harness.client import GEMINI_MODEL, OPENAI_MODEL, chat_body, encode
from harness.reply import Reply

TURNS = [
    {"role": "system", "content": "Be a coach."},
    {"role": "user", "content": "I want to run."},
    {"role": "assistant", "content": "How far?"},
    {"role": "user", "content": "Ten kilometres."},
]
UNICODE = "Ünïcödé – naïve 日本語 🍅🏃 done"


def openai_client(proxy, key):
    return openai.OpenAI(base_url=proxy.url + "/v1", api_key=key, max_retries=0)


def gemini_client(proxy, key, version="v1beta"):
    options = types.HttpOptions(base_url=proxy.url, api_version=version)
    return genai.Client(api_key=key, http_options=options)


class TestOpenAiClientOnGemini:
    def test_the_request_is_translated(self, own, gemini_upstream, key):
        mark = gemini_upstream.mark()
        settings = {"max_tokens": 777, "temperature": 0.5, "top_p": 0.25, "stop": ["END", "STOP"], "seed": 7}
        own.client.chat(TURNS, key, model=GEMINI_MODEL, **settings)
        (request,) = gemini_upstream.since(mark)
        assert request.path.endswith(f"/models/{GEMINI_MODEL}:generateContent")
        body = request.json()
        assert [(c["role"], "".join(p["text"] for p in c["parts"])) for c in body["contents"]] == [
            ("user", "I want to run."),
            ("model", "How far?"),
            ("user", "Ten kilometres."),
        ]
        assert "".join(p["text"] for p in body["systemInstruction"]["parts"]) == "Be a coach."
        generation = body["generationConfig"]
        assert generation["maxOutputTokens"] == 777
        assert (generation["temperature"], generation["topP"], generation["seed"]) == (0.5, 0.25, 7)
        assert generation["stopSequences"] == ["END", "STOP"]

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"stop": "END"}, {"stopSequences": ["END"]}),
            ({"max_completion_tokens": 55}, {"maxOutputTokens": 55}),
            ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
            ({"presence_penalty": 0.5}, {"presencePenalty": 0.5}),
        ],
    )
    def test_single_settings(self, own, gemini_upstream, key, fields, expected):
        mark = gemini_upstream.mark()
        assert own.client.chat("hi", key, model=GEMINI_MODEL, **fields).status == 200
        assert expected.items() <= gemini_upstream.since(mark)[0].json()["generationConfig"].items()

    def test_a_developer_message_is_system_text_and_text_parts_are_joined(self, own, gemini_upstream, key):
        messages = [
            {"role": "developer", "content": "Short."},
            {"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]},
        ]
        mark = gemini_upstream.mark()
        assert own.client.chat(messages, key, model=GEMINI_MODEL).status == 200
        body = gemini_upstream.since(mark)[0].json()
        assert "Short." in str(body["systemInstruction"])
        assert "".join(part["text"] for part in body["contents"][0]["parts"]) == "one two"

    def test_the_answer_is_translated(self, own, gemini_upstream, key):
        gemini_upstream.script(answers.gemini(text=UNICODE, thoughts=35, usage=(18, 80), model="gemini-2.5-flash-001"))
        answer = openai_client(own, key).chat.completions.create(model=GEMINI_MODEL, messages=TURNS)
        assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
        assert answer.model == GEMINI_MODEL, "the model shown is the one asked for"
        assert answer.choices[0].message.content == UNICODE
        assert answer.choices[0].finish_reason == "stop"
        usage = answer.usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (18, 115, 133)
        assert usage.completion_tokens_details.reasoning_tokens == 35

    @pytest.mark.parametrize("rechunk", [None, 1, 3])
    @pytest.mark.parametrize("include_usage", [False, True])
    def test_a_stream_is_translated_wherever_the_bytes_are_cut(self, own, gemini_upstream, key, include_usage, rechunk):
        gemini_upstream.script(answers.gemini(text=UNICODE, usage=(18, 80), rechunk=rechunk))
        mark = gemini_upstream.mark()
        options = {"stream_options": {"include_usage": True}} if include_usage else {}
        answer = own.client.chat(TURNS, key, model=GEMINI_MODEL, stream=True, **options)
        assert answer.header("content-type").startswith("text/event-stream")
        assert gemini_upstream.since(mark)[0].target.endswith(":streamGenerateContent?alt=sse")
        events = answer.events
        assert events.pop() == "[DONE]"
        if include_usage:
            last = events.pop()
            assert last["choices"] == [] and last["usage"]["total_tokens"] == 98
        assert events[0]["choices"][0]["delta"]["role"] == "assistant"
        assert events[-1]["choices"][0]["finish_reason"] == "stop"
        assert answer.text == UNICODE
        assert {event["model"] for event in events} == {GEMINI_MODEL}

    @pytest.mark.parametrize(
        ("finish", "expected"),
        [
            ("MAX_TOKENS", "length"),
            ("SAFETY", "content_filter"),
            ("RECITATION", "content_filter"),
            ("PROHIBITED_CONTENT", "content_filter"),
            ("OTHER", "stop"),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    def test_finish_reasons(self, own, gemini_upstream, key, finish, expected, stream):
        gemini_upstream.script(answers.gemini(text="some text", finish=finish))
        answer = own.client.chat("hi", key, model=GEMINI_MODEL, stream=stream)
        if stream:
            reasons = [c["finish_reason"] for e in answer.events if e != "[DONE]" for c in e["choices"]]
            assert [reason for reason in reasons if reason] == [expected]
        else:
            assert answer.json()["choices"][0]["finish_reason"] == expected

    def test_a_blocked_prompt_is_a_content_filter_and_thoughts_stay_inside(self, own, gemini_upstream, key):
        gemini_upstream.script(answers.gemini(blocked="SAFETY"))
        answer = own.client.chat("hi", key, model=GEMINI_MODEL)
        assert (answer.status, answer.json()["choices"][0]["finish_reason"]) == (200, "content_filter")
        parts = [{"text": "secret reasoning", "thought": True}, {"text": "the answer"}]
        gemini_upstream.script(answers.gemini(parts=parts))
        assert own.client.chat("hello", key, model=GEMINI_MODEL).text == "the answer"

    def test_a_cut_stream_does_not_look_finished(self, own, gemini_upstream, key):
        gemini_upstream.script(answers.gemini(text="a long enough answer", done=False, end="cut"))
        answer = own.client.chat("hi", key, model=GEMINI_MODEL, stream=True)
        assert "[DONE]" not in answer.events or any("error" in e for e in answer.events if isinstance(e, dict))
        assert b'"finish_reason":"stop"' not in answer.body.replace(b" ", b"")

    def test_plain_newlines_in_the_upstreams_stream(self, own, gemini_upstream, key):
        gemini_upstream.script(answers.gemini(text=UNICODE, newline="\n"))
        assert own.client.chat("hi", key, model=GEMINI_MODEL, stream=True).text == UNICODE

    def test_an_error_inside_the_stream_raises(self, own, gemini_upstream, key):
        error = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}
        gemini_upstream.script(answers.gemini(text="a long enough answer", error=error))
        client = openai_client(own, key)
        with pytest.raises(openai.APIError):
            list(client.chat.completions.create(model=GEMINI_MODEL, messages=TURNS, stream=True))


class TestGeminiClientOnOpenAi:
    def test_the_request_is_translated(self, own, openai_upstream, key):
        mark = openai_upstream.mark()
        contents = [
            {"role": "user", "parts": [{"text": "I want to run."}]},
            {"role": "model", "parts": [{"text": "How far?"}]},
            {"parts": [{"text": "Ten "}, {"text": "kilometres."}]},
        ]
        generation = {"maxOutputTokens": 777, "temperature": 0.5, "topP": 0.25, "stopSequences": ["END"], "seed": 7}
        system = {"parts": [{"text": "Be a coach."}]}
        answer = own.client.generate(
            contents, key, model=OPENAI_MODEL, systemInstruction=system, generationConfig=generation
        )
        assert answer.status == 200, answer.body
        (request,) = openai_upstream.since(mark)
        body = request.json()
        assert request.path == "/v1/chat/completions"
        assert body["model"] == OPENAI_MODEL and not body.get("stream")
        said = [(m["role"], m["content"]) for m in body["messages"]]
        assert said[0] in [("system", "Be a coach."), ("developer", "Be a coach.")]
        assert said[1:] == [("user", "I want to run."), ("assistant", "How far?"), ("user", "Ten kilometres.")]
        assert 777 in (body.get("max_tokens"), body.get("max_completion_tokens"))
        assert (body["temperature"], body["top_p"], body["seed"]) == (0.5, 0.25, 7)
        assert body["stop"] in ("END", ["END"])

    def test_snake_case_fields_are_understood(self, own, openai_upstream, key):
        mark = openai_upstream.mark()
        body = {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "system_instruction": {"parts": [{"text": "Short."}]},
            "generation_config": {"max_output_tokens": 33, "stop_sequences": ["END"]},
        }
        assert own.client.generate(None, key, model=OPENAI_MODEL, body=body).status == 200
        sent = openai_upstream.since(mark)[0].json()
        assert 33 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
        assert sent["messages"][0]["content"] == "Short."

    def test_the_answer_is_translated(self, own, openai_upstream, key):
        openai_upstream.script(answers.chat(text=UNICODE, usage=(11, 22)))
        client = gemini_client(own, key)  # kept: the SDK closes a client that nobody holds
        answer = client.models.generate_content(model=OPENAI_MODEL, contents="hi")
        assert answer.text == UNICODE
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP
        usage = answer.usage_metadata
        assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (11, 22, 33)
        assert answer.model_version and answer.response_id

    @pytest.mark.parametrize("rechunk", [None, 1, 3])
    def test_a_stream_holds_nothing_but_data_lines(self, own, openai_upstream, key, rechunk):
        """Comments, event lines or [DONE] make Gemini clients fail or, worse, lose text silently."""
        openai_upstream.script(answers.chat(text=UNICODE, usage=(11, 22), comments=True, rechunk=rechunk))
        mark = openai_upstream.mark()
        answer = own.client.generate("hi", key, model=OPENAI_MODEL, form="sse")
        assert openai_upstream.since(mark)[0].json()["stream"] is True
        for line in answer.body.replace(b"\r\n", b"\n").split(b"\n"):
            assert line == b"" or line.startswith(b"data: {"), line
        assert answer.text == UNICODE
        reasons = [c.get("finishReason") for event in answer.events for c in event["candidates"]]
        assert reasons[-1] == "STOP" and not any(reasons[:-1])
        assert answer.events[-1]["usageMetadata"]["totalTokenCount"] == 33

    def test_the_sdk_reads_the_translated_stream(self, own, openai_upstream, key):
        openai_upstream.script(answers.chat(text=UNICODE, comments=True))
        client = gemini_client(own, key, None)
        chunks = client.models.generate_content_stream(model=OPENAI_MODEL, contents="hi")
        assert "".join(chunk.text or "" for chunk in chunks) == UNICODE

    def test_the_array_form(self, own, openai_upstream, key):
        openai_upstream.script(answers.chat(text=UNICODE))
        answer = own.client.generate("hi", key, model=OPENAI_MODEL, form="array")
        assert isinstance(answer.json(), list) and answer.text == UNICODE

    @pytest.mark.parametrize(("finish", "expected"), [("length", "MAX_TOKENS"), ("content_filter", "SAFETY")])
    @pytest.mark.parametrize("form", [None, "sse", "array"])
    def test_finish_reasons(self, own, openai_upstream, key, finish, expected, form):
        openai_upstream.script(answers.chat(text="some text", finish=finish))
        answer = own.client.generate("hi", key, model=OPENAI_MODEL, form=form)
        items = answer.events if form == "sse" else answer.json() if form == "array" else [answer.json()]
        assert [c["finishReason"] for item in items for c in item["candidates"] if "finishReason" in c] == [expected]

    def test_a_cut_stream_does_not_look_finished(self, own, openai_upstream, key):
        openai_upstream.script(answers.chat(text="a long enough answer", done=False, end="cut"))
        answer = own.client.generate("hi", key, model=OPENAI_MODEL, form="sse")
        assert b'"finishReason"' not in answer.body

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: data.replace(b"\n", b"\r\n"),
            lambda data: data.replace(b"data: ", b"data:"),
            lambda data: data.replace(b"data: ", b"event: message\ndata: "),
            lambda data: data.replace(b"data: ", b": OPENROUTER PROCESSING\n\ndata: "),
            lambda data: data.replace(b"\n\n", b"\n\n\n\n"),
            lambda data: data.replace(b"data: [DONE]\n\n", b""),
            lambda data: b'data: {"id":"x","choices":[]}\n\n' + data,
            lambda data: data.replace(b"data: ", b"id: 1\nretry: 10\ndata: "),
        ],
        ids=["CRLF", "no space", "event lines", "comments", "blank lines", "no DONE", "empty first chunk", "ids"],
    )
    def test_whatever_an_openai_server_may_send_a_gemini_client_gets_a_clean_stream(
        self, own, openai_upstream, key, spoil
    ):
        def reply(request):
            plain = answers.chat(text=UNICODE)(request)
            return Reply(headers=plain.headers, body=[spoil(plain.data)], framing="chunked")

        openai_upstream.script(reply)
        answer = own.client.generate("hi", key, model=OPENAI_MODEL, form="sse")
        for line in answer.body.replace(b"\r\n", b"\n").split(b"\n"):
            assert line == b"" or line.startswith(b"data: {"), line
        assert answer.text == UNICODE
        assert answer.events[-1]["candidates"][0]["finishReason"] == "STOP"

    def test_a_gemini_client_sees_exactly_200(self, own, openai_upstream, key):
        """Its SDK refuses any other success."""

        def reply(request):
            made = answers.chat(text="made")(request)
            made.status = 201
            return made

        openai_upstream.script(reply)
        answer = own.client.generate("hi", key, model=OPENAI_MODEL)
        assert (answer.status, answer.text) == (200, "made")


@pytest.mark.parametrize("stream", [False, True])
def test_a_compressing_upstream_is_understood(own, openai_upstream, gemini_upstream, key, stream):
    """It compresses when asked; a translated answer must be readable whatever the client accepts."""

    def packed(plain):
        def reply(request):
            made = plain(request)
            if "gzip" not in (request.header("accept-encoding") or ""):
                return made
            headers = [*made.headers, ("Content-Encoding", "gzip")]
            return Reply(headers=headers, body=gzip.compress(made.data))

        return reply

    accept = {"Accept-Encoding": "gzip, deflate"}
    gemini_upstream.script(packed(answers.gemini(text=UNICODE)))
    assert own.client.chat("hi", key, model=GEMINI_MODEL, stream=stream, headers=accept).text == UNICODE
    openai_upstream.script(packed(answers.chat(text=UNICODE)))
    form = "sse" if stream else None
    assert own.client.generate("hi", key, model=OPENAI_MODEL, form=form, headers=accept).text == UNICODE


def test_each_client_is_listed_the_models_of_its_own_protocol(cached, key):
    """GET /v1/models is one path for two APIs: the credential's header tells which is meant."""
    assert [model.id for model in openai_client(cached, key).models.list()] == ["gpt-4o-mini", "gpt-4o"]
    for version in (None, "v1beta"):
        client = gemini_client(cached, key, version)
        assert [model.name for model in client.models.list()][0] == "models/gemini-2.5-flash"
        assert client.models.get(model=GEMINI_MODEL).name == "models/" + GEMINI_MODEL


def test_a_model_is_renamed_for_the_upstream(start, gemini_upstream, openai_upstream):
    text = (
        config.NO_TEMPLATES
        + config.upstream(gemini_upstream, "own", models={"fast": "gemini-3.8-flash"})
        + config.upstream(openai_upstream, "own", models={"llama-*": "tiny"})
    )
    proxy = start(text)
    mark = gemini_upstream.mark()
    assert proxy.client.chat("hi", "k", model="fast").json()["model"] == "fast"
    assert "/models/gemini-3.8-flash:" in gemini_upstream.since(mark)[0].target
    mark = openai_upstream.mark()
    assert proxy.client.chat("hi", "k", model="llama-3-8b").status == 200
    assert openai_upstream.since(mark)[0].json()["model"] == "tiny"


def test_an_http_1_0_client_gets_a_translated_stream_without_chunks(own, key):
    body = encode(chat_body("hi", model=GEMINI_MODEL, stream=True))
    auth = [("Authorization", f"Bearer {key}")]
    answer = raw.request_1_0(own.address, "POST", "/v1/chat/completions", auth, body)
    assert answer.status == 200 and answer.header("transfer-encoding") is None
    assert answer.framing == "close" and answer.text.endswith("hi") and answer.events[-1] == "[DONE]"
