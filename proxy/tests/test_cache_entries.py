"""`tollfree cache export|import|purge`: entries out, in and away, beside a server and without one."""

import json

import pytest

from harness import config
from harness.client import OPENAI_MODEL
from harness.output import facts, lines
from harness.proxy import Proxy
from harness.raw import request as send
from harness.wait import let_pass

AS_HTTP = ("--model", OPENAI_MODEL, "--protocol", "openai")
GOALS = [
    "How do I grow tomatoes on a balcony?",
    "How do I bake bread at home?",
    "How do I learn to play chess well?",
]
REWORDED = "How can I grow tomatoes on a balcony?"


@pytest.fixture
def text(openai_upstream):
    return config.NO_TEMPLATES + config.upstream(openai_upstream, "own")


@pytest.fixture
def filled(start, text):
    """A server with an entry for each goal: one in a namespace of its own, two in the anonymous one."""
    proxy = start(text)
    for goal in GOALS[:2]:
        proxy.warm(lambda: proxy.client.chat(goal))  # noqa: B023
    proxy.warm(lambda: proxy.client.chat(GOALS[2], headers={"x-tollfree-namespace": "part"}))
    return proxy


@pytest.fixture(params=["beside a server", "alone"])
def either(request, filled):
    if request.param == "alone":
        filled.stop()
    return filled


def export(proxy, *flags):
    return lines(proxy.command("cache", "export", *flags))


def goals_left(proxy):
    return sorted(row["goal"] for row in export(proxy))


def looked_up(proxy, tmp_path):
    path = tmp_path / "looked-up.txt"
    path.write_text("\n".join([*GOALS[:2], REWORDED]) + "\n")
    return lines(proxy.command("lookup", "--goals", path, *AS_HTTP))


def post(proxy, path, body):
    headers = [("Content-Type", "application/json")]
    answer = send(proxy.admin_address, "POST", f"/admin/v1/cache/{path}", headers, json.dumps(body).encode(), timeout=30)
    return answer.status, json.loads(answer.body)


class TestExportAndImport:
    def test_an_import_into_a_fresh_directory_gives_identical_hits(self, either, text, tmp_path):
        before = looked_up(either, tmp_path)
        assert [row["decision"] for row in before] == ["exact", "exact", "semantic"]
        path = tmp_path / "entries.jsonl"
        done = facts(either.command("cache", "export", "--out", path, "--json"))
        assert done["exported"] == 3 and len(path.read_text().splitlines()) == 3
        fresh = Proxy(tmp_path / "fresh", text)
        assert facts(fresh.command("cache", "import", path, "--json")) == {
            "imported": 3,
            "present": 0,
            "expired": 0,
            "bad": 0,
        }
        for row, was in zip(looked_up(fresh, tmp_path), before, strict=True):
            # Embedded in another batch, a vector differs in its last bits.
            assert row.pop("similarity") == pytest.approx(was.pop("similarity"), abs=1e-5)
            assert row == was
        again = facts(fresh.command("cache", "import", path, "--json"))
        assert (again["imported"], again["present"]) == (0, 3)
        assert export(fresh) == export(either)

    def test_a_running_server_takes_them_in_and_serves_them(self, filled, start, text, openai_upstream, tmp_path):
        path = tmp_path / "entries.jsonl"
        filled.command("cache", "export", "--out", path)
        other = start(text)
        assert facts(other.command("cache", "import", path, "--json"))["imported"] == 3
        mark = openai_upstream.mark()
        assert other.client.chat(GOALS[0]).cache == "exact"
        assert other.client.chat(REWORDED).cache == "semantic"
        # The namespaces are as they were: one caller's answer is no other's.
        assert other.client.chat(GOALS[2], headers={"Cache-Control": "only-if-cached"}).status == 504
        assert other.client.chat(GOALS[2], headers={"x-tollfree-namespace": "part"}).cache == "exact"
        assert openai_upstream.since(mark) == []

    def test_what_only_an_exact_repeat_may_find_stays_so(self, start, text, tmp_path):
        proxy = start(text)
        # A field that nobody knows: its answer is for the very same request alone.
        proxy.warm(lambda: proxy.client.chat(GOALS[0], unheard_of=1))
        (row,) = export(proxy)
        assert row["by_meaning"] is False
        path = tmp_path / "entries.jsonl"
        path.write_text(json.dumps(row) + "\n")
        fresh = start(text)
        assert facts(fresh.command("cache", "import", path, "--json"))["imported"] == 1
        assert fresh.client.chat(GOALS[0], unheard_of=1).cache == "exact"
        only_stored = {"Cache-Control": "only-if-cached"}
        assert fresh.client.chat(GOALS[0], headers=only_stored).status == 504

    def test_pages_follow_each_other_and_a_namespace_can_be_asked_for(self, filled):
        ids, after = [], None
        while True:
            target = "/admin/v1/cache/export?limit=1" + (f"&after={after}" if after else "")
            page = json.loads(filled.admin(target).body)
            ids += [entry["entry"] for entry in page["entries"]]
            after = page["next"]
            if after is None:
                break
        assert len(ids) == 3 and ids == sorted(ids)
        assert [row["goal"] for row in export(filled, "--namespace", "anonymous/part")] == [GOALS[2]]

    @pytest.mark.parametrize("query", ["limit=x", "after=zz", "naemspace=a"])
    def test_a_wrong_page_is_told(self, filled, query):
        answer = filled.admin(f"/admin/v1/cache/export?{query}")
        assert answer.status == 400 and json.loads(answer.body)["error"]

    def test_bad_lines_are_told_and_the_good_ones_taken(self, filled, text, tmp_path):
        good, other, _ = export(filled)
        no_key = {**other, "keys": {**other["keys"], "exact": "12"}}
        newer = {**other, "format": 2}
        expired = {**other, "created_at_ms": 1, "expires_at_ms": 2}
        path = tmp_path / "entries.jsonl"
        rows = ["{oops", json.dumps(no_key), json.dumps(newer), json.dumps(expired), json.dumps(good), '{"goal": "x"}']
        path.write_text("\n".join(rows) + "\n")
        fresh = Proxy(tmp_path / "fresh", text)
        *bad, summary = lines(fresh.command("cache", "import", path, "--json"), code=2)
        assert summary == {"imported": 1, "present": 0, "expired": 1, "bad": 4}
        assert [row["line"] for row in bad] == [1, 2, 3, 6]
        assert all(row.keys() == {"line", "error"} for row in bad)
        assert "keys.exact" in bad[1]["error"] and "format 2" in bad[2]["error"]
        assert goals_left(fresh) == [good["goal"]]

    def test_an_import_survives_a_kill(self, filled, start, text, tmp_path):
        path = tmp_path / "entries.jsonl"
        filled.command("cache", "export", "--out", path)
        other = start(text)
        other.command("cache", "import", path)
        other.kill()
        other.restart()
        assert goals_left(other) == sorted(GOALS)

    def test_an_import_by_the_admin_api_numbers_its_lines(self, filled):
        status, results = post(filled, "import", {"lines": [export(filled)[0], {"goal": "x"}, 5]})
        assert status == 200
        assert (results[0]["line"], results[0]["outcome"]) == (1, "present")
        assert (results[1]["line"], "error" in results[1]) == (2, True)
        assert "error" in results[2]


class TestPurge:
    def purge(self, proxy, *flags):
        """What a dry run says and what then happens are the same."""
        before = goals_left(proxy)
        dry = facts(proxy.command("cache", "purge", *flags, "--dry-run", "--json"))
        assert dry["dry_run"] is True and goals_left(proxy) == before
        done = facts(proxy.command("cache", "purge", *flags, "--json"))
        assert (done["count"], done["entries"]) == (dry["count"], dry["entries"])
        assert done["count"] == len(done["entries"]) == len(before) - len(goals_left(proxy))
        return done

    def test_one_entry(self, either):
        victim = export(either)[1]
        assert self.purge(either, "--entry", victim["entry"])["entries"] == [victim["entry"]]
        assert victim["goal"] not in goals_left(either)

    def test_a_namespace(self, either):
        self.purge(either, "--namespace", "anonymous/part")
        assert goals_left(either) == sorted(GOALS[:2])

    def test_what_is_similar_to_a_text(self, either):
        self.purge(either, "--similar-to", REWORDED, "--min-similarity", "0.9")
        assert goals_left(either) == sorted(GOALS[1:])

    def test_what_is_older_than_an_age(self, either):
        let_pass(0.05)
        assert self.purge(either, "--older-than", "1h")["count"] == 0
        assert self.purge(either, "--older-than", "10ms")["count"] == 3

    def test_selectors_narrow_each_other(self, either):
        let_pass(0.05)
        flags = ("--older-than", "10ms", "--namespace", "anonymous", "--similar-to", GOALS[1], "--min-similarity", "0.9")
        self.purge(either, *flags)
        assert goals_left(either) == sorted([GOALS[0], GOALS[2]])

    def test_all(self, either):
        assert self.purge(either, "--all")["count"] == 3

    @pytest.mark.parametrize(
        "flags, words",
        [
            ((), "--all"),
            (("--all", "--namespace", "a"), "leave it out"),
            (("--similar-to", "x"), "--min-similarity"),
            (("--min-similarity", "0.9"), "--similar-to"),
            (("--similar-to", "x", "--min-similarity", "7"), "-1 to 1"),
            (("--entry", "x"), "16 digits"),
            (("--older-than", "soon"), "soon"),
            (("--template", "learn-language"), "never stored"),
        ],
    )
    def test_without_a_sound_selector_nothing_goes(self, filled, flags, words):
        done = filled.command("cache", "purge", *flags)
        assert done.returncode == 1 and words in done.stderr, done.stderr
        assert goals_left(filled) == sorted(GOALS)

    def test_what_is_purged_is_served_no_more_and_does_not_come_back(self, filled, openai_upstream):
        filled.command("cache", "purge", "--all")
        assert filled.client.chat(GOALS[0], headers={"Cache-Control": "only-if-cached"}).status == 504
        filled.kill()
        filled.restart()
        assert goals_left(filled) == []

    def test_the_admin_api_refuses_an_unknown_selector(self, filled):
        assert post(filled, "purge", {"al": True})[0] == 400
        assert post(filled, "purge", {})[0] == 400
        assert goals_left(filled) == sorted(GOALS)
