"""No answer crosses a namespace, a model, a system text, earlier turns or a format. A false hit is the worst bug."""

import pytest

from harness import raw
from harness.client import GEMINI_MODEL, chat_body, encode, generate_body, new_key
from harness.raw import request as raw_request

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"


def user(text):
    return {"role": "user", "content": text}


def check_never_shared(ask_one, ask_other):
    """Neither the same words nor reworded ones are served to the other side."""
    ask_one(GOAL)
    assert ask_one(GOAL).cache == "exact", "the goal is not cached at all, so the test would prove nothing"
    # Reworded first: the same words would be stored for the other side and then be found there.
    assert ask_other(REWORDED).cache == "miss"
    assert ask_other(GOAL).cache in ("miss", "semantic")


def test_different_credentials_never_share_an_answer(cached):
    one, other = new_key(), new_key()
    cached.warm(lambda: cached.client.chat(GOAL, one))
    assert cached.client.chat(GOAL, one).cache == "exact"
    assert cached.client.chat(REWORDED, other).cache == "miss"
    third = new_key()
    assert cached.client.chat(GOAL, third).cache == "miss"
    assert cached.client.generate(GOAL, third).cache == "miss"


def test_no_credential_and_a_credential_never_share_an_answer(own, key):
    goal = "How do I repair a bicycle chain that was torn?"
    own.warm(lambda: own.client.chat(goal))
    assert own.client.chat(goal).cache == "exact"
    assert own.client.chat(goal, key).cache == "miss"


def test_credentials_by_any_header_are_told_apart(own):
    """A new way to authenticate must not fall back into a namespace that others share."""
    goal = "How do I repair a bicycle brake that was torn?"
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"%s"}]}' % goal.encode()
    for headers in ([("Authorization", "Bearer a")], [("Authorization", "Bearer b")], [("Authorization", "Basic a")]):
        fresh = raw_request(own.address, "POST", "/v1/chat/completions", headers, body=body)
        assert fresh.cache == "miss", headers


@pytest.mark.parametrize("header", ["api-key", "x-api-key", "x-amz-security-token", "Cookie"])
def test_two_secrets_in_any_header_never_share_an_answer(own, header):
    one, other = {header: new_key()}, {header: new_key()}
    own.warm(lambda: own.client.chat(GOAL, headers=one))
    check_never_shared(
        lambda goal: own.client.chat(goal, headers=one), lambda goal: own.client.chat(goal, headers=other)
    )


@pytest.mark.parametrize("parameter", ["key", "k%65y", "access_token", "api_key"])
def test_two_secrets_in_the_query_never_share_an_answer(own, parameter):
    one, other = new_key(), new_key()
    targets = ("/v1/chat/completions?", chat_body), (f"/v1beta/models/{GEMINI_MODEL}:generateContent?", generate_body)
    for (target, body), (mine, others) in zip(targets, ((one, other), (new_key(), new_key()))):
        own.warm(lambda: own.client.post(f"{target}{parameter}={mine}", body(GOAL)))  # noqa: B023
        check_never_shared(
            lambda goal: own.client.post(f"{target}{parameter}={mine}", body(goal)),  # noqa: B023
            lambda goal: own.client.post(f"{target}{parameter}={others}", body(goal)),  # noqa: B023
        )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"model": "gpt-4o"}),
        ({}, {"response_format": {"type": "json_object"}}),
    ],
    ids=["model", "format"],
)
def test_requests_that_differ_in_a_setting_never_share(cached, key, one, other):
    cached.warm(lambda: cached.client.chat(GOAL, key, **one))
    check_never_shared(
        lambda goal: cached.client.chat(goal, key, **one),
        lambda goal: cached.client.chat(goal, key, **other),
    )


PIRATE = {"role": "system", "content": "You are a pirate."}
COACH = {"role": "system", "content": "You are a coach."}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([], [PIRATE]),
        ([COACH], [PIRATE]),
        ([COACH], [COACH, PIRATE]),
        ([], [user("I live in Norway."), {"role": "assistant", "content": "Noted."}]),
        (
            [user("I live in Norway."), {"role": "assistant", "content": "Noted."}],
            [user("I live in Kenya."), {"role": "assistant", "content": "Noted."}],
        ),
    ],
    ids=["a system text", "another system text", "one more system text", "earlier turns", "other earlier turns"],
)
def test_requests_with_other_words_before_the_goal_never_share(cached, key, one, other):
    cached.warm(lambda: cached.client.chat([*one, user(GOAL)], key))
    check_never_shared(
        lambda goal: cached.client.chat([*one, user(goal)], key),
        lambda goal: cached.client.chat([*other, user(goal)], key),
    )


def test_equal_system_text_and_earlier_turns_do_share(cached, key):
    """The counterpart of the tests above: several turns are no reason never to hit."""
    before = [COACH, user("I live in Norway."), {"role": "assistant", "content": "Noted."}]
    cached.warm(lambda: cached.client.chat([*before, user(GOAL)], key))
    assert cached.client.chat([*before, user(GOAL)], key).cache == "exact"
    assert cached.client.chat([*before, user(REWORDED)], key).cache == "semantic"


def test_geminis_system_text_and_turns_isolate_too(cached, key):
    system = {"systemInstruction": {"parts": [{"text": "You are a pirate."}]}}
    cached.warm(lambda: cached.client.generate(GOAL, key))
    check_never_shared(
        lambda goal: cached.client.generate(goal, key), lambda goal: cached.client.generate(goal, key, **system)
    )
    turns = [{"role": "user", "parts": [{"text": "I live in Norway."}]}, {"role": "model", "parts": [{"text": "Ok."}]}]
    last = [{"role": "user", "parts": [{"text": REWORDED}]}]
    assert cached.client.generate([*turns, *last], key).cache == "miss"
    assert cached.client.generate(GOAL, key, model="gemini-3.8-flash").cache == "miss"


def test_a_namespace_header_divides_one_credential(cached, key):
    first, second = {"x-tollfree-namespace": "first"}, {"x-tollfree-namespace": "second"}
    cached.warm(lambda: cached.client.chat(GOAL, key, headers=first))
    check_never_shared(
        lambda goal: cached.client.chat(goal, key, headers=first),
        lambda goal: cached.client.chat(goal, key, headers=second),
    )
    assert cached.client.chat(REWORDED, key).cache == "miss", "without the header it is another namespace"


def test_a_namespace_header_does_not_reach_into_another_credential(cached):
    one, other, name = new_key(), new_key(), {"x-tollfree-namespace": "shared-name"}
    cached.warm(lambda: cached.client.chat(GOAL, one, headers=name))
    assert cached.client.chat(REWORDED, other, headers=name).cache == "miss"
    assert cached.client.chat(GOAL, other, headers=name).cache in ("miss", "semantic")
    fresh = new_key()
    assert cached.client.chat(GOAL, fresh, headers=name).cache == "miss"


@pytest.mark.parametrize(("one", "other"), [("größe", "höhe"), ("日本", "中国")])
def test_two_names_beyond_ascii_are_two_namespaces(cached, key, one, other):
    first, second = {"x-tollfree-namespace": one}, {"x-tollfree-namespace": other}
    cached.warm(lambda: cached.client.chat(GOAL, key, headers=first))
    check_never_shared(
        lambda goal: cached.client.chat(goal, key, headers=first),
        lambda goal: cached.client.chat(goal, key, headers=second),
    )


UNUSABLE_NAMES = {
    "too long": [b"n" * 257],
    "sent twice": [b"one", b"two"],
    "not UTF-8": [b"caf\xe9"],
}


@pytest.mark.parametrize("case", UNUSABLE_NAMES)
def test_a_namespace_that_cannot_be_used_is_refused_in_the_clients_protocol(
    cached, openai_upstream, gemini_upstream, key, case
):
    """Ignoring it would put the caller into a namespace that it did not ask for."""
    marks = openai_upstream.mark(), gemini_upstream.mark()
    names = b"".join(b"x-tollfree-namespace: %s\r\n" % name for name in UNUSABLE_NAMES[case])

    def ask(target, credential, body):
        body = encode(body)
        head = raw.head("POST", target, [credential, ("Content-Length", str(len(body)))])
        with raw.Wire(cached.address) as wire:
            wire.send(head.removesuffix(b"\r\n") + names + b"\r\n" + body)
            return wire.read()

    answer = ask("/v1/chat/completions", ("Authorization", f"Bearer {key}"), chat_body(GOAL))
    assert answer.status == 400, answer.cache
    assert "namespace" in answer.json()["error"]["message"] and "type" in answer.json()["error"]
    target = f"/v1beta/models/{GEMINI_MODEL}:generateContent"
    answer = ask(target, ("x-goog-api-key", key), generate_body(GOAL))
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert openai_upstream.since(marks[0]) == [] and gemini_upstream.since(marks[1]) == []


def test_our_own_request_headers_do_not_leave_for_the_upstream(cached, openai_upstream, key):
    mark = openai_upstream.mark()
    headers = {"x-tollfree-namespace": "private-name", "x-tollfree-threshold": "0.9"}
    cached.client.chat(GOAL, key, headers=headers)
    (request,) = openai_upstream.since(mark)
    assert request.header("x-tollfree-namespace") is None and request.header("x-tollfree-threshold") is None
