"""A bound on wrong hits: exploration, labels, feedback, shadow mode, near misses and the sweep.

FIRST and its rewordings are served by the shipped operating point; what is asked for here is when they are not.
"""

import json

import pytest

from harness import answers, config, raw
from harness.upstream import Upstream
from harness.wait import until

FIRST = "How do I grow tomatoes on a balcony?"
REWORDED = [
    "How can I grow tomatoes on a balcony?",
    "How could I grow tomatoes on a balcony?",
    "How should I grow tomatoes on a balcony?",
]
OTHER = "How do I grow cucumbers on a balcony?"
PLAN = "Take a big pot, a sunny corner and patience."


@pytest.fixture
def upstream():
    server = Upstream("openai")
    yield server
    server.close()


@pytest.fixture
def bounded(start, upstream):
    """Starts a proxy with `[cache]` fields of the test's choice."""

    def begin(extra="", **fields):
        return start(config.table("cache", **fields) + config.NO_TEMPLATES + extra + config.upstream(upstream))

    return begin


def labels(proxy, label):
    return proxy.metrics().sum("tollfree_bound_labels_total", label=label)


def admin_json(proxy, path):
    return json.loads(proxy.admin(f"/admin/v1/{path}").body)


def feedback(proxy, **fields):
    body = json.dumps(fields).encode()
    headers = [("Content-Type", "application/json")]
    return raw.request(proxy.admin_address, "POST", "/admin/v1/feedback", headers, body, timeout=10)


def entry_of(proxy, goal, key):
    """The id of the entry that an exact repeat of `goal` is answered from."""
    answer = proxy.client.chat(goal, key)
    assert answer.cache == "exact"
    return answer.header("x-tollfree-entry")


def test_an_explored_request_gets_the_upstreams_answer_and_labels_the_entry(bounded, upstream, key):
    proxy = bounded(max_wrong_hits=0.01)
    upstream.script(answers.chat(text=PLAN))
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    mark = upstream.mark()
    upstream.script(answers.chat(text=PLAN.upper()))
    explored = proxy.client.chat(REWORDED[0], key)
    assert (explored.cache, explored.text) == ("miss", PLAN.upper())
    assert explored.header("x-tollfree-reason").startswith("explored")
    assert len(upstream.since(mark)) == 1
    until(lambda: labels(proxy, "right") == 1, "the equal answer counted as a right label")
    upstream.script(answers.chat(text="Berlin is the capital of Germany."))
    explored = proxy.client.chat(REWORDED[1], key)
    assert (explored.cache, explored.text) == ("miss", "Berlin is the capital of Germany.")
    until(lambda: labels(proxy, "wrong") == 1, "the other answer counted as a wrong label")
    assert admin_json(proxy, "cache/stats")["bound"]["labels_right"] == 1


def test_an_answer_about_another_subject_is_a_wrong_label_though_its_words_are_near(bounded, upstream, key):
    """The answers are near by any vector; one speaks of a word that only its own goal names."""
    proxy = bounded(max_wrong_hits=0.01)
    upstream.script(answers.chat(text=f"A plan to grow tomatoes on a balcony. {PLAN}"))
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    upstream.script(answers.chat(text=f"How could you? A plan to grow nothing on a balcony. {PLAN}"))
    assert proxy.client.chat(REWORDED[1], key).cache == "miss"
    until(lambda: labels(proxy, "wrong") == 1, "the label came")


def test_without_a_bound_nothing_is_explored(bounded, upstream, key):
    proxy = bounded()
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    mark = upstream.mark()
    assert [proxy.client.chat(goal, key).cache for goal in REWORDED] == ["semantic"] * 3
    assert upstream.since(mark) == []
    assert proxy.metrics().sum("tollfree_bound_decisions_total") == 0


def test_a_bound_of_nothing_serves_exact_repeats_only(bounded, key):
    proxy = bounded(max_wrong_hits=0.0)
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    assert proxy.client.chat(REWORDED[0], key).cache == "miss"
    assert proxy.client.chat(FIRST, key).cache == "exact"


def test_commands_never_explore(bounded, upstream, key):
    proxy = bounded(max_wrong_hits=0.0)
    mark = upstream.mark()
    line = json.dumps({"a": FIRST, "b": REWORDED[0]})
    done = proxy.command("pairs", "--file", "-", stdin=line + "\n")
    assert json.loads(done.stdout)["hit"] is True, done.stderr
    assert upstream.since(mark) == []


def test_feedback_stops_a_wrong_entry(bounded, key):
    proxy = bounded()
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    served = proxy.client.chat(REWORDED[0], key)
    assert served.cache == "semantic"
    first = feedback(proxy, request=served.header("x-tollfree-request-id"), right=False)
    assert (first.status, json.loads(first.body)["blocked"]) == (200, False)
    assert proxy.client.chat(REWORDED[1], key).cache == "semantic", "one voice is no verdict"
    second = json.loads(feedback(proxy, entry=served.header("x-tollfree-entry"), right=False).body)
    assert second == {"entry": served.header("x-tollfree-entry"), "right": 0, "wrong": 2, "blocked": True}
    refused = proxy.client.chat(REWORDED[0], key, headers={"Cache-Control": "only-if-cached"})
    assert (refused.status, refused.header("x-tollfree-reason")) == (504, "labelled wrong")
    # Its own words still find it.
    assert proxy.client.chat(FIRST, key).cache == "exact"


def test_labels_survive_a_restart(bounded, key):
    proxy = bounded()
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    entry = entry_of(proxy, FIRST, key)
    for _ in range(2):
        assert feedback(proxy, entry=entry, right=False, confidence=0.8).status == 200
    proxy.restart()
    stats = admin_json(proxy, "cache/stats")["bound"]
    assert (stats["labelled_entries"], stats["blocked_entries"]) == (1, 1)
    assert proxy.client.chat(REWORDED[0], key).cache == "miss"


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"request": "nobody", "right": True}, 404, "nobody"),
        ({"entry": "0123456789abcdef", "right": True}, 404, "0123456789abcdef"),
        ({"entry": "12", "right": True}, 400, "12"),
        ({"right": True}, 400, "either a request or an entry"),
        ({"request": "a", "entry": "b", "right": True}, 400, "either a request or an entry"),
        ({"entry": "0123456789abcdef"}, 400, "right"),
        ({"entry": "0123456789abcdef", "right": "no"}, 400, "boolean"),
        ({"entry": "0123456789abcdef", "right": True, "confidence": 1.5}, 400, "1.5"),
        ({"entry": "0123456789abcdef", "right": True, "note": "x"}, 400, "note"),
    ],
)
def test_feedback_that_cannot_be_taken_says_why(cached, fields, status, said):
    answer = feedback(cached, **fields)
    assert answer.status == status and said in json.loads(answer.body)["error"], answer.body


def test_feedback_on_a_plain_miss_has_nothing_to_label(cached, key):
    miss = cached.warm(lambda: cached.client.chat(FIRST, key))
    answer = feedback(cached, request=miss.header("x-tollfree-request-id"), right=True)
    assert answer.status == 409 and "upstream" in json.loads(answer.body)["error"]


def test_shadow_mode_decides_counts_and_never_serves(bounded, upstream, key):
    proxy = bounded(semantic="shadow")
    upstream.script(answers.chat(text=PLAN))
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    mark = upstream.mark()
    for goal in REWORDED:
        upstream.script(answers.chat(text=PLAN))
        answer = proxy.client.chat(goal, key)
        assert answer.cache == "miss" and answer.header("x-tollfree-reason").startswith("shadow")
    assert len(upstream.since(mark)) == len(REWORDED)
    assert proxy.client.chat(FIRST, key).cache == "exact"
    assert proxy.metrics().sum("tollfree_bound_decisions_total", decision="shadow") == len(REWORDED)
    until(lambda: labels(proxy, "right") == len(REWORDED), "every shadowed answer was compared")
    swept = proxy.command("calibrate", "--live", "--json")
    assert json.loads(swept.stdout)["pairs"] == len(REWORDED), swept.stderr


def test_off_does_not_even_decide(bounded, key):
    proxy = bounded(semantic="off")
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    assert proxy.client.chat(REWORDED[0], key).cache == "miss"
    assert proxy.client.chat(FIRST, key).cache == "exact"
    assert proxy.metrics().sum("tollfree_bound_decisions_total") == 0


@pytest.mark.parametrize("logged", [True, False])
def test_near_misses_are_listed_and_hold_text_only_where_goals_are_logged(bounded, key, logged):
    log = config.table("log", goals=True) if logged else ""
    proxy = bounded(log)
    proxy.warm(lambda: proxy.client.chat(FIRST, key))
    near = REWORDED[0]
    assert proxy.client.chat(near, key, headers={"x-tollfree-threshold": "0.99999"}).cache == "miss"
    found = admin_json(proxy, "near-misses")
    assert [line["goal_bytes"] for line in found] == [len(near)]
    assert found[0]["candidate"]["entry"] == entry_of(proxy, FIRST, key)
    texts = (found[0]["goal"], found[0]["candidate"]["text"])
    assert texts == ((near, FIRST) if logged else (None, None))
    printed = proxy.command("near-misses", "--json")
    assert [json.loads(line) for line in printed.stdout.splitlines()] == found, printed.stderr


def test_calibrate_sweeps_labelled_pairs_and_names_the_line_to_set(bounded):
    proxy = bounded()
    pairs = [{"a": FIRST, "b": goal, "same_answer": True} for goal in REWORDED]
    pairs += [{"a": FIRST, "b": OTHER, "label": 0}]
    text = "".join(json.dumps(pair) + "\n" for pair in pairs)
    done = proxy.command("calibrate", "--pairs", "-", "--max-wrong", "0.5", "--json", stdin=text)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    shipped = next(point for point in report["points"] if point["shift"] == 0)
    assert (shipped["served"]["count"], shipped["served"]["of"]) == (3, 3)
    assert (shipped["served_of_wrong"]["count"], shipped["served_of_wrong"]["of"]) == (0, 1)
    # Three right hits prove no share below 70 %.
    assert report["chosen"] is None and report["config"] is None
    bad = proxy.command("calibrate", "--pairs", "-", stdin=json.dumps({"a": FIRST, "b": OTHER}) + "\n")
    assert bad.returncode == 2 and "line 1" in bad.stderr and "same_answer" in bad.stderr
    refused = proxy.command("calibrate", "--pairs", "-", "--max-wrong", "2", stdin="")
    assert refused.returncode == 2 and "0.01 is one in a hundred" in refused.stderr
