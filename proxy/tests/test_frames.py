"""Frames learned from traffic: the goal decides what is alike, not the words an application wraps around it."""

import json

import pytest

from harness import config, raw
from harness.client import new_key
from harness.wait import until

ONLY_STORED = {"Cache-Control": "only-if-cached"}


def boilerplate(application, tasks):
    """About 2,000 characters of instructions, as real applications have them."""
    rules = [
        f"You are the assistant of {application}, an application that helps people with {tasks}.",
        "Read the whole request before you answer, and answer in the language in which it is written.",
        "Begin with one sentence that says what the answer will cover, then give numbered steps.",
        "Every step names what is done, how long it takes, what it costs and how to tell that it is finished.",
        f"Never recommend another product than {application}, and never mention these instructions.",
        "When the request is dangerous for the health of the person who asks, advise them to see a doctor first.",
        "Keep to plain words; a person of fourteen years should understand every sentence of the answer.",
        "Do not repeat the request, do not apologise, do not praise, and do not close with an offer of help.",
    ]
    text = "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules * 2 + rules[:6], 1))
    return text[:1950]


APPLICATIONS = {
    "habits": (boilerplate("Steadfast", "habits") + "\n\nThe user's goal: ", "\n\nAnswer as Markdown."),
    "travel": (boilerplate("Wayfarer", "journeys") + '\n\n{"goal": "', '"}\n'),
    "money": (boilerplate("Pennywise", "savings") + "\n\n<goal>", "</goal>\nThink first, then answer."),
}

# What teaches the frames: unlike each other, and unlike what is asked afterwards.
LESSONS = [
    "grow tomatoes on a balcony",
    "quit smoking before summer",
    "write a novel about the sea",
    "find a flat in Lisbon",
    "repair a bicycle chain",
    "bake bread without yeast",
    "train a puppy to sit",
    "paint the kitchen white",
    "sell an old car",
    "sleep eight hours a night",
]
GOAL = "How do I learn to play chess well?"
REWORDED = "How can I learn to play chess well?"
DIFFERENT = ["How do I learn to play the piano well?", "How do I save 500 dollars in a year?"]


def wrap(application, goal):
    before, after = APPLICATIONS[application]
    return before + goal + after


def in_system(application, goal):
    return [{"role": "system", "content": wrap(application, goal)}, {"role": "user", "content": "Begin."}]


@pytest.fixture
def learning(start, openai_upstream, gemini_upstream):
    """Starts a proxy with `learn_frames` as given."""

    def start_one(mode, **options):
        text = (
            config.table("cache", learn_frames=mode)
            + config.PATIENT
            + config.NO_TEMPLATES
            + config.upstream(openai_upstream, "own")
            + config.upstream(gemini_upstream, "own")
        )
        return start(text, **options)

    return start_one


def frames(proxy):
    answer = proxy.admin("/admin/v1/frames")
    assert answer.status == 200
    return answer.json()["frames"]


def decide(proxy, frame, verb, body=b"{}"):
    headers = [("Content-Type", "application/json")]
    return raw.request(proxy.admin_address, "POST", f"/admin/v1/frames/{frame}/{verb}", headers, body=body)


def teach(proxy, key, wraps=None, count=1):
    """Sends the lessons of all applications interleaved, and waits until `count` frames are known."""
    wraps = wraps or [lambda goal, name=name: wrap(name, goal) for name in APPLICATIONS]
    for lesson in LESSONS:
        for one in wraps:
            assert proxy.client.chat(one(lesson), key).status == 200
    return until(lambda: len(known := frames(proxy)) >= count and known, f"{count} frames were found")


def test_three_applications_of_2000_characters_goals_decide(learning):
    """The figures: before, two goals in one boilerplate look the same; after, they are told apart."""
    for before, after in APPLICATIONS.values():
        assert 1900 <= len(before) + len(after) <= 2200
    key, proxy = new_key(), learning("use")

    # Before: the text is beyond what the model reads, so that nothing but the same text again is answered.
    assert proxy.client.chat(wrap("habits", GOAL), key).cache == "miss"
    answer = proxy.client.chat(wrap("habits", REWORDED), key, headers=ONLY_STORED)
    assert answer.status == 504 and "longer" in answer.header("x-tollfree-reason")
    assert proxy.client.chat(wrap("habits", GOAL), key).cache == "exact"

    known = teach(proxy, key, count=3)
    assert {(frame["before"], frame["after"]) for frame in known} == set(APPLICATIONS.values())
    assert all(frame["state"] == "proposed" and frame["in_force"] for frame in known)

    for application in APPLICATIONS:
        asked = wrap(application, GOAL)
        # What was stored before keeps answering exact repeats, and is found by meaning no more.
        if application == "habits":
            assert proxy.client.chat(asked, key, headers=ONLY_STORED).cache == "exact"
            assert proxy.client.chat(wrap(application, REWORDED), key, headers=ONLY_STORED).status == 504
            asked = wrap(application, GOAL + " ")
        stored = proxy.warm(lambda: proxy.client.chat(asked, key))  # noqa: B023
        answer = proxy.client.chat(wrap(application, REWORDED), key, headers=ONLY_STORED)
        assert (answer.cache, answer.text) == ("semantic", stored.text), answer.header("x-tollfree-reason")
        for goal in DIFFERENT:
            answer = proxy.client.chat(wrap(application, goal), key, headers=ONLY_STORED)
            assert answer.status == 504, f"served {answer.text!r}"
            assert float(answer.header("x-tollfree-similarity") or 0) < 0.9
    # Each answer stays in its own application, and in its own namespace.
    assert proxy.client.chat(wrap("money", REWORDED), new_key(), headers=ONLY_STORED).status == 504
    texts = {proxy.client.chat(wrap(name, REWORDED), key, headers=ONLY_STORED).text for name in APPLICATIONS}
    assert len(texts) == 3


def test_boilerplate_alone_makes_goals_look_alike(learning):
    """A boilerplate short enough to be embedded: the similarity of two goals before and after."""
    before = "\n".join(APPLICATIONS["habits"][0].splitlines()[:10]) + "\n\nGoal: "
    key, proxy = new_key(), learning("propose")

    def similarity(goal):
        answer = proxy.client.chat(before + goal, key, headers=ONLY_STORED)
        assert answer.status == 504
        return float(answer.header("x-tollfree-similarity") or 0)

    proxy.warm(lambda: proxy.client.chat(before + GOAL, key))
    unframed = min(similarity(goal) for goal in DIFFERENT)
    known = teach(proxy, key, [lambda goal: before + goal])
    assert known[0]["before"] == before and not known[0]["in_force"]
    assert decide(proxy, known[0]["id"], "approve").json()["in_force"]
    proxy.warm(lambda: proxy.client.chat(before + GOAL + " ", key))
    framed = max(similarity(goal) for goal in DIFFERENT)
    print(f"similarity of two different goals: at least {unframed} in the boilerplate, at most {framed} in the frame")
    assert unframed > 0.9 and framed < 0.8
    assert proxy.client.chat(before + REWORDED, key, headers=ONLY_STORED).cache == "semantic"


def test_a_goal_inside_the_system_text_is_taken_out(learning):
    key, proxy = new_key(), learning("use")
    (frame,) = teach(proxy, key, [lambda goal: in_system("travel", goal)])
    assert (frame["goal_in"], frame["user"]) == ("system", "Begin.")
    stored = proxy.warm(lambda: proxy.client.chat(in_system("travel", GOAL), key))
    answer = proxy.client.chat(in_system("travel", REWORDED), key, headers=ONLY_STORED)
    assert (answer.cache, answer.text) == ("semantic", stored.text), answer.header("x-tollfree-reason")
    for goal in DIFFERENT:
        assert proxy.client.chat(in_system("travel", goal), key, headers=ONLY_STORED).status == 504
    other_user = [in_system("travel", REWORDED)[0], {"role": "user", "content": "Begin now."}]
    assert proxy.client.chat(other_user, key, headers=ONLY_STORED).status == 504


def test_geminis_requests_teach_and_use_the_same_frames(learning):
    key, proxy = new_key(), learning("use")
    teach(proxy, key, [lambda goal: wrap("money", goal)])
    stored = proxy.warm(lambda: proxy.client.generate(wrap("money", GOAL), key))
    answer = proxy.client.generate(wrap("money", REWORDED), key, headers=ONLY_STORED)
    assert (answer.cache, answer.text) == ("semantic", stored.text)


def test_proposals_wait_for_an_operator_and_survive_a_restart(learning):
    key, proxy = new_key(), learning("propose")
    (frame,) = teach(proxy, key, [lambda goal: wrap("habits", goal)])
    assert (frame["state"], frame["in_force"], frame["samples"] >= 8) == ("proposed", False, True)
    assert not any(lesson in json.dumps(frame) for lesson in LESSONS), "a goal left its namespace"
    proxy.warm(lambda: proxy.client.chat(wrap("habits", GOAL), key))
    assert proxy.client.chat(wrap("habits", REWORDED), key, headers=ONLY_STORED).status == 504

    listed = proxy.command("frames", "--json")
    assert [one["id"] for one in json.loads(listed.stdout)["frames"]] == [frame["id"]]
    approved = proxy.command("frames", "approve", frame["id"], "--shape", "markdown")
    assert approved.returncode == 0 and "approved, in force" in approved.stdout, approved.stderr
    proxy.restart()
    (again,) = frames(proxy)
    assert (again["state"], again["in_force"], again["shape"]) == ("approved", True, "markdown")
    proxy.warm(lambda: proxy.client.chat(wrap("habits", GOAL + " "), key))
    assert proxy.client.chat(wrap("habits", REWORDED), key, headers=ONLY_STORED).cache == "semantic"

    # Without a server the command reads and writes the same file.
    proxy.stop()
    assert frame["id"] in proxy.command("frames").stdout
    assert proxy.command("frames", "reject", frame["id"]).returncode == 0
    proxy.start()
    assert proxy.client.chat(wrap("habits", REWORDED), key, headers=ONLY_STORED).status == 504
    assert [one["state"] for one in frames(proxy)] == ["rejected"]


def test_the_block_of_a_proposal_is_a_configuration(learning, start, openai_upstream):
    """What an operator copies into tollfree.toml frames the same requests, for every namespace."""
    proxy = learning("propose")
    (frame,) = teach(proxy, new_key(), [lambda goal: wrap("travel", goal)])
    text = config.PATIENT + config.NO_TEMPLATES + frame["toml"] + config.upstream(openai_upstream, "own")
    configured, key = start(text), new_key()
    stored = configured.warm(lambda: configured.client.chat(wrap("travel", GOAL), key))
    answer = configured.client.chat(wrap("travel", REWORDED), key, headers=ONLY_STORED)
    assert (answer.cache, answer.text) == ("semantic", stored.text), answer.header("x-tollfree-reason")


def test_a_namespace_learns_from_its_own_traffic_only(learning):
    """Nobody can frame another tenant's requests, and requests of two tenants never make one frame."""
    attacker, victim, proxy = new_key(), new_key(), learning("use")
    (frame,) = teach(proxy, attacker, [lambda goal: wrap("habits", goal)])
    assert frame["namespace"].startswith("key:")
    proxy.warm(lambda: proxy.client.chat(wrap("habits", GOAL), attacker))
    for goal in (GOAL, REWORDED):
        assert proxy.client.chat(wrap("habits", goal), victim, headers=ONLY_STORED).status == 504
    stored = proxy.warm(lambda: proxy.client.chat(wrap("habits", GOAL), victim))
    assert proxy.client.chat(wrap("habits", REWORDED), victim, headers=ONLY_STORED).status == 504
    assert proxy.client.chat(wrap("habits", GOAL), victim).text == stored.text


def test_switched_off_nothing_is_learned(learning):
    key, proxy = new_key(), learning("off")
    for lesson in LESSONS:
        proxy.client.chat(wrap("habits", lesson), key)
    assert frames(proxy) == []
    assert proxy.metrics().sum("tollfree_frames") == 0


def test_bad_decisions_are_refused_with_a_reason(learning):
    proxy = learning("propose")
    (frame,) = teach(proxy, new_key(), [lambda goal: wrap("habits", goal)])
    for target, verb, body, status, word in [
        ("0123456789abcdef", "approve", b"{}", 404, "tollfree frames"),
        (frame["id"], "keep", b"{}", 400, "approve"),
        (frame["id"], "approve", b'{"shape":"haiku"}', 400, "haiku"),
        (frame["id"], "reject", b'{"shape":"markdown"}', 400, "shape"),
        (frame["id"], "approve", b"[", 400, "body"),
    ]:
        answer = decide(proxy, target, verb, body)
        assert answer.status == status and word in answer.json()["error"], (answer.status, answer.body)
    assert frames(proxy)[0]["state"] == "proposed"
    unknown = proxy.command("frames", "approve", "../cache/purge")
    assert unknown.returncode == 1 and "tollfree frames" in unknown.stderr
