"""A template written into the caller's own JSON schema: right for a strict parser, or a miss."""

import json
from typing import Literal, Optional

import pytest
from google import genai
from google.genai import types
from openai import OpenAI
from pydantic import BaseModel, Field

from harness.client import GEMINI_MODEL, OPENAI_MODEL

SPANISH = "I want to learn conversational Spanish in 3 months"
UNKNOWN = "How do I grow tomatoes on a balcony?"


class Task(BaseModel):
    title: str
    description: str
    duration_minutes: int = Field(ge=1, le=600)
    frequency: str
    status: Literal["pending", "in_progress", "done"]
    notes: Optional[str] = None


class Milestone(BaseModel):
    order: int
    title: str
    goal: str = Field(description="How one knows that it is reached")
    start_day: int
    end_day: int
    tasks: list[Task] = Field(min_length=1)


class Plan(BaseModel):
    """A plan as a tracker stores it."""

    title: str
    summary: str
    duration: str
    total_days: int
    milestones: list[Milestone] = Field(min_length=3)


def schema_of(model):
    return {"type": "json_schema", "json_schema": {"name": "plan", "schema": model.model_json_schema()}}


def described(properties, required=None, **more):
    schema = {"type": "object", "properties": properties, "required": required or list(properties), **more}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


TEXT = {"type": "string"}
TASKS = {"type": "array", "items": TEXT}


def check(plan):
    assert "Spanish" in plan.title and plan.duration == "3 months" and plan.total_days > 80
    assert [milestone.order for milestone in plan.milestones] == list(range(1, len(plan.milestones) + 1))
    assert plan.milestones[0].start_day == 1 and plan.milestones[-1].end_day == plan.total_days
    for milestone in plan.milestones:
        assert milestone.start_day <= milestone.end_day and milestone.goal
        for task in milestone.tasks:
            assert task.title and task.description and task.status == "pending"


def test_the_openai_client_parses_a_template_into_its_model(templated, openai_upstream, key):
    client = OpenAI(base_url=templated.url + "/v1", api_key=key, max_retries=0)
    mark = openai_upstream.mark()
    answer = client.chat.completions.with_raw_response.parse(
        model=OPENAI_MODEL, messages=[{"role": "user", "content": SPANISH}], response_format=Plan
    )
    assert answer.headers["x-tollfree-cache"] == "template", answer.headers.get("x-tollfree-reason")
    check(answer.parse().choices[0].message.parsed)
    assert openai_upstream.since(mark) == []


def test_the_gemini_client_parses_a_template_into_its_model(templated, gemini_upstream, key):
    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=templated.url))
    mark = gemini_upstream.mark()
    settings = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Plan)
    answer = client.models.generate_content(model=GEMINI_MODEL, contents=SPANISH, config=settings)
    check(answer.parsed)
    assert gemini_upstream.since(mark) == []


def test_geminis_json_schema_field_does_the_same(templated, gemini_upstream, key):
    mark = gemini_upstream.mark()
    settings = {"responseMimeType": "application/json", "responseJsonSchema": Plan.model_json_schema()}
    answer = templated.client.generate(SPANISH, key, generationConfig=settings)
    assert answer.cache == "template", answer.header("x-tollfree-reason")
    check(Plan.model_validate_json(answer.text))
    assert gemini_upstream.since(mark) == []


def test_it_streams(templated, key):
    answer = templated.client.chat(SPANISH, key, stream=True, response_format=schema_of(Plan))
    assert answer.cache == "template" and answer.events[-1] == "[DONE]"
    check(Plan.model_validate_json(answer.text))


def test_the_same_goal_takes_every_callers_own_form(templated, key):
    week = {"type": "object", "properties": {"week": {"type": "integer"}, "focus": TEXT, "tasks": TASKS}}
    forms = {
        "tasks": described({"tasks": TASKS}),
        "weeks": described({"name": TEXT, "weeks": {"type": "array", "items": week}}),
        "plan": described({"plan": {"type": "object", "properties": {"steps": TASKS}, "required": ["steps"]}}),
        "answer": described({"answer": TEXT}, additionalProperties=False),
    }
    for name, form in forms.items():
        answer = templated.client.chat(SPANISH, key, response_format=form)
        assert answer.cache == "template", (name, answer.header("x-tollfree-reason"))
        assert json.loads(answer.text)[name]
    weeks = json.loads(templated.client.chat(SPANISH, key, response_format=forms["weeks"]).text)["weeks"]
    assert [week["week"] for week in weeks] == list(range(1, len(weeks) + 1)) and len(weeks) >= 12


MISSES = {
    "a property no plan holds": described({"tasks": TASKS, "difficulty": TEXT}),
    "a bound the plan breaks": described({"tasks": {**TASKS, "maxItems": 2}}),
    "a pattern the plan breaks": described({"tasks": {"type": "array", "items": {"type": "string", "pattern": "^x$"}}}),
    "no place for steps": described({"title": TEXT, "summary": TEXT}),
    "a remote reference": described({"tasks": {"$ref": "http://127.0.0.1:1/schema.json"}}),
    "a circle": described({"tasks": {"$ref": "#/properties/tasks"}}),
    "no schema": {"type": "json_schema", "json_schema": {"name": "any", "schema": {"type": 7}}},
    "any JSON object": {"type": "json_object"},
}


@pytest.mark.parametrize("what", MISSES)
def test_such_a_schema_is_a_miss_with_a_reason(templated, openai_upstream, key, what):
    mark = openai_upstream.mark()
    answer = templated.client.chat(SPANISH, key, response_format=MISSES[what])
    assert (answer.status, answer.cache) == (200, "miss")
    assert answer.header("x-tollfree-reason")
    assert len(openai_upstream.since(mark)) == 1


def test_a_goal_no_template_fits_is_a_miss(templated, key):
    assert templated.client.chat(UNKNOWN, key, response_format=schema_of(Plan)).cache == "miss"


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": SPANISH}],
        [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": SPANISH},
        ],
    ],
    ids=["system text", "earlier turns"],
)
def test_the_conditions_of_a_template_hold_for_schemas_too(templated, key, messages):
    assert templated.client.chat(messages, key, response_format=schema_of(Plan)).cache == "miss"
    assert templated.client.chat(SPANISH, key, response_format=schema_of(Plan), max_tokens=20).cache == "miss"


def test_a_frame_that_asks_for_json_answers_a_request_for_any_json_object(templated, key):
    messages = [
        {"role": "system", "content": "You are a planner. Answer in JSON."},
        {"role": "user", "content": f"Plan this goal: {SPANISH}"},
    ]
    answer = templated.client.chat(messages, key, response_format={"type": "json_object"})
    assert answer.cache == "template" and json.loads(answer.text)["tasks"]
    answer = templated.client.chat(messages, key, response_format=schema_of(Plan))
    assert answer.cache == "template"
    check(Plan.model_validate_json(answer.text))


def test_an_answer_in_json_is_never_served_for_other_words(templated, openai_upstream, key):
    form = described({"tips": TASKS})
    assert templated.client.chat(UNKNOWN, key, response_format=form).cache == "miss"
    assert templated.client.chat(UNKNOWN.replace("do I", "can I"), key, response_format=form).cache == "miss"
    assert templated.client.chat(UNKNOWN, key, response_format=form).cache == "exact"
