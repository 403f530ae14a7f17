"""Only complete, successful, untruncated answers are ever stored."""

import pytest

from harness import answers, raw
from harness.client import chat_body, encode
from harness.reply import Gate, Reply
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def check_not_stored(ask, upstream, expected_status=200):
    """The scripted answer is delivered, and the same request asks the upstream anew."""
    first = ask()
    assert first.status == expected_status
    mark = upstream.mark()
    second = ask()
    assert second.cache == "miss", f"an answer that must not be stored was served: {second.body[:300]!r}"
    assert len(upstream.since(mark)) == 1
    assert second.text.endswith(GOAL)
    return first


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "scripted",
    [
        answers.chat(text="cut off at the", finish="length"),
        answers.chat(text="not allowed", finish="content_filter"),
        answers.chat(finish="tool_calls", tool_calls=[CALL]),
        answers.chat(text=""),
    ],
    ids=["truncated", "filtered", "tool call", "empty"],
)
def test_such_an_openai_answer_is_never_stored(cached, openai_upstream, key, scripted, stream):
    openai_upstream.script(scripted)
    check_not_stored(lambda: cached.client.chat(GOAL, key, stream=stream), openai_upstream)


@pytest.mark.parametrize("form", [None, "sse", "array"])
@pytest.mark.parametrize(
    "scripted",
    [
        answers.gemini(text="cut off at the", finish="MAX_TOKENS"),
        answers.gemini(text="unsafe", finish="SAFETY"),
        answers.gemini(text="quoted", finish="RECITATION"),
        answers.gemini(blocked="SAFETY"),
        answers.gemini(text=""),
    ],
    ids=["truncated", "unsafe", "recitation", "blocked", "empty"],
)
def test_such_a_gemini_answer_is_never_stored(cached, gemini_upstream, key, scripted, form):
    gemini_upstream.script(scripted)
    check_not_stored(lambda: cached.client.generate(GOAL, key, form=form), gemini_upstream)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_is_never_stored(cached, openai_upstream, key, status):
    openai_upstream.script(*[answers.openai_error(status, "some_code")] * (1 if status < 429 else 3))
    first = cached.client.chat(GOAL, key)
    openai_upstream.forget_scripts()
    assert first.status == status
    assert cached.client.chat(GOAL, key).cache == "miss"


def test_a_success_that_is_no_answer_is_never_stored(cached, openai_upstream, key):
    for body in (b"{}", b"not json", b'{"choices":[]}', b'{"error":{"message":"oops"}}'):
        openai_upstream.script(Reply(headers=[("Content-Type", "application/json")], body=body))
        assert cached.client.chat(GOAL, key).body == body
        answer = cached.client.chat("Something else entirely " + str(len(body)), key)
        assert answer.cache == "miss"
    assert cached.client.chat(GOAL, key).cache == "miss"


@pytest.mark.parametrize(
    "scripted",
    [
        answers.chat(text="a long enough answer", end="cut", done=False),
        answers.chat(text="a long enough answer", done=False),
        answers.chat(text="a long enough answer", error={"message": "oops", "type": "server_error"}),
    ],
    ids=["reset", "ended early", "error inside"],
)
def test_a_broken_stream_is_never_stored(cached, openai_upstream, key, scripted):
    openai_upstream.script(scripted)
    first = cached.client.chat(GOAL, key, stream=True)
    assert first.status == 200
    assert cached.client.chat(GOAL, key, stream=True).cache == "miss"


def test_a_cut_gemini_stream_is_never_stored(cached, gemini_upstream, key):
    gemini_upstream.script(answers.gemini(text="a long enough answer", end="cut", done=False))
    assert cached.client.generate(GOAL, key, form="sse").status == 200
    assert cached.client.generate(GOAL, key, form="sse").cache == "miss"


def test_a_client_that_leaves_mid_stream_does_no_harm(cached, openai_upstream, key):
    """Whether the rest is cancelled or fetched for the cache is free; half an answer is never served."""
    gate, text = Gate(), "a long enough answer to be cut in the middle"
    openai_upstream.script(answers.chat(text=text, gate=gate))
    body = encode(chat_body(GOAL, stream=True))
    with raw.Wire(cached.address) as wire:
        headers = [("Authorization", f"Bearer {key}"), ("Content-Length", str(len(body)))]
        wire.send(raw.head("POST", "/v1/chat/completions", headers) + body)
        assert wire.read_head()[0] == 200
        assert wire.until(b"a long enoug") is not None
        gate.wait_reached()
    gate.open()
    answer = cached.client.chat(GOAL, key)
    assert answer.status == 200
    assert answer.text == text or answer.text.endswith(GOAL)
    assert cached.admin("/healthz").status == 200


def test_many_clients_that_leave_do_not_wear_the_proxy_out(cached, openai_upstream, key):
    for i in range(20):
        gate = Gate()
        openai_upstream.script(answers.chat(text="never read to its end", gate=gate))
        body = encode(chat_body(f"Abandoned question number {i}?", stream=True))
        with raw.Wire(cached.address) as wire:
            headers = [("Authorization", f"Bearer {key}"), ("Content-Length", str(len(body)))]
            wire.send(raw.head("POST", "/v1/chat/completions", headers) + body)
            gate.wait_reached()
        gate.open()
    assert cached.client.chat(GOAL, key).text.endswith(GOAL)


def test_an_answer_over_the_size_limit_is_delivered_but_not_stored(start, openai_upstream, key):
    from harness import config

    text = config.table("cache", max_answer_bytes=2000) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    openai_upstream.script(answers.chat(text="long " * 1000))
    assert proxy.client.chat(GOAL, key).text == "long " * 1000
    assert proxy.client.chat(GOAL, key).cache == "miss"
    until(lambda: proxy.client.chat(GOAL, key).cache == "exact", "a short answer is stored")


def test_an_upstream_that_does_not_admit_is_never_served_from_the_cache(start, openai_upstream, key):
    from harness import config

    proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream, admit=False))
    for _ in range(3):
        assert proxy.client.chat(GOAL, key).cache == "miss"


def test_the_number_of_entries_is_capped(start, openai_upstream, key):
    from harness import config

    proxy = start(config.table("cache", max_entries=5) + config.NO_TEMPLATES + config.upstream(openai_upstream))
    topics = [
        "chess",
        "judo",
        "origami",
        "pottery",
        "sailing",
        "welding",
        "falconry",
        "carpentry",
        "beekeeping",
        "yoga",
    ]
    for topic in topics:
        assert proxy.client.chat(f"How do I get better at {topic}?", key).status == 200
    until(lambda: proxy.entries() <= 5, "no more than max_entries entries are kept")
    assert proxy.metrics().sum("tollfree_cache_evictions_total") >= 5
    # The newest is kept.
    assert proxy.client.chat(f"How do I get better at {topics[-1]}?", key).cache == "exact"
