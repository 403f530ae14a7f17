"""A client's credential goes only to the upstream marked for it and of its protocol."""

import pytest

from harness import config
from harness.client import GEMINI_MODEL, OPENAI_MODEL, chat_body, encode, generate_body
from harness.config import GEMINI_KEY, OPENAI_KEY
from harness.raw import request as raw_request

AWAY = {"Cache-Control": "no-store"}


def test_a_clients_openai_key_reaches_the_openai_upstream_marked_for_it(cached, openai_upstream, key):
    mark = openai_upstream.mark()
    cached.client.chat("hi", key)
    assert openai_upstream.since(mark)[0].all("authorization") == [f"Bearer {key}"]


def test_a_clients_gemini_key_reaches_the_gemini_upstream_marked_for_it(cached, gemini_upstream, key):
    mark = gemini_upstream.mark()
    cached.client.generate("hi", key)
    assert gemini_upstream.since(mark)[0].all("x-goog-api-key") == [key]


def test_a_key_in_the_query_is_forwarded_where_it_belongs(cached, gemini_upstream, key):
    mark = gemini_upstream.mark()
    body = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    answer = cached.client.post(f"/v1beta/models/{GEMINI_MODEL}:generateContent?key={key}", body)
    assert answer.status == 200
    assert gemini_upstream.since(mark)[0].holds(key)


def test_an_openai_key_never_reaches_a_gemini_upstream_of_its_own_key(own, gemini_upstream, key):
    mark = gemini_upstream.mark()
    for headers in ({}, AWAY):
        for stream in (False, True):
            answer = own.client.chat("hi", key, model=GEMINI_MODEL, stream=stream, headers=headers)
            assert answer.status == 200
    seen = gemini_upstream.since(mark)
    assert seen
    for request in seen:
        assert request.all("x-goog-api-key") == [GEMINI_KEY]
        assert not request.holds(key) and request.header("authorization") is None


def test_a_gemini_key_never_reaches_an_openai_upstream_of_its_own_key(own, openai_upstream, key):
    mark = openai_upstream.mark()
    own.client.generate("hi", key, model=OPENAI_MODEL)
    body = b'{"contents":[{"parts":[{"text":"hi there"}]}]}'
    own.client.post(f"/v1beta/models/{OPENAI_MODEL}:generateContent?key={key}", body)
    seen = openai_upstream.since(mark)
    assert len(seen) == 2
    for request in seen:
        assert request.all("authorization") == [f"Bearer {OPENAI_KEY}"]
        assert not request.holds(key) and request.header("x-goog-api-key") is None


def test_an_own_key_replaces_the_clients_of_the_same_protocol(own, openai_upstream, gemini_upstream, key):
    marks = openai_upstream.mark(), gemini_upstream.mark()
    for headers in ({}, AWAY):
        own.client.chat("hi", key, headers=headers)
        own.client.generate("hi", key, headers=headers)
    for request in openai_upstream.since(marks[0]):
        assert request.all("authorization") == [f"Bearer {OPENAI_KEY}"] and not request.holds(key)
    for request in gemini_upstream.since(marks[1]):
        assert request.all("x-goog-api-key") == [GEMINI_KEY] and not request.holds(key)


def test_an_own_key_also_stands_in_on_paths_that_are_not_decoded(own, openai_upstream, gemini_upstream, key):
    """The upstreams have keys of their own: the client's must not travel there on any path."""
    marks = openai_upstream.mark(), gemini_upstream.mark()
    for target in ("/v1/models", "/v1/files"):
        raw_request(own.address, "GET", target, [("Authorization", f"Bearer {key}"), ("x-api-key", key)])
        raw_request(own.address, "GET", target, [("Authorization", f"Bearer {key}"), ("x-goog-api-key", key)])
    raw_request(own.address, "GET", f"/v1/anything?key={key}")
    seen = openai_upstream.since(marks[0])
    assert (len(seen), len(gemini_upstream.since(marks[1]))) == (2, 3)
    for request in seen:
        assert request.all("authorization") == [f"Bearer {OPENAI_KEY}"]
    for request in seen + gemini_upstream.since(marks[1]):
        assert not request.holds(key), request.target


CARRIERS = [
    ("header", "api-key"),
    ("header", "x-amz-security-token"),
    ("header", "Cookie"),
    ("query", "k%65y"),
    ("query", "access_token"),
]


@pytest.mark.parametrize(("place", "name"), CARRIERS)
def test_no_secret_reaches_an_upstream_of_its_own_key_wherever_it_stands(
    own, openai_upstream, gemini_upstream, key, place, name
):
    marks = openai_upstream.mark(), gemini_upstream.mark()
    headers = [(name, key)] if place == "header" else []

    def ask(method, target, body=None, *more):
        query = f"?{name}={key}" if place == "query" else ""
        assert own.client.request(method, target + query, [*headers, *more], body).status == 200, target

    for cache_control in ("max-age=60", "no-store"):
        control = ("Cache-Control", cache_control)
        for model in (OPENAI_MODEL, GEMINI_MODEL):  # as it is, and translated
            ask("POST", "/v1/chat/completions", encode(chat_body("hi", model=model)), control)
            ask("POST", f"/v1beta/models/{model}:generateContent", encode(generate_body("hello")), control)
    ask("GET", "/v1/files")
    ask("GET", "/v1beta/files")
    ask("POST", "/v1/messages", b"{}")
    ask("GET", "/anything")
    seen = openai_upstream.since(marks[0]), gemini_upstream.since(marks[1])
    assert len(seen[0] + seen[1]) == 12 and len(seen[0]) >= 4 and len(seen[1]) >= 4
    for request in seen[0] + seen[1]:
        assert not request.holds(key), request.head
    for name, values, requests in (
        ("authorization", [f"Bearer {OPENAI_KEY}"], seen[0]),
        ("x-goog-api-key", [GEMINI_KEY], seen[1]),
    ):
        assert all(request.all(name) == values for request in requests)


@pytest.mark.parametrize(("place", "name"), CARRIERS)
def test_no_secret_leaves_with_a_body_that_cannot_be_decoded(own, openai_upstream, key, place, name):
    mark = openai_upstream.mark()
    headers = [(name, key)] if place == "header" else []
    query = f"?{name}={key}" if place == "query" else ""
    own.client.request("POST", "/v1/chat/completions" + query, headers, b"not json")
    (request,) = openai_upstream.since(mark)
    assert request.body == b"not json" and not request.holds(key)
    assert request.all("authorization") == [f"Bearer {OPENAI_KEY}"]


@pytest.mark.parametrize("target", ["/tokenize", "/v1/messages"])
def test_the_only_client_upstream_gets_the_credential_on_paths_of_no_protocol_we_know(
    plain_openai, openai_upstream, key, target
):
    mark = openai_upstream.mark()
    answer = raw_request(plain_openai.address, "POST", target, [("Authorization", f"Bearer {key}")], body=b"{}")
    assert answer.status == 200
    (request,) = openai_upstream.since(mark)
    assert (request.target, request.all("authorization")) == (target, [f"Bearer {key}"])


def test_a_client_upstream_of_another_protocol_is_not_eligible(start, gemini_upstream, key):
    """The only upstream takes the client's own Gemini key; an OpenAI client has none to give."""
    proxy = start(config.NO_TEMPLATES + config.upstream(gemini_upstream))
    mark = gemini_upstream.mark()
    for headers in ({}, AWAY):
        for stream in (False, True):
            answer = proxy.client.chat("hi", key, model=GEMINI_MODEL, headers=headers, stream=stream)
            assert answer.status == 503 and answer.json()["error"]["message"]
            assert answer.header("x-should-retry") == "false"
    assert gemini_upstream.since(mark) == []


def test_the_same_the_other_way_round(start, openai_upstream, key):
    proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream))
    mark = openai_upstream.mark()
    answer = proxy.client.generate("hi", key, model=OPENAI_MODEL)
    assert (answer.status, answer.json()["error"]["code"]) == (503, 503)
    assert openai_upstream.since(mark) == []


def test_undecoded_paths_do_not_leak_a_key_to_the_other_protocol(start, gemini_upstream, key):
    """An OpenAI path that we do not decode, and only a Gemini upstream that takes the client's credential."""
    proxy = start(config.NO_TEMPLATES + config.upstream(gemini_upstream))
    mark = gemini_upstream.mark()
    raw_request(proxy.address, "POST", "/v1/embeddings", [("Authorization", f"Bearer {key}")], body=b"{}")
    assert not any(request.holds(key) for request in gemini_upstream.since(mark))


def test_a_keyless_upstream_gets_no_credential_at_all(start, openai_upstream, key):
    text = config.NO_TEMPLATES + (
        f'[[upstreams]]\nname = "local"\nkind = "openai"\nbase_url = "{openai_upstream.url}"\ncredential = "own"\n'
    )
    proxy = start(text)
    mark = openai_upstream.mark()
    for headers in ({}, AWAY):
        assert proxy.client.chat("hi", key, headers=headers).status == 200
    for request in openai_upstream.since(mark):
        assert request.header("authorization") is None and not request.holds(key)


def test_a_key_from_a_file_is_used(start, openai_upstream, key, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("sk-from-a-file\n")
    text = config.NO_TEMPLATES + config.upstream(openai_upstream, api_key={"file": str(secret)}).replace(
        '"client"', '"own"'
    )
    proxy = start(text)
    mark = openai_upstream.mark()
    assert proxy.client.chat("hi", key).status == 200
    assert openai_upstream.since(mark)[0].header("authorization") == "Bearer sk-from-a-file"
