"""The verdicts of the table, the goals it asks and the counts it reads: `python3 -m unittest discover -s benches`."""

import tempfile
import unittest
from pathlib import Path

from first_light import HIT_RATE, Line, parse
from harness import goals, instructions, record
from harness.servers import MeasurementError, Server


class Verdicts(unittest.TestCase):
    def line(self, at_least, bound, ours):
        return Line("x", "us", at_least, bound, baseline=[90.0, 100.0, 500.0], ours=ours)

    def test_the_ratio_is_that_of_the_medians(self):
        line = self.line(False, 2.0, [100.0, 180.0, 5000.0])
        self.assertAlmostEqual(line.ratio, 1.8)
        self.assertEqual([round(ratio, 2) for ratio in line.spread], [1.11, 10.0])

    def test_a_bound_is_met_from_its_own_side(self):
        self.assertTrue(self.line(False, 2.0, [200.0]).passed)
        self.assertFalse(self.line(False, 2.0, [201.0]).passed)
        self.assertTrue(self.line(True, 0.6, [60.0]).passed)
        self.assertFalse(self.line(True, 0.6, [59.0]).passed)

    def test_what_is_not_measured_is_said_to_be_skipped(self):
        line = Line("x", "us", False, 2.0, note="no tool")
        self.assertIsNone(line.passed)
        self.assertIn("SKIPPED", record.table({"lines": [line.facts()], "failures": []}))
        self.assertIn("NOT MEASURED why", record.table({"lines": [], "failures": ["why"]}))

    def test_a_line_without_a_goal_is_reported_only(self):
        line = self.line(False, None, [900.0])
        self.assertIsNone(line.passed)
        self.assertIn("reported", record.table({"lines": [line.facts()], "failures": []}))


class Goals(unittest.TestCase):
    def test_there_are_enough_for_a_run_and_no_two_are_the_same(self):
        options = parse([])
        needed = options.rounds * (options.seconds + options.warmup) * HIT_RATE
        stored, rewordings = goals.semantic_goals()
        for supply in (goals.template_goals(), rewordings):
            self.assertGreaterEqual(len(supply), needed)
            self.assertEqual(len(set(supply)), len(supply))
        self.assertFalse(set(stored) & set(rewordings))

    def test_the_order_is_the_same_each_time(self):
        self.assertEqual(goals.template_goals(), goals.template_goals())


class Counts(unittest.TestCase):
    def test_a_count_of_perf_is_read(self):
        self.assertEqual(instructions._perf_count("12345,,instructions:u,99,100.00,,\n"), 12345)

    def test_a_machine_without_the_counter_is_an_error(self):
        with self.assertRaises(MeasurementError):
            instructions._perf_count("<not supported>,,instructions:u,0,100.00,,\n")

    def test_a_count_of_callgrind_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            dump = Path(folder) / "callgrind.1.1"
            dump.write_text("version: 1\nevents: Ir\nfn=(1) main\n5 40\n\ntotals: 777\n")
            self.assertEqual(instructions._callgrind_total(dump), 777)


class Servers(unittest.TestCase):
    def start(self, folder, script):
        return Server("it", ["sh", "-c", script], Path(folder) / "log")

    def test_one_that_ended_is_told_with_how_and_what_it_said(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.start(folder, """echo '{"listen": "127.0.0.1:1"}'; echo oh >&2; kill -9 $$""") as server:
                server.process.wait(10)
                with self.assertRaisesRegex(MeasurementError, "it ended by signal 9 .*: oh$"):
                    server.check_alive()

    def test_one_that_runs_is_stopped_at_the_end(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.start(folder, """echo '{"listen": "127.0.0.1:1"}'; exec sleep 60""") as server:
                server.check_alive()
                self.assertEqual(server.address, "127.0.0.1:1")
            self.assertIsNotNone(server.process.poll())

    def test_one_that_does_not_start_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(MeasurementError, "it did not start: no such place"):
                self.start(folder, "echo no such place >&2; exit 3")


if __name__ == "__main__":
    unittest.main()
