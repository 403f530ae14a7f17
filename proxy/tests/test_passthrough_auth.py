"""`auth = "passthrough"`: nothing is answered for a caller whom the upstream would have refused.

The namespace is shared here, so that only the check of the credential stands between a caller and a hit.
"""

import pytest

from harness import answers, config
from harness.client import new_key
from harness.upstream import Upstream
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
SPANISH = "I want to learn conversational Spanish in 3 months"


def proxy_text(*upstreams, ttl="10m", templates=False):
    return (
        config.table("server", auth="passthrough", auth_ttl=ttl)
        + config.table("cache", namespace="everyone")
        + ("" if templates else config.NO_TEMPLATES)
        + "".join(config.upstream(upstream, models=models) for upstream, models in upstreams)
    )


@pytest.fixture
def proxy(start, openai_upstream, gemini_upstream):
    upstreams = [(openai_upstream, {"gpt-*": "gpt-*"}), (gemini_upstream, {"gemini-*": "gemini-*"})]
    return start(proxy_text(*upstreams, templates=True))


def refused():
    return answers.openai_error(401, "invalid_api_key", "Incorrect API key provided")


def test_a_hit_needs_a_credential_the_upstream_has_accepted(proxy, openai_upstream):
    owner, stranger = new_key(), new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    assert proxy.client.chat(GOAL, owner).cache == "exact"
    openai_upstream.script(refused(), refused(), refused())
    mark = openai_upstream.mark()
    for _ in range(3):
        answer = proxy.client.chat(GOAL, stranger)
        assert (answer.status, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert [request.header("authorization") for request in openai_upstream.since(mark)] == [f"Bearer {stranger}"] * 3


def test_an_accepted_newcomer_hits_from_then_on(proxy):
    owner, newcomer = new_key(), new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    assert proxy.client.chat(GOAL, newcomer).cache not in ("exact", "semantic", "template")
    until(lambda: proxy.client.chat(GOAL, newcomer).cache == "exact", "an accepted credential gets hits")


def test_no_tier_is_served_before_acceptance(proxy, openai_upstream):
    owner, stranger = new_key(), new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    for goal, tier in ((SPANISH, "template"), ("How can I grow tomatoes on a balcony?", "semantic")):
        assert proxy.client.chat(goal, owner).cache == tier
        openai_upstream.script(refused())
        assert proxy.client.chat(goal, stranger).status == 401
    only = {"Cache-Control": "only-if-cached"}
    assert proxy.client.chat(GOAL, stranger, headers=only).status == 504


def test_a_request_without_a_credential_gets_no_hit(proxy, openai_upstream):
    proxy.warm(lambda: proxy.client.chat(GOAL, new_key()))
    openai_upstream.script(refused())
    answer = proxy.client.chat(GOAL)
    assert answer.status in (401, 503) and answer.cache not in ("exact", "semantic", "template")


@pytest.mark.parametrize("status", [401, 403])
def test_a_revoked_credential_loses_its_hits(proxy, openai_upstream, status):
    owner = new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    assert proxy.client.chat(GOAL, owner).cache == "exact"
    openai_upstream.script(*[answers.openai_error(status, "revoked")] * 2)
    assert proxy.client.chat("A goal that must go upstream?", owner).status == status
    answer = proxy.client.chat(GOAL, owner)
    assert answer.status == status, f"still served: {answer.cache}"


def test_other_errors_do_not_revoke(proxy, openai_upstream):
    owner = new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    openai_upstream.script(answers.openai_error(404, "model_not_found"))
    assert proxy.client.chat("A goal that must go upstream?", owner).status == 404
    assert proxy.client.chat(GOAL, owner).cache == "exact"


def test_an_error_is_no_acceptance(proxy, openai_upstream):
    owner, stranger = new_key(), new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    for status in (429, 500):
        openai_upstream.script(*[answers.openai_error(status, "busy")] * 4)
        assert proxy.client.chat(GOAL, stranger).status == status
        openai_upstream.forget_scripts()
        openai_upstream.script(refused())
        assert proxy.client.chat(GOAL, stranger).status == 401


def test_geminis_400_for_a_bad_key_refuses_and_revokes(proxy, gemini_upstream):
    owner, stranger = new_key(), new_key()
    proxy.warm(lambda: proxy.client.generate(GOAL, owner))
    gemini_upstream.script(answers.bad_gemini_key(), answers.bad_gemini_key())
    for _ in range(2):
        assert proxy.client.generate(GOAL, stranger).status == 400
    assert proxy.client.generate(GOAL, owner).cache == "exact"
    gemini_upstream.script(answers.bad_gemini_key(), answers.bad_gemini_key())
    assert proxy.client.generate("A goal that must go upstream?", owner).status == 400
    assert proxy.client.generate(GOAL, owner).status == 400


def test_acceptance_by_one_upstream_does_not_open_the_other_protocol(proxy, openai_upstream, gemini_upstream):
    """A key that OpenAI accepted says nothing about what Gemini would say to it."""
    owner, key = new_key(), new_key()
    proxy.warm(lambda: proxy.client.generate(GOAL, owner))
    assert proxy.client.chat("Anything that opens the OpenAI side?", key).status == 200
    gemini_upstream.script(answers.bad_gemini_key())
    assert proxy.client.generate(GOAL, key).status == 400


def test_acceptance_ends_after_its_time(start, openai_upstream):
    proxy, owner = start(proxy_text((openai_upstream, {"*": "*"}), ttl="1s")), new_key()
    proxy.warm(lambda: proxy.client.chat(GOAL, owner))
    only = {"Cache-Control": "only-if-cached"}
    until(lambda: proxy.client.chat(GOAL, owner, headers=only).status == 504, "the acceptance ran out")
    assert proxy.client.chat(GOAL, owner).cache not in ("exact", "semantic")


def test_open_mode_needs_no_acceptance(start, openai_upstream):
    text = config.table("cache", namespace="everyone") + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    proxy.warm(lambda: proxy.client.chat(GOAL, new_key()))
    assert proxy.client.chat(GOAL, new_key()).cache == "exact"


def test_every_secret_of_a_request_must_be_the_accepted_one(proxy, openai_upstream):
    """One accepted secret beside another, or alone, is not the credential that was accepted."""
    good, bad, shared = new_key(), new_key(), {"x-goog-api-key": new_key()}
    proxy.warm(lambda: proxy.client.chat(GOAL, good, headers=shared))
    assert proxy.client.chat(GOAL, good, headers=shared).cache == "exact"
    openai_upstream.script(refused(), refused())
    mark = openai_upstream.mark()
    for key in (bad, None):
        assert proxy.client.chat(GOAL, key, headers=shared).status == 401
    assert len(openai_upstream.since(mark)) == 2
    assert proxy.client.chat(GOAL, good, headers=shared).cache == "exact"


class TestOwnKeys:
    """The operator's keys are spent only on callers that an upstream has accepted."""

    @pytest.fixture
    def paid(self):
        server = Upstream("openai", "paid")
        yield server
        server.close()

    @pytest.fixture
    def both(self, start, openai_upstream, paid):
        """Either upstream serves every model; the one with its own key gets most, and the undecoded paths."""
        return start(
            config.table("server", auth="passthrough")
            + config.table("policy", default_upstream="paid")
            + config.NO_TEMPLATES
            + config.upstream(openai_upstream, models={"*": "*"}, weight=1)
            + config.upstream(paid, "own", models={"*": "*"}, weight=100)
        )

    @pytest.fixture
    def only(self, start, paid):
        text = config.table("server", auth="passthrough") + config.NO_TEMPLATES
        return start(text + config.upstream(paid, "own"))

    UNDECODED = [("GET", "/v1/models", None), ("POST", "/v1/embeddings", b"{}"), ("GET", "/anything", None)]

    def test_an_unaccepted_credential_never_reaches_an_upstream_with_its_own_key(self, both, openai_upstream, paid):
        stranger = new_key()
        auth = [("Authorization", f"Bearer {stranger}")]
        openai_upstream.script(*[refused()] * 4)
        for headers in ({}, {"Cache-Control": "no-store"}):
            for stream in (False, True):
                assert both.client.chat(GOAL, stranger, headers=headers, stream=stream).status == 401
        for method, target, body in self.UNDECODED:
            assert both.client.request(method, target, auth, body).status == 401, target
        assert paid.requests == []
        assert both.client.chat(GOAL, stranger).status == 200, "the client's own upstream accepts it now"
        for method, target, body in self.UNDECODED:
            assert both.client.request(method, target, auth, body).status == 200, target
        assert both.client.chat("Another goal altogether?", stranger).status == 200
        assert len(paid.requests) >= len(self.UNDECODED)
        for request in paid.requests:
            assert request.all("authorization") == [f"Bearer {config.OPENAI_KEY}"] and not request.holds(stranger)

    def test_nor_does_it_with_a_body_that_cannot_be_decoded(self, both, openai_upstream, paid):
        openai_upstream.script(refused())
        answer = both.client.chat(None, new_key(), body=b"not json")
        assert paid.requests == [], "the operator's key was spent on a stranger"
        assert answer.status == 401

    @pytest.mark.parametrize(
        "body", [pytest.param(None, id="decoded"), pytest.param(b"not json", id="undecodable")]
    )
    def test_with_only_an_own_key_nobody_can_be_accepted(self, only, paid, body):
        for key in (new_key(), None):
            answer = only.client.chat(GOAL, key, body=body)
            assert paid.requests == [], "the operator's key was spent on a stranger"
            assert answer.status in (401, 403) and answer.json()["error"]["message"]

    def test_nor_on_a_path_that_is_not_decoded(self, only, paid):
        auth = [("Authorization", f"Bearer {new_key()}")]
        for method, target, body in self.UNDECODED:
            answer = only.client.request(method, target, auth, body)
            assert answer.status in (401, 403) and answer.json()["error"]["message"], target
        assert paid.requests == []

    def test_nor_with_the_cache_switched_off(self, start, paid):
        """With one upstream and no cache a request is not even decoded."""
        text = config.table("server", auth="passthrough") + config.NO_CACHE + config.upstream(paid, "own")
        answer = start(text).client.chat(GOAL, new_key())
        assert paid.requests == [], "the operator's key was spent on a stranger"
        assert answer.status in (401, 403)
