"""The real curl, as in the README: what a user types first must work."""

import json
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")

GOAL = "I want to learn conversational Spanish in 3 months"


def curl(*args, stdin=None):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *args], capture_output=True, input=stdin, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_one_line_asks_for_a_plan(builtin):
    body = json.dumps({"model": "any", "messages": [{"role": "user", "content": GOAL}]})
    json_type = ("-H", "content-type: application/json")
    answer = json.loads(curl(builtin.url + "/v1/chat/completions", *json_type, "-d", body))
    assert "Spanish" in answer["choices"][0]["message"]["content"]


def test_a_body_without_a_json_content_type_is_understood(builtin):
    """`curl -d` says application/x-www-form-urlencoded when it is not told otherwise."""
    body = json.dumps({"model": "any", "messages": [{"role": "user", "content": GOAL}]})
    answer = json.loads(curl(builtin.url + "/v1/chat/completions", "-d", body))
    assert "Spanish" in answer["choices"][0]["message"]["content"]


def test_a_stream_prints_events(builtin):
    body = json.dumps({"contents": [{"parts": [{"text": GOAL}]}]})
    target = builtin.url + "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    lines = curl("-N", target, "-H", "content-type: application/json", "-d", body).decode().splitlines()
    assert lines and all(line == "" or line.startswith("data: {") for line in lines)


def test_the_admin_pages_answer(builtin):
    admin = "http://{}:{}".format(*builtin.admin_address)
    for path in ("/", "/metrics", "/healthz", "/readyz"):
        assert curl("-o", "/dev/null", "-w", "%{http_code}", admin + path) == b"200"


def test_a_body_over_one_mebibyte_with_expect(plain_openai, openai_upstream):
    """curl asks for a 100 above 1 MiB and would wait a second for it."""
    body = b"x" * (2 << 20)
    mark = openai_upstream.mark()
    answer = curl("-H", "Expect: 100-continue", "--data-binary", "@-", plain_openai.url + "/v1/files", stdin=body)
    assert answer == body
    assert openai_upstream.since(mark)[0].body == body


def test_a_chunked_upload(plain_openai):
    body = b"y" * 300_000
    chunked = ("-H", "Transfer-Encoding: chunked")
    assert curl(*chunked, "--data-binary", "@-", plain_openai.url + "/v1/files", stdin=body) == body


def test_http2_upgrade_offers_are_ignored(plain_openai):
    assert curl("--http2", "-o", "/dev/null", "-w", "%{http_code}", plain_openai.url + "/v1/models") == b"200"


def test_compressed_answers_are_decoded(cached, key):
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "compressed please"}]})
    auth = ("-H", f"Authorization: Bearer {key}")
    for _ in range(2):
        answer = json.loads(curl("--compressed", *auth, cached.url + "/v1/chat/completions", "-d", body))
        assert answer["choices"][0]["message"]["content"].endswith("compressed please")


def test_head_and_options(plain_openai):
    for args in (["-I"], ["-X", "OPTIONS", "-i"]):
        assert curl(*args, plain_openai.url + "/v1/unheard-of").startswith(b"HTTP/1.1 200")
