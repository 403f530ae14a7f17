"""An upstream's error reaches a client of the other protocol as that protocol's own error.

Errors may make the policy set an upstream aside, so these tests use a proxy of their own, and those of quotas
one for each test.
"""

import openai
import pytest
from google import genai
from google.genai import errors, types

from harness import answers, config
from harness.client import GEMINI_MODEL, OPENAI_MODEL


@pytest.fixture(scope="module")
def text(openai_upstream, gemini_upstream):
    return (
        config.NO_TEMPLATES
        + config.upstream(openai_upstream, "own", models={OPENAI_MODEL: OPENAI_MODEL})
        + config.upstream(gemini_upstream, "own", models={GEMINI_MODEL: GEMINI_MODEL})
    )


@pytest.fixture(scope="module")
def proxy(session_start, text):
    return session_start("errors", text)


def check_openai(proxy, gemini_upstream, scripted, status, code=None, **headers):
    for stream in (False, True):
        gemini_upstream.forget_scripts()
        # The policy may try again where that is allowed: the last word is the same.
        gemini_upstream.script(*[scripted] * 4)
        answer = proxy.client.chat("hi there", "k", model=GEMINI_MODEL, stream=stream)
        error = answer.json()["error"]
        assert answer.status == status, answer.body
        assert error["message"] and error["type"]
        if code:
            assert error["code"] == code
        for name, value in headers.items():
            assert answer.header(name.replace("_", "-")) == value, name
    gemini_upstream.forget_scripts()


def test_a_bad_gemini_key_is_an_openai_401(proxy, gemini_upstream):
    check_openai(proxy, gemini_upstream, answers.bad_gemini_key(), 401, "invalid_api_key")


def test_a_minutes_quota_is_an_openai_429_that_says_when(start, text, gemini_upstream):
    scripted = answers.gemini_quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "26s")
    gemini_upstream.script(*[scripted] * 4)
    answer = start(text).client.chat("hi there", "k", model=GEMINI_MODEL)
    assert (answer.status, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.header("retry-after")) in range(20, 28)


def test_a_days_quota_is_insufficient_quota_not_to_be_retried(start, text, gemini_upstream):
    scripted = answers.gemini_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "9s")
    gemini_upstream.script(*[scripted] * 4)
    answer = start(text).client.chat("hi there", "k", model=GEMINI_MODEL)
    assert (answer.status, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert answer.header("x-should-retry") == "false"


def test_an_unknown_gemini_model_is_model_not_found(proxy, gemini_upstream):
    check_openai(proxy, gemini_upstream, answers.gemini_error(404, "NOT_FOUND"), 404, "model_not_found")


@pytest.mark.parametrize(("status", "rpc"), [(500, "INTERNAL"), (503, "UNAVAILABLE")])
def test_a_gemini_server_error_keeps_its_status(proxy, gemini_upstream, status, rpc):
    check_openai(proxy, gemini_upstream, answers.gemini_error(status, rpc, "overloaded"), status)


def test_the_openai_sdk_raises_the_right_class(proxy, gemini_upstream):
    gemini_upstream.script(*[answers.bad_gemini_key()] * 4)
    client = openai.OpenAI(base_url=proxy.url + "/v1", api_key="k", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=GEMINI_MODEL, messages=[{"role": "user", "content": "hi there"}])


@pytest.mark.parametrize(
    ("status", "code", "rpc"),
    [
        (400, "context_length_exceeded", "INVALID_ARGUMENT"),
        (404, "model_not_found", "NOT_FOUND"),
        (429, "rate_limit_exceeded", "RESOURCE_EXHAUSTED"),
        (500, "server_error", "INTERNAL"),
        (503, "overloaded", "UNAVAILABLE"),
    ],
)
def test_an_openai_error_is_geminis_to_a_gemini_client(proxy, openai_upstream, status, code, rpc):
    for form in (None, "sse", "array"):
        openai_upstream.forget_scripts()
        openai_upstream.script(*[answers.openai_error(status, code, "the reason")] * 4)
        answer = proxy.client.generate("hi there", "k", model=OPENAI_MODEL, form=form)
        body = answer.json()
        error = (body[0] if isinstance(body, list) else body)["error"]
        assert (answer.status, error["code"], error["status"]) == (status, status, rpc)
        assert error["message"]
    openai_upstream.forget_scripts()


def test_the_gemini_sdk_raises_inside_a_stream(proxy, openai_upstream):
    """An in-band error after the first text must raise, not end the stream as if all was said."""
    error = {"message": "ran out of memory", "type": "server_error", "code": 500}
    openai_upstream.script(answers.chat(text="a long enough answer", error=error))
    options = types.HttpOptions(base_url=proxy.url, api_version="v1beta")
    client = genai.Client(api_key="k", http_options=options)
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=OPENAI_MODEL, contents="hi there"))
