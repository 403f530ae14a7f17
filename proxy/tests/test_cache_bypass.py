"""Requests that no cached answer may serve bypass every tier, and say why."""

import pytest

from harness import config

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}}
TEXT = {"type": "text", "text": GOAL}
CALLED = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

OPENAI = {
    "tools": {"tools": [TOOL]},
    "functions": {"functions": [{"name": "f", "parameters": {"type": "object"}}]},
    "image": {"goal": [{"role": "user", "content": [TEXT, IMAGE]}]},
    "image in an earlier turn": {
        "goal": [
            {"role": "user", "content": [IMAGE]},
            {"role": "assistant", "content": "A pixel."},
            {"role": "user", "content": GOAL},
        ]
    },
    "tool result": {
        "goal": [
            {"role": "user", "content": GOAL},
            {"role": "assistant", "content": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            {"role": "user", "content": GOAL},
        ]
    },
    "audio": {
        "goal": [
            {"role": "user", "content": [TEXT, {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}
        ]
    },
    "logprobs": {"logprobs": True},
    "n": {"n": 2},
    "store": {"store": True},
    "cache_salt": {"cache_salt": "pepper"},
    "echo": {"echo": True},
    "prompt_logprobs": {"prompt_logprobs": 1},
    "previous_response_id": {"previous_response_id": "resp_1"},
}

GEMINI = {
    "tools": {"tools": [{"functionDeclarations": [{"name": "f"}]}]},
    "grounding": {"tools": [{"googleSearch": {}}]},
    "image": {
        "goal": [{"role": "user", "parts": [{"text": GOAL}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}}]}]
    },
    "image in snake case": {
        "goal": [
            {"role": "user", "parts": [{"text": GOAL}, {"inline_data": {"mime_type": "image/png", "data": PIXEL}}]}
        ]
    },
    "file": {"goal": [{"role": "user", "parts": [{"text": GOAL}, {"fileData": {"fileUri": "files/1"}}]}]},
    "function response": {
        "goal": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}, {"text": GOAL}]}]
    },
    "candidateCount": {"generationConfig": {"candidateCount": 2}},
    "cachedContent": {"cachedContent": "cachedContents/1"},
    "logprobs": {"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
}


@pytest.mark.parametrize("case", OPENAI)
def test_such_an_openai_request_bypasses_the_cache(cached, openai_upstream, key, case):
    fields = {"goal": GOAL, **OPENAI[case]}
    cached.warm(lambda: cached.client.chat(GOAL, key))
    mark = openai_upstream.mark()
    for _ in range(2):
        answer = cached.client.chat(key=key, **fields)
        assert (answer.status, answer.cache) == (200, "bypass")
        assert answer.header("x-tollfree-reason")
        assert answer.header("cache-status").startswith("tollfree; fwd=")
    assert len(openai_upstream.since(mark)) == 2


@pytest.mark.parametrize("case", GEMINI)
def test_such_a_gemini_request_bypasses_the_cache(cached, gemini_upstream, key, case):
    fields = {"goal": GOAL, **GEMINI[case]}
    cached.warm(lambda: cached.client.generate(GOAL, key))
    mark = gemini_upstream.mark()
    for form in (None, "sse"):
        answer = cached.client.generate(key=key, form=form, **fields)
        assert (answer.status, answer.cache) == (200, "bypass")
        assert answer.header("x-tollfree-reason")
    assert len(gemini_upstream.since(mark)) == 2


def test_the_reasons_tell_the_cases_apart(cached, key):
    reasons = {case: cached.client.chat(key=key, **{"goal": GOAL, **OPENAI[case]}).header("x-tollfree-reason")
               for case in ("tools", "image", "logprobs", "n")}  # fmt: skip
    assert len(set(reasons.values())) == 4, reasons


def test_a_bypassed_answer_is_never_stored(cached, key):
    assert cached.client.chat(GOAL, key, tools=[TOOL]).cache == "bypass"
    assert cached.client.chat(GOAL, key).cache == "miss"


@pytest.mark.parametrize(
    "fields", [{"tools": []}, {"functions": []}, {"n": 1}, {"logprobs": False}, {"store": False}], ids=str
)
def test_an_empty_or_default_field_is_no_reason_to_bypass(cached, key, fields):
    assert cached.client.chat(GOAL, key, **fields).cache == "miss"


def test_a_request_with_a_schema_hits_exactly_but_never_semantically(cached, key):
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object", "properties": {}}}}
    cached.warm(lambda: cached.client.chat(GOAL, key, response_format=schema))
    assert cached.client.chat(GOAL, key, response_format=schema).cache == "exact"
    assert cached.client.chat(REWORDED, key, response_format=schema).cache == "miss"
    generation = {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}
    cached.warm(lambda: cached.client.generate(GOAL, key, generationConfig=generation))
    assert cached.client.generate(GOAL, key, generationConfig=generation).cache == "exact"
    assert cached.client.generate(REWORDED, key, generationConfig=generation).cache == "miss"


def test_the_type_case_of_a_schema_does_not_split_the_key(cached, key):
    upper = {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}
    lower = {"responseMimeType": "application/json", "responseSchema": {"type": "object"}}
    cached.warm(lambda: cached.client.generate(GOAL, key, generationConfig=upper))
    assert cached.client.generate(GOAL, key, generationConfig=lower).cache == "exact"


def test_an_unreadable_body_is_the_upstreams_to_refuse(cached, openai_upstream, key):
    """We do not know better than the API what it accepts: it gets the bytes, and its answer is passed on."""
    for body in (b"not json", b"[]", b'{"messages": 5}', b'{"model":"gpt-4o-mini"}', b"", b"\xff\xfe"):
        openai_upstream.script(lambda request: _refusal())
        mark = openai_upstream.mark()
        answer = cached.client.chat(None, key, body=body)
        assert answer.status == 400 and answer.json()["error"]["code"] == "scripted_refusal"
        assert openai_upstream.since(mark)[0].body == body


def _refusal():
    from harness import answers

    return answers.openai_error(400, "scripted_refusal")


class TestVariety:
    """What an explicit temperature above zero does; by default nothing."""

    def proxy(self, start, openai_upstream, variety):
        text = config.table("cache", variety=variety) + config.NO_TEMPLATES + config.upstream(openai_upstream)
        return start(text)

    def test_by_default_a_temperature_is_ignored(self, cached, key):
        cached.warm(lambda: cached.client.chat(GOAL, key, temperature=0.9))
        assert cached.client.chat(GOAL, key, temperature=0.9).cache == "exact"
        assert cached.client.chat(REWORDED, key, temperature=0.9).cache == "semantic"
        assert cached.client.chat(REWORDED, key, temperature=0.2).cache == "semantic"

    def test_exact_allows_only_the_exact_tier(self, start, openai_upstream, key):
        proxy = self.proxy(start, openai_upstream, "exact")
        proxy.warm(lambda: proxy.client.chat(GOAL, key, temperature=0.9))
        assert proxy.client.chat(GOAL, key, temperature=0.9).cache == "exact"
        assert proxy.client.chat(REWORDED, key, temperature=0.9).cache == "miss"
        other = key + "x"
        proxy.warm(lambda: proxy.client.chat(GOAL, other))
        assert proxy.client.chat(REWORDED, other).cache == "semantic"
        proxy.warm(lambda: proxy.client.chat(GOAL, other + "y", temperature=0))
        assert proxy.client.chat(REWORDED, other + "y", temperature=0).cache == "semantic"

    def test_bypass_takes_no_tier_at_all(self, start, openai_upstream, key):
        proxy = self.proxy(start, openai_upstream, "bypass")
        for _ in range(2):
            answer = proxy.client.chat(GOAL, key, temperature=0.9)
            assert answer.cache == "bypass" and answer.header("x-tollfree-reason")
        proxy.warm(lambda: proxy.client.chat(GOAL, key, temperature=0))
        assert proxy.client.chat(GOAL, key, temperature=0).cache == "exact"

    def test_vary_splits_by_a_setting(self, start, openai_upstream, key):
        text = config.table("cache", vary=["temperature"]) + config.NO_TEMPLATES + config.upstream(openai_upstream)
        proxy = start(text)
        proxy.warm(lambda: proxy.client.chat(GOAL, key, temperature=0.2))
        assert proxy.client.chat(REWORDED, key, temperature=0.9).cache == "miss"
        assert proxy.client.chat(REWORDED, key, temperature=0.2).cache == "semantic"
