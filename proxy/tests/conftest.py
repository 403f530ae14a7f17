"""Shared proxies and upstreams.

Starting a proxy loads a model, so the proxies are shared by the whole session wherever a test can isolate
itself by a credential of its own (the namespace follows the credential). A test that kills, starves or
reconfigures a proxy starts its own through `start`.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import config  # noqa: E402
from harness.client import new_key  # noqa: E402
from harness.proxy import Proxy, binary  # noqa: E402
from harness.upstream import Upstream  # noqa: E402

OPENAI_MODELS = {"gpt-4o-mini": "gpt-4o-mini", "gpt-4o": "gpt-4o"}
GEMINI_MODELS = {"gemini-2.5-flash": "gemini-2.5-flash", "gemini-3.8-flash": "gemini-3.8-flash"}
# Round figures, so that the expected saving of an echoed answer can be told by heart.
PRICE = {"input": 1000.0, "output": 2000.0}


@pytest.fixture(scope="session")
def openai_upstream():
    server = Upstream("openai")
    yield server
    server.close()


@pytest.fixture(scope="session")
def gemini_upstream():
    server = Upstream("gemini")
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_scripts_left(request):
    """A script that one test did not use up must not answer the next test."""
    yield
    for name in ("openai_upstream", "gemini_upstream"):
        if name in request.fixturenames:
            request.getfixturevalue(name).forget_scripts()


@pytest.fixture
def key():
    return new_key()


@pytest.fixture(scope="session")
def session_start(tmp_path_factory):
    """Starts a proxy that lives as long as the session."""
    running = []
    binary()

    def start(name, text=None, **options):
        proxy = Proxy(tmp_path_factory.mktemp(name), text, **options)
        running.append(proxy)
        return proxy.start()

    yield start
    for proxy in running:
        proxy.kill()


@pytest.fixture
def start(tmp_path):
    """Starts a proxy that lives as long as the test: start(config text, ready=True, ...)."""
    running = []
    binary()

    def start_one(text=None, ready=True, **options):
        proxy = Proxy(tmp_path / f"proxy{len(running)}", text, **options)
        running.append(proxy)
        return proxy.start(ready)

    yield start_one
    # Killed, not stopped: what an orderly stop does is the business of the tests that ask for one.
    for proxy in running:
        proxy.kill()


@pytest.fixture(scope="session")
def plain_openai(session_start, openai_upstream):
    """The cache off, one OpenAI upstream that gets the client's own credential."""
    return session_start("plain-openai", config.NO_CACHE + config.upstream(openai_upstream))


@pytest.fixture(scope="session")
def plain_gemini(session_start, gemini_upstream):
    """The cache off, one Gemini upstream that gets the client's own credential."""
    return session_start("plain-gemini", config.NO_CACHE + config.upstream(gemini_upstream))


@pytest.fixture(scope="session")
def cached(session_start, openai_upstream, gemini_upstream):
    """The cache on, templates off; each protocol's own upstream gets the client's credential."""
    text = (
        config.NO_TEMPLATES
        + config.upstream(openai_upstream, models=OPENAI_MODELS, price=PRICE)
        + config.upstream(gemini_upstream, models=GEMINI_MODELS, price=PRICE)
    )
    return session_start("cached", text)


@pytest.fixture(scope="session")
def own(session_start, openai_upstream, gemini_upstream):
    """The cache on, templates off; both upstreams have keys of their own, so any client may use either."""
    text = (
        config.NO_TEMPLATES
        + config.upstream(openai_upstream, "own", models=OPENAI_MODELS)
        + config.upstream(gemini_upstream, "own", models=GEMINI_MODELS)
    )
    return session_start("own", text)


@pytest.fixture(scope="session")
def builtin(session_start):
    """No configuration at all: templates, and no upstream."""
    return session_start("builtin")


@pytest.fixture(scope="session")
def templated(session_start, openai_upstream, gemini_upstream):
    """Templates on, with upstreams behind them, and a frame that asks for JSON tasks."""
    text = (
        config.upstream(openai_upstream, models=OPENAI_MODELS)
        + config.upstream(gemini_upstream, models=GEMINI_MODELS)
        + config.frame("planner", "Plan this goal: {goal}", "json-tasks", system="You are a planner. Answer in JSON.")
    )
    return session_start("templated", text)
