"""What survives: a kill -9 loses no more than the last second, and a restart embeds nothing again."""

import shutil

import pytest

from harness import config
from harness.wait import let_pass, until

# (goal, the same goal in other words)
GOALS = [
    ("How do I grow tomatoes on a balcony?", "How can I grow tomatoes on a balcony?"),
    ("How do I learn to play chess well?", "How can I learn to play chess well?"),
    ("How do I train for a marathon?", "How can I train for a marathon?"),
    ("How do I bake sourdough bread at home?", "How can I bake sourdough bread at home?"),
    ("How do I start a vegetable garden?", "How can I start a vegetable garden?"),
    ("How do I write my first novel?", "How can I write my first novel?"),
]


@pytest.fixture
def text(openai_upstream):
    return config.NO_TEMPLATES + config.upstream(openai_upstream)


def fill(proxy, key):
    return {goal: proxy.warm(lambda: proxy.client.chat(goal, key)).text for goal, _ in GOALS}  # noqa: B023


def check_served(proxy, key, texts):
    for goal, _ in GOALS:
        answer = proxy.client.chat(goal, key)
        assert (answer.cache, answer.text) == ("exact", texts[goal])


def check_served_reworded(proxy, key, texts):
    for goal, reworded in GOALS:
        answer = proxy.client.chat(reworded, key)
        assert (answer.cache, answer.text) == ("semantic", texts[goal]), reworded


def test_a_kill_9_a_second_after_the_answers_loses_none_of_them(start, text, openai_upstream, key):
    proxy = start(text)
    texts = fill(proxy, key)
    check_served_reworded(proxy, key, texts)
    let_pass(1.1)  # the promise is about the last second
    proxy.kill()
    proxy.restart()
    mark = openai_upstream.mark()
    check_served(proxy, key, texts)
    check_served_reworded(proxy, key, texts)
    assert openai_upstream.since(mark) == []


def test_a_restart_embeds_nothing_again(start, text, key):
    proxy = start(text)
    texts = fill(proxy, key)
    let_pass(1.1)
    proxy.kill()
    proxy.restart()
    ready = proxy.metrics().embeddings()
    # A warm-up call or two is fair; one for each stored goal is not.
    assert ready < len(GOALS)
    check_served(proxy, key, texts)
    assert proxy.metrics().embeddings() == ready, "an exact hit must not embed"
    check_served_reworded(proxy, key, texts)
    # One call a request at most; the counter may count the raw and the slot-masked text of a call.
    assert 0 < proxy.metrics().embeddings() - ready <= 2 * len(GOALS)


def test_a_kill_at_once_still_leaves_a_store_that_opens(start, text, openai_upstream, key):
    """Killed again and again in the middle of writing: what is there may be old, never wrong."""
    proxy = start(text)
    for round_number in range(3):
        for goal, _ in GOALS:
            answer = proxy.client.chat(goal, key)
            assert answer.status == 200 and answer.text.endswith(goal)
        proxy.client.chat(f"Something new in round {round_number}?", key)
        proxy.kill()
        proxy.restart()
    until(lambda: proxy.client.chat(GOALS[0][0], key).cache == "exact", "the store still stores")


def test_an_orderly_stop_loses_nothing(start, text, key):
    proxy = start(text)
    texts = fill(proxy, key)
    proxy.stop()
    assert proxy.process.returncode == 0, proxy.log[-1000:]
    proxy.restart()
    check_served(proxy, key, texts)


def test_expired_entries_stay_expired_after_a_restart(start, openai_upstream, key):
    text = config.table("cache", ttl="1s") + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    proxy.warm(lambda: proxy.client.chat(GOALS[0][0], key))
    let_pass(1.1)
    proxy.kill()
    proxy.restart()
    assert proxy.client.chat(GOALS[0][0], key, headers={"Cache-Control": "only-if-cached"}).status == 504


def test_a_namespace_stays_closed_after_a_restart(start, text, key):
    proxy = start(text)
    proxy.warm(lambda: proxy.client.chat(GOALS[0][0], key))
    proxy.stop()
    proxy.restart()
    assert proxy.client.chat(GOALS[0][0], key + "other").cache == "miss"


@pytest.mark.parametrize("damage", ["garbage", "truncated", "emptied"])
def test_a_damaged_store_is_moved_aside_and_the_proxy_serves(start, text, openai_upstream, key, damage):
    proxy = start(text)
    fill(proxy, key)
    proxy.stop()
    marker = b"damaged-by-the-test " * 512
    damaged = [file for file in proxy.data.rglob("*") if file.is_file() and file.stat().st_size >= 4096]
    assert damaged, f"no data file in {list(proxy.data.rglob('*'))}"
    for file in damaged:
        size = file.stat().st_size
        with file.open("r+b") as out:
            if damage == "garbage":
                out.write((marker * (size // len(marker) + 1))[:size])
            else:
                out.truncate(size // 2 // 4096 * 4096 if damage == "truncated" else 0)
    before = {file.name for file in proxy.data.rglob("*")}
    proxy.restart()
    mark = openai_upstream.mark()
    answer = proxy.client.chat(GOALS[0][0], key)
    assert answer.status == 200 and answer.text.endswith(GOALS[0][0])
    if damage == "garbage":
        assert len(openai_upstream.since(mark)) == 1
        aside = [file for file in proxy.data.rglob("*") if file.is_file() and file.name not in before]
        assert any(marker[:1000] in file.read_bytes() for file in aside), "the damaged file was not kept aside"
    # And the new store works, across a restart.
    until(lambda: proxy.client.chat(GOALS[0][0], key).cache == "exact", "the new store stores")
    proxy.stop()
    proxy.restart()
    assert proxy.client.chat(GOALS[0][0], key).cache == "exact"


def test_a_store_that_vanished_under_a_stopped_proxy_is_made_anew(start, text, key):
    proxy = start(text)
    fill(proxy, key)
    proxy.stop()
    shutil.rmtree(proxy.data)
    proxy.restart()
    assert proxy.client.chat(GOALS[0][0], key).cache == "miss"
