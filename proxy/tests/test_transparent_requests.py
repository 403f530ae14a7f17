"""What leaves for the upstream is what the client sent: method, target, headers, and every byte of the body."""

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import raw
from harness.client import new_key
from harness.http import end_to_end
from harness.reply import Gate, Reply
from harness.wait import until

KIB = 1024
SIZES = [KIB, 64 * KIB, 100 * KIB, KIB * KIB, 5 * KIB * KIB]


def chat_bytes(size):
    """A valid chat body of exactly `size` bytes that no JSON library would write again the same way."""
    start = '{ "model":"gpt-4o-mini",  "temperature": 1.0, "x_unknown":{"b":1e2,"a":[ ]},\n "messages":[{"role":"user","content":"'
    end = '\\u00e9 caf\u00e9 \\/ "}]\t}'
    filler = size - len((start + end).encode())
    words = "".join(random.Random(size).choices("abcdefgh ijkl mnop", k=filler))
    body = (start + words + end).encode()
    assert len(body) == size and json.loads(body)
    return body


def cut(body, sizes=(1, 7, 4096, 65_537, 30_000)):
    """Cuts a body into chunks of very different sizes."""
    pieces, position, i = [], 0, 0
    while position < len(body):
        step = sizes[i % len(sizes)]
        pieces.append(body[position : position + step])
        position, i = position + step, i + 1
    return pieces


@pytest.mark.parametrize("mode", ["disabled", "bypassed", "missed"])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("size", SIZES)
def test_a_body_of_any_size_and_framing_arrives_byte_for_byte(
    plain_openai, cached, openai_upstream, size, framing, mode
):
    body, mark = chat_bytes(size), openai_upstream.mark()
    proxy = plain_openai if mode == "disabled" else cached
    headers = [("Authorization", f"Bearer {new_key()}"), ("Content-Type", "application/json")]
    if mode == "bypassed":
        headers.append(("Cache-Control", "no-store"))
    framed = {"chunks": cut(body)} if framing == "chunked" else {"body": body}
    answer = raw.request(proxy.address, "POST", "/v1/chat/completions", headers, **framed)
    assert answer.status == 200, answer.body[:500]
    if mode == "bypassed":
        assert answer.cache == "bypass"
    (request,) = openai_upstream.since(mark)
    assert request.body == body
    assert answer.json()["choices"][0]["message"]["content"].endswith("café / ")


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("size", SIZES)
def test_a_binary_body_on_an_unknown_path_comes_back_byte_for_byte(plain_openai, size, framing):
    body = random.Random(size).randbytes(size)
    framed = {"chunks": cut(body)} if framing == "chunked" else {"body": body}
    answer = raw.request(plain_openai.address, "POST", "/v1/files", [("Content-Type", "application/pdf")], **framed)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/files"])
@pytest.mark.parametrize("mode", ["disabled", "bypassed"])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_expect_100_continue_is_answered_before_the_body(plain_openai, cached, openai_upstream, framing, mode, target):
    """The body is only sent once the 100 is here: a proxy that waits for the body first would hang."""
    body, mark = chat_bytes(100 * KIB), openai_upstream.mark()
    proxy = plain_openai if mode == "disabled" else cached
    headers = [("Expect", "100-continue"), ("Content-Type", "application/json"), ("Authorization", "Bearer k")]
    if mode == "bypassed":
        headers.append(("Cache-Control", "no-store"))
    if framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
        payload = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in cut(body)) + b"0\r\n\r\n"
    else:
        headers.append(("Content-Length", str(len(body))))
        payload = body
    with raw.Wire(proxy.address, timeout=5) as wire:
        wire.send(raw.head("POST", target, headers))
        status, _, _ = wire.read_head()
        assert status == 100
        wire.send(payload)
        answer = wire.read()
    assert answer.status == 200
    (request,) = openai_upstream.since(mark)
    assert request.body == body


@pytest.mark.parametrize("mode", ["disabled", "bypassed"])
def test_a_gzip_request_body_is_forwarded_as_it_is(plain_openai, cached, openai_upstream, mode):
    packed, mark = gzip.compress(chat_bytes(64 * KIB), mtime=0), openai_upstream.mark()
    proxy = plain_openai if mode == "disabled" else cached
    headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json"), ("Authorization", "Bearer k")]
    if mode == "bypassed":
        headers.append(("Cache-Control", "no-store"))
    openai_upstream.script(Reply(headers=[("Content-Type", "application/json")], body=b'{"ok":true}'))
    answer = raw.request(proxy.address, "POST", "/v1/chat/completions", headers, body=packed)
    assert (answer.status, answer.body) == (200, b'{"ok":true}')
    (request,) = openai_upstream.since(mark)
    assert request.body == packed
    assert request.header("content-encoding") == "gzip"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/thing?a=%20b&a=c+d&k=%E2%82%AC&empty=&flag",
        "/v1/with%2Fslash/and%20space",
        "/v1beta/cachedContents?pageSize=10&pageToken=a%3Db",
        "/",
        "/v1/a//b/../c",
        "/v1/colon:method?x=[1]",
    ],
)
def test_the_target_is_preserved_to_the_letter(plain_openai, target):
    answer = raw.request(plain_openai.address, "GET", target)
    assert (answer.status, answer.header("x-mirror-target")) == (200, target)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/unheard-of", "/metrics", "/healthz", "/admin/v1/stats"])
def test_any_method_on_an_unknown_path_passes(plain_openai, method, path):
    """The admin paths too: they live on the admin listener, and here they are the upstream's."""
    body = b"payload" if method in ("POST", "PUT", "PATCH") else None
    answer = raw.request(plain_openai.address, method, path, body=body)
    assert (answer.status, answer.body) == (200, body or b"")
    assert (answer.header("x-mirror-method"), answer.header("x-mirror-target")) == (method, path)


def test_a_delete_with_a_body_passes(plain_openai):
    answer = raw.request(plain_openai.address, "DELETE", "/v1/thing", body=b"why")
    assert (answer.status, answer.body) == (200, b"why")


def test_end_to_end_headers_arrive_untouched_and_nothing_is_added(plain_openai, openai_upstream, key):
    headers = [
        ("Authorization", f"Bearer {key}"),
        ("OpenAI-Organization", "org-1"),
        ("X-Stainless-Lang", "python"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip, deflate"),
        ("User-Agent", "test/1"),
        ("Cookie", "a=1; b=2"),
        ("X-Latin", "caf\u00e9"),
    ]
    mark = openai_upstream.mark()
    raw.request(plain_openai.address, "POST", "/v1/thing", headers, body=b"x")
    (request,) = openai_upstream.since(mark)
    ours = [(name, value.encode().decode("latin-1")) for name, value in headers]
    assert end_to_end(request.headers, ["host", "content-length"]) == end_to_end(ours)
    assert request.all("x-twice") == ["1", "2"]


def test_the_host_is_the_upstreams(plain_openai, openai_upstream):
    mark = openai_upstream.mark()
    raw.request(plain_openai.address, "GET", "/v1/thing")
    (request,) = openai_upstream.since(mark)
    assert request.all("host") == [f"127.0.0.1:{openai_upstream.port}"]


def test_hop_by_hop_headers_of_the_request_are_dropped(plain_openai, openai_upstream):
    headers = [
        ("Connection", "keep-alive, X-Private"),
        ("X-Private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"),
        ("Proxy-Authorization", "Basic secret"),
        ("Upgrade", "h2c"),
        ("X-Kept", "1"),
    ]
    mark = openai_upstream.mark()
    assert raw.request(plain_openai.address, "GET", "/v1/thing", headers).status == 200
    (request,) = openai_upstream.since(mark)
    for name in ("x-private", "keep-alive", "te", "proxy-authorization", "upgrade"):
        assert request.header(name) is None, name
    assert request.header("x-kept") == "1"


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
def test_the_base_url_may_end_with_the_api_version_or_not(start, openai_upstream, key, base):
    """SDKs are given either form; both must lead to the one path that exists."""
    from harness import config

    text = config.NO_CACHE + config.upstream(openai_upstream, base_url=openai_upstream.url + base)
    proxy = start(text)
    mark = openai_upstream.mark()
    assert proxy.client.chat("hi", key).status == 200
    (request,) = openai_upstream.since(mark)
    assert request.target == "/v1/chat/completions"


def test_pipelined_requests_are_answered_in_order(plain_openai):
    with raw.Wire(plain_openai.address) as wire:
        wire.send(b"".join(raw.head("GET", f"/n/{i}", []) for i in range(3)))
        for i in range(3):
            assert wire.read("GET").header("x-mirror-target") == f"/n/{i}"


def test_a_connection_serves_many_requests(plain_openai, key):
    body = chat_bytes(KIB)
    headers = [("Authorization", f"Bearer {key}"), ("Content-Length", str(len(body)))]
    with raw.Wire(plain_openai.address) as wire:
        for _ in range(5):
            wire.send(raw.head("POST", "/v1/chat/completions", headers) + body)
            assert wire.read().status == 200


class TestStaleConnections:
    """Upstreams close idle connections when they like; a client must never notice."""

    def ask(self, proxy, times=1):
        for _ in range(times):
            answer = proxy.client.chat("hi", new_key())
            assert answer.status == 200, answer.body

    @pytest.mark.parametrize("size", [KIB, 100 * KIB])
    def test_a_pooled_connection_closed_by_the_upstream_is_replaced(self, plain_openai, openai_upstream, size):
        for _ in range(10):
            self.ask(plain_openai)
            openai_upstream.close_idle()
            body = chat_bytes(size)
            answer = plain_openai.client.chat(None, new_key(), body=body)
            assert answer.status == 200, answer.body

    @pytest.mark.parametrize("size", [KIB, 100 * KIB])
    def test_a_request_that_lost_the_race_with_the_close_is_sent_again(self, plain_openai, openai_upstream, size):
        """The upstream resets a reused connection on arrival of the next request, with not a byte of answer."""
        self.ask(plain_openai)
        mark, body = openai_upstream.mark(), chat_bytes(size)
        openai_upstream.script(Reply(reset="reused"))
        openai_upstream.script(Reply(headers=[("Content-Type", "application/json")], body=b'{"again":true}'))
        answer = plain_openai.client.chat(None, new_key(), body=body)
        assert answer.status == 200, answer.body
        seen = openai_upstream.since(mark)
        if seen[0].nth > 0:
            assert answer.body == b'{"again":true}'
            assert [request.body for request in seen] == [body, body]

    def test_an_upstream_connection_is_reused(self, plain_openai, openai_upstream):
        self.ask(plain_openai)
        mark = openai_upstream.mark()

        def reused():
            self.ask(plain_openai)
            return any(request.nth > 0 for request in openai_upstream.since(mark))

        until(reused, "a second request used a pooled upstream connection")

    @pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/files"])
    @pytest.mark.parametrize("how", ["reset", "closed"])
    def test_a_request_is_sent_at_most_twice_however_many_stale_connections_wait(
        self, plain_openai, openai_upstream, target, how
    ):
        """The second time is on a fresh connection, not on the next one of the pool."""
        gate, mark, body = Gate(), openai_upstream.mark(), chat_bytes(KIB)
        openai_upstream.script(*[Reply(body=b"{}", before=gate)] * 5)
        headers = [("Authorization", f"Bearer {new_key()}")]

        def ask():
            return plain_openai.client.request("POST", target, headers, body)

        with ThreadPoolExecutor(5) as threads:
            warm = [threads.submit(ask) for _ in range(5)]
            try:
                until(lambda: len(openai_upstream.since(mark)) == 5, "five connections are in use at once")
            finally:
                gate.open()
            assert [one.result().status for one in warm] == [200] * 5
        assert len({request.connection for request in openai_upstream.since(mark)}) == 5

        def close(request):
            if how == "reset":
                return Reply(reset="always")
            raise ConnectionAbortedError("closes without an answer")

        mark = openai_upstream.mark()
        openai_upstream.script(*[close] * 5, when=lambda request: request.nth > 0)
        answer = ask()
        seen = openai_upstream.since(mark)
        assert seen[0].nth > 0, "no pooled connection was used: the test would prove nothing"
        assert [request.nth for request in seen[1:]] == [0], "not again on a fresh connection, once"
        assert [request.body for request in seen] == [body, body]
        assert answer.status == 200, answer.body[:300]
