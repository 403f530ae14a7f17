"""The admin listener: health, readiness, metrics; and that no secret and no goal leaks into them or the log."""

import json
import re

import pytest

from harness import config, raw
from harness.client import GEMINI_MODEL
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics"])
def test_the_admin_paths_answer(cached, path):
    assert cached.admin(path).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_health_check_by_head_gets_the_header_alone(cached, path):
    whole = cached.admin(path)
    with raw.Wire(cached.admin_address, timeout=10) as wire:
        wire.send(raw.head("HEAD", path, []))
        answer = wire.read("HEAD")
        assert (answer.status, answer.header("content-length")) == (200, str(len(whole.body)))
        # Whatever a body would have left on the connection would break this one.
        wire.send(raw.head("GET", path, []))
        assert wire.read("GET").body == whole.body


def test_an_unknown_admin_path_is_a_404_and_serves_no_proxy(cached, openai_upstream):
    mark = openai_upstream.mark()
    assert cached.admin("/v1/models").status == 404
    assert openai_upstream.since(mark) == []


@pytest.mark.parametrize(
    "name",
    [
        "tollfree_cache_lookups_total",
        "tollfree_cache_lookup_duration_seconds",
        "tollfree_cache_best_similarity",
        "tollfree_cache_entries",
        "tollfree_cache_bytes",
        "tollfree_cache_evictions_total",
        "tollfree_proxy_overhead_seconds",
        "tollfree_build_info",
    ],
)
def test_the_agreed_metric_is_there(cached, key, name):
    cached.warm(lambda: cached.client.chat(GOAL, key))
    assert cached.client.chat(GOAL, key).cache == "exact"
    assert cached.client.chat(REWORDED, key).cache == "semantic"
    metrics = cached.metrics()
    assert name in metrics.types or any(n.startswith(name) for n in metrics.names)


def test_the_metrics_follow_the_rules(cached):
    answer = cached.admin("/metrics")
    assert answer.header("content-type").startswith(("text/plain", "application/openmetrics-text"))
    metrics = cached.metrics()
    for name, kind in metrics.types.items():
        if name.startswith("tollfree_"):
            assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
            assert not re.search(r"_(ms|millis|milliseconds|us|micros|percent|perc)$", name), name
            assert f"# HELP {name} " in metrics.text, f"{name} has no help text"
    assert metrics.sum("tollfree_build_info") == 1


def test_every_result_counts_as_itself(cached, key):
    def ask(result, *args, **fields):
        before = cached.metrics()
        assert cached.client.chat(*args, **fields).cache == result
        after = until(
            lambda: (m := cached.metrics()).lookups(result) > before.lookups(result) and m,
            f"a {result} was counted",
        )
        others = {"exact", "semantic", "template", "miss", "bypass"} - {result}
        assert {other: after.lookups(other) - before.lookups(other) for other in others} == dict.fromkeys(others, 0)

    cached.warm(lambda: cached.client.chat(GOAL, key))
    ask("exact", GOAL, key)
    ask("semantic", REWORDED, key)
    ask("miss", "How do I bake bread at home?", key)
    ask("bypass", GOAL, key, headers={"Cache-Control": "no-store"})


def test_an_exact_hit_and_a_bypass_do_not_embed(cached, key):
    cached.warm(lambda: cached.client.chat(GOAL, key))
    before = cached.metrics().embeddings()
    assert cached.client.chat(GOAL, key).cache == "exact"
    assert cached.client.chat(GOAL, key, headers={"Cache-Control": "no-store"}).cache == "bypass"
    assert cached.metrics().embeddings() == before
    assert cached.client.chat(REWORDED, key).cache == "semantic"
    assert 1 <= cached.metrics().embeddings() - before <= 2


def test_the_start_line_tells_the_real_addresses(cached):
    assert cached.address[1] > 0 and cached.admin_address[1] > 0
    assert len(cached.stdout) == 1, "`serve --json` prints one line"


class TestNothingLeaks:
    GOAL_CANARY = "How do I raise zanzibarquokkas in a garden?"

    @pytest.fixture(params=["human", "json"])
    def proxy(self, request, start, openai_upstream, gemini_upstream):
        text = (
            config.table("log", level="debug", format=request.param)
            + config.NO_TEMPLATES
            + config.upstream(openai_upstream, "own", models={"gpt-*": "gpt-*"})
            + config.upstream(gemini_upstream, models={"gemini-*": "gemini-*"})
        )
        return start(text)

    def test_no_secret_and_no_goal_is_logged_or_measured(self, proxy, openai_upstream, gemini_upstream):
        from harness import answers

        client, goal = proxy.client, self.GOAL_CANARY
        system = {"role": "system", "content": "systemcanary"}
        for _ in range(2):
            client.chat(goal, "sk-clientcanary")
            client.generate(goal, "AIzaclientcanary")
        client.chat([system, {"role": "user", "content": goal}], "sk-clientcanary", stream=True)
        body = b'{"contents":[{"parts":[{"text":"hi"}]}]}'
        client.post(f"/v1beta/models/{GEMINI_MODEL}:generateContent?key=querycanary", body)
        client.request("GET", "/v1/unheard-of?key=querycanary", [("Authorization", "Bearer sk-clientcanary")])
        client.chat(goal, "sk-clientcanary", headers={"x-tollfree-namespace": "namespacecanary"})
        openai_upstream.script(answers.openai_error(500, "server_error", "answercanary"))
        client.chat(goal + " again", "sk-clientcanary")
        gemini_upstream.script(answers.gemini(text="answercanary", end="cut", done=False))
        client.generate(goal + " again", "AIzaclientcanary", form="sse")
        client.chat(None, "sk-clientcanary", body=b'{"broken": "zanzibarquokkas"')
        pages = proxy.metrics().text + proxy.admin("/").body.decode()
        proxy.stop()
        assert len(proxy.stderr) > 5, "hardly anything is logged at debug level: the test would prove nothing"
        seen = proxy.log + pages + "".join(proxy.stdout)
        canaries = ["zanzibarquokkas", "clientcanary", "querycanary", "systemcanary", "answercanary"]
        for canary in [*canaries, *config.OWN_KEYS.values()]:
            where = seen.find(canary)
            assert where < 0, f"{canary} leaked: ...{seen[max(0, where - 300) : where + 50]}"

    def test_the_log_format_is_as_configured(self, proxy, key):
        proxy.client.chat("hi", key)
        until(lambda: proxy.log, "something is logged")
        is_json = 'format = "json"' in proxy.config.read_text()
        for line in list(proxy.stderr):
            if is_json:
                json.loads(line)
            else:
                assert "\x1b[" not in line, "no colour codes into a pipe"


def test_goals_are_logged_when_asked_for(start, openai_upstream, key):
    text = config.table("log", level="debug", goals=True) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    proxy.client.chat("How do I raise zanzibarquokkas in a garden?", key)
    until(lambda: "zanzibarquokkas" in proxy.log, "the goal is in the log")
