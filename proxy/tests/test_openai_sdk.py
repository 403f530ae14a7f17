"""The official OpenAI client, unchanged but for its base URL."""

import asyncio

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from harness import answers
from harness.client import OPENAI_MODEL
from harness.reply import Reply

SAY = [{"role": "user", "content": "How do I grow tomatoes on a balcony?"}]


def connect(proxy, key, **options):
    return OpenAI(base_url=proxy.url + "/v1", api_key=key, **{"max_retries": 0, **options})


@pytest.fixture(params=["plain", "cached"])
def proxy(request, plain_openai, cached):
    """Every test here holds with the cache off and with it on."""
    return plain_openai if request.param == "plain" else cached


def test_a_chat_is_answered(proxy, key):
    answer = connect(proxy, key).chat.completions.create(model=OPENAI_MODEL, messages=SAY)
    assert answer.choices[0].message.content.endswith("to: " + SAY[0]["content"])
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == OPENAI_MODEL
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 50, 60)


def test_a_stream_is_answered_and_a_repeat_reads_the_same(proxy, key):
    client = connect(proxy, key)
    for _ in range(2):
        chunks = list(client.chat.completions.create(model=OPENAI_MODEL, messages=SAY, stream=True))
        assert chunks[0].choices[0].delta.role == "assistant"
        assert "".join(c.choices[0].delta.content or "" for c in chunks).endswith("to: " + SAY[0]["content"])
        assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
        assert {c.usage for c in chunks} == {None}
        assert len({c.id for c in chunks}) == 1


def test_a_stream_with_usage_ends_with_one_usage_chunk(proxy, key):
    client, options = connect(proxy, key), {"include_usage": True}
    for _ in range(2):
        stream = client.chat.completions.create(model=OPENAI_MODEL, messages=SAY, stream=True, stream_options=options)
        chunks = list(stream)
        assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 60
        assert {c.usage for c in chunks[:-1]} == {None}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "context_length_exceeded", openai.BadRequestError),
        (401, "invalid_api_key", openai.AuthenticationError),
        (403, "forbidden", openai.PermissionDeniedError),
        (404, "model_not_found", openai.NotFoundError),
        (429, "rate_limit_exceeded", openai.RateLimitError),
        (500, "server_error", openai.InternalServerError),
        (503, "overloaded", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_upstreams_error_raises_its_own_class(proxy, openai_upstream, key, status, code, error, stream):
    openai_upstream.script(answers.openai_error(status, code, message="what went wrong"))
    with pytest.raises(error) as caught:
        list(connect(proxy, key).chat.completions.create(model=OPENAI_MODEL, messages=SAY, stream=stream))
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert "what went wrong" in str(caught.value)


def test_an_error_inside_the_stream_raises(proxy, openai_upstream, key):
    error = {"message": "ran out of memory", "type": "server_error", "code": 500}
    openai_upstream.script(answers.chat(error=error))
    with pytest.raises(openai.APIError, match="ran out of memory"):
        list(connect(proxy, key).chat.completions.create(model=OPENAI_MODEL, messages=SAY, stream=True))


def test_a_retry_by_the_client_reaches_the_upstream_again(proxy, openai_upstream, key):
    now = [("retry-after-ms", "1")]
    openai_upstream.script(answers.openai_error(429, "rate_limit_exceeded", headers=now))
    mark = openai_upstream.mark()
    answer = connect(proxy, key, max_retries=2).chat.completions.create(model=OPENAI_MODEL, messages=SAY)
    assert answer.choices[0].message.content.endswith(SAY[0]["content"])
    assert len(openai_upstream.since(mark)) == 2


def test_models_are_listed_and_retrieved(plain_openai, key):
    client = connect(plain_openai, key)
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini", "gpt-4o"]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


def test_embeddings_pass_through(plain_openai, openai_upstream, key):
    mark = openai_upstream.mark()
    answer = connect(plain_openai, key).embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [item.embedding for item in answer.data] == [[0.25, -0.5, 1.0]] * 2
    assert openai_upstream.since(mark)[0].json()["encoding_format"] == "base64"


def test_the_request_id_of_the_upstream_reaches_the_caller(plain_openai, key):
    answer = connect(plain_openai, key).chat.completions.create(model=OPENAI_MODEL, messages=SAY)
    assert answer._request_id.startswith("req_")


def test_an_async_client_reuses_its_connection_after_a_stream(proxy, key):
    """The client drains after [DONE] and keeps the connection only if the body ends promptly and properly."""
    ports = []

    async def note(response):
        ports.append(response.extensions["network_stream"].get_extra_info("client_addr")[1])

    async def talk():
        http = openai.DefaultAsyncHttpxClient(event_hooks={"response": [note]})
        client = AsyncOpenAI(base_url=proxy.url + "/v1", api_key=key, max_retries=0, http_client=http)
        for _ in range(3):
            stream = await client.chat.completions.create(model=OPENAI_MODEL, messages=SAY, stream=True)
            text = "".join([c.choices[0].delta.content or "" async for c in stream])
            assert text.endswith(SAY[0]["content"])
            await client.chat.completions.create(model=OPENAI_MODEL, messages=SAY)
        await client.close()

    asyncio.run(talk())
    assert len(ports) == 6 and len(set(ports)) == 1


def test_the_sdk_does_not_hammer_a_503_that_only_a_human_can_mend(builtin, key):
    """No upstream is configured: x-should-retry: false spares the client its two retries."""
    sent = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request.url)]})
    client = connect(builtin, key, max_retries=2, http_client=http)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=OPENAI_MODEL, messages=[{"role": "user", "content": "What is a monad?"}])
    assert caught.value.status_code == 503
    assert len(sent) == 1


def test_the_legacy_completions_path_passes_through(proxy, openai_upstream, key):
    body = b'{"id":"c","object":"text_completion","choices":[{"text":"hi","index":0,"finish_reason":"stop"}]}'
    openai_upstream.script(Reply(headers=[("Content-Type", "application/json")], body=body))
    assert connect(proxy, key).completions.create(model="m", prompt="say hi").choices[0].text == "hi"
