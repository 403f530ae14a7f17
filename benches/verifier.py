#!/usr/bin/env python3
"""Measures the semantic tier on the evaluation data and draws served against wrong: `make verifier-report`.

One run of `tollfree pairs` in the default configuration decides every pair; nothing is tuned here. Each pair comes back
with the same-answer model's confidence and the confidence it needed, so that the curve of every other operating point
follows from the same run. Data: the folder given by --data (default ../shared/data); without it this says so and ends.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.intervals import wilson

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pair:
    set: str
    group: str
    same: bool
    # Log-odds by which the confidence exceeds what was needed; +inf where no model was needed, -inf where none helps.
    margin: float


def read(folder: Path):
    """Yields every labelled pair of the folder as {a, b, set, group, same}."""
    for line in (folder / "fow_pairs.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield {"a": row["a"], "b": row["b"], "set": "fow_pairs", "group": row["category"], "same": bool(row["same_answer"])}
    for name in ("hard_negatives", "life_goal_pairs", "number_differs", "near_token_negatives"):
        for line in (folder / f"{name}.tsv").read_text().splitlines():
            a, b, label, *_ = line.split("\t")
            if label in ("0", "1"):
                yield {"a": a, "b": b, "set": name, "group": f"label {label}", "same": label == "1"}
    for line in (folder / "similar_questions.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield {"a": row["origin"], "b": row["similar"], "set": "similar_questions", "group": "all", "same": True}


def logit(p: float) -> float:
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def margin(row: dict) -> float:
    if row.get("needed") is None:
        return math.inf if row["hit"] else -math.inf
    if row.get("confidence") is None:
        return -math.inf
    return logit(row["confidence"]) - logit(row["needed"])


def share(pairs: list[Pair], shift: float = 0.0) -> str:
    hits = sum(p.margin >= shift for p in pairs)
    low, high = wilson(hits, len(pairs))
    return f"{hits:>5}/{len(pairs):<5} {100 * hits / max(1, len(pairs)):5.1f} %  [{100 * low:.1f}, {100 * high:.1f}]"


def table(pairs: list[Pair]) -> str:
    lines = ["| set | pairs | served | share | 95 % interval |", "|---|---|---|---|---|"]
    names = sorted({(p.set, p.same, p.group) for p in pairs}, key=lambda k: (k[0], not k[1], k[2]))
    for name in sorted({p.set for p in pairs}):
        for same in (True, False):
            mine = [p for p in pairs if p.set == name and p.same == same]
            groups = [g for s, k, g in names if s == name and k == same]
            for label, part in [("same answer" if same else "another answer", mine)] + [
                (f"... {g}", [p for p in mine if p.group == g]) for g in groups if len(groups) > 1
            ]:
                if not part:
                    continue
                hits = sum(p.margin >= 0 for p in part)
                low, high = wilson(hits, len(part))
                lines.append(f"| {name}, {label} | {len(part)} | {hits} | {100 * hits / len(part):.1f} % "
                             f"| {100 * low:.1f} to {100 * high:.1f} % |")
    return "\n".join(lines)


WIDTH, HEIGHT, LEFT, TOP = 300, 200, 46, 30


def curve(name: str, pairs: list[Pair], x0: int, y0: int) -> list[str]:
    """One small plot: share of the same pairs served (up) against share of the others served (right)."""
    same = [p for p in pairs if p.same]
    other = [p for p in pairs if not p.same]
    x_of = lambda v: x0 + LEFT + min(v / X_MOST, 1.0) * WIDTH
    y_of = lambda v: y0 + TOP + (1 - v) * HEIGHT
    out = [f'<text x="{x0 + LEFT}" y="{y0 + 18}" class="title">{name}</text>',
           f'<rect x="{x0 + LEFT}" y="{y0 + TOP}" width="{WIDTH}" height="{HEIGHT}" class="frame"/>']
    for tick in range(0, 101, 25):
        y = y_of(tick / 100)
        out.append(f'<line x1="{x0 + LEFT}" x2="{x0 + LEFT + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        out.append(f'<text x="{x0 + LEFT - 6}" y="{y + 4:.1f}" class="tick" text-anchor="end">{tick} %</text>')
    for tick in (0, 0.05, 0.1, 0.15):
        out.append(f'<text x="{x_of(tick):.1f}" y="{y0 + TOP + HEIGHT + 15}" class="tick" text-anchor="middle">'
                   f'{100 * tick:.0f} %</text>')
    points, band = [], []
    shifts = sorted({round(p.margin, 3) for p in pairs if math.isfinite(p.margin)} | {0.0}, reverse=True)
    for shift in shifts:
        wrong = sum(p.margin >= shift for p in other) / len(other) if other else 0.0
        hits = sum(p.margin >= shift for p in same)
        right = hits / len(same) if same else 0.0
        if wrong > X_MOST:
            break
        points.append((wrong, right))
        band.append((wrong, *wilson(hits, len(same))))
    if other and same:
        upper = " ".join(f"{x_of(w):.1f},{y_of(h):.1f}" for w, _, h in band)
        lower = " ".join(f"{x_of(w):.1f},{y_of(low):.1f}" for w, low, _ in reversed(band))
        out.append(f'<polygon points="{upper} {lower}" class="band"/>')
        out.append('<polyline points="' + " ".join(f"{x_of(w):.1f},{y_of(r):.1f}" for w, r in points) + '" class="curve"/>')
    # The shipped operating point, with its interval both ways.
    hits, wrong = sum(p.margin >= 0 for p in same), sum(p.margin >= 0 for p in other)
    at_x = wrong / len(other) if other else 0.0
    at_y = hits / len(same) if same else 0.0
    (yl, yh), (xl, xh) = wilson(hits, len(same)), wilson(wrong, len(other))
    if same:
        out.append(f'<line x1="{x_of(at_x):.1f}" x2="{x_of(at_x):.1f}" y1="{y_of(yl):.1f}" y2="{y_of(yh):.1f}" class="here"/>')
    if other:
        out.append(f'<line x1="{x_of(xl):.1f}" x2="{x_of(xh):.1f}" y1="{y_of(at_y):.1f}" y2="{y_of(at_y):.1f}" class="here"/>')
    out.append(f'<circle cx="{x_of(at_x):.1f}" cy="{y_of(at_y):.1f}" r="4" class="point"/>')
    label = f"served {100 * at_y:.0f} % of {len(same)}" if same else f"{len(other)} pairs"
    label += f", wrong {100 * at_x:.1f} % of {len(other)}" if other else ""
    out.append(f'<text x="{x0 + LEFT + WIDTH - 6}" y="{y0 + TOP + HEIGHT - 8}" class="tick" text-anchor="end">{label}</text>')
    return out


X_MOST = 0.2


def plot(pairs: list[Pair]) -> str:
    names = sorted({p.set for p in pairs})
    columns, cell_x, cell_y = 3, WIDTH + LEFT + 24, HEIGHT + TOP + 34
    rows = -(-len(names) // columns)
    body = [part for i, name in enumerate(names)
            for part in curve(name, [p for p in pairs if p.set == name], i % columns * cell_x, i // columns * cell_y)]
    style = ("text{font-family:system-ui,sans-serif;fill:#222}.title{font-size:14px;font-weight:600}.tick{font-size:11px}"
             ".frame{fill:#fff;stroke:#888}.grid{stroke:#e4e4e4}.curve{fill:none;stroke:#1f6feb;stroke-width:2}"
             ".band{fill:#1f6feb;opacity:.15}.point{fill:#d1242f}.here{stroke:#d1242f;stroke-width:1.2}")
    width, height = columns * cell_x + 10, rows * cell_y + 24
    legend = (f'<text x="{LEFT}" y="{height - 6}" class="tick">up: share of same-answer pairs served; right: share of the '
              "others served; red: as shipped; bands and bars: 95 % intervals</text>")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
            f"<style>{style}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{''.join(body)}{legend}</svg>\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "tollfree")
    parser.add_argument("--record", action="store_true", help="write benches/results/verifier.md and docs/served-against-wrong.svg")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"SKIPPED: {options.data} is not there; the evaluation data is not part of the project")
        return 0
    rows = list(read(options.data))
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch) / "pairs.jsonl"
        asked.write_text("".join(json.dumps(row) + "\n" for row in rows))
        run = subprocess.run([options.binary, "pairs", "--file", asked, "--data-dir", Path(scratch) / "none"],
                             stdout=subprocess.PIPE, text=True, check=True)
    pairs = [Pair(row["set"], row["group"], row["same"], margin(row)) for row in map(json.loads, run.stdout.splitlines())]
    report = table(pairs)
    print(report)
    if options.record:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
        (ROOT / "docs" / "served-against-wrong.svg").write_text(plot(pairs))
        (ROOT / "benches" / "results" / "verifier.md").write_text(
            "# What the semantic tier serves\n\n"
            "One run of `tollfree pairs` in the default configuration over the evaluation data, which is not part of the\n"
            "project and was not used for training: `make verifier-report`. Commit " + commit + ".\n\n" + report
            + "\n\n![served against wrong](../../docs/served-against-wrong.svg)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
