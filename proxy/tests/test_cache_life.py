"""How stored answers live: expiry with jitter and by frame, quarantine in a shared namespace, personal data."""

import time

import pytest

from harness import answers, config
from harness.client import new_key
from harness.output import facts, lines
from harness.proxy import run
from harness.wait import until

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
STORED_ONLY = {"Cache-Control": "only-if-cached"}
TOPICS = ["chess", "judo", "origami", "pottery", "sailing", "welding", "falconry", "carpentry", "beekeeping", "yoga"]


def test_answers_of_one_moment_do_not_expire_at_one_moment(start, openai_upstream, key):
    cache = config.table("cache", ttl="3s", ttl_jitter=0.5)
    proxy = start(cache + config.NO_TEMPLATES + config.upstream(openai_upstream))
    goals = [f"How do I get better at {topic}?" for topic in TOPICS]
    for goal in goals:
        assert proxy.client.chat(goal, key).cache == "miss"
    stored = time.monotonic()
    left, survivors = goals, []
    while left:
        answered = {goal: proxy.client.chat(goal, key, headers=STORED_ONLY) for goal in left}
        for answer in answered.values():
            assert answer.status in (200, 504)
            assert answer.status == 504 or int(answer.header("age")) <= 3, "served beyond its lifetime"
        left = [goal for goal, answer in answered.items() if answer.status == 200]
        survivors.append(len(left))
        assert time.monotonic() < stored + 30, "answers outlive their time"
    assert any(0 < number < len(goals) for number in survivors), f"all went at once: {survivors}"


def test_an_answer_in_a_frame_lives_as_long_as_the_frame_says(start, openai_upstream, key):
    frame = config.frame("brief", "Plan briefly: {goal}", "markdown") + 'ttl = "1ms"\n\n'
    proxy = start(config.NO_TEMPLATES + frame.replace("\n\nttl", "\nttl") + config.upstream(openai_upstream))
    framed = "Plan briefly: grow tomatoes on a balcony"
    for goal in (GOAL, framed):
        assert proxy.client.chat(goal, key).cache == "miss"
    until(lambda: proxy.client.chat(framed, key, headers=STORED_ONLY).status == 504, "the framed answer expired")
    assert proxy.client.chat(GOAL, key).cache == "exact"


# No template answers these: a system text of its own keeps them away.
OF_CATEGORY = [
    ("money", "How do I pay off my student loan faster?"),
    ("travel", "What do I need for a road trip through Norway?"),
    ("career", "How do I ask my boss for a raise?"),
    ("parenting", "How do I get my toddler to sleep through the night?"),
    ("home", "How do I get my kitchen clean again?"),
    (None, "What is the capital of Burkina Faso?"),
    (None, "Explain the difference between TCP and UDP"),
]


def lifetimes(proxy):
    rows = lines(proxy.command("cache", "export"))
    return {row["goal"]: (row["expires_at_ms"] - row["created_at_ms"]) // 1000 for row in rows}


def test_an_answer_lives_as_long_as_its_category_says(start, openai_upstream, key):
    categories = {category: f"{place + 1}h" for place, (category, _) in enumerate(OF_CATEGORY) if category}
    cache = config.table("cache", ttl="30h", ttl_jitter=0.0, category_ttl=categories)
    proxy = start(cache + config.upstream(openai_upstream))
    for _, goal in OF_CATEGORY:
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": goal}]
        assert proxy.client.chat(messages, key).cache == "miss"
    wanted = {goal: int(categories.get(category, "30h")[:-1]) * 3600 for category, goal in OF_CATEGORY}
    until(lambda: lifetimes(proxy) == wanted, f"{wanted}")


def test_the_shorter_of_frame_and_category_holds(start, openai_upstream, key):
    for of_frame, expected in (("1h", 3600), ("3h", 7200)):
        cache = config.table("cache", ttl="30h", ttl_jitter=0.0, category_ttl={"money": "2h"})
        frame = config.frame("brief", "Plan briefly: {goal}", "markdown").rstrip() + f'\nttl = "{of_frame}"\n\n'
        proxy = start(cache + frame + config.upstream(openai_upstream))
        goal = "refinance a mortgage at a lower rate"
        assert proxy.client.chat(f"Plan briefly: {goal}", key).cache == "miss"
        until(lambda: lifetimes(proxy) == {goal: expected}, f"{expected}")  # noqa: B023


def test_a_category_that_no_template_is_of_is_refused_with_those_there_are(start, openai_upstream, tmp_path):
    text = config.table("cache", category_ttl={"monny": "1h"}) + config.upstream(openai_upstream)
    path = tmp_path / "broken.toml"
    path.write_text(text)
    checked = run("check", "--config", path)
    assert checked.returncode == 1
    assert "cache.category_ttl.monny" in checked.stdout and "money" in checked.stdout


@pytest.fixture
def shared(start, openai_upstream):
    """One namespace for all, quarantine on, every client with its own credential."""
    text = (
        config.table("server", auth="passthrough")
        + config.table("cache", namespace="team", quarantine=True)
        + config.NO_TEMPLATES
        + config.upstream(openai_upstream)
    )
    return start(text)


def accepted(proxy):
    """A credential that the upstream has accepted."""
    key = new_key()
    assert proxy.client.chat(f"Which tea goes with {key[3:9]}?", key).status == 200
    return key


def test_an_answer_planted_by_one_tenant_reaches_no_other(shared, openai_upstream):
    mallory, alice, bob = (accepted(shared) for _ in range(3))
    openai_upstream.script(answers.chat(text="poison"))
    shared.warm(lambda: shared.client.chat(GOAL, mallory))
    # It is stored, and served to who planted it, so that the rest proves something.
    own = shared.client.chat(GOAL, mallory)
    assert (own.cache, own.text) == ("exact", "poison")
    assert shared.client.chat(REWORDED, mallory).cache == "semantic"
    for tenant in (alice, bob):
        for goal in (REWORDED, GOAL):
            answer = shared.client.chat(goal, tenant)
            assert "poison" not in answer.text
            assert answer.cache != "exact"
    again = shared.client.chat(GOAL, alice)
    assert again.cache in ("exact", "semantic"), "an honest tenant is served its own answers again"
    assert "poison" not in again.text
    fresh = new_key()
    assert shared.client.chat(GOAL, fresh).cache == "miss"
    assert "poison" not in shared.client.chat(GOAL, None).text
    # Saying it twice, or asking for it anew, does not confirm it.
    openai_upstream.script(answers.chat(text="poison"))
    assert shared.client.chat(GOAL, mallory, headers={"Cache-Control": "no-cache"}).text == "poison"
    assert "poison" not in shared.client.chat(GOAL, accepted(shared)).text


def test_an_answer_that_two_tenants_got_alike_is_shared_with_all(shared, openai_upstream):
    alice, bob, carol = (accepted(shared) for _ in range(3))
    openai_upstream.script(answers.chat(text="Use a deep pot."), answers.chat(text="Use a deep pot."))
    shared.warm(lambda: shared.client.chat(GOAL, alice))
    assert shared.client.chat(GOAL, bob).cache == "miss"
    until(lambda: shared.client.chat(GOAL, carol, headers=STORED_ONLY).cache == "exact", "the answer is shared")
    assert shared.client.chat(REWORDED, carol).cache == "semantic"


def test_the_operators_word_shares_an_answer_in_quarantine(shared):
    alice, carol = accepted(shared), accepted(shared)
    shared.warm(lambda: shared.client.chat(GOAL, alice))
    until(lambda: shared.client.chat(REWORDED, alice).cache == "semantic", "it is found by meaning")
    entry = shared.client.chat(GOAL, alice).header("x-tollfree-entry")
    assert shared.client.chat(GOAL, carol, headers=STORED_ONLY).status == 504
    assert facts(shared.command("cache", "stats", "--json"))["quarantined"] == 3
    assert "shared" in shared.command("cache", "release", entry).stdout
    assert shared.client.chat(GOAL, carol, headers=STORED_ONLY).cache == "exact"
    assert shared.client.chat(REWORDED, carol, headers=STORED_ONLY).cache == "semantic"
    again = shared.command("cache", "release", entry)
    assert again.returncode == 1 and "not in quarantine" in again.stdout
    refused = shared.command("cache", "release", "no-id")
    assert refused.returncode == 1 and "no entry id" in refused.stdout + refused.stderr


def test_an_entry_in_quarantine_stays_there_through_export_and_import(shared, tmp_path):
    alice, carol = accepted(shared), accepted(shared)
    shared.warm(lambda: shared.client.chat(GOAL, alice))
    path = tmp_path / "entries.jsonl"
    assert shared.command("cache", "export", "--out", path).returncode == 0
    assert shared.command("cache", "purge", "--all").returncode == 0
    assert shared.client.chat(GOAL, alice, headers=STORED_ONLY).status == 504
    assert shared.command("cache", "import", path).returncode == 0
    own = shared.client.chat(GOAL, alice, headers=STORED_ONLY)
    assert own.cache == "exact"
    assert shared.client.chat(GOAL, carol, headers=STORED_ONLY).status == 504
    # And can still be confirmed.
    shared.command("cache", "release", own.header("x-tollfree-entry"))
    assert shared.client.chat(GOAL, carol, headers=STORED_ONLY).cache == "exact"


def test_personal_data_is_delivered_and_not_stored(start, openai_upstream, key):
    proxy = start(config.NO_TEMPLATES + config.upstream(openai_upstream))
    openai_upstream.script(answers.chat(text="Write to jane.doe@acme.org."))
    assert proxy.client.chat(GOAL, key).text == "Write to jane.doe@acme.org."
    assert proxy.client.chat(GOAL, key).cache == "miss", "an answer with an address was stored"
    assert proxy.client.chat(GOAL, key).cache == "exact", "one without is"
    goal = "May I pay with 4242 4242 4242 4242?"
    for _ in range(2):
        assert proxy.client.chat(goal, key).cache == "miss"
    metrics = proxy.metrics()
    assert metrics.sum("tollfree_cache_unadmitted_total", reason="pii") == 3
    assert metrics.sum("tollfree_cache_pii_total", kind="email") == 1
    assert metrics.sum("tollfree_cache_pii_total", kind="card") == 2
    proxy.stop()
    assert b"jane.doe" not in (proxy.data / "cache.redb").read_bytes()
    assert "jane.doe" not in proxy.log and "4242" not in proxy.log


def test_personal_data_is_stored_where_the_operator_allows_it(start, openai_upstream, key):
    proxy = start(config.table("cache", pii="allow") + config.NO_TEMPLATES + config.upstream(openai_upstream))
    openai_upstream.script(answers.chat(text="Write to jane.doe@acme.org."))
    proxy.warm(lambda: proxy.client.chat(GOAL, key))
    assert proxy.client.chat(GOAL, key).cache == "exact"
