"""`tollfree warm`: answers ahead of traffic, once for each meaning, within the budget, and never twice."""

import json
import signal
import subprocess

import pytest

from harness import answers, config
from harness.client import OPENAI_MODEL
from harness.output import lines
from harness.proxy import Proxy, binary
from harness.reply import Gate
from harness.upstream import Upstream
from harness.wait import until

AS_HTTP = ("--model", OPENAI_MODEL, "--protocol", "openai")
TOMATOES = "How do I grow tomatoes on a balcony?"
TOMATOES_AGAIN = "How can I grow tomatoes on a balcony?"
BREAD = "How do I bake bread at home?"
CHESS = "How do I learn to play chess well?"
NOVEL = "How do I write my first novel?"
DISTINCT = [TOMATOES, BREAD, CHESS, NOVEL]
PRICE = {"input": 1000.0, "output": 2000.0}  # an echoed answer of 10 and 50 tokens costs 0.11


@pytest.fixture
def upstream():
    server = Upstream("openai")
    yield server
    server.close()


@pytest.fixture(params=["beside a server", "alone"])
def proxy(request, start, tmp_path, upstream):
    """A configuration with one priced upstream; every test holds beside a server and without one."""
    text = config.NO_TEMPLATES + config.upstream(upstream, "own", price=PRICE)
    return start(text) if request.param == "beside a server" else Proxy(tmp_path / "alone", text)


@pytest.fixture
def alone(tmp_path, upstream):
    return Proxy(tmp_path / "alone", config.NO_TEMPLATES + config.upstream(upstream, "own", price=PRICE))


def goals_file(tmp_path, goals, name="goals.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(goal if isinstance(goal, dict) else {"goal": goal}) + "\n" for goal in goals))
    return path


def warm(proxy, path, *flags, code=0):
    """Runs it with --json: (results of the lines, events by name)."""
    rows = lines(proxy.command("warm", "--goals", path, "--json", *AS_HTTP, *flags), code)
    events = {row["event"]: row for row in rows if "event" in row}
    return [row for row in rows if "event" not in row], events


def asked(upstream, mark=0):
    return [answers.goal_of(request) for request in upstream.since(mark)]


def decisions(proxy, tmp_path, *goals):
    path = goals_file(tmp_path, goals, "asked.jsonl")
    return [row["decision"] for row in lines(proxy.command("lookup", "--goals", path, *AS_HTTP))]


def limited(retry_after=None, code="rate_limit_exceeded"):
    pause = [] if retry_after is None else [("Retry-After", str(retry_after))]
    return answers.openai_error(429, code, headers=pause)


def test_goals_of_one_meaning_cost_one_call_and_all_are_served(proxy, upstream, tmp_path):
    path = goals_file(tmp_path, [TOMATOES, TOMATOES, BREAD, TOMATOES_AGAIN])
    rows, events = warm(proxy, path)
    assert sorted(asked(upstream)) == sorted([TOMATOES, BREAD])
    planned = events["planned"]
    assert (planned["goals"], planned["groups"], planned["saved_calls"], planned["to_ask"]) == (4, 2, 2, 2)
    assert [row["goal"] for row in rows] == [TOMATOES, TOMATOES, BREAD, TOMATOES_AGAIN]
    assert [row["outcome"] for row in rows] == ["asked", "same", "asked", "same"]
    assert (rows[1]["same_as"], rows[3]["same_as"]) == (1, 1)
    assert rows[3]["entry"] == rows[0]["entry"]
    assert rows[0]["cost_usd"] == pytest.approx(0.11)
    assert events["summary"]["spent_usd"] == pytest.approx(0.22) and events["summary"]["complete"] is True
    assert decisions(proxy, tmp_path, TOMATOES, TOMATOES_AGAIN, BREAD, CHESS) == ["exact", "semantic", "exact", "miss"]


def test_a_client_is_served_what_was_warmed(start, upstream, tmp_path):
    proxy = start(config.NO_TEMPLATES + config.upstream(upstream, "own"))
    warm(proxy, goals_file(tmp_path, [TOMATOES]))
    mark = upstream.mark()
    assert proxy.client.chat(TOMATOES).cache == "exact"
    assert proxy.client.chat(TOMATOES_AGAIN).cache == "semantic"
    assert upstream.since(mark) == []
    assert upstream.requests[0].header("authorization") == f"Bearer {config.OPENAI_KEY}"


def test_a_second_run_asks_nothing(proxy, upstream, tmp_path):
    path = goals_file(tmp_path, [TOMATOES, BREAD])
    warm(proxy, path)
    mark = upstream.mark()
    rows, events = warm(proxy, path)
    assert upstream.since(mark) == []
    assert [row["outcome"] for row in rows] == ["answered", "answered"]
    assert events["planned"]["already_answered"] == 2


def test_an_answer_of_the_files_own_is_kept_and_spares_the_call(proxy, upstream, tmp_path):
    own = {"goal": TOMATOES, "answer": "Use a big pot.", "id": 7}
    rows, _ = warm(proxy, goals_file(tmp_path, [TOMATOES_AGAIN, own, BREAD]))
    assert asked(upstream) == [BREAD]
    assert [row["outcome"] for row in rows] == ["same", "admitted", "asked"]
    assert rows[1]["id"] == 7, "unknown fields are copied through"
    path = goals_file(tmp_path, [TOMATOES], "asked.jsonl")
    (row,) = lines(proxy.command("lookup", "--goals", path, *AS_HTTP))
    assert (row["decision"], row["answer"]) == ("exact", "Use a big pot.")


def test_a_bad_line_is_told_in_its_place_and_the_rest_is_done(proxy, upstream, tmp_path):
    path = tmp_path / "goals.jsonl"
    path.write_text(json.dumps({"goal": BREAD}) + "\n{oops\n" + json.dumps({"goal": CHESS}) + "\n")
    rows, _ = warm(proxy, path, code=2)
    assert [row.get("outcome") for row in rows] == ["asked", None, "asked"]
    assert rows[1].keys() == {"line", "error"} and rows[1]["line"] == 2


def test_a_dry_run_asks_nothing_and_tells_the_cost(proxy, upstream, tmp_path):
    path = goals_file(tmp_path, [TOMATOES, TOMATOES_AGAIN, BREAD])
    rows, events = warm(proxy, path, "--dry-run", "--answer-tokens", "500")
    assert upstream.requests == []
    assert [row["outcome"] for row in rows] == ["would be asked", "same", "would be asked"]
    # Two answers of 500 tokens at 2,000 dollars a million, and a few tokens of goals at 1,000.
    assert 2.0 < events["planned"]["estimated_usd"] < 2.1
    assert decisions(proxy, tmp_path, TOMATOES) == ["miss"]


def test_an_unknown_price_is_said_to_be_unknown_and_keeps_no_budget(tmp_path, upstream):
    proxy = Proxy(tmp_path / "unpriced", config.NO_TEMPLATES + config.upstream(upstream, "own"))
    path = goals_file(tmp_path, [TOMATOES])
    _, events = warm(proxy, path, "--dry-run")
    assert events["planned"]["estimated_usd"] is None
    told = proxy.command("warm", "--goals", path, "--dry-run", *AS_HTTP)
    assert "unknown price" in told.stdout
    refused = proxy.command("warm", "--goals", path, "--max-usd", "1", *AS_HTTP)
    assert refused.returncode == 1 and "upstreams.price" in refused.stderr
    assert upstream.requests == []


def test_a_request_budget_holds_over_all_runs(alone, upstream, tmp_path):
    path = goals_file(tmp_path, DISTINCT)
    rows, events = warm(alone, path, "--max-requests", "2")
    assert len(upstream.requests) == 2 and events["summary"]["left"] == 2
    assert [row["outcome"] for row in rows].count("not done") == 2
    warm(alone, path, "--max-requests", "2")
    assert len(upstream.requests) == 2, "the earlier run's calls count"
    _, events = warm(alone, path)
    assert sorted(asked(upstream)) == sorted(DISTINCT) and events["summary"]["complete"] is True


def test_a_money_budget_stops_before_the_call_that_would_pass_it(alone, upstream, tmp_path):
    path = goals_file(tmp_path, DISTINCT)
    flags = ("--max-usd", "0.3", "--answer-tokens", "50", "--concurrency", "1")
    _, events = warm(alone, path, *flags)
    assert len(upstream.requests) == 2
    assert events["summary"]["spent_usd"] == pytest.approx(0.22)
    assert "--max-usd" in events["summary"]["stopped"]


def test_a_429_is_waited_for_as_long_as_it_asks(proxy, upstream, tmp_path):
    upstream.script(limited(retry_after=1))
    rows, events = warm(proxy, goals_file(tmp_path, [TOMATOES, BREAD]), "--concurrency", "1")
    assert events["waiting"]["seconds"] == 1
    assert [row["outcome"] for row in rows] == ["asked", "asked"]
    assert asked(upstream) == [TOMATOES, TOMATOES, BREAD]


def test_an_upstream_that_keeps_refusing_is_left_alone_and_the_run_goes_on_later(alone, upstream, tmp_path):
    path = goals_file(tmp_path, [TOMATOES, BREAD])
    upstream.script(*[limited(retry_after=0)] * 3)
    _, events = warm(alone, path, "--give-up-after", "3", "--concurrency", "1", code=1)
    assert len(upstream.requests) == 3
    assert "3 times" in events["summary"]["stopped"] and events["summary"]["left"] == 2
    _, events = warm(alone, path)
    assert events["summary"]["complete"] is True


@pytest.mark.parametrize(
    "reply, words",
    [(limited(retry_after=3600), "--max-wait"), (limited(code="insufficient_quota"), "quota")],
)
def test_a_pause_beyond_patience_ends_the_run_at_once(alone, upstream, tmp_path, reply, words):
    upstream.script(reply)
    _, events = warm(alone, goals_file(tmp_path, [TOMATOES, BREAD]), "--concurrency", "1", code=1)
    assert len(upstream.requests) == 1 and words in events["summary"]["stopped"]


def test_what_may_not_be_kept_is_told_and_not_asked_again(alone, upstream, tmp_path):
    path = goals_file(tmp_path, [TOMATOES, BREAD])
    cut = answers.chat(text="half an ans", finish="length")
    upstream.script(cut, when=lambda request: answers.goal_of(request) == TOMATOES)
    upstream.script(answers.openai_error(500, "server_error"), when=lambda r: answers.goal_of(r) == BREAD)
    rows, _ = warm(alone, path, code=1)
    assert [row["outcome"] for row in rows] == ["unstorable", "failed"]
    mark = upstream.mark()
    rows, events = warm(alone, path)
    assert asked(upstream, mark) == [BREAD]
    assert [row["outcome"] for row in rows] == ["done before", "asked"]
    assert events["planned"]["done_before"] == 1


def spawn(proxy, path, *flags):
    return subprocess.Popen(
        [str(binary()), "warm", "--goals", str(path), "--json", *AS_HTTP, *flags, *proxy.common],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=proxy.env,
        cwd=proxy.folder,
    )


def test_a_killed_run_goes_on_and_asks_nothing_twice(alone, upstream, tmp_path):
    path = goals_file(tmp_path, DISTINCT)
    gate = Gate()

    def hangs(request):
        whole = answers.chat(text="never read")(request)
        whole.before = gate
        return whole

    upstream.script(hangs, when=lambda request: answers.goal_of(request) == CHESS)
    run = spawn(alone, path, "--concurrency", "1")
    gate.wait_reached(60)
    run.kill()
    run.communicate(timeout=30)
    gate.open()
    answered_before = [goal for goal in asked(upstream) if goal != CHESS]
    assert answered_before == [TOMATOES, BREAD]
    mark = upstream.mark()
    rows, events = warm(alone, path)
    assert sorted(asked(upstream, mark)) == sorted([CHESS, NOVEL])
    assert events["planned"]["done_before"] == 2
    assert [row["outcome"] for row in rows] == ["done before", "done before", "asked", "asked"]
    assert decisions(alone, tmp_path, *DISTINCT) == ["exact"] * 4


def test_an_interrupted_run_keeps_what_is_under_way_and_sums_up(alone, upstream, tmp_path):
    path = goals_file(tmp_path, DISTINCT)
    gate = Gate()

    def slow(request):
        whole = answers.chat(text="worth waiting for")(request)
        whole.before = gate
        return whole

    upstream.script(slow)
    run = spawn(alone, path, "--concurrency", "1")
    gate.wait_reached(60)
    run.send_signal(signal.SIGINT)
    first = next(line for line in run.stdout if '"note"' in line)
    assert "1 calls" in json.loads(first)["text"]
    gate.open()
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    summary = next(row for row in map(json.loads, out.splitlines()) if row.get("event") == "summary")
    assert (summary["asked"], summary["left"], summary["stopped"]) == (1, 3, "interrupted")
    assert decisions(alone, tmp_path, TOMATOES, BREAD) == ["exact", "miss"]


def test_an_upstream_that_needs_a_clients_credential_is_not_asked(tmp_path, upstream):
    proxy = Proxy(tmp_path / "client", config.NO_TEMPLATES + config.upstream(upstream))
    done = proxy.command("warm", "--goals", goals_file(tmp_path, [TOMATOES]), *AS_HTTP)
    assert done.returncode == 1 and "credential" in done.stderr and "panicked" not in done.stderr
    assert upstream.requests == []


def test_a_frame_is_warmed_as_its_application_asks(start, upstream, tmp_path):
    frame = config.frame("planner", "Plan this goal: {goal}", "markdown", system="You are a planner.")
    proxy = start(config.NO_TEMPLATES + config.upstream(upstream, "own") + frame)
    warm(proxy, goals_file(tmp_path, [TOMATOES]), "--frame", "planner")
    messages = [
        {"role": "system", "content": "You are a planner."},
        {"role": "user", "content": f"Plan this goal: {TOMATOES}"},
    ]
    assert upstream.requests[0].json()["messages"] == messages
    assert proxy.client.chat(messages).cache == "exact"


def test_people_get_lines_and_a_summary(alone, upstream, tmp_path):
    done = alone.command("warm", "--goals", goals_file(tmp_path, [TOMATOES, TOMATOES_AGAIN]), *AS_HTTP)
    assert done.returncode == 0, done.stderr
    assert "2 goals in 1 groups of the same meaning: 1 calls saved" in done.stdout
    assert "1 answers made and kept with 1 calls" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr, "no bar into a pipe"


def test_a_run_begins_no_more_calls_a_minute_than_asked(alone, upstream, tmp_path):
    gate = Gate()
    upstream.script(lambda request: _held(request, gate))
    run = spawn(alone, goals_file(tmp_path, DISTINCT), "--per-minute", "1", "--concurrency", "4")
    gate.wait_reached(60)
    gate.open()
    until(lambda: upstream.answered == 1, "the first call was answered")
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert len(upstream.requests) == 1


def _held(request, gate):
    whole = answers.chat(text="first")(request)
    whole.before = gate
    return whole
