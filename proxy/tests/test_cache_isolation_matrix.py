"""One dimension of a request changes at a time, and nothing stored for the one side is served to the other.

Every row runs against its own control: with nothing changed the same words hit exactly and other words hit by
meaning, so that a row that stores nothing, or asks what no tier could answer, fails instead of passing. The other
side asks with `only-if-cached`: it is answered from the cache or not at all, and leaves nothing behind.
"""

import pytest

from harness import config
from harness.client import new_key
from harness.raw import request as raw_request

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
ONLY_STORED = {"Cache-Control": "only-if-cached"}

# Settings of the request that an operator may name in `cache.vary`.
VARIED = ["temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "top_k", "reasoning_effort"]


@pytest.fixture(scope="module")
def varying(session_start, openai_upstream, gemini_upstream):
    """The cache on, templates off, sampling settings part of the compatibility key."""
    text = (
        config.table("cache", vary=VARIED)
        + config.PATIENT
        + config.NO_TEMPLATES
        + config.upstream(openai_upstream, "own")
        + config.upstream(gemini_upstream, "own")
    )
    return session_start("varying", text)


def turn(role, text):
    return {"role": role, "content": text}


def content(role, text):
    return {"role": role, "parts": [{"text": text}]}


def ask_openai(proxy, goal, key, headers=None, before=(), **fields):
    return proxy.client.chat([*before, turn("user", goal)], key, headers=headers, **fields)


def ask_gemini(proxy, goal, key, headers=None, before=(), **fields):
    return proxy.client.generate([*before, content("user", goal)], key, headers=headers, **fields)


ASK = {"openai": ask_openai, "gemini": ask_gemini}


def check_isolated(proxy, ask, one, other):
    """What is stored for `one` answers `one` and never `other`; and the same the other way round."""
    # `other` first: callers without a credential share what they store, so that nothing may be there yet.
    for mine, others in ((other, one), (one, other)):
        keys = {"own": new_key(), "another": new_key(), "none": None}

        def asked(side, goal, **headers):
            side = dict(side)
            mixed = {**(side.pop("headers", None) or {}), **headers}
            key = keys[side.pop("caller", "own")]  # noqa: B023
            return ask(proxy, goal, key, headers=mixed, **side)

        first = asked(mine, GOAL)
        assert first.status == 200 and first.cache in ("miss", "bypass"), (first.status, first.cache)
        if first.cache == "miss":
            exact = asked(mine, GOAL, **ONLY_STORED)
            assert (exact.cache, exact.text) == ("exact", first.text), "nothing is stored: the row proves nothing"
        else:
            assert asked(mine, GOAL, **ONLY_STORED).status == 504, "a bypassed answer was stored"
        for goal in (REWORDED, GOAL):
            answer = asked(others, goal, **ONLY_STORED)
            assert answer.status == 504 and answer.cache in ("miss", "bypass"), f"served {answer.cache}: {goal}"


def check_control(proxy, ask, side):
    key = new_key()
    first = ask(proxy, GOAL, key, **side)
    assert first.cache == "miss"
    assert ask(proxy, GOAL, key, headers=ONLY_STORED, **side).text == first.text
    other_words = ask(proxy, REWORDED, key, headers=ONLY_STORED, **side)
    assert (other_words.cache, other_words.text) == ("semantic", first.text), other_words.header("x-tollfree-reason")


def schema(**properties):
    body = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "plan", "strict": True, "schema": body}}


TEXT = {"type": "string"}
TOOL = {"type": "function", "function": {"name": "water", "description": "Waters.", "parameters": {"type": "object"}}}
NORWAY = [turn("user", "I live in Norway."), turn("assistant", "Noted.")]
COACH = [turn("system", "You are a coach.")]

OPENAI = {
    "credential": ({}, {"caller": "another"}),
    "no credential": ({"caller": "none"}, {}),
    "namespace": ({"headers": {"x-tollfree-namespace": "a"}}, {"headers": {"x-tollfree-namespace": "b"}}),
    "no namespace": ({}, {"headers": {"x-tollfree-namespace": "a"}}),
    "model": ({}, {"model": "gpt-4o"}),
    "model in other case": ({}, {"model": "GPT-4o-mini"}),
    "a dated model": ({}, {"model": "gpt-4o-mini-2024-07-18"}),
    "a system text": ({}, {"before": COACH}),
    "another system text": ({"before": COACH}, {"before": [turn("system", "You are a couch.")]}),
    "system texts in another order": (
        {"before": [*COACH, turn("system", "Answer in German.")]},
        {"before": [turn("system", "Answer in German."), *COACH]},
    ),
    "tools": ({}, {"tools": [TOOL]}),
    "a forced tool": ({}, {"tools": [TOOL], "tool_choice": "required"}),
    "functions of the old form": ({}, {"functions": [TOOL["function"]]}),
    "JSON": ({}, {"response_format": {"type": "json_object"}}),
    "a schema": ({}, {"response_format": schema(plan=TEXT)}),
    "another schema": ({"response_format": schema(plan=TEXT)}, {"response_format": schema(goal=TEXT)}),
    "another type in the schema": (
        {"response_format": schema(plan=TEXT)},
        {"response_format": schema(plan={"type": "integer"})},
    ),
    "temperature": ({"temperature": 0.2}, {"temperature": 0.7}),
    "no temperature": ({}, {"temperature": 0}),
    "top_p": ({}, {"top_p": 0.5}),
    "seed": ({"seed": 1}, {"seed": 2}),
    "presence penalty": ({}, {"presence_penalty": 1.5}),
    "frequency penalty": ({}, {"frequency_penalty": 1.5}),
    "reasoning effort": ({"reasoning_effort": "low"}, {"reasoning_effort": "high"}),
    "a setting we do not know": ({}, {"house_style": "terse"}),
    "earlier turns": ({}, {"before": NORWAY}),
    "another earlier user turn": ({"before": NORWAY}, {"before": [turn("user", "I live in Kenya."), NORWAY[1]]}),
    "another earlier answer": ({"before": NORWAY}, {"before": [NORWAY[0], turn("assistant", "Kenya, noted.")]}),
    "roles of earlier turns": (
        {"before": [turn("user", "One."), turn("assistant", "Two.")]},
        {"before": [turn("assistant", "One."), turn("user", "Two.")]},
    ),
    "earlier turns in another order": (
        {"before": [*NORWAY, turn("user", "I am ten."), turn("assistant", "Noted.")]},
        {"before": [turn("user", "I am ten."), turn("assistant", "Noted."), *NORWAY]},
    ),
    "where a turn ends": (
        {"before": [turn("user", "I live"), turn("assistant", "in Norway.")]},
        {"before": [turn("user", "I live in"), turn("assistant", "Norway.")]},
    ),
    "a system text as a turn": ({"before": COACH}, {"before": [turn("user", "You are a coach.")]}),
}

GEMINI_SCHEMA = {"type": "OBJECT", "properties": {"plan": {"type": "STRING"}}, "required": ["plan"]}
OTHER_SCHEMA = {"type": "OBJECT", "properties": {"goal": {"type": "STRING"}}, "required": ["goal"]}
GEMINI_NORWAY = [content("user", "I live in Norway."), content("model", "Noted.")]


def generation(**fields):
    return {"generationConfig": fields}


def system(text):
    return {"systemInstruction": {"parts": [{"text": text}]}}


GEMINI = {
    "credential": ({}, {"caller": "another"}),
    "no credential": ({"caller": "none"}, {}),
    "namespace": ({"headers": {"x-tollfree-namespace": "a"}}, {"headers": {"x-tollfree-namespace": "b"}}),
    "model": ({}, {"model": "gemini-3.8-flash"}),
    "model in other case": ({}, {"model": "Gemini-2.5-flash"}),
    "a system text": ({}, system("You are a coach.")),
    "another system text": (system("You are a coach."), system("You are a couch.")),
    "tools": ({}, {"tools": [{"functionDeclarations": [TOOL["function"]]}]}),
    "web search": ({}, {"tools": [{"googleSearch": {}}]}),
    "JSON": ({}, generation(responseMimeType="application/json")),
    "a schema": (
        generation(responseMimeType="application/json"),
        generation(responseMimeType="application/json", responseSchema=GEMINI_SCHEMA),
    ),
    "another schema": (
        generation(responseMimeType="application/json", responseSchema=GEMINI_SCHEMA),
        generation(responseMimeType="application/json", responseSchema=OTHER_SCHEMA),
    ),
    "temperature": (generation(temperature=0.2), generation(temperature=0.7)),
    "topP": ({}, generation(topP=0.5)),
    "topK": ({}, generation(topK=3)),
    "seed": (generation(seed=1), generation(seed=2)),
    "presence penalty": ({}, generation(presencePenalty=1.5)),
    "a setting we do not know": ({}, {"houseStyle": "terse"}),
    "earlier turns": ({}, {"before": GEMINI_NORWAY}),
    "another earlier turn": (
        {"before": GEMINI_NORWAY},
        {"before": [content("user", "I live in Kenya."), GEMINI_NORWAY[1]]},
    ),
    "roles of earlier turns": (
        {"before": [content("user", "One."), content("model", "Two.")]},
        {"before": [content("model", "One."), content("user", "Two.")]},
    ),
}

# What a row's control asks: rows whose both sides are exact-only have no semantic control.
BASES = {
    "openai": [{}, {"before": COACH}, {"before": NORWAY}, {"temperature": 0.2}, {"seed": 1}],
    "gemini": [{}, system("You are a coach."), {"before": GEMINI_NORWAY}, generation(temperature=0.2)],
}


@pytest.mark.parametrize("dimension", OPENAI)
def test_no_openai_answer_crosses(varying, dimension):
    check_isolated(varying, ask_openai, *OPENAI[dimension])


@pytest.mark.parametrize("dimension", GEMINI)
def test_no_gemini_answer_crosses(varying, dimension):
    check_isolated(varying, ask_gemini, *GEMINI[dimension])


@pytest.mark.parametrize("protocol", ASK)
def test_with_nothing_changed_an_answer_does_cross(varying, protocol):
    """The control of every row above."""
    for side in BASES[protocol]:
        check_control(varying, ASK[protocol], side)


@pytest.mark.parametrize("protocol", ASK)
def test_without_vary_a_setting_divides_exact_repeats_only(cached, protocol):
    """What `cache.vary` buys: this is what the sampling rows above would do without it."""
    one, other = ({"seed": 1}, {"seed": 2}) if protocol == "openai" else (generation(seed=1), generation(seed=2))
    key, ask = new_key(), ASK[protocol]
    first = cached.warm(lambda: ask(cached, GOAL, key, **one))
    answer = ask(cached, GOAL, key, headers=ONLY_STORED, **other)
    assert (answer.cache, answer.text) == ("semantic", first.text)


LANGUAGES = [
    ("How do I learn to play the guitar at home?", "Wie lerne ich zu Hause Gitarre zu spielen?"),
    ("How do I save money for a house?", "¿Cómo ahorro dinero para una casa?"),
    ("I want to learn to cook pasta", "Je veux apprendre à cuisiner des pâtes"),
]


@pytest.mark.parametrize("protocol", ASK)
@pytest.mark.parametrize(("one", "other"), [*LANGUAGES, *((b, a) for a, b in LANGUAGES)])
def test_an_answer_in_one_language_is_never_served_for_a_goal_in_another(cached, protocol, one, other):
    key, ask = new_key(), ASK[protocol]
    first = cached.warm(lambda: ask(cached, one, key))
    assert ask(cached, one, key, headers=ONLY_STORED).text == first.text
    assert ask(cached, other, key, headers=ONLY_STORED).status == 504


LAST_MESSAGES = ["Yes, please.", "Tell me more about the second step.", "How long will it take?", GOAL]
CONVERSATIONS = [
    ("I want to learn Spanish.", "Shall I make a plan?"),
    ("I want to learn French.", "Shall I make a plan?"),
    ("I want to quit smoking.", "Shall I make a plan?"),
    ("I want to start smoking.", "Shall I make a plan?"),
    ("I want to learn Spanish.", "Shall I find a teacher?"),
]


@pytest.mark.parametrize("protocol", ASK)
@pytest.mark.parametrize("last", LAST_MESSAGES)
def test_conversations_with_an_equal_last_message_never_cross(cached, protocol, last):
    key, ask = new_key(), ASK[protocol]
    roles = ("assistant", turn) if protocol == "openai" else ("model", content)
    answers = set()
    for person, reply in CONVERSATIONS:
        before = [roles[1]("user", person), roles[1](roles[0], reply)]
        assert ask(cached, last, key, headers=ONLY_STORED, before=before).status == 504, (person, reply)
        answers.add(ask(cached, last, key, before=before).text)
        again = ask(cached, last, key, headers=ONLY_STORED, before=before)
        assert again.cache == "exact" and again.text in answers
    assert len(answers) == len(CONVERSATIONS)
    assert ask(cached, last, key, headers=ONLY_STORED).status == 504, "without the conversation it is another request"


def test_one_conversation_on_one_line_is_not_the_same_in_turns(cached):
    """The text of turns that are joined must not equal one turn that holds all of it."""
    key = new_key()
    before = [turn("user", "I live in Norway."), turn("assistant", "Noted.")]
    cached.warm(lambda: cached.client.chat([*before, turn("user", GOAL)], key))
    for joined in (f"I live in Norway.\nNoted.\n{GOAL}", f"user: I live in Norway.\nassistant: Noted.\nuser: {GOAL}"):
        body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":%s}]}'
        text = body % ('"' + joined.replace("\n", "\\n") + '"').encode()
        headers = [("Authorization", f"Bearer {key}"), *ONLY_STORED.items()]
        answer = raw_request(cached.address, "POST", "/v1/chat/completions", headers, body=text)
        assert answer.status == 504
