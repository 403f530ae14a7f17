"""The snapshot of the vector index beside the store: it saves time at a start and never decides what is true."""

import hashlib
import json
import shutil

import pytest

from harness import config
from harness.output import facts, lines
from harness.proxy import Proxy

GOAL = "How do I grow tomatoes on a balcony?"
REWORDED = "How can I grow tomatoes on a balcony?"
OTHER = "How do I learn to play chess well?"
OTHER_REWORDED = "How can I learn to play chess well?"
ONLY_STORED = {"Cache-Control": "only-if-cached"}
REFUSED = "index snapshot not used"

# Below so many vectors the store is read as fast, and no snapshot is written.
ENOUGH = 4_200


@pytest.fixture(scope="module")
def seeded(tmp_path_factory, openai_upstream):
    """A stopped server whose index is worth a snapshot: two goals asked by a client among thousands of others.

    Embedding them takes most of a minute, so that it is done once; each test works on a copy.
    """
    folder = tmp_path_factory.mktemp("seeded")
    proxy = Proxy(folder / "proxy", config.NO_TEMPLATES + config.upstream(openai_upstream, "own"))
    proxy.start()
    try:
        for goal in (GOAL, OTHER):
            proxy.warm(lambda: proxy.client.chat(goal))  # noqa: B023
        row = lines(proxy.command("cache", "export"))[0]
        path = folder / "more.jsonl"
        with path.open("w") as file:
            for n in range(ENOUGH):
                keys = row["keys"] | {"exact": hashlib.sha256(str(n).encode()).hexdigest()}
                file.write(json.dumps(row | {"entry": None, "goal": f"paint picture {n}", "keys": keys}) + "\n")
        done = facts(proxy.command("cache", "import", path, "--json", timeout=500))
        assert done["imported"] == ENOUGH
        proxy.stop()
    finally:
        proxy.kill()
    return proxy


@pytest.fixture
def filled(tmp_path, seeded):
    proxy = Proxy(tmp_path / "proxy", seeded.config.read_text())
    shutil.copytree(seeded.data, proxy.data)
    yield proxy
    proxy.kill()


def snapshot(proxy):
    return proxy.data / "index.snapshot"


def served(proxy, goal):
    """The tier that answers a goal from what is stored, or None."""
    answer = proxy.client.chat(goal, headers=ONLY_STORED)
    return answer.cache if answer.status == 200 else None


def erased(proxy, goal):
    """Takes out what is stored for a goal and says how many entries that were."""
    flags = ("--similar-to", goal, "--min-similarity", "0.99")
    return facts(proxy.command("cache", "purge", *flags, "--json"))["count"]


def indexed(proxy):
    return facts(proxy.command("cache", "stats", "--json"))["indexed"]


def test_a_start_serves_by_meaning_from_the_snapshot_and_erases_stay_erased(filled):
    assert snapshot(filled).exists()
    filled.start()
    assert REFUSED not in filled.log
    assert (served(filled, REWORDED), served(filled, OTHER_REWORDED)) == ("semantic", "semantic")
    assert erased(filled, GOAL) == 1
    assert served(filled, REWORDED) is None
    filled.stop()
    # The snapshot is newer than the erasure; then one from before it, as after a kill.
    for round_number in range(2):
        filled.start()
        assert REFUSED not in filled.log
        assert (served(filled, REWORDED), served(filled, OTHER_REWORDED)) == (None, "semantic"), round_number
        assert indexed(filled) == ENOUGH + 1
        filled.kill()


def test_a_snapshot_from_before_a_kill_is_made_up_for_from_the_store(filled):
    older = snapshot(filled).read_bytes()
    filled.start()
    assert erased(filled, GOAL) == 1
    goal = "How do I restore an old wooden boat?"
    filled.warm(lambda: filled.client.chat(goal))
    filled.stop()
    snapshot(filled).write_bytes(older)
    filled.start()
    assert REFUSED not in filled.log
    assert served(filled, REWORDED) is None
    assert served(filled, "How can I restore an old wooden boat?") == "semantic"
    assert indexed(filled) == ENOUGH + 2


@pytest.mark.parametrize("damage", ["one byte", "the end", "all of it"])
def test_a_damaged_snapshot_is_noticed_and_replaced_from_the_store(filled, damage):
    path = snapshot(filled)
    good = path.read_bytes()
    middle = len(good) // 2
    bad = {
        "one byte": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "the end": good[:-1_000],
        "all of it": b"rubbish",
    }[damage]
    path.write_bytes(bad)
    filled.start()
    assert REFUSED in filled.log
    assert (served(filled, REWORDED), served(filled, OTHER_REWORDED)) == ("semantic", "semantic")
    assert indexed(filled) == ENOUGH + 2
    filled.stop()
    assert path.read_bytes() not in (bad, b"")
    filled.start()
    assert REFUSED not in filled.log
    assert served(filled, REWORDED) == "semantic"
