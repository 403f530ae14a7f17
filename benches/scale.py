#!/usr/bin/env python3
"""Measures the cache from a thousand entries to a million and writes the page and the plot.

`make scale` runs everything (about three quarters of an hour on two quiet cores) and replaces benches/results/scale.md,
scale.json and docs/scale.svg; without --record it prints the page. Each part is a process of its own, so that memory is
its own. With --work what each part found is kept as it comes: the same command goes on where the last one ended, and
--parts runs some of them only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import machine, plot, scale_page

BINARY = machine.ROOT / "target" / "release" / "tollfree-bench"
SIZES = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
COMPARED = [("flat", 100_000), ("hnsw", 100_000), ("compact", 100_000), ("hnsw", 16_000), ("compact", 16_000)]
PARTITIONS = ["--partitions", "10000"]
SNAPSHOT = "index.snapshot"


class Parts:
    """The parts of a run, in the order in which they need each other."""

    def __init__(self, source: list[str], work: Path, sizes: list[int]) -> None:
        self.source, self.sizes = source, sizes
        self.store, self.spread = work / "store", work / "spread"

    def grow(self) -> dict:
        return self.grown(self.store, self.sizes)

    def reopen(self) -> dict:
        return self.run("reopen", self.store, "--until-built")

    def reopen_bare(self) -> dict:
        """Without a snapshot; nobody waits for the graph, which takes as long as the rebuild."""
        snapshot, aside = self.store / SNAPSHOT, self.store / "aside"
        # Still there when the last attempt was cut off.
        if not aside.exists():
            snapshot.rename(aside)
        snapshot.unlink(missing_ok=True)
        try:
            return self.run("reopen", self.store)
        finally:
            aside.replace(snapshot)

    def rebuild(self) -> dict:
        found = self.run("rebuild", self.store)
        shutil.rmtree(self.store)
        return found

    def partitions(self) -> dict:
        return self.grown(self.spread, self.sizes[-1:], *PARTITIONS)

    def partitions_reopen(self) -> dict:
        found = self.run("reopen", self.spread, "--until-built", *PARTITIONS)
        shutil.rmtree(self.spread)
        return found

    def compare(self) -> list[dict]:
        return [said("index", "--kind", kind, "--entries", str(entries), *self.source) for kind, entries in COMPARED]

    def grown(self, folder: Path, sizes: list[int], *more: str) -> dict:
        shutil.rmtree(folder, ignore_errors=True)
        return self.run("grow", folder, "--sizes", ",".join(map(str, sizes)), *more)

    def run(self, what: str, folder: Path, *more: str) -> dict:
        return said(what, "--directory", str(folder), *more, *self.source)


PARTS = ["grow", "reopen", "reopen_bare", "rebuild", "partitions", "partitions_reopen", "compare"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="replaces the page and the plot of the repository")
    parser.add_argument("--goals", action="append", default=[], help="files with goals, one a line")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="largest number of entries")
    parser.add_argument("--work", type=Path, help="folder that keeps facts and stores; parts found there are not run")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"which to run: {', '.join(PARTS)}")
    arguments = parser.parse_args()
    wanted = arguments.parts.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--parts: unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="tollfree-scale-") as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        facts = begun(work / "facts.json", {"machine": machine.describe([BINARY]), "largest": arguments.largest})
        source = ["--vectors", str(kept(folder)), *(part for file in arguments.goals for part in ("--goals", file))]
        sizes = [size for size in SIZES if size < arguments.largest] + [arguments.largest]
        parts = Parts(source, work, sizes)
        for name in PARTS:
            if name in wanted and name not in facts:
                facts[name] = getattr(parts, name)()
                (work / "facts.json").write_text(written(facts))
    page = scale_page.page(facts)
    if arguments.record:
        results = machine.ROOT / "benches" / "results"
        (results / "scale.md").write_text(page)
        (results / "scale.json").write_text(written(facts))
        if "grow" in facts:
            (machine.ROOT / "docs" / "scale.svg").write_text(plot.scale(facts["grow"]["steps"]))
    print(page)
    return 0 if scale_page.all_pass(facts) else 1


def begun(file: Path, fresh: dict) -> dict:
    """What an earlier run found; only of the same commit and size may parts be put together."""
    if not file.exists():
        return fresh
    facts = json.loads(file.read_text())
    # Without the mark of a changed tree: --record changes it.
    of = lambda run: (run["machine"]["commit"].split()[0], run["largest"])
    if of(facts) != of(fresh):
        sys.exit(f"{file} is of another commit or size: remove its folder")
    return facts


def written(facts: dict) -> str:
    return json.dumps(facts, indent=1) + "\n"


def kept(folder: str) -> Path:
    """Embedding twenty thousand goals takes a minute: kept for the next run where the assets are."""
    base = os.environ.get("TOLLFREE_CACHE_DIR")
    home = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tollfree"
    return (home if home.is_dir() else Path(folder)) / "scale-goals.f32"


def said(*arguments: str) -> dict:
    command = [str(BINARY), "scale", *arguments, "--json"]
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(finished.stdout)


if __name__ == "__main__":
    sys.exit(main())
