"""The other commands: check, schema, templates, cache stats, and the flags they share."""

import json
import re
import socket

from pathlib import Path

import pytest

from harness import config
from harness.output import facts, lines, rows
from harness.proxy import Proxy, run

SPANISH = "I want to learn conversational Spanish in 3 months"
GOAL = "How do I grow tomatoes on a balcony?"

COMMANDS = ["serve", "check", "schema", "explain", "lookup", "pairs", "templates", "cache"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_help(command):
    done = run(command, "--help")
    assert done.returncode == 0 and command in done.stdout


def test_version_and_unknown_commands():
    done = run("--version")
    assert done.returncode == 0 and re.search(r"tollfree \d+\.\d+\.\d+", done.stdout)
    assert run("no-such-command").returncode == 2


class TestCheck:
    def check(self, tmp_path, text, *args):
        path = tmp_path / "tollfree.toml"
        path.write_text(text)
        return run("check", "--config", path, *args)

    def test_a_good_configuration_passes(self, tmp_path):
        text = (
            config.table("server", listen="127.0.0.1:0", auth="open")
            + config.table("cache", ttl="7d", min_similarity=0.8)
            + config.frame("planner", "Plan: {goal}", "json-tasks")
            + '[[upstreams]]\nname = "a"\nkind = "openai"\nbase_url = "http://127.0.0.1:9"\ncredential = "client"\n'
        )
        done = self.check(tmp_path, text)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_no_file_is_the_built_in_default_and_a_named_one_must_exist(self, tmp_path):
        assert run("check", cwd=tmp_path).returncode == 0
        done = run("check", "--config", tmp_path / "nowhere.toml")
        assert done.returncode == 1 and "nowhere.toml" in done.stdout + done.stderr

    def test_every_problem_is_told_with_its_line_and_field(self, tmp_path):
        text = """\
[server]
listen = "nonsense"
unknown_field = 1

[cache]
ttl = "soon"
min_similarity = 2.0

[[frames]]
name = "f"
user = "no goal here"
shape = "markdown"

[[upstreams]]
name = "a"
kind = "telepathy"
base_url = "not a url"
"""
        done = self.check(tmp_path, text)
        out = done.stdout + done.stderr
        assert done.returncode == 1
        for line, field in [
            (2, "listen"), (3, "unknown_field"), (6, "ttl"), (7, "min_similarity"), (11, "user"), (16, "kind"), (17, "base_url"),
        ]:  # fmt: skip
            assert re.search(rf"tollfree\.toml:{line}(?::\d+)?\b", out), f"line {line} is not named:\n{out}"
            assert field in out, f"field {field} is not named:\n{out}"

    def test_as_json_each_problem_has_its_parts(self, tmp_path):
        done = self.check(tmp_path, '[cache]\nttl = "soon"\nmin_similarity = 2.0\n', "--json")
        problems = rows(facts(done, code=1), "problems")
        assert [problem["line"] for problem in problems] == [2, 3]
        for problem in problems:
            assert problem["field"] and problem["message"] and problem["remedy"]

    @pytest.mark.parametrize(
        ("text", "line", "word"),
        [
            ("[server\nlisten = 1\n", 1, ""),
            ('[cache]\nenabled = "yes"\n', 2, "enabled"),
            ("[cache]\nmax_entries = -1\n", 2, "max_entries"),
            ("[embedder]\nthreads = 1\ndeadline = 5\n", 3, "deadline"),
            ('[policy]\ndefault_upstream = "nobody"\n', 2, "nobody"),
            ('[server]\nlisten = "0.0.0.0:8080"\nauth = "open"\n', None, "expose_open"),
            ('[[shapes]]\nname = "markdown"\ntemplate = "x"\ncontent = "text"\n', 2, "markdown"),
            ('[[frames]]\nname = "f"\nuser = "{goal} {goal}"\nshape = "markdown"\n', 3, "goal"),
            ('[[frames]]\nname = "f"\nuser = "{goal}"\nshape = "nowhere"\n', 4, "nowhere"),
            ('[[upstreams]]\nname = "a"\nkind = "openai"\n', None, "base_url"),
            ('[log]\nformat = "xml"\n', 2, "format"),
        ],
    )
    def test_a_broken_file_is_told_where_and_how(self, tmp_path, text, line, word):
        done = self.check(tmp_path, text)
        out = done.stdout + done.stderr
        assert done.returncode == 1 and word in out, out
        if line:
            assert re.search(rf"tollfree\.toml:{line}(?::\d+)?\b", out), out
        assert "panicked" not in out

    def test_serve_refuses_the_same_configuration_with_the_same_words(self, tmp_path):
        self.check(tmp_path, '[cache]\nttl = "soon"\n')
        done = run("serve", "--config", tmp_path / "tollfree.toml", "--listen", "127.0.0.1:0", timeout=30)
        assert done.returncode == 1
        assert re.search(r"tollfree\.toml:2", done.stderr + done.stdout)

    def test_secrets_are_not_printed(self, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("sk-filecanary")
        text = (
            '[[upstreams]]\nname = "a"\nkind = "openai"\nbase_url = "http://127.0.0.1:9"\ncredential = "own"\n'
            f'api_key = {{ file = "{secret}" }}\n'
        )
        for args in ([], ["--json"]):
            done = self.check(tmp_path, text, *args)
            assert done.returncode == 0 and "filecanary" not in done.stdout + done.stderr


def test_the_schema_is_json_schema_of_every_table():
    done = run("schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert "json-schema.org" in schema["$schema"]
    tables = {"server", "cache", "embedder", "templates", "shapes", "frames", "upstreams", "policy", "log"}
    assert tables <= schema["properties"].keys()
    assert schema["additionalProperties"] is False


class TestTemplates:
    @pytest.fixture
    def stopped(self, tmp_path):
        return Proxy(tmp_path / "stopped")

    def test_the_library_is_broad(self, stopped):
        listed = rows(facts(stopped.command("templates", "list", "--json")), "templates")
        assert len(listed) >= 20
        assert len({template["category"] for template in listed}) >= 8
        assert len({template["id"] for template in listed}) == len(listed)
        human = stopped.command("templates", "list")
        assert human.returncode == 0 and listed[0]["id"] in human.stdout

    def test_a_template_hit_names_a_listed_template(self, stopped, builtin, key):
        listed = rows(facts(stopped.command("templates", "list", "--json")), "templates")
        entry = builtin.client.chat(SPANISH, key).header("x-tollfree-entry")
        assert any(template["id"] in entry for template in listed)

    def test_the_library_is_free_of_lint(self, stopped):
        done = stopped.command("templates", "lint")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_lint_tells_a_broken_template_by_file(self, tmp_path):
        folder = tmp_path / "own" / "crafts"
        folder.mkdir(parents=True)
        (folder / "bad.toml").write_text(
            'id = "bad"\ncategory = "crafts"\nlanguage = "en"\nphrasings = ["do {nothing}"]\n'
        )
        proxy = Proxy(tmp_path / "stopped", f'[templates]\ndir = "{tmp_path / "own"}"\n')
        done = proxy.command("templates", "lint")
        assert done.returncode != 0 and "bad.toml" in done.stdout + done.stderr
        assert "panicked" not in done.stderr

    def test_lint_takes_a_template_that_replaces_a_built_in_one(self, tmp_path):
        """The built-in one of the same id is out of the library then, and no second template with that id."""
        folder = tmp_path / "own" / "languages"
        folder.mkdir(parents=True)
        built_in = Path(__file__).parents[2] / "templates" / "languages" / "learn-language.toml"
        (folder / "learn-language.toml").write_text(built_in.read_text())
        proxy = Proxy(tmp_path / "stopped", f'[templates]\ndir = "{tmp_path / "own"}"\n')
        done = proxy.command("templates", "lint")
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize("with_server", [False, True])
    def test_coverage_counts_what_lookup_decides(self, stopped, start, tmp_path, with_server):
        proxy = start() if with_server else stopped
        path = tmp_path / "goals.txt"
        goals = [SPANISH, "learn conversational Spanish in three months", "What is the capital of Spain?", GOAL]
        path.write_text("\n".join(goals) + "\n")
        decisions = [row["decision"] for row in lines(proxy.command("lookup", "--goals", path))]
        entry = lines(proxy.command("lookup", "--goals", path))[0]["entry"]
        done = proxy.command("templates", "coverage", "--goals", path, "--json")
        value = facts(done)
        assert entry.split(":")[-1].split("/")[-1] in done.stdout, "the template that answers is named"
        numbers = set(_numbers(value))
        assert {4, decisions.count("template")} <= numbers, value


def _numbers(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from _numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


class TestCacheStats:
    def test_beside_a_server_and_without_one(self, start, openai_upstream):
        proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream, "own"))
        assert facts(proxy.command("cache", "stats", "--json"))["entries"] == 0
        proxy.warm(lambda: proxy.client.chat(GOAL))
        assert facts(proxy.command("cache", "stats", "--json"))["entries"] == 1
        proxy.stop()
        assert facts(proxy.command("cache", "stats", "--json"))["entries"] == 1

    def test_an_empty_directory_has_no_entries_and_no_server_is_needed(self, tmp_path):
        proxy = Proxy(tmp_path / "stopped")
        assert facts(proxy.command("cache", "stats", "--json"))["entries"] == 0
        done = proxy.command("cache", "stats")
        assert done.returncode == 0 and "0" in done.stdout


    def test_a_stale_note_of_a_server_that_says_nothing_does_not_hang_it(self, tmp_path):
        """A killed server leaves its note behind, and another program may own the port by now."""
        proxy = Proxy(tmp_path / "stopped")
        proxy.data.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, and nobody ever answers
            note = {"admin": "127.0.0.1:{}".format(silent.getsockname()[1]), "instance": "gone"}
            (proxy.data / "server.json").write_text(json.dumps(note))
            assert facts(proxy.command("cache", "stats", "--json", timeout=30))["entries"] == 0


class TestFlags:
    """Flags beat the environment, which beats the file."""

    def test_the_environment_is_read(self, tmp_path):
        path = tmp_path / "tollfree.toml"
        path.write_text('[cache]\nttl = "soon"\n')
        from harness.proxy import environment

        assert run("check", env=environment({"TOLLFREE_CONFIG": str(path)})).returncode == 1

    def test_a_flag_beats_the_file(self, start, openai_upstream):
        """The file names a port that cannot be bound; the flags of the harness say 127.0.0.1:0."""
        text = config.table("server", listen="127.0.0.1:1", admin_listen="127.0.0.1:1", data_dir="/nowhere/at/all")
        proxy = start(text + config.NO_TEMPLATES + config.upstream(openai_upstream))
        assert proxy.client.chat("hi", "k").status == 200
        assert proxy.data.exists()

    def test_a_second_server_on_the_same_data_directory_is_refused(self, start, tmp_path):
        proxy = start()
        flags = ("--json", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
        done = proxy.command("serve", *flags, timeout=30)
        assert done.returncode != 0 and "data" in done.stderr
        assert proxy.admin("/healthz").status == 200

    def test_a_port_that_is_taken_is_told(self, start, tmp_path):
        proxy = start()
        taken = "{}:{}".format(*proxy.address)
        done = run(
            "serve", "--listen", taken, "--admin-listen", "127.0.0.1:0", "--data-dir", tmp_path / "d2", timeout=30
        )
        assert done.returncode != 0 and str(proxy.address[1]) in done.stderr
        assert "panicked" not in done.stderr

    def test_without_json_serve_prints_where_it_listens_and_a_line_to_try(self, tmp_path):
        import subprocess

        from harness.proxy import binary, environment
        from harness.wait import until

        flags = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "d3")]
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(
                [str(binary()), "serve", *flags], stdout=out, stderr=out, env=environment(), cwd=tmp_path
            )
            try:
                until(lambda: "curl" in (tmp_path / "out").read_text(), "serve prints a curl line to try", 60)
                assert re.search(r"127\.0\.0\.1:[1-9]\d+", (tmp_path / "out").read_text())
            finally:
                process.terminate()
                process.wait(15)
