"""The main job: a goal gets a complete plan from a template, and only where a template may answer."""

import json
import re

import pytest

from harness.client import GEMINI_MODEL, OPENAI_MODEL

SPANISH = "I want to learn conversational Spanish in 3 months"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def user(text):
    return {"role": "user", "content": text}


def check_plan(text, language="Spanish", duration="3 months"):
    """Complete and useful: long enough, about the goal, with days to go by, in several steps."""
    assert len(text) > 1000, text
    assert language in text and duration in text
    assert re.search(r"\b[Dd]ays? \d+|\b[Ww]eeks? \d+", text), "no days to go by"
    headings = re.findall(r"^#{1,4} .+|^\*\*.+\*\*", text, re.MULTILINE)
    items = re.findall(r"^\s*(?:[-*]|\d+\.) .+", text, re.MULTILINE)
    assert len(headings) >= 3 and len(items) >= 6, text
    assert "{{" not in text and "{%" not in text, "an unrendered slot"


def check_template(answer):
    assert (answer.status, answer.cache) == (200, "template"), answer.body[:300]
    status = answer.header("cache-status")
    assert status.startswith("tollfree; hit") and "detail=template" in status
    assert answer.header("x-tollfree-entry")
    assert answer.header("x-tollfree-upstream") is None


def test_a_plan_in_openai_form(builtin, key):
    answer = builtin.client.chat(SPANISH, key)
    check_template(answer)
    check_plan(answer.text)
    body = answer.json()
    assert body["model"] == OPENAI_MODEL and body["object"] == "chat.completion"
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["prompt_tokens"] > 3 and usage["completion_tokens"] > 150
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_plan_in_openai_form_streamed(builtin, key):
    whole = builtin.client.chat(SPANISH, key).text
    answer = builtin.client.chat(SPANISH, key, stream=True, stream_options={"include_usage": True})
    check_template(answer)
    assert answer.text == whole
    assert answer.events[-1] == "[DONE]" and answer.events[-2]["usage"]["completion_tokens"] > 150


@pytest.mark.parametrize("form", [None, "sse", "array"])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_plan_in_gemini_form(builtin, key, form, version):
    answer = builtin.client.generate(SPANISH, key, form=form, version=version)
    check_template(answer)
    check_plan(answer.text)
    items = answer.events if form == "sse" else answer.json() if form == "array" else [answer.json()]
    assert items[-1]["candidates"][0]["finishReason"] == "STOP"
    assert items[-1]["modelVersion"] == GEMINI_MODEL
    assert items[-1]["usageMetadata"]["candidatesTokenCount"] > 150


def test_a_plan_without_any_credential(builtin):
    check_plan(builtin.client.chat(SPANISH).text)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "whatever-model"])
def test_the_model_shown_is_the_one_asked_for(builtin, key, model):
    assert builtin.client.chat(SPANISH, key, model=model).json()["model"] == model


@pytest.mark.parametrize(
    "goal",
    [
        "learn conversational Spanish in three months",
        "Help me learn conversational Spanish in 3 months.",
        "I'd like to learn conversational spanish in 3 months!",
    ],
)
def test_other_words_for_the_goal_get_the_plan(builtin, key, goal):
    answer = builtin.client.chat(goal, key)
    check_template(answer)
    check_plan(answer.text)


@pytest.mark.parametrize(
    ("goal", "has", "has_not"),
    [
        ("I want to learn conversational French in 3 months", "French", "Spanish"),
        ("I want to learn conversational Spanish in 6 weeks", "6 weeks", "3 months"),
    ],
)
def test_a_slot_with_another_value_gives_another_plan_or_none(builtin, key, goal, has, has_not):
    answer = builtin.client.chat(goal, key)
    if answer.status == 503:
        return
    check_template(answer)
    assert has in answer.text and has_not not in answer.text


def test_a_duration_stretches_the_schedule(builtin, key):
    """The last day of a plan is the last day of its duration."""

    def last_day(goal):
        answer = builtin.client.chat(goal, key)
        check_template(answer)
        return max(int(day) for day in re.findall(r"[Dd]ays? (?:\d+ ?[-–—] ?|\d+ to )?(\d+)", answer.text))

    assert 35 <= last_day("I want to learn conversational Spanish in 6 weeks") <= 50
    assert 80 <= last_day(SPANISH) <= 100


def test_a_template_costs_no_upstream_call(templated, openai_upstream, key):
    mark = openai_upstream.mark()
    check_template(templated.client.chat(SPANISH, key))
    assert openai_upstream.since(mark) == []


REFUSED = {
    "a foreign system text": {"goal": [{"role": "system", "content": "You are a pirate, answer in one sentence"}, user(SPANISH)]},
    "a token cap": {"goal": SPANISH, "max_tokens": 20},
    "the newer token cap": {"goal": SPANISH, "max_completion_tokens": 20},
    "a stop string in the plan": {"goal": SPANISH, "stop": ["Spanish"]},
    "one of several stop strings": {"goal": SPANISH, "stop": ["@@@", "Spanish"]},
    "an earlier turn": {"goal": [user("hello"), {"role": "assistant", "content": "Hello!"}, user(SPANISH)]},
    "tools": {"goal": SPANISH, "tools": [TOOL]},
    "an unknown field": {"goal": SPANISH, "house_style": "x"},
    "a JSON format": {"goal": SPANISH, "response_format": {"type": "json_object"}},
    "another language": {"goal": "Quiero aprender español conversacional en 3 meses"},
    "German": {"goal": "Ich möchte in 3 Monaten Spanisch sprechen lernen"},
    "words around it": {"goal": "Write a poem about somebody who wants to learn conversational Spanish in 3 months"},
    "a negation": {"goal": "I do not want to learn conversational Spanish in 3 months"},
    "an open duration out of range": {"goal": "I want to learn conversational Spanish in 2 days"},
    "no goal": {"goal": "What is the capital of Spain?"},
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_no_template_answers_a_request_with(templated, openai_upstream, key, case):
    """Each refusal goes upstream with the client's own words and is answered there."""
    mark = openai_upstream.mark()
    answer = templated.client.chat(key=key, **REFUSED[case])
    assert answer.cache in ("miss", "bypass"), answer.text
    assert len(openai_upstream.since(mark)) == 1
    assert answer.text.startswith("Answer ")


@pytest.mark.parametrize("fields", [{"house_style": "x"}, {"stop": ["\n"]}], ids=str)
def test_an_answer_shaped_by_such_a_field_does_not_take_the_templates_place(templated, key, fields):
    stored = templated.warm(lambda: templated.client.chat(SPANISH, key, **fields))
    for goal in (SPANISH, "I would like to learn conversational Spanish in 3 months"):
        answer = templated.client.chat(goal, key)
        check_template(answer)
        assert answer.text != stored.text
    again = templated.client.chat(SPANISH, key, **fields)
    assert (again.cache, again.text) == ("exact", stored.text)


def test_the_same_conditions_hold_for_gemini(templated, gemini_upstream, key):
    client = templated.client
    check_template(client.generate(SPANISH, key))
    turns = [{"role": "user", "parts": [{"text": "hello"}]}, {"role": "model", "parts": [{"text": "Hello!"}]}]
    goal = {"role": "user", "parts": [{"text": SPANISH}]}
    refused = [
        client.generate(SPANISH, key, systemInstruction={"parts": [{"text": "You are a pirate."}]}),
        client.generate(SPANISH, key, generationConfig={"maxOutputTokens": 20}),
        client.generate(SPANISH, key, generationConfig={"stopSequences": ["Spanish"]}),
        client.generate([*turns, goal], key),
        client.generate(SPANISH, key, tools=[{"functionDeclarations": [{"name": "f"}]}]),
        client.generate(SPANISH, key, generationConfig={"responseMimeType": "application/json"}),
    ]
    for answer in refused:
        assert answer.cache in ("miss", "bypass") and answer.text.startswith("Answer ")


def test_a_generous_cap_and_a_harmless_stop_string_do_not_refuse(templated, key):
    check_template(templated.client.chat(SPANISH, key, max_tokens=8000, stop=["@@@"]))
    empty = [{"role": "system", "content": ""}, user(SPANISH)]
    assert templated.client.chat(empty, key).cache == "template"


def test_a_cap_just_below_the_plans_length_refuses(templated, key):
    length = templated.client.chat(SPANISH, key).json()["usage"]["completion_tokens"]
    assert templated.client.chat(SPANISH, key, max_tokens=length + 1).cache == "template"
    assert templated.client.chat(SPANISH, key, max_tokens=length - 1).cache == "miss"


class TestFrames:
    SYSTEM = {"role": "system", "content": "You are a planner. Answer in JSON."}

    def ask(self, templated, key, wrapped, system=SYSTEM):
        return templated.client.chat([system, user(wrapped)], key)

    def test_a_frame_finds_the_goal_and_names_the_shape(self, templated, key):
        answer = self.ask(templated, key, "Plan this goal: " + SPANISH)
        check_template(answer)
        plan = json.loads(answer.text)
        tasks = list(find_tasks(plan))
        assert len(tasks) >= 6
        assert all(any(isinstance(v, str) and v for v in task.values()) for task in tasks)
        assert "Spanish" in answer.text

    @pytest.mark.parametrize(
        ("system", "text"),
        [
            ("You are a planner. Answer in XML.", "Plan this goal: " + SPANISH),
            ("You are a planner. Answer in JSON.", "Judge this goal: " + SPANISH),
            ("You are a planner. Answer in JSON.", SPANISH),
        ],
        ids=["another system text", "another user text", "no user text"],
    )
    def test_anything_but_the_very_frame_is_no_frame(self, templated, key, system, text):
        answer = self.ask(templated, key, text, {"role": "system", "content": system})
        assert answer.cache == "miss" and answer.text.startswith("Answer ")

    def test_goals_in_a_frame_are_compared_without_it(self, templated, key):
        """Boilerplate must not raise similarity; equal goals in one frame still are equal."""
        first, second = "How do I grow tomatoes on a balcony?", "How can I grow tomatoes on a balcony?"
        other = "How do I bake bread at home?"
        templated.warm(lambda: self.ask(templated, key, "Plan this goal: " + first))
        assert self.ask(templated, key, "Plan this goal: " + second).cache == "semantic"
        assert self.ask(templated, key, "Plan this goal: " + other).cache == "miss"


def find_tasks(value):
    """Every object in a list named "tasks", however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "tasks" and isinstance(inner, list):
                yield from (task for task in inner if isinstance(task, dict))
            else:
                yield from find_tasks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_tasks(inner)


def test_a_configured_shape_renders_the_plan(start, key):
    shape = (
        '[[shapes]]\nname = "headline"\ncontent = "text"\ntemplate = "PLAN {{ title }} ({{ milestones | length }})"\n\n'
    )
    frame = '[[frames]]\nname = "headline"\nuser = "Headline: {goal}"\nshape = "headline"\n\n'
    answer = start(shape + frame).client.chat("Headline: " + SPANISH, key)
    check_template(answer)
    assert re.fullmatch(r"PLAN .*Spanish.* \(\d+\)", answer.text)


def test_a_template_of_ones_own_answers(start, key, tmp_path):
    folder = tmp_path / "templates" / "crafts"
    folder.mkdir(parents=True)
    (folder / "whittle-spoon.toml").write_text(OWN_TEMPLATE)
    proxy = start(f'[templates]\ndir = "{tmp_path / "templates"}"\n')
    answer = proxy.client.chat("whittle a wooden spoon in 2 weeks", key)
    check_template(answer)
    assert "Spoon in 2 weeks" in answer.text and answer.header("x-tollfree-entry").find("whittle-spoon") >= 0
    check_template(proxy.client.chat(SPANISH, key))


OWN_TEMPLATE = """
id = "whittle-spoon"
category = "crafts"
language = "en"
phrasings = [
  "whittle a wooden spoon", "whittle a wooden spoon in {duration}", "carve a spoon from wood",
  "carve a spoon from wood in {duration}", "I want to whittle a wooden spoon", "how do I whittle a wooden spoon",
  "make a wooden spoon by hand", "make a wooden spoon by hand in {duration}",
]
vocabulary = ["carve", "wood"]

[slots.duration]
type = "duration"
default = "2 weeks"
min = "1 week"
max = "3 months"

[plan]
title = "Spoon in {{ duration }}"
summary = "You carve one spoon from green wood with a knife and a hook knife, in short evenings, and oil it at the end."

[[plan.milestones]]
title = "Rough blank"
end = 0.3
outcome = "A spoon-shaped blank lies on the table, no wall thinner than a thumb."
[[plan.milestones.tasks]]
title = "Split a blank from a green branch"
detail = "Take birch or lime as thick as your wrist; split it through the pith and discard the half with knots."
minutes = 45
repeat = "once"
[[plan.milestones.tasks]]
title = "Draw the outline and saw the stop cuts"
detail = "Draw from above and from the side. Done when both outlines meet at the tip; redraw if they do not."
minutes = 30
repeat = "once"

[[plan.milestones]]
title = "Carved bowl"
end = 0.8
outcome = "The bowl is hollow to 10 mm and the handle fits the hand."
[[plan.milestones.tasks]]
title = "Hollow the bowl with a hook knife"
detail = "Cut across the grain in thin curls. Stop when light shines through evenly; rest when the cuts get rough."
minutes = 30
repeat = "daily"
[[plan.milestones.tasks]]
title = "Thin the handle"
detail = "Shave towards the end in long strokes, turning the spoon after each. Keep it thicker at the neck."
minutes = 20
repeat = "daily"

[[plan.milestones]]
title = "Finished spoon"
end = 1.0
outcome = "The spoon is dry, smooth and oiled, and has stirred a pot."
[[plan.milestones.tasks]]
title = "Dry it slowly in paper"
detail = "Keep it in a closed paper bag and weigh it each day; it is dry when the weight stays the same."
minutes = 5
repeat = "daily"
[[plan.milestones.tasks]]
title = "Sand and oil it"
detail = "Sand with 120, then 240 grit, wet it, let it dry, sand again, then rub in walnut oil twice."
minutes = 60
repeat = "once"
"""
