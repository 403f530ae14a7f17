"""A request that was answered once is answered from the cache the second time, in any form it asks for."""

import gzip
import json
import re
import threading

import pytest

from harness import answers, raw
from harness.client import GEMINI_MODEL, OPENAI_MODEL, chat_body, encode, new_key
from harness.reply import Reply

GOAL = "How do I grow tomatoes on a balcony?"


def ask_openai(proxy, key, form=None, **fields):
    if form == "usage":
        fields["stream_options"] = {"include_usage": True}
    return proxy.client.chat(GOAL, key, stream=form is not None, **fields)


def test_the_second_time_is_exact_and_asks_nobody(cached, openai_upstream, key):
    first = cached.warm(lambda: ask_openai(cached, key))
    mark = openai_upstream.mark()
    second = ask_openai(cached, key)
    assert second.cache == "exact"
    assert second.text == first.text
    assert openai_upstream.since(mark) == []


def test_the_headers_of_a_miss(cached, key):
    answer = ask_openai(cached, key)
    assert answer.cache == "miss"
    assert answer.header("cache-status").startswith("tollfree; fwd=miss")
    assert answer.header("x-tollfree-upstream") == "openai"
    assert int(answer.header("x-tollfree-overhead-us")) >= 0
    assert answer.header("age") is None
    assert answer.header("x-tollfree-saved-usd") is None or float(answer.header("x-tollfree-saved-usd")) == 0
    # The upstream's own headers are all still there.
    assert answer.header("openai-processing-ms") == "42" and answer.header("server") == "scripted"


def test_the_headers_of_an_exact_hit(cached, key):
    cached.warm(lambda: ask_openai(cached, key))
    answer = ask_openai(cached, key)
    assert answer.cache == "exact"
    status = answer.header("cache-status")
    assert status.startswith("tollfree; hit") and "detail=exact" in status
    assert 0 <= int(answer.header("age")) < 60
    assert answer.header("x-tollfree-entry")
    assert int(answer.header("x-tollfree-overhead-us")) >= 0
    # 10 input tokens at 1,000 and 50 output tokens at 2,000 USD a million.
    assert float(answer.header("x-tollfree-saved-usd")) == pytest.approx(0.11, rel=0.01)
    assert answer.framing == "content-length"
    assert answer.header("content-type").startswith("application/json")


def test_the_same_entry_is_named_the_same(cached, key):
    cached.warm(lambda: ask_openai(cached, key))
    assert len({ask_openai(cached, key).header("x-tollfree-entry") for _ in range(3)}) == 1


def test_a_hit_is_a_fresh_looking_answer_with_the_stored_text_and_usage(cached, key):
    first = cached.warm(lambda: ask_openai(cached, key)).json()
    second = ask_openai(cached, key).json()
    assert second["id"].startswith("chatcmpl-") and second["id"] != first["id"]
    assert second["object"] == "chat.completion" and second["created"] > first["created"]
    assert second["model"] == OPENAI_MODEL
    choice = second["choices"][0]
    assert choice["message"]["role"] == "assistant" and choice["finish_reason"] == "stop" and choice["index"] == 0
    for field in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert second["usage"][field] == first["usage"][field]


@pytest.mark.parametrize("stored", [None, "stream", "usage"])
@pytest.mark.parametrize("asked", [None, "stream", "usage"])
def test_one_stored_openai_answer_serves_every_form(cached, key, stored, asked):
    first = cached.warm(lambda: ask_openai(cached, key, stored))
    second = ask_openai(cached, key, asked)
    assert second.cache == "exact"
    assert second.text == first.text and second.text.endswith(GOAL)
    if asked is None:
        # A stream without a usage chunk tells no counts: then any honest count will do.
        assert second.json()["usage"]["completion_tokens"] > 0
        return
    assert second.header("content-type").startswith("text/event-stream")
    check_canonical_stream(second.body, with_usage=asked == "usage")


def check_canonical_stream(body, with_usage):
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(re.fullmatch(r"data: .*", block) for block in blocks)
    assert blocks.pop() == "data: [DONE]"
    chunks = [json.loads(block[6:]) for block in blocks]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    if with_usage:
        last = chunks.pop()
        assert last["choices"] == [] and last["usage"]["completion_tokens"] > 0
        assert all(chunk["usage"] is None for chunk in chunks)
    else:
        assert not any("usage" in chunk and chunk["usage"] for chunk in chunks)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["delta"] == {} and chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks[:-1])


@pytest.mark.parametrize("stored", [None, "sse", "array"])
@pytest.mark.parametrize("asked", [None, "sse", "array"])
def test_one_stored_gemini_answer_serves_every_form(cached, key, stored, asked):
    first = cached.warm(lambda: cached.client.generate(GOAL, key, form=stored))
    second = cached.client.generate(GOAL, key, form=asked)
    assert (second.status, second.cache) == (200, "exact")
    assert second.text == first.text and second.text.endswith(GOAL)
    items = second.events if asked == "sse" else second.json() if asked == "array" else [second.json()]
    assert items[-1]["candidates"][0]["finishReason"] == "STOP"
    assert items[-1]["usageMetadata"]["totalTokenCount"] == 68
    assert items[-1]["modelVersion"] == GEMINI_MODEL
    if asked == "sse":
        lines = second.body.replace(b"\r\n", b"\n").split(b"\n")
        assert all(line == b"" or line.startswith(b"data: {") for line in lines)
    if asked == "array":
        assert second.body.startswith(b"[") and second.body.rstrip().endswith(b"]")


def test_text_in_any_script_survives_storing(cached, openai_upstream, key):
    text = 'Ünï "quoted" \\ back\nslash\t日本語 🍅\u2028end'
    openai_upstream.script(answers.chat(text=text))
    cached.warm(lambda: ask_openai(cached, key))
    assert ask_openai(cached, key).text == text
    assert ask_openai(cached, key, "stream").text == text


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "u1"},
        {"metadata": {"a": "b"}},
        {"service_tier": "auto"},
        {"safety_identifier": "x"},
        {"prompt_cache_key": "x"},
        {"stop": []},
        {"n": 1},
    ],
    ids=str,
)
def test_what_does_not_change_the_answer_does_not_split_the_key(cached, key, fields):
    cached.warm(lambda: cached.client.chat(GOAL, key))
    assert cached.client.chat(GOAL, key, **fields).cache == "exact"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"temperature": 1, "seed": 5}, {"seed": 5, "temperature": 1.0}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"top_p": 0.5}, {"top_p": 0.50}),
    ],
    ids=str,
)
def test_two_ways_to_write_the_same_setting_are_the_same(cached, key, one, other):
    cached.warm(lambda: cached.client.chat(GOAL, key, **one))
    assert cached.client.chat(GOAL, key, **other).cache == "exact"


def test_a_text_and_a_single_text_part_are_the_same(cached, key):
    cached.warm(lambda: cached.client.chat(GOAL, key))
    parts = [{"role": "user", "content": [{"type": "text", "text": GOAL}]}]
    assert cached.client.chat(parts, key).cache == "exact"


def test_key_order_and_white_space_are_the_same(cached, key):
    cached.warm(lambda: cached.client.chat(GOAL, key))
    body = json.dumps({"messages": [{"content": GOAL, "role": "user"}], "model": OPENAI_MODEL}, indent=4).encode()
    assert cached.client.chat(None, key, body=body).cache == "exact"


@pytest.mark.parametrize(
    "other",
    [
        {"generation_config": {"max_output_tokens": 900, "top_k": 5.0}},
        {"generationConfig": {"topK": 5, "maxOutputTokens": 900.0}, "safetySettings": [], "labels": {"a": "b"}},
        {"generationConfig": {"maxOutputTokens": 900, "topK": 5, "candidateCount": 1}},
    ],
    ids=str,
)
def test_geminis_spellings_are_one(cached, key, other):
    plain = {"generationConfig": {"maxOutputTokens": 900, "topK": 5}}
    cached.warm(lambda: cached.client.generate(GOAL, key, **plain))
    assert cached.client.generate(GOAL, key, **other).cache == "exact"


def test_both_gemini_versions_share_an_answer(cached, key):
    cached.warm(lambda: cached.client.generate(GOAL, key, version="v1beta"))
    assert cached.client.generate(GOAL, key, version="v1").cache == "exact"


def test_a_setting_that_changes_the_answer_splits_the_exact_key(cached, key):
    cached.warm(lambda: cached.client.chat(GOAL, key, seed=1))
    assert cached.client.chat(GOAL, key, seed=2).cache != "exact"


def test_a_gzipped_answer_is_stored_unpacked(cached, openai_upstream, key):
    """The upstream compresses for a client that asked; the next client did not ask."""

    def packed(request):
        plain = answers.chat(text="packed answer")(request)
        headers = [*plain.headers, ("Content-Encoding", "gzip")]
        return Reply(headers=headers, body=gzip.compress(plain.data))

    openai_upstream.script(packed)
    ask = {"Accept-Encoding": "gzip"}
    first = cached.warm(lambda: cached.client.chat(GOAL, key, headers=ask))
    assert first.text == "packed answer"
    second = cached.client.chat(GOAL, key)
    assert (second.cache, second.header("content-encoding")) == ("exact", None)
    assert second.text == "packed answer"


def test_a_gzipped_request_is_understood(cached, key):
    """Decoded for the lookup or passed by it, but answered."""
    packed = gzip.compress(json.dumps(chat_body(GOAL)).encode())
    for allowed in (("miss", "bypass"), ("exact", "miss", "bypass")):
        answer = cached.client.chat(None, key, body=packed, headers={"Content-Encoding": "gzip"})
        assert answer.status == 200 and answer.cache in allowed
        assert answer.text.endswith(GOAL)


@pytest.mark.parametrize("target", ["//v1/chat/completions", "/v1//chat/completions", "/v1/v1/chat/completions"])
def test_a_base_url_joined_carelessly_still_finds_the_cache(cached, key, target):
    """SDKs are given a base with or without /v1 and with a slash too many."""
    auth = [("Authorization", f"Bearer {key}")]
    cached.warm(lambda: cached.client.post(target, chat_body(GOAL), auth))
    assert cached.client.chat(GOAL, key).cache == "exact"


def test_concurrent_equal_requests_are_all_answered(cached):
    key, texts = new_key(), []
    threads = [threading.Thread(target=lambda: texts.append(ask_openai(cached, key).text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(texts) == 8 and all(text.endswith(GOAL) for text in texts)


def test_an_http_1_0_client_gets_a_streamed_hit_without_chunks(cached, key):
    auth = [("Authorization", f"Bearer {key}")]
    goal = "How do I keep an old client happy?"
    body = encode(chat_body(goal, stream=True))

    def ask():
        return raw.request_1_0(cached.address, "POST", "/v1/chat/completions", auth, body)

    missed = cached.warm(ask)
    hit = ask()
    assert hit.cache == "exact"
    for answer in (missed, hit):
        assert answer.header("transfer-encoding") is None and answer.complete
        assert answer.text.endswith(goal) and answer.events[-1] == "[DONE]"
    assert hit.text == missed.text
