"""A reworded goal is served, a different one never is, however near it lies."""

import pytest

from harness.client import GEMINI_MODEL

SPANISH = "I want to learn conversational Spanish in 3 months"

REWORDED = [
    ("How do I grow tomatoes on a balcony?", "How can I grow tomatoes on a balcony?"),
    (SPANISH, "I would like to learn conversational Spanish in 3 months"),
    ("How do I learn to play chess well?", "How can I learn to play chess well?"),
    ("How do I train for a 10 km run?", "How can I train for a 10 km run?"),
]

# One answer would be wrong for the other, whatever the cosine says.
DIFFERENT = [
    (SPANISH, "I want to learn conversational French in 3 months"),
    (SPANISH, "I want to learn conversational Spanish in 6 weeks"),
    (SPANISH, "I want to learn conversational Spanish in 3 weeks"),
    ("How do I train for a 10 km run?", "How do I train for a 5 km run?"),
    ("How do I save 500 dollars in a year?", "How do I save 5,000 dollars in a year?"),
    ("How do I start eating meat?", "How do I stop eating meat?"),
    ("How do I eat a diet with gluten?", "How do I eat a diet without gluten?"),
    ("Should I stretch before running?", "Should I not stretch before running?"),
    ("How do I deploy my app on AWS?", "How do I deploy my app on Azure?"),
    ("How do I travel from Berlin to Paris?", "How do I travel from Paris to Berlin?"),
    ("How do I lose 5 kg before summer?", "How do I gain 5 kg before summer?"),
    ("How do I grow tomatoes on a balcony?", "How do I bake bread at home?"),
]


def ask(proxy, protocol, goal, key, **fields):
    return (
        proxy.client.chat(goal, key, **fields) if protocol == "openai" else proxy.client.generate(goal, key, **fields)
    )


@pytest.mark.parametrize("protocol", ["openai", "gemini"])
@pytest.mark.parametrize(("first", "second"), REWORDED)
def test_the_third_time_reworded_is_semantic(cached, openai_upstream, gemini_upstream, key, protocol, first, second):
    stored = cached.warm(lambda: ask(cached, protocol, first, key))
    assert ask(cached, protocol, first, key).cache == "exact"
    marks = openai_upstream.mark(), gemini_upstream.mark()
    answer = ask(cached, protocol, second, key)
    assert answer.cache == "semantic", answer.header("x-tollfree-reason")
    assert answer.text == stored.text
    assert openai_upstream.since(marks[0]) == [] and gemini_upstream.since(marks[1]) == []


def test_the_headers_of_a_semantic_hit(cached, key):
    first, second = REWORDED[0]
    cached.warm(lambda: cached.client.chat(first, key))
    exact = cached.client.chat(first, key)
    answer = cached.client.chat(second, key)
    assert answer.cache == "semantic"
    assert 0.5 <= float(answer.header("x-tollfree-similarity")) <= 1.0
    status = answer.header("cache-status")
    assert status.startswith("tollfree; hit") and "detail=semantic" in status
    assert answer.header("x-tollfree-entry") == exact.header("x-tollfree-entry")
    assert int(answer.header("age")) >= 0
    assert float(answer.header("x-tollfree-saved-usd")) == pytest.approx(0.11, rel=0.01)


def test_a_semantic_hit_streams(cached, key):
    first, second = REWORDED[0]
    stored = cached.warm(lambda: cached.client.chat(first, key))
    answer = cached.client.chat(second, key, stream=True)
    assert (answer.cache, answer.text) == ("semantic", stored.text)
    assert answer.events[-1] == "[DONE]"


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_a_different_goal_gets_its_own_answer(cached, openai_upstream, key, first, second):
    stored = cached.warm(lambda: cached.client.chat(first, key))
    mark = openai_upstream.mark()
    answer = cached.client.chat(second, key)
    assert answer.cache == "miss", f"served {answer.text!r}"
    assert answer.text != stored.text and answer.text.endswith(second)
    assert len(openai_upstream.since(mark)) == 1


@pytest.mark.parametrize(("first", "second"), DIFFERENT)
def test_a_different_goal_gets_its_own_answer_the_other_way_round(cached, key, first, second):
    stored = cached.warm(lambda: cached.client.generate(second, key, model=GEMINI_MODEL))
    answer = cached.client.generate(first, key, model=GEMINI_MODEL)
    assert answer.cache == "miss", f"served {stored.text!r}"
    assert answer.text.endswith(first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the best way to learn cooking today?", "What's the best way to learn cooking today?"),
        ("What are the latest phones I should buy?", "What are the latest phones that I should buy?"),
        ("How is the weather for running right now?", "How's the weather for running right now?"),
    ],
)
def test_a_time_bound_goal_is_never_semantic(cached, key, first, second):
    assert cached.client.chat(first, key).cache == "miss"
    assert cached.client.chat(first, key).cache in ("miss", "exact")
    answer = cached.client.chat(second, key)
    assert answer.cache == "miss" and answer.text.endswith(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ich möchte in drei Monaten Spanisch lernen, wie fange ich an?",
         "Ich würde gern in drei Monaten Spanisch lernen, wie fange ich an?"),
        ("¿Cómo puedo cultivar tomates en el balcón de mi casa?",
         "¿Cómo podría cultivar tomates en el balcón de mi casa?"),
        ("バルコニーでトマトを育てるにはどうすればいいですか", "バルコニーでトマトを育てるにはどうしたらいいですか"),
    ],
)  # fmt: skip
def test_a_goal_in_a_language_the_model_does_not_know_is_exact_only(cached, key, first, second):
    cached.warm(lambda: cached.client.chat(first, key))
    assert cached.client.chat(first, key).cache == "exact"
    answer = cached.client.chat(second, key)
    assert answer.cache == "miss" and answer.text.endswith(second)


def test_a_goal_over_the_token_limit_is_exact_only(cached, key):
    """What lies past the limit is never embedded, so two such goals may differ where nobody looks."""
    words = "I want to grow tomatoes, peppers, beans and herbs on my sunny balcony in large wooden boxes. " * 40
    cached.warm(lambda: cached.client.chat(words + "How do I start?", key))
    assert cached.client.chat(words + "How do I start?", key).cache == "exact"
    assert cached.client.chat(words + "How do I begin?", key).cache == "miss"


def test_a_threshold_may_only_be_raised(cached, key):
    first, second = REWORDED[0]
    cached.warm(lambda: cached.client.chat(first, key))
    raised = cached.client.chat(
        second, key, headers={"x-tollfree-threshold": "0.99999", "Cache-Control": "only-if-cached"}
    )
    assert raised.status == 504 and raised.cache == "miss"
    assert cached.client.chat(first, key, headers={"x-tollfree-threshold": "1.0"}).cache == "exact"
    lowered = cached.client.chat("How do I water tomatoes?", key, headers={"x-tollfree-threshold": "-1"})
    assert lowered.cache == "miss"


@pytest.mark.parametrize("value", ["high", "2", "NaN", ""])
def test_a_threshold_that_cannot_be_read_never_lowers_it(cached, key, value):
    cached.warm(lambda: cached.client.chat("How do I grow tomatoes on a balcony?", key))
    answer = cached.client.chat("How do I bake bread at home?", key, headers={"x-tollfree-threshold": value})
    assert answer.status in (200, 400) and answer.cache not in ("semantic", "exact")


class TestTheStoredAnswerMustFitTheRequest:
    """Token cap and stop strings are no part of the key: they are checked against the stored answer."""

    FIRST, SECOND = REWORDED[0]

    def test_a_token_cap_below_the_stored_length_is_a_miss(self, cached, key):
        cached.warm(lambda: cached.client.chat(self.FIRST, key))  # 50 tokens
        assert cached.client.chat(self.SECOND, key, max_tokens=4000).cache == "semantic"
        assert cached.client.chat(self.SECOND, key, max_tokens=5).cache == "miss"
        assert cached.client.chat(self.SECOND, key, max_completion_tokens=6).cache == "miss"

    def test_a_stop_string_inside_the_stored_answer_is_a_miss(self, cached, key):
        cached.warm(lambda: cached.client.chat(self.FIRST, key))
        assert cached.client.chat(self.SECOND, key, stop=["@@@"]).cache == "semantic"
        assert cached.client.chat(self.SECOND, key, stop=["@@@", "tomatoes"]).cache == "miss"

    def test_the_same_for_gemini(self, cached, key):
        cached.warm(lambda: cached.client.generate(self.FIRST, key))
        assert cached.client.generate(self.SECOND, key, generationConfig={"maxOutputTokens": 5}).cache == "miss"
        stop = {"stopSequences": ["tomatoes"]}
        assert cached.client.generate(self.SECOND, key, generationConfig=stop).cache == "miss"


@pytest.mark.parametrize("fields", [{"house_style": "x"}, {"stop": ["@@@"]}, {"stop": "@@@"}], ids=str)
def test_an_answer_shaped_by_such_a_field_is_found_by_its_exact_key_only(cached, openai_upstream, key, fields):
    """A setting we do not know, or a stop string, shaped it in ways that another wording must not inherit."""
    first, second = REWORDED[0]
    stored = cached.warm(lambda: cached.client.chat(first, key, **fields))
    mark = openai_upstream.mark()
    for goal in (second, first):
        # Only what is stored: an answer of this test's own asking must not be what the next one finds.
        answer = cached.client.chat(goal, key, headers={"Cache-Control": "only-if-cached"})
        assert (answer.status, answer.cache) == (504, "miss"), answer.text
    assert openai_upstream.since(mark) == []
    again = cached.client.chat(first, key, **fields)
    assert (again.cache, again.text) == ("exact", stored.text)


@pytest.mark.parametrize(
    "fields", [{"houseStyle": "x"}, {"generationConfig": {"stopSequences": ["@@@"]}}], ids=["unknown field", "stop"]
)
def test_the_same_holds_for_an_answer_shaped_by_geminis_fields(cached, key, fields):
    first, second = REWORDED[0]
    stored = cached.warm(lambda: cached.client.generate(first, key, **fields))
    for goal in (second, first):
        answer = cached.client.generate(goal, key, headers={"Cache-Control": "only-if-cached"})
        assert (answer.status, answer.cache) == (504, "miss"), answer.body[:300]
    again = cached.client.generate(first, key, **fields)
    assert (again.cache, again.text) == ("exact", stored.text)


@pytest.mark.parametrize("value", ["1.5", "abc"])
def test_a_threshold_that_cannot_be_read_is_the_strictest(cached, key, value):
    first, second = REWORDED[0]
    cached.warm(lambda: cached.client.chat(first, key))
    only = {"Cache-Control": "only-if-cached"}
    assert cached.client.chat(second, key, headers=only).cache == "semantic", "the test would prove nothing"
    answer = cached.client.chat(second, key, headers={"x-tollfree-threshold": value, **only})
    assert (answer.status, answer.cache) == (504, "miss")
    assert cached.client.chat(first, key, headers={"x-tollfree-threshold": value}).cache == "exact"
