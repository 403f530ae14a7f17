"""Single-flight: concurrent equal misses cost one upstream call, and no caller pays for another's fate."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from google import genai
from google.genai import types
from openai import AsyncOpenAI, OpenAI

from harness import answers, config, raw
from harness.client import GEMINI_MODEL, OPENAI_MODEL, chat_body, encode, generate_body, new_key
from harness.reply import Gate, Reply
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
TEXT = "Fill large pots with compost, water every morning and tie the stems up."
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


class Asker:
    """Requests on threads of their own, each with its own connection."""

    def __init__(self):
        self.pool = ThreadPoolExecutor(64)

    def __call__(self, *call, **fields):
        return self.pool.submit(*call, **fields)

    def close(self):
        self.pool.shutdown(cancel_futures=True)


@pytest.fixture
def ask():
    asker = Asker()
    yield asker
    asker.close()


@pytest.fixture
def passthrough(start, openai_upstream):
    text = config.table("server", auth="passthrough") + config.table("cache", namespace="everyone")
    return start(text + config.NO_TEMPLATES + config.upstream(openai_upstream))


def waiting(proxy):
    return proxy.metrics().sum("tollfree_cache_followers")


def followers(proxy, number):
    """Returns once so many requests wait for another's answer."""
    until(lambda: waiting(proxy) >= number, f"{number} requests follow")


def readers(proxy, before, number):
    """Returns once so many more streams than `before` have begun to read along."""
    until(lambda: proxy.metrics().lookups("coalesced") >= before + number, f"{number} followers read along")


def held(reply):
    """The scripted reply, but nothing of it before the gate opens."""
    gate = Gate()

    def scripted(request):
        made = reply(request) if callable(reply) else reply
        made.before = gate
        return made

    return gate, scripted


def stream(proxy, key, goal=GOAL, protocol="openai"):
    if protocol == "openai":
        return proxy.client.chat(goal, key, stream=True)
    return proxy.client.generate(goal, key, form=protocol)


def test_twenty_equal_requests_at_once_cost_one_call(cached, openai_upstream, key, ask):
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply)
    mark = openai_upstream.mark()
    first = ask(cached.client.chat, GOAL, key)
    gate.wait_reached()
    others = [ask(cached.client.chat, GOAL, key) for _ in range(19)]
    followers(cached, 19)
    gate.open()
    assert first.result().cache == "miss"
    for other in others:
        answer = other.result()
        assert (answer.status, answer.cache, answer.text) == (200, "coalesced", TEXT)
        assert answer.header("cache-status") == "tollfree; fwd=miss; collapsed"
        assert float(answer.header("x-tollfree-saved-usd")) == pytest.approx(0.11)
        assert int(answer.header("x-tollfree-overhead-us")) < 10_000_000
    assert len(openai_upstream.since(mark)) == 1
    assert cached.client.chat(GOAL, key).cache == "exact"
    assert waiting(cached) == 0


def test_the_official_clients_share_a_call(cached, openai_upstream, key):
    """Twenty of the SDK's own requests on one event loop, half of them streamed."""
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply)
    mark = openai_upstream.mark()

    async def one(client, streamed):
        if not streamed:
            answer = await client.chat.completions.create(model=OPENAI_MODEL, messages=chat_body(GOAL)["messages"])
            return answer.choices[0].message.content
        chunks = await client.chat.completions.create(
            model=OPENAI_MODEL, messages=chat_body(GOAL)["messages"], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    async def talk():
        async with AsyncOpenAI(base_url=cached.url + "/v1", api_key=key, max_retries=0) as client:
            tasks = [asyncio.create_task(one(client, number % 2)) for number in range(20)]
            await asyncio.to_thread(followers, cached, 19)
            gate.open()
            return await asyncio.gather(*tasks)

    assert asyncio.run(talk()) == [TEXT] * 20
    assert len(openai_upstream.since(mark)) == 1


def test_a_gemini_stream_is_shared_with_the_official_client(cached, gemini_upstream, key, ask):
    gate = Gate()
    gemini_upstream.script(answers.gemini(text=TEXT, gate=gate))
    mark = gemini_upstream.mark()
    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=cached.url))

    def read():
        chunks = list(client.models.generate_content_stream(model=GEMINI_MODEL, contents=GOAL))
        return "".join(chunk.text or "" for chunk in chunks), chunks[-1].candidates[0].finish_reason

    before = cached.metrics().lookups("coalesced")
    first = ask(read)
    gate.wait_reached()
    others = [ask(read) for _ in range(4)]
    readers(cached, before, 4)
    gate.open()
    for reading in [first, *others]:
        assert reading.result() == (TEXT, types.FinishReason.STOP)
    assert len(gemini_upstream.since(mark)) == 1


@pytest.mark.parametrize("form", ["openai", "sse", "array"])
def test_a_streaming_follower_reads_along(cached, openai_upstream, gemini_upstream, key, form):
    """It has the first words while the upstream still holds the rest back."""
    gate = Gate()
    upstream = openai_upstream if form == "openai" else gemini_upstream
    scripted = answers.chat if form == "openai" else answers.gemini
    upstream.script(scripted(text=TEXT, gate=gate))
    mark = upstream.mark()
    with open_stream(cached, key, form) as leader:
        gate.wait_reached()
        with open_stream(cached, key, form) as follower:
            status, _, headers = follower.read_head()
            assert status == 200 and ("x-tollfree-cache", "coalesced") in headers
            assert follower.until(TEXT[:12].encode()) is not None
            gate.open()
            assert follower.until(TEXT[-7:].encode()) is not None
            assert follower.until(b"0\r\n\r\n") is not None
        assert leader.until(b"0\r\n\r\n") is not None
    assert len(upstream.since(mark)) == 1
    assert stream(cached, key, protocol=form).text == TEXT


def open_stream(proxy, key, form="openai", goal=GOAL):
    wire = raw.Wire(proxy.address)
    if form == "openai":
        body, target = encode(chat_body(goal, stream=True)), "/v1/chat/completions"
        auth = ("Authorization", f"Bearer {key}")
    else:
        method = "streamGenerateContent" + ("?alt=sse" if form == "sse" else "")
        body = encode(generate_body(goal))
        target = f"/v1beta/models/{GEMINI_MODEL}:{method}"
        auth = ("x-goog-api-key", key)
    wire.send(raw.head("POST", target, [auth, ("Content-Length", str(len(body)))]) + body)
    return wire


def test_a_stream_and_a_whole_answer_share_a_call_both_ways(cached, openai_upstream, key, ask):
    for streamed in (True, False):
        goal = f"How do I keep {'bees' if streamed else 'hens'} in a town?"
        gate, reply = held(answers.chat(text=TEXT))
        openai_upstream.script(reply)
        mark = openai_upstream.mark()
        first = ask(cached.client.chat, goal, key, stream=streamed)
        gate.wait_reached()
        other = ask(cached.client.chat, goal, key, stream=not streamed)
        followers(cached, 1)
        gate.open()
        assert first.result().text == other.result().text == TEXT
        assert other.result().cache == "coalesced"
        assert len(openai_upstream.since(mark)) == 1


def test_a_slow_follower_does_not_slow_the_leader(cached, openai_upstream, key):
    """The follower reads nothing at all while the leader takes megabytes."""
    gate = Gate()
    pieces = ["x" * 1000] * 900
    openai_upstream.script(answers.chat(pieces=pieces, text="".join(pieces), gate=gate))
    with open_stream(cached, key) as leader:
        gate.wait_reached()
        with open_stream(cached, key) as sleeper:
            assert sleeper.read_head()[0] == 200
            gate.open()
            answer = leader.read()
            assert answer.complete and len(answer.text) == 900_000
            assert sleeper.until(b"[DONE]") is not None


def test_a_leader_that_leaves_takes_nobody_with_it(cached, openai_upstream, key, ask):
    """Its call is kept for those who wait: one upstream call, however many of their forerunners left."""
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply)
    mark = openai_upstream.mark()
    with open_stream(cached, key):
        gate.wait_reached()
        others = [ask(cached.client.chat, GOAL, key, stream=number % 2 == 0) for number in range(6)]
        followers(cached, 6)
    gate.open()
    for other in others:
        assert (other.result().status, other.result().cache, other.result().text) == (200, "coalesced", TEXT)
    assert len(openai_upstream.since(mark)) == 1


def test_a_leader_killed_in_mid_stream_takes_nobody_with_it(cached, openai_upstream, key, ask):
    gate = Gate()
    openai_upstream.script(answers.chat(text=TEXT, gate=gate))
    mark = openai_upstream.mark()
    with open_stream(cached, key) as leader:
        assert leader.read_head()[0] == 200
        gate.wait_reached()
        whole = ask(cached.client.chat, GOAL, key)
        followers(cached, 1)
        streamed = open_stream(cached, key)
        assert streamed.read_head()[0] == 200
        assert streamed.until(TEXT[:12].encode()) is not None
    gate.open()
    assert (whole.result().cache, whole.result().text) == ("coalesced", TEXT)
    assert streamed.until(b"[DONE]") is not None
    streamed.close()
    assert len(openai_upstream.since(mark)) == 1
    assert cached.client.chat(GOAL, key).text == TEXT


def test_a_call_that_nobody_waits_for_any_more_is_cancelled(cached, openai_upstream, key):
    gate, reply = held(answers.chat(text="never read"))
    openai_upstream.script(reply)
    with open_stream(cached, key):
        gate.wait_reached()
        with open_stream(cached, key):
            followers(cached, 1)
    until(lambda: waiting(cached) == 0, "both have left")
    gate.open()
    answer = cached.client.chat(GOAL, key)
    assert answer.cache == "miss" and answer.text != "never read"


NO_ANSWERS = {
    "429": answers.openai_error(429, "rate_limit_exceeded"),
    "500": answers.openai_error(500, "server_error"),
    "401": answers.openai_error(401, "invalid_api_key"),
    "broken off": Reply(framing="chunked", body=[b'{"choices":'], end="cut"),
    "truncated": answers.chat(text="cut off at the", finish="length"),
    "filtered": answers.chat(text="not allowed", finish="content_filter"),
    "tool call": answers.chat(finish="tool_calls", tool_calls=[CALL]),
    "empty": answers.chat(text=""),
    "refusal": Reply(
        headers=[("Content-Type", "application/json")], body=b'{"choices":[{"message":{"refusal":"I cannot"}}]}'
    ),
    "no answer": Reply(headers=[("Content-Type", "application/json")], body=b"{}"),
}
# A stream of these has words before one knows: who reads along has them too (see the tests of streams below).
WORDS_FIRST = {"truncated", "filtered"}


@pytest.mark.parametrize(
    ("name", "stream"),
    [(name, False) for name in NO_ANSWERS] + [(name, True) for name in NO_ANSWERS if name not in WORDS_FIRST],
)
def test_what_is_no_answer_is_shared_with_nobody(cached, openai_upstream, key, ask, name, stream):
    """The leader gets it; one follower asks anew, and its answer serves the others: two calls, not six."""
    gate, reply = held(NO_ANSWERS[name])
    openai_upstream.script(reply)
    mark = openai_upstream.mark()
    first = ask(cached.client.chat, GOAL, key, stream=stream)
    gate.wait_reached()
    others = [ask(cached.client.chat, GOAL, key, stream=stream) for _ in range(5)]
    followers(cached, 5)
    gate.open()
    first.result()
    found = [other.result() for other in others]
    assert {answer.status for answer in found} == {200}
    assert {answer.text for answer in found} == {found[0].text}
    assert found[0].text.endswith(GOAL)
    assert sorted(answer.cache for answer in found) == ["coalesced"] * 4 + ["miss"]
    assert len(openai_upstream.since(mark)) == 2


def test_every_caller_asks_for_itself_while_the_upstream_fails(cached, openai_upstream, key, ask):
    """One at a time, each with its own error, and nobody waits for ever."""
    gate, reply = held(answers.openai_error(500, "server_error", "first"))
    openai_upstream.script(reply, *[answers.openai_error(500, "server_error", "again")] * 5)
    mark = openai_upstream.mark()
    first = ask(cached.client.chat, GOAL, key)
    gate.wait_reached()
    others = [ask(cached.client.chat, GOAL, key) for _ in range(5)]
    followers(cached, 5)
    gate.open()
    assert [first.result().status] + [other.result().status for other in others] == [500] * 6
    assert len(openai_upstream.since(mark)) == 6
    assert cached.client.chat(GOAL, key).cache == "miss"


def test_a_stream_the_upstream_breaks_ends_as_broken_for_all_who_read_it(cached, openai_upstream, key, ask):
    """Words that were sent cannot be taken back: such a follower's own stream ends in an error, never as whole."""
    gate = Gate()
    openai_upstream.script(answers.chat(text=TEXT, gate=gate, end="cut", done=False))
    with open_stream(cached, key):
        gate.wait_reached()
        reading = open_stream(cached, key)
        assert reading.read_head()[0] == 200
        waits = ask(cached.client.chat, GOAL, key)
        followers(cached, 1)
        gate.open()
        rest = reading.until(b"0\r\n\r\n")
        assert rest is not None and b'"error"' in rest and b"[DONE]" not in rest
        reading.close()
    assert waits.result().cache == "miss" and waits.result().text.endswith(GOAL)


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_a_stream_that_is_no_whole_answer_ends_for_all_who_read_it_as_for_the_leader(
    cached, openai_upstream, key, ask, finish
):
    """Who reads along is told what the leader is told; who waits for the whole asks anew, and nothing is stored."""
    gate = Gate()
    openai_upstream.script(answers.chat(text=TEXT, gate=gate, finish=finish))
    with open_stream(cached, key) as leader:
        gate.wait_reached()
        reading = open_stream(cached, key)
        assert reading.read_head()[0] == 200
        assert reading.until(TEXT[:12].encode()) is not None
        waits = ask(cached.client.chat, GOAL, key)
        followers(cached, 1)
        gate.open()
        for stream in (leader, reading):
            rest = stream.until(b"[DONE]")
            assert rest is not None and f'"finish_reason":"{finish}"'.encode() in rest.replace(b": ", b":")
        reading.close()
    assert waits.result().cache == "miss" and waits.result().text.endswith(GOAL)


def test_namespaces_do_not_share_a_call(cached, openai_upstream, ask):
    gates = [held(answers.chat(text=f"for tenant {number}")) for number in range(2)]
    keys = [new_key(), new_key()]
    for (_, reply), key in zip(gates, keys, strict=True):
        openai_upstream.script(reply, when=lambda request, key=key: request.holds(key))
    asked = [ask(cached.client.chat, GOAL, key) for key in keys]
    for gate, _ in gates:
        gate.wait_reached()
    for gate, _ in gates:
        gate.open()
    assert [(a.result().cache, a.result().text) for a in asked] == [
        ("miss", "for tenant 0"),
        ("miss", "for tenant 1"),
    ]


DIFFERENT = {
    "a setting": {"temperature": 0.3},
    "a token cap": {"max_tokens": 900},
    "a stop string": {"stop": ["END"]},
    "another model": {"model": "gpt-4o"},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_unequal_requests_do_not_share_a_call(cached, openai_upstream, key, ask, what):
    gate, reply = held(answers.chat(text="the first one's"))
    openai_upstream.script(reply)
    first = ask(cached.client.chat, GOAL, key)
    gate.wait_reached()
    other = cached.client.chat(GOAL, key, **DIFFERENT[what])
    assert other.text.endswith(GOAL), other.cache
    gate.open()
    assert first.result().text == "the first one's"


@pytest.mark.parametrize("directive", ["no-cache", "no-store", "max-age=0"])
def test_a_caller_that_wants_its_own_answer_waits_for_nobody(cached, openai_upstream, key, ask, directive):
    gate, reply = held(answers.chat(text="the first one's"))
    openai_upstream.script(reply)
    first = ask(cached.client.chat, GOAL, key)
    gate.wait_reached()
    other = cached.client.chat(GOAL, key, headers={"Cache-Control": directive})
    assert other.text.endswith(GOAL)
    gate.open()
    first.result()


def test_only_if_cached_does_not_wait(cached, openai_upstream, key, ask):
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply)
    first = ask(cached.client.chat, GOAL, key)
    gate.wait_reached()
    assert cached.client.chat(GOAL, key, headers={"Cache-Control": "only-if-cached"}).status == 504
    gate.open()
    first.result()


def test_a_stranger_follows_nobody(passthrough, openai_upstream, ask):
    """In passthrough mode the upstream's word on a credential comes first."""
    owner, stranger = new_key(), new_key()
    passthrough.warm(lambda: passthrough.client.chat("What opens the door?", owner))
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply, when=lambda request: request.holds(owner))
    openai_upstream.script(answers.openai_error(401, "invalid_api_key"), when=lambda request: request.holds(stranger))
    first = ask(passthrough.client.chat, GOAL, owner)
    gate.wait_reached()
    assert passthrough.client.chat(GOAL, stranger).status == 401
    gate.open()
    assert first.result().text == TEXT


def test_a_strangers_failure_holds_nobody_up(passthrough, openai_upstream, ask):
    owner, stranger = new_key(), new_key()
    passthrough.warm(lambda: passthrough.client.chat("What opens the door?", owner))
    gate, reply = held(answers.openai_error(401, "invalid_api_key"))
    openai_upstream.script(reply, when=lambda request: request.holds(stranger))
    refused = ask(passthrough.client.chat, GOAL, stranger)
    gate.wait_reached()
    assert passthrough.client.chat(GOAL, owner).text.endswith(GOAL)
    gate.open()
    assert refused.result().status == 401


def test_quarantine_keeps_a_call_under_way_from_other_callers(start, openai_upstream, ask):
    """What is not yet confirmed reaches nobody else, by whatever way."""
    text = config.table("server", auth="passthrough") + config.table("cache", namespace="everyone", quarantine=True)
    proxy = start(text + config.NO_TEMPLATES + config.upstream(openai_upstream))
    one, two = new_key(), new_key()
    for known in (one, two):
        assert proxy.client.chat("What makes bread rise?", known).status == 200
    gate, reply = held(answers.chat(text=TEXT))
    openai_upstream.script(reply)
    first = ask(proxy.client.chat, GOAL, one)
    gate.wait_reached()
    same = ask(proxy.client.chat, GOAL, one)
    followers(proxy, 1)
    other = proxy.client.chat(GOAL, two)
    assert other.cache == "miss" and other.text.endswith(GOAL)
    gate.open()
    assert (first.result().cache, first.result().text) == ("miss", TEXT)
    assert (same.result().cache, same.result().text) == ("coalesced", TEXT)
    again = proxy.client.chat(GOAL, two)
    assert (again.cache, again.text) == ("exact", other.text)


def test_waiting_has_a_limit(start, openai_upstream, key, ask):
    text = config.table("cache", coalesce_wait="100ms") + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    gate, reply = held(answers.chat(text="slow"))
    openai_upstream.script(reply)
    first = ask(proxy.client.chat, GOAL, key)
    gate.wait_reached()
    other = proxy.client.chat(GOAL, key)
    assert other.cache == "miss" and other.text.endswith(GOAL)
    gate.open()
    assert first.result().text == "slow"


def test_coalescing_can_be_switched_off(start, openai_upstream, key, ask):
    text = config.table("cache", coalesce=False) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    gates = [held(answers.chat(text=TEXT)) for _ in range(3)]
    openai_upstream.script(*[reply for _, reply in gates])
    asked = [ask(proxy.client.chat, GOAL, key) for _ in gates]
    for gate, _ in gates:
        gate.wait_reached()
    for gate, _ in gates:
        gate.open()
    assert [a.result().cache for a in asked] == ["miss"] * 3


def test_nobody_waits_for_an_answer_that_is_never_stored(start, openai_upstream, key, ask):
    proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream, admit=False))
    gates = [held(answers.chat(text=TEXT)) for _ in range(3)]
    openai_upstream.script(*[reply for _, reply in gates])
    asked = [ask(proxy.client.chat, GOAL, key) for _ in gates]
    for gate, _ in gates:
        gate.wait_reached()
    for gate, _ in gates:
        gate.open()
    assert [a.result().cache for a in asked] == ["miss"] * 3


def test_two_protocols_share_what_is_translated(own, openai_upstream, key, ask):
    """A Gemini client follows another one whose answer comes from an OpenAI server."""
    gate = Gate()
    openai_upstream.script(answers.chat(text=TEXT, gate=gate))
    mark = openai_upstream.mark()
    before = own.metrics().lookups("coalesced")
    first = ask(own.client.generate, GOAL, key, form="sse", model=OPENAI_MODEL)
    gate.wait_reached()
    streamed = ask(own.client.generate, GOAL, key, form="array", model=OPENAI_MODEL)
    readers(own, before, 1)
    gate.open()
    assert first.result().text == streamed.result().text == TEXT
    assert streamed.result().cache == "coalesced"
    assert len(openai_upstream.since(mark)) == 1


def test_a_storm_leaves_nothing_behind(cached, openai_upstream, ask):
    """Many keys, many callers, half of them leaving: afterwards nobody waits and every goal has its own answer."""
    keys = [new_key() for _ in range(4)]
    goals = [f"How do I repair a number {number} bicycle?" for number in range(5)]

    def leave():
        for number in range(30):
            open_stream(cached, keys[number % 4], goal=goals[number % 5]).close()

    leaving = ask(leave)
    asked = [(goal, ask(cached.client.chat, goal, key)) for key in keys for goal in goals for _ in range(3)]
    for goal, answer in asked:
        assert answer.result().status == 200 and answer.result().text.endswith(goal)
    leaving.result()
    until(lambda: waiting(cached) == 0, "nobody waits")
    client = OpenAI(base_url=cached.url + "/v1", api_key=keys[0], max_retries=0)
    answer = client.chat.completions.create(model=OPENAI_MODEL, messages=chat_body(goals[0])["messages"])
    assert answer.choices[0].message.content.endswith(goals[0])
