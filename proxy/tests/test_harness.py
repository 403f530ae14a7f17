"""The scripted upstream itself: the official SDKs must take it for the real API, and it must record truly."""

import gzip

import pytest
from google import genai
from google.genai import types
from openai import OpenAI

from harness import answers, raw
from harness.http import chunked
from harness.reply import Gate, Reply
from harness.upstream import Upstream


@pytest.fixture(scope="module")
def openai_up():
    server = Upstream("openai")
    yield server
    server.close()


@pytest.fixture(scope="module")
def gemini_up():
    server = Upstream("gemini")
    yield server
    server.close()


def test_the_openai_sdk_takes_the_upstream_for_the_real_one(openai_up):
    client = OpenAI(base_url=openai_up.url + "/v1", api_key="k", max_retries=0)
    messages = [{"role": "user", "content": "grow tomatoes"}]
    whole = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    assert whole.choices[0].message.content.endswith("to: grow tomatoes")
    options = {"include_usage": True}
    stream = client.chat.completions.create(model="m", messages=messages, stream=True, stream_options=options)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).endswith("to: grow tomatoes")
    assert chunks[-1].usage.total_tokens == 60
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini", "gpt-4o"]
    assert client.embeddings.create(model="e", input="x").data[0].embedding == [0.25, -0.5, 1.0]


@pytest.mark.parametrize("version", [None, "v1beta"])
def test_the_gemini_sdk_takes_the_upstream_for_the_real_one(gemini_up, version):
    options = types.HttpOptions(base_url=gemini_up.url, api_version=version)
    client = genai.Client(api_key="k", http_options=options)
    whole = client.models.generate_content(model="gemini-2.5-flash", contents="grow tomatoes")
    assert whole.text.endswith("to: grow tomatoes")
    stream = client.models.generate_content_stream(model="gemini-2.5-flash", contents="grow tomatoes")
    assert "".join(chunk.text or "" for chunk in stream).endswith("to: grow tomatoes")
    assert client.models.count_tokens(model="gemini-2.5-flash", contents="x").total_tokens == 7
    assert [model.name for model in client.models.list()][0] == "models/gemini-2.5-flash"
    assert client.models.embed_content(model="e", contents="x").embeddings[0].values == [0.25, -0.5, 1.0]


def test_the_json_array_form_reads_as_one_array(gemini_up):
    body = b'{"contents":[{"parts":[{"text":"grow tomatoes"}]}]}'
    answer = raw.request(gemini_up.address, "POST", "/v1beta/models/m:streamGenerateContent", body=body)
    assert isinstance(answer.json(), list) and len(answer.json()) > 1
    assert answer.text.endswith("to: grow tomatoes")


def test_requests_are_recorded_exactly(openai_up):
    mark = openai_up.mark()
    headers = [("X-B", "2"), ("x-a", "1"), ("X-B", "3")]
    raw.request(openai_up.address, "PUT", "/odd%2Fpath?a=%20b&a=c", headers, chunks=[b"ab", b"c"])
    (request,) = openai_up.since(mark)
    assert (request.method, request.target) == ("PUT", "/odd%2Fpath?a=%20b&a=c")
    assert [pair for pair in request.headers if pair[0].lower().startswith("x-")] == headers
    assert (request.body, request.framing, request.chunk_sizes) == (b"abc", "chunked", [2, 1])


def test_unknown_paths_are_mirrored(openai_up):
    answer = raw.request(openai_up.address, "PATCH", "/anything", body=b"\x00\xff")
    assert (answer.status, answer.body, answer.header("x-mirror-method")) == (200, b"\x00\xff", "PATCH")


def test_gates_hold_a_reply_and_cuts_are_seen_as_cuts(openai_up):
    gate = Gate()
    openai_up.script(Reply(body=[b"one", gate, b"two"], framing="chunked", end="cut"))
    with raw.Wire(openai_up.address) as wire:
        wire.send(raw.head("GET", "/", []))
        assert wire.read_head()[0] == 200
        gate.wait_reached()
        assert wire.until(b"one\r\n") == b"3\r\none\r\n"
        gate.open()
        _, sizes, complete = wire._chunks()
        assert not complete and sizes in ([], [3])


def test_idle_connections_close_and_reused_ones_reset_when_told(openai_up):
    with raw.Wire(openai_up.address) as wire:
        wire.send(raw.head("GET", "/", []))
        assert wire.read("GET").status == 200
        openai_up.script(Reply(reset="reused"))
        wire.send(raw.head("GET", "/", []))
        assert wire.until(b"\r\n") is None
    with raw.Wire(openai_up.address) as wire:
        wire.send(raw.head("GET", "/", []))
        assert wire.read("GET").status == 200
        assert openai_up.close_idle() >= 1
        assert wire.until(b"\r\n") is None


def test_expect_continue_interim_and_gzip_replies(openai_up):
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    packed = gzip.compress(b"hello")
    openai_up.script(Reply(headers=[("Content-Encoding", "gzip")], body=packed, interim=[hints]))
    with raw.Wire(openai_up.address) as wire:
        wire.send(raw.head("POST", "/", [("Expect", "100-continue"), ("Transfer-Encoding", "chunked")]))
        assert wire.read_head()[0] == 100
        wire.send(chunked([b"body"]))
        answer = wire.read()
    assert [status for status, _ in answer.interim] == [103]
    assert (answer.body, answer.decoded) == (packed, b"hello")


def test_scripts_serve_streamed_and_whole_requests_alike(openai_up):
    openai_up.script(answers.chat(text="scripted", finish="length"), answers.chat(text="scripted", finish="length"))
    for stream in (b"false", b"true"):
        body = b'{"model":"m","messages":[],"stream":%s}' % stream
        answer = raw.request(openai_up.address, "POST", "/v1/chat/completions", body=body)
        assert answer.text == "scripted"
        assert b'"finish_reason": "length"' in answer.body
