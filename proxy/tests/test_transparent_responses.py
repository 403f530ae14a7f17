"""With the cache off and one upstream, no client can tell the proxy from the API behind it."""

import gzip
import hashlib
import os

import pytest

from harness import answers, raw
from harness.client import chat_body, encode
from harness.http import end_to_end
from harness.reply import Gate, Reply


def both(proxy, upstream, reply, method="POST", target="/v1/chat/completions", headers=(), body=b"{}"):
    """The same scripted reply seen directly and through the proxy."""
    body = None if method in ("GET", "HEAD", "OPTIONS") else body
    upstream.script(reply, reply)
    direct = raw.request(upstream.address, method, target, headers, body)
    through = raw.request(proxy.address, method, target, headers, body)
    return direct, through


def but_date(headers):
    """The end-to-end headers without `Date`: the HTTP server under the proxy writes its own (ARCHITECTURE.md)."""
    return [(name, value) for name, value in end_to_end(headers) if name != "date"]


def check_identical(direct, through):
    assert (through.status, through.reason) == (direct.status, direct.reason)
    assert through.complete == direct.complete
    assert through.body == direct.body
    assert but_date(through.headers) == but_date(direct.headers)
    assert len(through.all("date")) == 1


def test_a_chat_answer_is_the_upstreams_with_nothing_added(plain_openai, openai_upstream, key):
    headers = [("Authorization", f"Bearer {key}"), ("Content-Type", "application/json")]
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}'
    reply = answers.chat(text="fixed")
    direct, through = both(plain_openai, openai_upstream, reply, headers=headers, body=body)
    check_identical(direct, through)
    assert not [name for name, _ in through.headers if name.lower().startswith("x-tollfree")]
    assert through.header("cache-status") is None and through.header("age") is None


def test_a_gemini_answer_is_the_upstreams_with_nothing_added(plain_gemini, gemini_upstream, key):
    body = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    for target in (":generateContent", ":streamGenerateContent?alt=sse", ":streamGenerateContent"):
        reply = answers.gemini(text="fixed answer of some length")
        target = "/v1beta/models/gemini-2.5-flash" + target
        check_identical(*both(plain_gemini, gemini_upstream, reply, target=target, body=body))


def test_nothing_is_added_to_an_answer_without_date_and_server(plain_openai, openai_upstream):
    direct, through = both(plain_openai, openai_upstream, Reply(body=b"bare"), method="GET", target="/bare")
    check_identical(direct, through)
    assert through.header("server") is None


@pytest.mark.parametrize("status", [201, 204, 304, 400, 401, 404, 418, 429, 500, 503])
def test_every_status_and_error_body_passes_untouched(plain_openai, openai_upstream, status):
    body = b"" if status in (204, 304) else b'{"odd":   1.0, "error":"as is" }\n'
    reply = Reply(status=status, headers=[("Content-Type", "application/json"), ("Retry-After", "7")], body=body)
    mark = openai_upstream.mark()
    check_identical(*both(plain_openai, openai_upstream, reply))
    assert len(openai_upstream.since(mark)) == 2, "the proxy asked more than once"


def test_an_unusual_reason_phrase_survives_or_is_the_standard_one(plain_openai, openai_upstream):
    openai_upstream.script(Reply(status=200, reason="Fine By Me", body=b"x"))
    answer = raw.request(plain_openai.address, "GET", "/reason")
    assert (answer.status, answer.body) == (200, b"x")


def test_duplicate_headers_stay_separate_and_in_order(plain_openai, openai_upstream):
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Vary", "Origin"), ("Vary", "Accept")]
    reply = Reply(headers=headers, body=b"x")
    direct, through = both(plain_openai, openai_upstream, reply, method="GET", target="/dup")
    check_identical(direct, through)
    assert through.all("set-cookie") == ["a=1", "b=2"]
    assert ", ".join(through.all("vary")) == "Origin, Accept"


def test_hop_by_hop_headers_of_the_answer_are_dropped(plain_openai, openai_upstream):
    headers = [
        ("Connection", "keep-alive, X-Private"),
        ("X-Private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("X-Kept", "1"),
    ]
    openai_upstream.script(Reply(headers=headers, body=b"x"))
    answer = raw.request(plain_openai.address, "GET", "/hop")
    assert answer.header("x-private") is None
    assert answer.header("keep-alive") != "timeout=5"
    assert answer.header("x-kept") == "1"


def test_a_gzip_answer_is_forwarded_in_its_coding(plain_openai, openai_upstream):
    packed = gzip.compress(b'{"hello":"world"}' * 100, mtime=0)
    for framing in ("content-length", "chunked"):
        headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        reply = Reply(headers=headers, body=packed, framing=framing)
        ask = [("Accept-Encoding", "gzip")]
        direct, through = both(plain_openai, openai_upstream, reply, headers=ask)
        check_identical(direct, through)
        assert through.body == packed


def test_an_answer_is_not_compressed_by_the_proxy(plain_openai, openai_upstream):
    reply = Reply(headers=[("Content-Type", "text/plain")], body=b"a" * 50_000)
    ask = [("Accept-Encoding", "gzip, deflate, br")]
    check_identical(*both(plain_openai, openai_upstream, reply, method="GET", target="/plain", headers=ask))


@pytest.mark.parametrize("framing", ["content-length", "chunked", "close"])
def test_a_large_answer_arrives_whole(plain_openai, openai_upstream, framing):
    data = os.urandom(1 << 20) * 20
    pieces = [data[i : i + 65_537] for i in range(0, len(data), 65_537)]
    openai_upstream.script(Reply(body=pieces, framing=framing))
    answer = raw.request(plain_openai.address, "GET", "/large")
    assert answer.complete and len(answer.body) == len(data)
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(data).digest()


def test_an_empty_body_stays_empty(plain_openai, openai_upstream):
    for framing in ("content-length", "chunked"):
        openai_upstream.script(Reply(body=b"" if framing == "content-length" else [], framing=framing))
        answer = raw.request(plain_openai.address, "GET", "/empty")
        assert (answer.status, answer.body, answer.complete) == (200, b"", True)


def test_head_keeps_the_content_length_and_sends_no_body(plain_openai, openai_upstream):
    reply = Reply(headers=[("Content-Type", "text/plain"), ("ETag", '"v1"')], body=b"0123456789")
    openai_upstream.script(reply)
    with raw.Wire(plain_openai.address) as wire:
        wire.send(raw.head("HEAD", "/thing", []))
        answer = wire.read("HEAD")
        assert (answer.status, answer.header("content-length"), answer.header("etag")) == (200, "10", '"v1"')
        # Whatever a body would have left on the connection would break this one.
        wire.send(raw.head("GET", "/after", [("Content-Length", "0")]))
        assert wire.read("GET").header("x-mirror-target") == "/after"


def test_interim_answers_do_not_disturb_the_final_one(plain_openai, openai_upstream):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    openai_upstream.script(Reply(body=b"final", interim=[hints, hints]))
    answer = raw.request(plain_openai.address, "GET", "/hints")
    assert (answer.status, answer.body, answer.complete) == (200, b"final", True)
    assert {status for status, _ in answer.interim} <= {103}


def test_stream_pieces_arrive_as_they_are_sent(plain_openai, openai_upstream):
    """A proxy that collects before it sends would hang here: the second piece waits for us to see the first."""
    gate = Gate()
    headers = [("Content-Type", "text/event-stream")]
    pieces = [b"data: one\n\n", gate, b": comment\n\n\n\ndata: two\n\n"]
    openai_upstream.script(Reply(headers=headers, body=pieces, framing="chunked"))
    with raw.Wire(plain_openai.address) as wire:
        wire.send(raw.head("GET", "/stream", []))
        wire.read_head()
        assert wire.until(b"data: one\n\n") is not None
        gate.open()
        assert wire.until(b": comment\n\n\n\ndata: two\n\n") is not None
        assert wire.until(b"0\r\n\r\n") is not None


def test_an_upstream_that_dies_mid_answer_is_not_a_complete_answer(plain_openai, openai_upstream):
    for framing, body in (("chunked", [b"half"]), ("close", [b"half"])):
        openai_upstream.script(Reply(body=body, framing=framing, end="cut"))
        if framing == "chunked":
            answer = raw.request(plain_openai.address, "GET", "/cut")
            assert not answer.complete, "a cut stream was ended as if it were whole"
    # The proxy itself is none the worse.
    openai_upstream.forget_scripts()
    assert raw.request(plain_openai.address, "GET", "/alive").status == 200


def test_an_upstream_that_never_answers_gives_a_gateway_error_in_the_clients_protocol(
    plain_openai, plain_gemini, openai_upstream, gemini_upstream, key
):
    reset = Reply(reset="always")
    openai_upstream.script(reset, reset, reset, reset)
    answer = plain_openai.client.chat("hi", key)
    assert answer.status in (502, 503, 504)
    assert answer.json()["error"]["message"] and "type" in answer.json()["error"]
    gemini_upstream.script(reset, reset, reset, reset)
    answer = plain_gemini.client.generate("hi", key)
    assert answer.status in (502, 503, 504)
    assert answer.json()["error"]["code"] == answer.status and answer.json()["error"]["status"]


def test_slow_headers_are_waited_for(plain_openai, openai_upstream):
    gate = Gate()
    openai_upstream.script(Reply(body=b"late", before=gate))
    with raw.Wire(plain_openai.address) as wire:
        wire.send(raw.head("GET", "/slow", []))
        gate.wait_reached()
        gate.open()
        assert wire.read("GET").body == b"late"


@pytest.mark.parametrize(
    "target", ["/v1/chat/completions", "/v1/unheard-of"]
)
def test_an_http_1_0_client_gets_a_stream_without_chunks_ended_by_close(plain_openai, openai_upstream, key, target):
    body = encode(chat_body("hi", stream=True))
    openai_upstream.script(answers.chat(text="told piece by piece to an old client"))
    answer = raw.request_1_0(plain_openai.address, "POST", target, [("Authorization", f"Bearer {key}")], body)
    assert answer.status == 200 and answer.header("transfer-encoding") is None
    assert (answer.framing, answer.text) == ("close", "told piece by piece to an old client")
    assert answer.body.endswith(b"data: [DONE]\n\n")
