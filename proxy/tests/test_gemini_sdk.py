"""The official Gemini client, unchanged but for its base URL, under both API versions."""

import pytest
from google import genai
from google.genai import errors, types

from harness import answers
from harness.client import GEMINI_MODEL

GOAL = "How do I grow tomatoes on a balcony?"


@pytest.fixture(params=["plain", "cached"])
def proxy(request, plain_gemini, cached):
    return plain_gemini if request.param == "plain" else cached


@pytest.fixture(params=[None, "v1beta"], ids=["v1", "v1beta"])
def client(request, proxy, key):
    return connect(proxy, key, request.param)


def connect(proxy, key, version=None):
    options = types.HttpOptions(base_url=proxy.url, api_version=version)
    return genai.Client(api_key=key, http_options=options)


def test_a_generation_is_answered(client):
    answer = client.models.generate_content(model=GEMINI_MODEL, contents=GOAL)
    assert answer.text.endswith("to: " + GOAL)
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (18, 50, 68)
    assert answer.model_version == GEMINI_MODEL


def test_a_stream_is_answered_and_a_repeat_reads_the_same(client):
    for _ in range(2):
        chunks = list(client.models.generate_content_stream(model=GEMINI_MODEL, contents=GOAL))
        assert "".join(chunk.text or "" for chunk in chunks).endswith("to: " + GOAL)
        assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
        assert chunks[-1].usage_metadata.total_token_count == 68
        assert len({chunk.response_id for chunk in chunks}) == 1


def test_settings_of_the_sdk_pass(client, gemini_upstream):
    mark = gemini_upstream.mark()
    config = types.GenerateContentConfig(system_instruction="Be brief.", top_k=5, max_output_tokens=900)
    assert client.models.generate_content(model=GEMINI_MODEL, contents=GOAL, config=config).text.endswith(GOAL)
    (request,) = gemini_upstream.since(mark)
    assert request.json()["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert request.json()["generationConfig"]["maxOutputTokens"] == 900


def test_tokens_are_counted_and_models_listed_and_fetched_by_the_upstream(plain_gemini, key):
    for version in (None, "v1beta"):
        client = connect(plain_gemini, key, version)
        assert client.models.count_tokens(model=GEMINI_MODEL, contents=GOAL).total_tokens == 7
        assert [model.name for model in client.models.list()] == ["models/gemini-2.5-flash", "models/gemini-3.8-flash"]
        assert client.models.get(model=GEMINI_MODEL).name == "models/" + GEMINI_MODEL


def test_embeddings_pass_through(plain_gemini, key):
    client = connect(plain_gemini, key)
    answer = client.models.embed_content(model="gemini-embedding-2", contents="a")
    assert answer.embeddings[0].values == [0.25, -0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "rpc", "error"),
    [
        (400, "INVALID_ARGUMENT", errors.ClientError),
        (403, "PERMISSION_DENIED", errors.ClientError),
        (404, "NOT_FOUND", errors.ClientError),
        (429, "RESOURCE_EXHAUSTED", errors.ClientError),
        (500, "INTERNAL", errors.ServerError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_upstreams_error_raises_with_its_code_and_status(
    plain_gemini, gemini_upstream, key, status, rpc, error, stream
):
    gemini_upstream.script(answers.gemini_error(status, rpc, "what went wrong"))
    client = connect(plain_gemini, key)
    ask = client.models.generate_content_stream if stream else client.models.generate_content
    with pytest.raises(error) as caught:
        list(ask(model=GEMINI_MODEL, contents=GOAL))
    assert (caught.value.code, caught.value.status, caught.value.message) == (status, rpc, "what went wrong")


def test_a_proxy_made_error_reads_as_geminis(builtin, key):
    client = connect(builtin, key)
    with pytest.raises(errors.ServerError) as caught:
        client.models.generate_content(model=GEMINI_MODEL, contents="What is a monad?")
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_the_array_form_is_one_json_array_miss_and_hit(cached, gemini_upstream, key, version):
    for expected in ("miss", "exact"):
        ask = lambda: cached.client.generate(GOAL, key, version=version, form="array")  # noqa: E731
        answer = cached.warm(ask) if expected == "miss" else ask()
        assert answer.cache == expected
        assert answer.header("content-type").lower().startswith("application/json")
        items = answer.json()
        assert isinstance(items, list)
        assert answer.text.endswith("to: " + GOAL)
        assert items[-1]["candidates"][0]["finishReason"] == "STOP"


def test_the_colon_of_the_method_may_be_escaped(cached, key):
    body = b'{"contents":[{"parts":[{"text":"escaped colon"}]}]}'
    target = f"/v1beta/models/{GEMINI_MODEL}%3AgenerateContent"
    answer = cached.client.post(target, body, [("x-goog-api-key", key)])
    assert (answer.status, answer.cache) == (200, "miss")
    assert answer.text.endswith("to: escaped colon")


def test_the_key_may_come_in_the_query(cached, key):
    body = b'{"contents":[{"parts":[{"text":"key in the query"}]}]}'
    target = f"/v1beta/models/{GEMINI_MODEL}:generateContent?key={key}"
    cached.warm(lambda: cached.client.post(target, body))
    assert cached.client.post(target, body).cache == "exact"
    # The same key by header is the same caller, hence the same namespace.
    assert cached.client.generate("key in the query", key).cache == "exact"
