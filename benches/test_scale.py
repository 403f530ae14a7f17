"""The verdicts and the plot of the scale page: `python3 -m unittest discover -s benches`."""

import unittest
import xml.dom.minidom

from harness import plot, scale_page


def step(entries, p50=100.0, recall=0.99, each=2_000.0):
    return {"entries": entries, "bytes_per_entry": each, "search_us": {"p50": p50, "p99": 3 * p50},
            "recall": {"at_1": recall, "nearest_p50": 0.9}, "cpu_s": 1.0, "wall_s": 1.0}


def facts(**change):
    largest = step(1_000_000, **{key: value for key, value in change.items() if key in ("p50", "recall", "each")})
    opened = {"open_s": 9.0, "built_s": 9.0, "entries": 1, "indexed": 1, "bytes_per_entry": 1.0,
              "search_us": {"p50": 1.0, "p99": 1.0}}
    rebuild = {"removed": 3, "wall_s": 1.0, "cpu_s": 1.0, "before_bytes": 100, "peak_bytes": change.get("peak", 150),
               "search_us": {"p50": 1.0, "p99": 1.0}, "recall": {"at_1": 0.99}}
    grown = {"steps": [step(1_000), largest], "beside": {"admissions_per_s": 300.0, "admit_us": {"p50": 1.0, "p99": 1.0},
             "search_us": {"p50": change.get("beside", 200.0), "p99": 300.0}}, "close_s": 1.0, "file_bytes": [1, 1]}
    return {"machine": {"cores": "2"}, "largest": 1_000_000, "grow": grown,
            "reopen": {**opened, "open_s": change.get("open_s", 9.0)}, "reopen_bare": {**opened, "built_s": None},
            "rebuild": rebuild, "partitions": {**grown, "steps": [step(1_000_000)]}, "partitions_reopen": opened,
            "compare": []}


class Verdicts(unittest.TestCase):
    def test_all_bounds_met_is_a_pass_and_any_missed_one_is_not(self):
        self.assertTrue(scale_page.all_pass(facts()))
        for missed in ({"p50": 500.0}, {"recall": 0.979}, {"each": 2_600.0}, {"open_s": 15.0}, {"peak": 201},
                       {"beside": 500.0}):
            self.assertFalse(scale_page.all_pass(facts(**missed)), missed)
            self.assertEqual(scale_page.page(facts(**missed)).count("FAIL"), 1, missed)

    def test_a_part_that_was_not_run_is_no_pass_and_the_others_are_shown(self):
        parts = facts()
        for missing in set(parts) - {"machine", "largest", "compare", "reopen_bare"}:
            some = {name: part for name, part in parts.items() if name != missing}
            self.assertFalse(scale_page.all_pass(some), missing)
            self.assertIn("NOT MEASURED", scale_page.page(some), missing)
        alone = scale_page.page({name: parts[name] for name in ("machine", "largest")})
        self.assertEqual(alone.count("NOT MEASURED"), len(scale_page.goals(parts)))


class Plot(unittest.TestCase):
    def test_the_plot_is_well_formed_and_has_a_point_for_every_size(self):
        svg = plot.scale([step(size) for size in (1_000, 10_000, 1_000_000)])
        document = xml.dom.minidom.parseString(svg)
        self.assertEqual(len(document.getElementsByTagName("circle")), 4 * 3)
        self.assertIn("1 M", svg)

    def test_a_larger_value_is_drawn_higher(self):
        svg = plot.scale([step(1_000, each=500.0), step(1_000_000, each=2_500.0)])
        circles = xml.dom.minidom.parseString(svg).getElementsByTagName("circle")
        first, last = (float(circles[place].getAttribute("cy")) for place in (4, 5))
        self.assertGreater(first, last)


if __name__ == "__main__":
    unittest.main()
