"""What a client may say about the cache: Cache-Control, and how long an answer lives."""

import pytest

from harness import config
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"


def ask(proxy, key, directive=None, goal=GOAL, **fields):
    headers = {"Cache-Control": directive} if directive else {}
    return proxy.client.chat(goal, key, headers=headers, **fields)


def test_no_cache_asks_anew_and_stores_the_new_answer(cached, openai_upstream, key):
    first = cached.warm(lambda: ask(cached, key))
    mark = openai_upstream.mark()
    second = ask(cached, key, "no-cache")
    assert second.cache != "exact" and second.text != first.text
    assert len(openai_upstream.since(mark)) == 1
    until(lambda: ask(cached, key).text == second.text, "the new answer took the place of the old one")


def test_no_store_bypasses_and_leaves_nothing_behind(cached, openai_upstream, key):
    for _ in range(2):
        answer = ask(cached, key, "no-store")
        assert answer.cache == "bypass" and answer.header("x-tollfree-reason")
    assert ask(cached, key).cache == "miss"


def test_no_store_does_not_read_the_cache_either(cached, key):
    cached.warm(lambda: ask(cached, key))
    assert ask(cached, key, "no-store").cache == "bypass"


def test_max_age_makes_older_entries_miss(cached, key):
    cached.warm(lambda: ask(cached, key))
    assert ask(cached, key, "max-age=3600").cache == "exact"
    assert ask(cached, key, "max-age=3600", goal=REWORDED).cache == "semantic"
    assert ask(cached, key, "max-age=0", goal=REWORDED).cache == "miss"
    assert ask(cached, key, "max-age=0").cache == "miss"


def test_only_if_cached_is_a_504_in_the_clients_protocol(cached, openai_upstream, gemini_upstream, key):
    marks = openai_upstream.mark(), gemini_upstream.mark()
    for stream in (False, True):
        answer = ask(cached, key, "only-if-cached", stream=stream)
        assert answer.status == 504
        assert answer.json()["error"]["message"] and "type" in answer.json()["error"]
    for form in (None, "sse"):
        answer = cached.client.generate(GOAL, key, form=form, headers={"Cache-Control": "only-if-cached"})
        assert (answer.status, answer.json()["error"]["code"]) == (504, 504)
        assert answer.json()["error"]["status"] == "DEADLINE_EXCEEDED"
    assert openai_upstream.since(marks[0]) == [] and gemini_upstream.since(marks[1]) == []


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
BYPASSED = {
    "tools": ("only-if-cached", {"tools": [TOOL]}, {"tools": [{"functionDeclarations": [{"name": "f"}]}]}),
    "no-store": ("only-if-cached, no-store", {}, {}),
    "undecodable": ("only-if-cached", {"body": b"not json"}, {"body": b"not json"}),
}


@pytest.mark.parametrize("case", BYPASSED)
def test_only_if_cached_holds_for_what_the_cache_never_serves(cached, openai_upstream, gemini_upstream, key, case):
    directive, openai_fields, gemini_fields = BYPASSED[case]
    headers = {"Cache-Control": directive}
    marks = openai_upstream.mark(), gemini_upstream.mark()
    answer = cached.client.chat(GOAL, key, headers=headers, **openai_fields)
    assert answer.status == 504, answer.cache
    assert answer.json()["error"]["message"] and "type" in answer.json()["error"]
    answer = cached.client.generate(GOAL, key, headers=headers, **gemini_fields)
    assert (answer.status, answer.json()["error"]["code"]) == (504, 504)
    assert answer.json()["error"]["status"] == "DEADLINE_EXCEEDED"
    assert openai_upstream.since(marks[0]) == [] and gemini_upstream.since(marks[1]) == []


def test_only_if_cached_is_a_hit_where_there_is_one(cached, key):
    cached.warm(lambda: ask(cached, key))
    assert ask(cached, key, "only-if-cached").cache == "exact"
    assert ask(cached, key, "only-if-cached", goal=REWORDED).cache == "semantic"


@pytest.mark.parametrize("directive", ["NO-STORE", "max-age=60, no-store", "no-store,no-cache"])
def test_directives_are_read_in_any_case_and_company(cached, key, directive):
    assert ask(cached, key, directive).cache == "bypass"


@pytest.mark.parametrize("directive", ["max-age=abc", "max-age=", "nonsense", ", ,"])
def test_a_directive_that_cannot_be_read_fails_no_request(cached, key, directive):
    assert ask(cached, key, directive).status == 200


@pytest.mark.parametrize("directive", ["max-age=soon", "max-age="])
def test_an_age_that_cannot_be_read_is_the_strictest(cached, key, directive):
    cached.warm(lambda: ask(cached, key))
    assert ask(cached, key).cache == "exact"
    for goal in (REWORDED, GOAL):
        assert ask(cached, key, f"{directive}, only-if-cached", goal).status == 504
    assert ask(cached, key, directive).cache == "miss"


def test_an_entry_dies_at_its_time_to_live(start, openai_upstream, key):
    text = config.table("cache", ttl="1s") + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    proxy.warm(lambda: ask(proxy, key))
    assert ask(proxy, key).cache == "exact"
    headers = "only-if-cached"  # a poll that stores nothing new
    until(lambda: ask(proxy, key, headers).status == 504, "the exact entry died")
    until(lambda: ask(proxy, key, headers, goal=REWORDED).status == 504, "and is not found semantically either")
    assert ask(proxy, key).cache == "miss"


def test_the_age_grows(cached, key):
    cached.warm(lambda: ask(cached, key))
    until(lambda: int(ask(cached, key).header("age")) >= 1, "Age reached a second")
