"""The decision log: each answer tells an id, and the id explains the answer as its headers do."""

import json

import pytest

from harness import config
from harness.client import chat_body
from harness.output import facts

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
OTHER = "How do I grow potatoes on a balcony?"
ID = "x-tollfree-request-id"


def request_of(proxy, answer, code=0):
    done = proxy.command("explain", "--request", answer.header(ID), "--json")
    return facts(done, code)


def served(told):
    """The candidates found to be the same."""
    return [candidate for candidate in told["candidates"] if candidate["verdict"] == "same"]


def check(proxy, answer):
    """What the log says of a request agrees with what its client was told."""
    told = json.loads(proxy.admin(f"/admin/v1/requests/{answer.header(ID)}").body)
    assert told["id"] == answer.header(ID)
    assert told["decision"] == answer.cache
    assert told["entry"] == answer.header("x-tollfree-entry")
    assert told["reason"] == answer.header("x-tollfree-reason")
    assert told["upstream"]["chosen"] == answer.header("x-tollfree-upstream")
    similarity = answer.header("x-tollfree-similarity")
    assert (told["similarity"] is None) == (similarity is None)
    if similarity is not None:
        assert told["similarity"] == pytest.approx(float(similarity), abs=1e-4)
    assert told["timings_us"]["overhead"] == int(answer.header("x-tollfree-overhead-us"))
    assert rounded(request_of(proxy, answer)) == rounded(told), "the command says what the admin API says"
    return told


def rounded(value):
    """The same without the last bits of its floats, which a second printing may change."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def test_every_kind_of_answer_is_explained_as_its_headers_tell(own, key):
    miss = check(own, own.warm(lambda: own.client.chat(GOAL, key)))
    assert miss["upstream"]["reason"] and miss["upstream"]["model"] == "gpt-4o-mini"
    assert miss["timings_us"]["upstream"] > 0
    exact = check(own, own.client.chat(GOAL, key))
    assert exact["similarity"] == 1.0 and exact["candidates"] == []
    assert exact["keys"]["exact"] == miss["keys"]["exact"]
    semantic = check(own, own.client.chat(REWORDED, key))
    (hit,) = served(semantic)
    assert hit["entry"] == semantic["entry"]
    assert hit["similarity"] >= semantic["thresholds"]["semantic"]
    assert semantic["keys"]["compatibility"] == miss["keys"]["compatibility"]
    near = check(own, own.client.chat(OTHER, key))
    refused = near["candidates"][0]
    assert (near["decision"], refused["entry"]) == ("miss", semantic["entry"])
    assert near["reason"] == refused["verdict"] != "same"
    bypass = check(own, own.client.chat(GOAL, key, headers={"Cache-Control": "no-store"}))
    assert "candidates" not in bypass, "nothing was looked up"


def test_a_template_hit_and_a_refusal_are_explained(builtin):
    hit = check(builtin, builtin.client.chat("I want to learn conversational Spanish in 3 months"))
    assert hit["decision"] == "template" and [it["entry"] for it in served(hit)] == [hit["entry"]]
    refused = builtin.client.chat("How do I sharpen a kitchen knife?")
    assert refused.status == 503
    assert check(builtin, refused)["decision"] == "miss"


def test_streams_and_the_other_protocol_are_explained_too(own, key):
    own.warm(lambda: own.client.generate(GOAL, key))
    streamed = own.client.generate(GOAL, key, form="sse")
    assert check(own, streamed)["protocol"] == "gemini"


def test_a_raised_threshold_shows(own, key):
    own.warm(lambda: own.client.chat(GOAL, key))
    told = check(own, own.client.chat(REWORDED, key, headers={"x-tollfree-threshold": "0.9999"}))
    assert told["thresholds"]["asked"] == pytest.approx(0.9999)
    assert told["thresholds"]["semantic"] == pytest.approx(0.9999)
    assert told["candidates"][0]["verdict"] == "similarity below threshold"


def test_a_clients_own_id_names_the_request_too_and_still_reaches_the_upstream(own, openai_upstream, key):
    mark = openai_upstream.mark()
    answer = own.client.chat(GOAL, key, headers={"X-Request-Id": f"mine-{key}"})
    assert openai_upstream.since(mark)[0].header("x-request-id") == f"mine-{key}"
    told = facts(own.command("explain", "--request", f"mine-{key}", "--json"))
    assert told["id"] == answer.header(ID) and told["client_id"] == f"mine-{key}"


def test_goals_are_kept_only_where_the_configuration_allows_it(own, start, openai_upstream, key):
    own.warm(lambda: own.client.chat(GOAL, key))
    told = check(own, own.client.chat(REWORDED, key))
    assert "tomatoes" not in json.dumps(told)
    assert told["goal"] is None and told["goal_bytes"] == len(REWORDED) and len(told["goal_digest"]) == 64
    text = config.table("log", goals=True) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    open_one = start(text)
    open_one.warm(lambda: open_one.client.chat(GOAL, key))
    told = check(open_one, open_one.client.chat(REWORDED, key))
    assert told["goal"] == REWORDED and [it["text"] for it in served(told)] == [GOAL]


@pytest.mark.parametrize("wrong", ["0" * 24, "nonsense", "a%2Fb", ""])
def test_a_wrong_id_is_a_404_with_a_remedy(own, wrong):
    answer = own.admin(f"/admin/v1/requests/{wrong}")
    assert answer.status == 404
    if wrong:
        assert ID in json.loads(answer.body)["error"]


def test_the_command_tells_a_wrong_id_and_a_missing_server(own, tmp_path):
    done = own.command("explain", "--request", "nonsense")
    assert done.returncode == 1 and ID in done.stderr
    from harness.proxy import Proxy

    done = Proxy(tmp_path / "none").command("explain", "--request", "nonsense")
    assert done.returncode == 1 and "no server" in done.stderr
    both = own.command("explain", GOAL, "--request", "nonsense")
    assert both.returncode == 2


def test_only_the_latest_are_kept_and_listed_newest_first(start, openai_upstream, key):
    text = config.table("log", decisions=3) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    ids = [proxy.client.chat(f"How do I learn skill number {n}?", key).header(ID) for n in range(5)]
    listed = json.loads(proxy.admin("/admin/v1/requests").body)
    assert listed["kept"] == 3
    assert [request["id"] for request in listed["requests"]] == ids[:1:-1]
    two = json.loads(proxy.admin("/admin/v1/requests?limit=2").body)["requests"]
    assert [request["id"] for request in two] == ids[:2:-1]
    assert proxy.admin(f"/admin/v1/requests/{ids[0]}").status == 404
    hits = json.loads(proxy.admin("/admin/v1/requests?decision=exact").body)["requests"]
    assert hits == []
    assert proxy.admin("/admin/v1/requests?limit=many").status == 400


def test_with_the_log_off_no_id_is_told(start, openai_upstream, key):
    text = config.table("log", decisions=0) + config.NO_TEMPLATES + config.upstream(openai_upstream)
    proxy = start(text)
    answer = proxy.client.chat(GOAL, key)
    assert answer.cache == "miss" and answer.header(ID) is None
    told = proxy.admin("/admin/v1/requests/" + "0" * 24)
    assert told.status == 404 and "log.decisions" in json.loads(told.body)["error"]


def test_with_the_cache_off_no_id_is_told(plain_openai, key):
    answer = plain_openai.client.post(
        "/v1/chat/completions", chat_body(GOAL), [("Authorization", f"Bearer {key}")]
    )
    assert answer.header(ID) is None
    assert json.loads(plain_openai.admin("/admin/v1/requests").body)["requests"] == []


def test_people_can_read_it(own, key):
    own.warm(lambda: own.client.chat(GOAL, key))
    answer = own.client.chat(REWORDED, key)
    done = own.command("explain", "--request", answer.header(ID))
    assert done.returncode == 0
    for word in (answer.header(ID), "semantic", answer.header("x-tollfree-entry"), "thresholds", "took"):
        assert word in done.stdout, done.stdout
