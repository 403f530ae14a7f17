"""Stale-while-revalidate: an answer just expired is served at once and fetched anew behind the caller's back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import answers, config
from harness.client import new_key
from harness.reply import Gate
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
FOREVER = "1d"


@pytest.fixture
def proxy(start, openai_upstream):
    return start(text(openai_upstream))


def text(upstream, window=FOREVER, ttl="1s", **fields):
    # Ages are compared with the lifetime below: no entry may go before it.
    cache = config.table("cache", ttl=ttl, ttl_jitter=0.0, stale_while_revalidate=window, **fields)
    return cache + config.NO_TEMPLATES + config.upstream(upstream)


def ask(proxy, key, directive=None, goal=GOAL, **fields):
    headers = {"Cache-Control": directive} if directive else {}
    return proxy.client.chat(goal, key, headers=headers, **fields)


def expire(proxy, key):
    """Asks without causing a refresh until the stored answer has expired."""
    until(lambda: ask(proxy, key, "only-if-cached").cache == "stale", "the entry expired")


def test_a_stale_answer_is_served_at_once_and_refreshed_once(proxy, openai_upstream, key):
    first = proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    gate = Gate()

    def fresh(request):
        reply = answers.chat(text="the fresh one")(request)
        reply.before = gate
        return reply

    openai_upstream.script(fresh)
    mark = openai_upstream.mark()
    with ThreadPoolExecutor(10) as pool:
        stale = list(pool.map(lambda _: ask(proxy, key), range(10)))
    for answer in stale:
        assert (answer.cache, answer.text) == ("stale", first.text)
        status = answer.header("cache-status")
        assert status.startswith("tollfree; hit; ttl=-") and status.endswith("; detail=stale")
        assert int(answer.header("age")) >= 1
    gate.wait_reached()
    gate.open()
    until(lambda: ask(proxy, key, "only-if-cached").text == "the fresh one", "the refreshed answer is served")
    (refresh,) = openai_upstream.since(mark)
    assert refresh.header("authorization") == f"Bearer {key}"
    assert refresh.json()["messages"][-1]["content"] == GOAL
    assert proxy.metrics().sum("tollfree_cache_refreshes_total", result="started") == 1


def test_it_is_off_unless_asked_for(start, openai_upstream, key):
    proxy = start(config.table("cache", ttl="1s") + config.NO_TEMPLATES + config.upstream(openai_upstream))
    proxy.warm(lambda: ask(proxy, key))
    until(lambda: ask(proxy, key, "only-if-cached").status == 504, "the entry died")
    assert ask(proxy, key).cache == "miss"


def test_beyond_the_window_nothing_is_served(start, openai_upstream, key):
    proxy = start(text(openai_upstream, window="1s"))
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    until(lambda: ask(proxy, key, "only-if-cached").status == 504, "the window closed")
    assert ask(proxy, key).cache == "miss"


def test_other_admissions_leave_stale_answers_alone(proxy, key):
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    for topic in ("chess", "judo", "origami"):
        ask(proxy, key, goal=f"How do I get better at {topic}?")
    assert ask(proxy, key, "only-if-cached").cache == "stale"


def test_only_the_same_request_gets_a_stale_answer(proxy, key):
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    assert ask(proxy, key, "only-if-cached", goal=REWORDED).status == 504
    assert ask(proxy, new_key(), "only-if-cached").status == 504
    assert ask(proxy, key, "only-if-cached", temperature=0.3).status == 504


def test_only_if_cached_gets_it_and_causes_no_call(proxy, openai_upstream, key):
    proxy.warm(lambda: ask(proxy, key))
    mark = openai_upstream.mark()
    expire(proxy, key)
    assert ask(proxy, key, "only-if-cached").cache == "stale"
    assert openai_upstream.since(mark) == []


def test_an_answer_older_than_max_age_is_not_served_stale(proxy, key):
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    assert ask(proxy, key, "max-age=1, only-if-cached").status == 504
    assert ask(proxy, key, "max-age=3600, only-if-cached").cache == "stale"
    assert ask(proxy, key, "max-age=1").cache == "miss"


@pytest.mark.parametrize("directive", ["no-cache", "no-store"])
def test_a_caller_that_wants_no_stored_answer_gets_none(proxy, key, directive):
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    assert ask(proxy, key, directive).cache in ("miss", "bypass")


FAILURES = {
    "error": answers.openai_error(500, "server_error"),
    "truncated": answers.chat(text="cut off at the", finish="length"),
    "filtered": answers.chat(text="not allowed", finish="content_filter"),
    "empty": answers.chat(text=""),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_refresh_that_brings_no_answer_leaves_the_old_one(proxy, openai_upstream, key, failure):
    first = proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    openai_upstream.script(FAILURES[failure])
    before = openai_upstream.answered
    assert ask(proxy, key).cache == "stale"
    until(lambda: openai_upstream.answered > before, "the refresh was tried")
    answer = ask(proxy, key, "only-if-cached")
    assert (answer.cache, answer.text) == ("stale", first.text)
    # The next request tries again.
    until(lambda: ask(proxy, key).text != first.text, "a later refresh succeeded")


def test_a_stale_stream_is_a_stream(proxy, key):
    first = proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    answer = ask(proxy, key, stream=True)
    assert (answer.cache, answer.text) == ("stale", first.text) and answer.events[-1] == "[DONE]"


def test_a_miss_waits_for_the_refresh_under_way(proxy, openai_upstream, key):
    """A caller that the stale answer is too old for shares the refresh instead of asking a second time."""
    proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    gate = Gate()

    def fresh(request):
        reply = answers.chat(text="the fresh one")(request)
        reply.before = gate
        return reply

    openai_upstream.script(fresh)
    mark = openai_upstream.mark()
    assert ask(proxy, key).cache == "stale"
    gate.wait_reached()
    with ThreadPoolExecutor(1) as pool:
        strict = pool.submit(ask, proxy, key, "max-age=1")
        until(lambda: proxy.metrics().sum("tollfree_cache_followers") == 1, "it follows")
        gate.open()
        assert (strict.result().cache, strict.result().text) == ("coalesced", "the fresh one")
    assert len(openai_upstream.since(mark)) == 1


def test_a_stale_answer_survives_a_restart(start, openai_upstream, key):
    proxy = start(text(openai_upstream))
    first = proxy.warm(lambda: ask(proxy, key))
    expire(proxy, key)
    proxy.restart()
    answer = ask(proxy, key, "only-if-cached")
    assert (answer.cache, answer.text) == ("stale", first.text)


def test_a_stranger_gets_no_stale_answer(start, openai_upstream):
    """`auth = "passthrough"`: nothing is answered for a caller whom the upstream would have refused."""
    server = config.table("server", auth="passthrough")
    proxy = start(server + text(openai_upstream, namespace="everyone"))
    owner, stranger = new_key(), new_key()
    proxy.warm(lambda: ask(proxy, owner))
    expire(proxy, owner)
    openai_upstream.script(answers.openai_error(401, "invalid_api_key"))
    assert ask(proxy, stranger).status == 401
