"""With no upstream a miss is a clear 503 in the client's own protocol that names the remedy."""

import pytest

from harness import config, raw

MISS = "What is a monad, in one paragraph?"


def check_remedy(message):
    assert "GEMINI_API_KEY" in message or "upstreams" in message, message


@pytest.mark.parametrize("stream", [False, True])
def test_an_openai_client_is_told(builtin, key, stream):
    answer = builtin.client.chat(MISS, key, stream=stream)
    assert answer.status == 503
    error = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= error.keys()
    check_remedy(error["message"])
    assert answer.header("x-should-retry") == "false"
    assert answer.cache == "miss"
    assert answer.header("content-type").startswith("application/json")


@pytest.mark.parametrize("form", [None, "sse", "array"])
def test_a_gemini_client_is_told(builtin, key, form):
    answer = builtin.client.generate(MISS, key, form=form)
    body = answer.json()
    error = (body[0] if isinstance(body, list) else body)["error"]
    assert (answer.status, error["code"], error["status"]) == (503, 503, "UNAVAILABLE")
    check_remedy(error["message"])


@pytest.mark.parametrize("target", ["/v1/embeddings", "/v1/unheard-of", "/v1beta/models/m:countTokens"])
def test_a_path_we_do_not_decode_is_told_too(builtin, target):
    answer = raw.request(builtin.address, "POST", target, body=b"{}")
    assert answer.status == 503
    check_remedy(answer.json()["error"]["message"])


def test_a_model_that_no_upstream_serves_is_told(start, openai_upstream, key):
    proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream, models={"gpt-4o": "gpt-4o"}))
    mark = openai_upstream.mark()
    answer = proxy.client.chat(MISS, key, model="llama-3")
    assert answer.status in (404, 503)
    assert "llama-3" in answer.json()["error"]["message"]
    assert openai_upstream.since(mark) == []


def test_an_upstream_that_refuses_connections_is_a_502_or_503(start, key):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        text = f'[[upstreams]]\nname = "gone"\nkind = "openai"\nbase_url = "http://127.0.0.1:{port}"\ncredential = "client"\n'
        proxy = start(config.NO_TEMPLATES + text)
        answer = proxy.client.chat(MISS, key)
        assert answer.status in (502, 503, 504) and answer.json()["error"]["message"]
        answer = raw.request(proxy.address, "GET", "/v1/unheard-of")
        assert answer.status in (502, 503, 504)


def test_a_gemini_key_in_the_environment_makes_an_upstream(start, tmp_path):
    """Nothing but GEMINI_API_KEY: the command that explains must name the upstream it would use."""
    proxy = start(None, env={"GEMINI_API_KEY": "AIza-planted-canary"})
    done = proxy.command("explain", "What is a monad?", "--json")
    assert done.returncode == 0 and "gemini" in done.stdout
    assert "AIza-planted-canary" not in done.stdout + done.stderr + proxy.log


@pytest.mark.parametrize("target", ["/v1/embeddings", "/v1/unheard-of"])
def test_a_client_that_waits_for_100_continue_is_told_at_once(builtin, target):
    """It sends its body only when told to: a proxy that reads the body first would wait for ever."""
    with raw.Wire(builtin.address, timeout=4) as wire:
        wire.send(raw.head("POST", target, [("Expect", "100-continue"), ("Content-Length", "100000")]))
        status, _, _ = wire.read_head()
    assert status == 503
