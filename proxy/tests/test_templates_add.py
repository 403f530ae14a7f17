"""Templates that are added to a running server, drafted from goals, and named as missing."""

import json
import threading
from pathlib import Path

import pytest

from harness import raw
from harness.output import facts
from harness.proxy import Proxy, run

# No built-in template answers it: that for any skill wants "learn".
GOAL = "how do I juggle chainsaws"
SPANISH = "I want to learn conversational Spanish in 3 months"

TEMPLATE = """\
id = "juggle-chainsaws"
category = "hobbies"
language = "en"
phrasings = [
  "juggle chainsaws", "learn to juggle chainsaws", "how do I juggle chainsaws", "help me juggle chainsaws",
  "juggle chainsaws in {duration}", "I want to juggle chainsaws", "chainsaw juggling plan", "start juggling chainsaws",
]
vocabulary = []
refuse = ["sell"]

[slots.duration]
type = "duration"
default = "8 weeks"
min = "2 weeks"
max = "1 year"

[plan]
title = "Juggle chainsaws in {{ duration }}"
summary = "Begin with balls, go on with clubs, and start an engine last: {{ duration.weeks | round }} weeks."
"""
MILESTONE = """
[[plan.milestones]]
title = "Step %s"
end = %s
outcome = "A hundred catches without a drop."

[[plan.milestones.tasks]]
title = "Juggle standing still"
detail = "Stop when a throw leaves the frame."
minutes = 20
repeat = "daily"

[[plan.milestones.tasks]]
title = "Film a session"
detail = "Watch it at half the speed."
minutes = 30
repeat = "weekly"
"""
TEMPLATE += "".join(MILESTONE % step for step in (("one", 0.3), ("two", 0.7), ("three", "1.0")))


def post(proxy, body, content_type="application/json"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [("content-type", content_type)]
    return raw.request(proxy.admin_address, "POST", "/admin/v1/templates", headers, body, timeout=60)


def ids(proxy):
    return {template["id"] for template in proxy.admin("/admin/v1/templates").json()}


def named(thing):
    """The template of another thing to juggle."""
    return TEMPLATE.replace("juggle-chainsaws", f"juggle-{thing}s").replace("chainsaw", thing)


@pytest.fixture(scope="module")
def kept(session_start, tmp_path_factory):
    """A server with a folder for templates, empty at first; each test adds things of its own."""
    folder = tmp_path_factory.mktemp("kept")
    # On a busy machine a request may wait long for its embedding; that is not what is tested here.
    proxy = session_start("kept", f'[embedder]\ndeadline = "20s"\n[templates]\ndir = "{folder}"\n')
    proxy.kept = folder
    return proxy


def test_an_added_template_answers_at_once_and_after_a_restart(kept, key):
    assert kept.client.chat(GOAL, key).status == 503
    answer = post(kept, {"text": TEMPLATE})
    added = answer.json()
    assert answer.status == 200, added
    assert (added["id"], added["category"], added["replaced"]) == ("juggle-chainsaws", "hobbies", False)
    assert Path(added["path"]) == kept.kept / "hobbies" / "juggle-chainsaws.toml"
    assert kept.client.chat(GOAL, key).cache == "template"
    assert "juggle-chainsaws" in ids(kept) and added["templates"] == len(ids(kept))
    kept.restart()
    assert kept.client.chat(GOAL, key).cache == "template"


def test_no_request_misses_or_waits_while_templates_are_added(kept, key):
    done = threading.Event()
    seen = []

    def ask():
        while not done.is_set():
            seen.append(kept.client.chat(SPANISH, key).cache)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        for number in range(3):
            text = named("torch").replace("Begin with balls", f"Begin with {number + 2} balls")
            answer = post(kept, {"text": text, "replace": True})
            assert answer.status == 200, answer.json()
    finally:
        done.set()
        for asker in askers:
            asker.join()
    assert len(seen) > 4 and set(seen) == {"template"}
    assert "Begin with 4 balls" in kept.client.chat("learn to juggle torchs", key).text


def test_additions_at_once_are_all_kept(kept):
    things = ("anvil", "pumpkin", "teapot")
    answers = []
    posters = [threading.Thread(target=lambda t=thing: answers.append(post(kept, {"text": named(t)}))) for thing in things]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    assert [answer.status for answer in answers] == [200] * 3, [answer.body for answer in answers]
    assert {f"juggle-{thing}s" for thing in things} <= ids(kept)


def test_what_is_wrong_is_told_and_nothing_changes(kept):
    before = ids(kept)
    text = named("brick")
    for broken, field in [
        (text.replace("{duration}", "{time}"), "phrasings[4]"),
        (text.replace('title = "Juggle brick', 'tilte = "Juggle brick'), "plan.tilte"),
        (text.replace('language = "en"', 'language = "en"\ndraft = true'), "draft"),
        ("not toml", ""),
    ]:
        answer = post(kept, {"text": broken})
        assert answer.status == 422, answer.body
        problems = answer.json()["problems"]
        assert problems and all(problem["remedy"] and problem["message"] for problem in problems)
        assert not field or any(field in problem["field"] for problem in problems), problems
    assert post(kept, {"txt": text}).status == 400
    assert post(kept, b"{").status == 400
    assert post(kept, {"text": text}, "text/plain").status == 415
    assert not list(kept.kept.rglob("*brick*"))
    assert post(kept, {"text": text}).status == 200
    again = post(kept, {"text": text})
    assert again.status == 409 and "juggle-bricks" in again.json()["error"]
    assert ids(kept) == before | {"juggle-bricks"}
    assert not list(kept.kept.rglob("*.new"))


def test_a_compiled_in_template_can_be_replaced_only_on_purpose(kept):
    built_in = (Path(__file__).parents[2] / "templates" / "languages" / "learn-language.toml").read_text()
    assert post(kept, {"text": built_in}).status == 409
    answer = post(kept, {"text": built_in, "replace": True})
    assert (answer.status, answer.json()["replaced"]) == (200, True), answer.body


def test_without_a_folder_nothing_is_added(builtin):
    answer = post(builtin, {"text": TEMPLATE})
    assert answer.status == 409 and "templates.dir" in answer.json()["error"]


@pytest.mark.parametrize("running", [True, False])
def test_the_command_adds_with_and_without_a_server(kept, tmp_path, running):
    folder = tmp_path / "own"
    folder.mkdir()
    proxy = kept if running else Proxy(tmp_path / "stopped", f'[templates]\ndir = "{folder}"\n')
    folder = kept.kept if running else folder
    file = tmp_path / "new.toml"
    text = named("sofa")
    file.write_text(text)
    added = facts(proxy.command("templates", "add", file, "--json"))
    assert (added["id"], added["serving"]) == ("juggle-sofas", running)
    assert (folder / "hobbies" / "juggle-sofas.toml").read_text() == text
    assert "juggle-sofas" in proxy.command("templates", "list").stdout
    again = proxy.command("templates", "add", file)
    assert again.returncode == 1 and "--replace" in again.stderr
    assert proxy.command("templates", "add", file, "--replace").returncode == 0
    file.write_text(text.replace("minutes = 20", "minutes = 0"))
    broken = proxy.command("templates", "add", file, "--replace")
    assert broken.returncode == 1 and "minutes" in broken.stdout and "remedy" in broken.stdout


JUGGLING = ["juggle five clubs", "how do I juggle 5 clubs", "juggle 7 clubs in 3 months", "help me juggle clubs"]
OTHERS = ["breed axolotls", "how to breed axolotls", "learn Spanish", "polish a telescope mirror"]


class TestFromGoals:
    @pytest.fixture
    def goals(self, tmp_path):
        path = tmp_path / "goals.txt"
        path.write_text("\n".join(JUGGLING + OTHERS) + "\n")
        return path

    def test_coverage_names_what_no_template_answers(self, tmp_path, goals):
        proxy = Proxy(tmp_path / "stopped", "")
        found = facts(proxy.command("templates", "coverage", "--goals", goals, "--json"))
        assert (found["goals"], found["answered"], found["clustered"]) == (8, 1, 7)
        groups = found["clusters"]
        assert [group["goals"] for group in groups] == [4, 2]
        assert "clubs" in groups[0]["name"] and "axolotls" in groups[1]["name"]
        assert sorted(groups[0]["lines"]) == [1, 2, 3, 4]
        assert found == facts(proxy.command("templates", "coverage", "--goals", goals, "--json"))
        few = facts(proxy.command("templates", "coverage", "--goals", goals, "--clusters", "0", "--json"))
        assert few["clusters"] == [] and few["answered"] == 1
        human = proxy.command("templates", "coverage", "--goals", goals).stdout
        assert "not answered" in human and "axolotls" in human

    def test_a_running_server_says_the_same(self, builtin, tmp_path, goals):
        with_server = facts(builtin.command("templates", "coverage", "--goals", goals, "--json"))
        alone = Proxy(tmp_path / "stopped", "")
        assert with_server == facts(alone.command("templates", "coverage", "--goals", goals, "--json"))

    def test_drafts_hold_the_goals_and_are_never_served(self, tmp_path, goals):
        own = tmp_path / "own"
        proxy = Proxy(tmp_path / "stopped", f'[templates]\ndir = "{own}"\n')
        own.mkdir()
        drafts = facts(proxy.command("templates", "draft", "--from-goals", goals, "--json"))["drafts"]
        assert [draft["goals"] for draft in drafts] == [4, 2]
        text = Path(drafts[0]["path"]).read_text()
        assert "{count} clubs" in text and "{duration}" in text and "WRITE:" in text
        done = proxy.command("templates", "lint")
        assert done.returncode == 1 and "draft" in done.stdout and "is not written yet" in done.stdout
        refused = proxy.command("templates", "add", drafts[0]["path"])
        assert refused.returncode == 1 and "draft" in refused.stdout
        # A folder that holds one loads all the same, without it.
        listed = facts(proxy.command("templates", "list", "--json"))
        assert "drafts" not in {template["category"] for template in listed} and len(listed) > 50
        # What a person has begun to write is kept.
        Path(drafts[0]["path"]).write_text("# mine\n" + text)
        again = facts(proxy.command("templates", "draft", "--from-goals", goals, "--json", "--out", own))["drafts"]
        assert [draft["written"] for draft in again][0] is False
        assert Path(drafts[0]["path"]).read_text().startswith("# mine")
