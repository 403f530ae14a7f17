"""Shows the figures of a run: a table for the terminal, a page for the repository."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .machine import ROOT

PAGE = ROOT / "benches" / "results" / "first-light.md"
HEADS = ["what", "goal", "measured", "lowest to highest", "baseline", "ours", "", "remark"]


def command() -> str:
    """The command line of this run, as one would type it at the top of the checkout."""
    script = Path(sys.argv[0]).resolve()
    name = script.relative_to(ROOT) if script.is_relative_to(ROOT) else script.name
    return shlex.join(["python3", str(name), *sys.argv[1:]])


def table(facts: dict) -> str:
    """A Markdown table whose columns line up."""
    rows = [HEADS, *(_row(line) for line in facts["lines"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*shown, *(f"NOT MEASURED {failure}" for failure in facts["failures"])])


def write(facts: dict) -> None:
    """Replaces the page with the figures of this run."""
    machine = "\n".join(f"- {name}: {value}" for name, value in facts["machine"].items())
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(f"""# Speed of the first release

Written by `{facts["command"]}`; medians of {facts["rounds"]} alternating rounds of {facts["seconds"]} s each.
A ratio compares two measurements of the same run on the same machine; absolute figures hold for this machine only.

{machine}

{table(facts)}
""")


def _row(line: dict) -> list[str]:
    goal = f"{'at least' if line['at_least'] else 'at most'} {line['bound']:.2f}x" if line["bound"] else "none"
    if not line["measured"]:
        return [line["name"], goal, "", "", "", "", "SKIPPED", line["note"]]
    verdict = {True: "pass", False: "FAIL", None: "reported"}[line["passed"]]
    low, high = line["spread"]
    return [line["name"], goal, f"{line['ratio']:.2f}x", f"{low:.2f} to {high:.2f}", _figure(line, "baseline"),
            _figure(line, "ours"), verdict, line["note"]]


def _figure(line: dict, side: str) -> str:
    ordered = sorted(line[side])
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return f"{middle:,.0f} {line['unit']}"
