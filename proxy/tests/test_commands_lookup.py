"""`lookup`, `pairs` and `explain`: the decisions of `serve`, for files and for scripts, with a server or without."""

import json

import pytest

from harness import config
from harness.client import OPENAI_MODEL
from harness.output import facts, lines
from harness.proxy import Proxy

SPANISH = "I want to learn conversational Spanish in 3 months"
GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
OTHER = "How do I bake bread at home?"
FIELDS = {"goal", "decision", "entry", "similarity", "answer"}
AS_HTTP = ("--model", OPENAI_MODEL, "--protocol", "openai")

PAIRS = [
    (GOAL, GOAL),
    (GOAL, REWORDED),
    (GOAL, OTHER),
    (SPANISH, "I want to learn conversational French in 3 months"),
    (SPANISH, "I want to learn conversational Spanish in 6 weeks"),
    (SPANISH, "I would like to learn conversational Spanish in 3 months"),
    ("How do I start eating meat?", "How do I stop eating meat?"),
]


@pytest.fixture
def stopped(tmp_path):
    """A data directory that no server owns, and the built-in configuration."""
    return Proxy(tmp_path / "stopped")


@pytest.fixture
def serving(start, openai_upstream):
    """A server with templates and an upstream of its own key, so that anonymous requests work."""
    return start(config.upstream(openai_upstream, "own"))


def goals_file(tmp_path, *goals, name="goals.jsonl"):
    path = tmp_path / name
    path.write_text("".join((g if isinstance(g, str) else json.dumps(g)) + "\n" for g in goals))
    return path


class TestLookup:
    def test_without_a_server_templates_answer_and_the_rest_misses(self, stopped, tmp_path):
        path = goals_file(tmp_path, {"goal": SPANISH}, {"goal": GOAL})
        first, second = lines(stopped.command("lookup", "--goals", path))
        assert FIELDS <= first.keys() and FIELDS <= second.keys()
        assert (first["goal"], first["decision"]) == (SPANISH, "template")
        assert first["entry"] and len(first["answer"]) > 1000 and "Spanish" in first["answer"]
        assert (second["goal"], second["decision"]) == (GOAL, "miss")
        assert second["entry"] is None and second["answer"] is None

    def test_plain_text_is_one_goal_a_line(self, stopped, tmp_path):
        path = goals_file(tmp_path, SPANISH, GOAL, OTHER, name="goals.txt")
        assert [row["goal"] for row in lines(stopped.command("lookup", "--goals", path))] == [SPANISH, GOAL, OTHER]

    def test_tab_separated_values_with_a_header(self, stopped, tmp_path):
        path = goals_file(tmp_path, "id\tgoal\ttopic", f"7\t{SPANISH}\tlanguages", f"8\t{GOAL}\tgarden", name="g.tsv")
        first, second = lines(stopped.command("lookup", "--goals", path))
        assert (first["goal"], first["topic"], str(first["id"])) == (SPANISH, "languages", "7")
        assert (second["goal"], second["topic"], second["decision"]) == (GOAL, "garden", "miss")

    def test_unknown_fields_are_copied_through(self, stopped, tmp_path):
        path = goals_file(tmp_path, {"goal": GOAL, "id": 7, "nested": {"a": [1, None]}, "note": "x"})
        (row,) = lines(stopped.command("lookup", "--goals", path))
        assert (row["id"], row["nested"], row["note"]) == (7, {"a": [1, None]}, "x")

    def test_a_bad_line_is_told_in_its_place_and_the_exit_is_2(self, stopped, tmp_path):
        path = goals_file(tmp_path, {"goal": GOAL}, '{"goal": ', {"id": 1}, {"goal": 5}, {"goal": SPANISH})
        rows = lines(stopped.command("lookup", "--goals", path), code=2)
        assert len(rows) == 5
        assert rows[0]["decision"] == "miss" and rows[4]["decision"] == "template"
        for row, number in zip(rows[1:4], (2, 3, 4)):
            assert row.keys() == {"line", "error"} and row["line"] == number and row["error"]

    def test_a_broken_first_line_does_not_make_the_file_plain_text(self, stopped, tmp_path):
        path = goals_file(tmp_path, '"goal": broken}', {"goal": SPANISH})
        first, second = lines(stopped.command("lookup", "--goals", path), code=2)
        assert first.keys() == {"line", "error"} and first["line"] == 1 and first["error"]
        assert (second["goal"], second["decision"]) == (SPANISH, "template")

    def test_a_blank_line_is_told_in_its_place(self, stopped, tmp_path):
        path = goals_file(tmp_path, {"goal": SPANISH}, "", {"goal": GOAL})
        first, blank, last = lines(stopped.command("lookup", "--goals", path), code=2)
        assert blank.keys() == {"line", "error"} and blank["line"] == 2 and blank["error"]
        assert (first["goal"], last["goal"]) == (SPANISH, GOAL)

    def test_with_the_cache_switched_off_everything_misses(self, tmp_path):
        off = Proxy(tmp_path / "off", config.NO_CACHE)
        (row,) = lines(off.command("lookup", "--goals", goals_file(tmp_path, {"goal": SPANISH})))
        assert (row["decision"], row["entry"], row["answer"]) == ("miss", None, None)

    def test_one_line_out_for_each_line_in_in_order(self, stopped, tmp_path):
        goals = [{"goal": f"How do I get better at skill number {i}?", "i": i} for i in range(200)]
        rows = lines(stopped.command("lookup", "--goals", goals_file(tmp_path, *goals)))
        assert [row["i"] for row in rows] == list(range(200))

    def test_an_empty_file_gives_nothing(self, stopped, tmp_path):
        assert lines(stopped.command("lookup", "--goals", goals_file(tmp_path))) == []

    def test_a_missing_file_is_told(self, stopped, tmp_path):
        done = stopped.command("lookup", "--goals", tmp_path / "nowhere.txt")
        assert done.returncode != 0 and "nowhere.txt" in done.stderr and "panicked" not in done.stderr

    def test_beside_a_server_it_agrees_with_http_and_after_it_too(self, serving, openai_upstream, tmp_path):
        def check(goal, allow_store):
            headers = {} if allow_store else {"Cache-Control": "only-if-cached"}
            answer = serving.client.chat(goal, headers=headers)
            (row,) = lines(serving.command("lookup", "--goals", goals_file(tmp_path, {"goal": goal}), *AS_HTTP))
            assert row["decision"] == answer.cache, goal
            if answer.status == 200:
                assert row["answer"] == answer.text
                assert row["entry"] == answer.header("x-tollfree-entry")
            if row["decision"] == "semantic":
                assert row["similarity"] == pytest.approx(float(answer.header("x-tollfree-similarity")), abs=1e-3)
            return row["decision"]

        serving.warm(lambda: serving.client.chat(GOAL))
        mark = openai_upstream.mark()
        assert check(GOAL, True) == "exact"
        assert check(REWORDED, True) == "semantic"
        assert check(SPANISH, True) == "template"
        assert check(OTHER, False) == "miss"
        assert openai_upstream.since(mark) == [], "lookup calls no upstream"
        serving.stop()
        goals = [{"goal": g} for g in (GOAL, REWORDED, SPANISH, OTHER)]
        rows = lines(serving.command("lookup", "--goals", goals_file(tmp_path, *goals), *AS_HTTP))
        assert [row["decision"] for row in rows] == ["exact", "semantic", "template", "miss"]

    def test_another_model_or_namespace_is_another_decision(self, serving, tmp_path):
        serving.warm(lambda: serving.client.chat(GOAL))
        path = goals_file(tmp_path, {"goal": GOAL})
        for other in (("--model", "gpt-4o", "--protocol", "openai"), (*AS_HTTP, "--namespace", "elsewhere")):
            (row,) = lines(serving.command("lookup", "--goals", path, *other))
            assert row["decision"] == "miss", other

    def test_a_lookup_stores_nothing(self, serving, tmp_path):
        path = goals_file(tmp_path, {"goal": GOAL})
        for _ in range(2):
            (row,) = lines(serving.command("lookup", "--goals", path, *AS_HTTP))
            assert row["decision"] == "miss"

    def test_a_frame_is_applied(self, start, tmp_path):
        frame = config.frame("planner", "Plan this goal: {goal}", "json-tasks", system="You are a planner.")
        proxy = start(frame)
        path = goals_file(tmp_path, {"goal": SPANISH})
        (row,) = lines(proxy.command("lookup", "--goals", path, "--frame", "planner"))
        assert row["decision"] == "template" and json.loads(row["answer"])
        (row,) = lines(proxy.command("lookup", "--goals", path, "--shape", "json-tasks"))
        assert row["decision"] == "template" and json.loads(row["answer"])


class TestPairs:
    def pairs_file(self, tmp_path, pairs):
        path = tmp_path / "pairs.jsonl"
        path.write_text("".join(json.dumps({"a": a, "b": b, "n": i}) + "\n" for i, (a, b) in enumerate(pairs)))
        return path

    @pytest.mark.parametrize("where", ["stopped", "serving"])
    def test_each_pair_gets_its_verdict(self, request, tmp_path, where):
        proxy = request.getfixturevalue(where)
        rows = lines(proxy.command("pairs", "--file", self.pairs_file(tmp_path, PAIRS)))
        assert [row["n"] for row in rows] == list(range(len(PAIRS)))
        for row, (a, b) in zip(rows, PAIRS):
            assert {"a", "b", "similarity", "hit", "reason"} <= row.keys()
            assert (row["a"], row["b"]) == (a, b)
            assert isinstance(row["hit"], bool)
        assert [row["hit"] for row in rows] == [True, True, False, False, False, True, False]
        assert rows[1]["similarity"] > 0.9
        assert all(row["reason"] for row in rows if not row["hit"]), "a refusal says why"

    def test_it_agrees_with_http(self, stopped, cached, tmp_path):
        """Only `a` in the store, equal compatibility keys, no templates: the same function decides."""
        from harness.client import new_key

        rows = lines(stopped.command("pairs", "--file", self.pairs_file(tmp_path, PAIRS)))
        for row in rows:
            key = new_key()
            cached.warm(lambda: cached.client.chat(row["a"], key))  # noqa: B023
            answer = cached.client.chat(row["b"], key)
            assert row["hit"] == (answer.cache in ("exact", "semantic")), row
            if answer.cache == "semantic":
                assert row["similarity"] == pytest.approx(float(answer.header("x-tollfree-similarity")), abs=1e-3)

    def test_what_a_server_has_stored_does_not_matter(self, serving, tmp_path):
        serving.warm(lambda: serving.client.chat(GOAL))
        (row,) = lines(serving.command("pairs", "--file", self.pairs_file(tmp_path, [(OTHER, GOAL)])))
        assert row["hit"] is False

    def test_tab_separated_values_are_read(self, stopped, tmp_path):
        path = tmp_path / "pairs.tsv"
        path.write_text(f"a\tb\tlabel\n{GOAL}\t{REWORDED}\t1\n{GOAL}\t{OTHER}\t0\n")
        rows = lines(stopped.command("pairs", "--file", path))
        assert [(row["hit"], str(row["label"])) for row in rows] == [(True, "1"), (False, "0")]

    def test_a_bad_line_is_told_in_its_place_and_the_exit_is_2(self, stopped, tmp_path):
        path = tmp_path / "pairs.jsonl"
        path.write_text(f'{{"a": "{GOAL}"}}\n{json.dumps({"a": GOAL, "b": REWORDED})}\n')
        first, second = lines(stopped.command("pairs", "--file", path), code=2)
        assert first.keys() == {"line", "error"} and first["line"] == 1
        assert second["hit"] is True


class TestExplain:
    @pytest.mark.parametrize("where", ["stopped", "serving"])
    def test_a_template_goal(self, request, where):
        value = facts(request.getfixturevalue(where).command("explain", SPANISH, "--json"))
        assert value["decision"] == "template"
        assert "keys" in value and "frame" in value and "upstream" in value

    def test_the_candidates_with_similarity_and_verdict(self, serving):
        serving.warm(lambda: serving.client.chat(SPANISH, headers={}, max_tokens=30))
        goal = "I want to learn conversational French in 6 weeks"
        value = facts(serving.command("explain", goal, "--json", *AS_HTTP))
        assert value["decision"] in ("miss", "template")
        candidates = value["candidates"]
        assert candidates and all("similarity" in c and "verdict" in c for c in candidates)

    def test_the_upstream_a_miss_would_take(self, serving, openai_upstream):
        mark = openai_upstream.mark()
        done = serving.command("explain", OTHER, "--json", *AS_HTTP)
        assert facts(done)["decision"] == "miss"
        assert "openai" in json.dumps(facts(done)["upstream"])
        assert openai_upstream.since(mark) == []

    def test_for_people_it_is_readable_text(self, stopped):
        done = stopped.command("explain", SPANISH)
        assert done.returncode == 0 and "template" in done.stdout
        assert not done.stdout.lstrip().startswith("{")
