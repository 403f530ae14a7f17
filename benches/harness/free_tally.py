"""Counts of a replayed stream: which tier answered what, what of it was judged, and how much of that was wrong."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .intervals import stratified, wilson

FREE = ("exact", "template", "semantic")
COLUMNS = "row\ttier\tanswered_from\tverdict"


@dataclass(frozen=True, order=True)
class Hit:
    row: int
    tier: str
    # The row of the goal whose answer was served, or the template.
    source: str


class BadVerdicts(Exception):
    """A file of verdicts that cannot be read."""


def read_verdicts(path: Path) -> dict[Hit, bool]:
    """Verdicts by hit, True where right; rows without a verdict yet are left out."""
    lines = path.read_text().splitlines()
    if not lines or lines[0] != COLUMNS:
        raise BadVerdicts(f"{path}: the first line is not {COLUMNS!r}")
    verdicts = {}
    for number, line in enumerate(lines[1:], 2):
        row, tier, source, verdict = (line.split("\t") + [""] * 4)[:4]
        if not row.isdigit() or verdict not in ("right", "wrong", ""):
            raise BadVerdicts(f"{path}:{number}: needs a row number and right, wrong or nothing as verdict")
        if verdict:
            verdicts[Hit(int(row), tier, source)] = verdict == "right"
    return verdicts


@dataclass
class Tally:
    tiers: Counter = field(default_factory=Counter)
    hits: list[Hit] = field(default_factory=list)
    verdicts: dict[Hit, bool] = field(default_factory=dict)
    saved: float = 0.0
    spent: float = 0.0

    @property
    def asked(self) -> int:
        return sum(self.tiers.values())

    def judged(self, tier: str) -> list[bool]:
        """The verdicts on the hits of a tier; an exact hit is right by definition."""
        if tier == "exact":
            return [True] * self.tiers[tier]
        return [self.verdicts[hit] for hit in self.hits if hit.tier == tier and hit in self.verdicts]

    def table(self) -> str:
        lines = ["| tier | answers | share | judged | wrong | of the judged | 95 % interval |", "|---|---|---|---|---|---|---|"]
        strata = []
        for tier in FREE:
            verdicts, answers = self.judged(tier), self.tiers[tier]
            if not answers:
                continue
            wrong = verdicts.count(False)
            strata.append((answers, len(verdicts), wrong))
            lines.append(self._line(tier, answers, len(verdicts), wrong, wrong / max(1, len(verdicts)),
                                    wilson(wrong, len(verdicts))))
        # A tier of which nothing was judged would make the sum look better or worse than it is.
        known = all(judged for _, judged, _ in strata)
        share, *interval = stratified(strata)
        free, judged, wrong = (sum(column) for column in zip(*strata)) if strata else (0, 0, 0)
        lines.append(self._line("**free**", free, judged if known else 0, wrong, share, interval))
        lines.append(self._line("upstream", self.asked - free, None, 0, 0.0, (0.0, 1.0)))
        return "\n".join(lines)

    def _line(self, name, answers, judged, wrong, share, interval) -> str:
        cells = [name, str(answers), f"{100 * answers / max(1, self.asked):.1f} %"]
        if judged is None:
            cells += ["", "", "", ""]
        elif judged == 0:
            cells += ["0", "not judged", "", ""]
        else:
            low, high = interval
            cells += [str(judged), str(wrong), f"{100 * share:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %"]
        return "| " + " | ".join(cells) + " |"

    def cost(self) -> str:
        """What was saved, absolutely and as a share of what the stream would have cost without Tollfree."""
        whole = self.saved + self.spent
        share = f": {100 * self.saved / whole:.1f} % of the cost saved" if whole else ""
        return f"saved {self.saved:.4f} US dollars, spent {self.spent:.4f} upstream{share}"

    def sample(self, number: int, seed: int) -> list[Hit]:
        """Up to `number` hits of each tier that has to be judged, drawn apart, in the order of the stream."""
        chosen = []
        for tier in ("template", "semantic"):
            hits = [hit for hit in self.hits if hit.tier == tier]
            chosen += random.Random(seed).sample(hits, min(number, len(hits)))
        return sorted(chosen)
