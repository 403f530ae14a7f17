"""Counting, judging and drawing of the free share: `python3 -m unittest discover -s benches`."""

import tempfile
import unittest
from collections import Counter
from pathlib import Path

import free_share
from harness.free_tally import COLUMNS, BadVerdicts, Hit, Tally, read_verdicts
from harness.goal_stream import Asked
from harness.intervals import stratified, wilson


def tally(**change) -> Tally:
    hits = [Hit(row, "template", "quit-smoking") for row in range(10)] + [Hit(row, "semantic", "3") for row in range(10, 14)]
    facts = {"tiers": Counter(exact=2, template=10, semantic=4, miss=4), "hits": hits, "saved": 3.0, "spent": 1.0}
    return Tally(**{**facts, **change})


class Table(unittest.TestCase):
    def test_nothing_judged_is_said_and_is_no_zero(self):
        lines = tally().table().splitlines()
        self.assertEqual([line for line in lines if "template" in line], ["| template | 10 | 50.0 % | 0 | not judged |  |  |"])
        self.assertIn("| **free** | 16 | 80.0 % | 0 | not judged |  |  |", lines)

    def test_the_free_share_weighs_the_tiers_by_their_answers(self):
        verdicts = {Hit(0, "template", "quit-smoking"): False, Hit(1, "template", "quit-smoking"): True,
                    Hit(10, "semantic", "3"): True}
        table = tally(verdicts=verdicts).table()
        self.assertIn("| template | 10 | 50.0 % | 2 | 1 | 50.0 % |", table)
        # 10 of 16 answers wrong by half, 4 and the 2 exact ones never.
        self.assertIn("| **free** | 16 | 80.0 % | 5 | 1 | 31.2 % |", table)

    def test_a_verdict_counts_for_the_very_answer_only(self):
        table = tally(verdicts={Hit(0, "template", "run-distance"): False}).table()
        self.assertIn("| template | 10 | 50.0 % | 0 | not judged |", table)

    def test_cost_is_told_as_a_share(self):
        self.assertIn("75.0 % of the cost saved", tally().cost())


class Sample(unittest.TestCase):
    def test_tiers_are_drawn_apart_and_never_more_than_there_are(self):
        drawn = tally().sample(6, 1)
        self.assertEqual(Counter(hit.tier for hit in drawn), Counter(template=6, semantic=4))
        self.assertEqual(drawn, sorted(drawn))


class Verdicts(unittest.TestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "v.tsv"
            path.write_text(text)
            return read_verdicts(path)

    def test_a_row_not_judged_yet_is_left_out(self):
        read = self.read(f"{COLUMNS}\n5\tsemantic\t3\twrong\n6\tsemantic\t3\t\n7\ttemplate\tx\tright\n")
        self.assertEqual(read, {Hit(5, "semantic", "3"): False, Hit(7, "template", "x"): True})

    def test_other_files_are_refused(self):
        for text in ("", "row\ttier\n", f"{COLUMNS}\n5\tsemantic\t3\tmaybe\n", f"{COLUMNS}\nx\tsemantic\t3\tright\n"):
            with self.assertRaises(BadVerdicts):
                self.read(text)


class Judging(unittest.TestCase):
    def test_a_semantic_answer_is_right_if_it_belongs_to_the_same_meaning(self):
        goals = [Asked(text, truth, (), frozenset()) for text, truth in (("a", "1"), ("b", "1"), ("c", "2"))]
        replay = free_share.Replay(goals, judged=True)
        replay._take(0, goals[0], "miss", "", {})
        replay._take(1, goals[1], "semantic", "Answer to: a", {})
        replay._take(2, goals[2], "semantic", "Answer to: a", {"x-tollfree-saved-usd": "0.5"})
        self.assertEqual(replay.tally.verdicts, {Hit(1, "semantic", "0"): True, Hit(2, "semantic", "0"): False})
        self.assertEqual(replay.tally.saved, 0.5)

    def test_a_template_must_name_the_values(self):
        goal = Asked("learn Dutch", "x", ("Dutch",), frozenset({"learn-language"}))
        replay = free_share.Replay([goal, goal], judged=True)
        replay._take(0, goal, "template", "Learn Dutch like this", {"x-tollfree-entry": "learn-language"})
        replay._take(1, goal, "template", "Learn German like this", {"x-tollfree-entry": "learn-language"})
        self.assertEqual(list(replay.tally.verdicts.values()), [True, False])


class Intervals(unittest.TestCase):
    def test_wilson_agrees_with_published_figures(self):
        low, high = wilson(1, 29)
        self.assertAlmostEqual(low, 0.0061, 3)
        self.assertAlmostEqual(high, 0.1718, 3)

    def test_one_stratum_is_wilson(self):
        share, low, high = stratified([(100, 50, 5)])
        self.assertEqual((round(share, 6), round(low, 6), round(high, 6)), (0.1, *(round(v, 6) for v in wilson(5, 50))))


if __name__ == "__main__":
    unittest.main()
