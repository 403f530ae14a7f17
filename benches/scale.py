#!/usr/bin/env python3
"""Measures the cache from a thousand entries to a million and writes the page and the plot.

`make scale` runs everything (about an hour on two cores) and replaces benches/results/scale.md, scale.json and
docs/scale.svg; without --record it prints the page. Each part is a process of its own, so that memory is its own.
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
PARTITIONS = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="replaces the page and the plot of the repository")
    parser.add_argument("--goals", action="append", default=[], help="files with goals, one a line")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="largest number of entries")
    parser.add_argument("--facts", type=Path, help="keeps what each part found; parts that are there already are not run")
    arguments = parser.parse_args()
    facts = begun(arguments.facts, {"machine": machine.describe([BINARY]), "largest": arguments.largest})
    with tempfile.TemporaryDirectory(prefix="tollfree-scale-") as folder:
        source = ["--vectors", str(kept(folder)), *(part for file in arguments.goals for part in ("--goals", file))]
        sizes = [size for size in SIZES if size < arguments.largest] + [arguments.largest]
        parts = {
            "grow": lambda: grow(source, Path(folder), sizes, "--whole-life"),
            "partitions": lambda: grow(source, Path(folder), sizes[-1:], "--partitions", str(PARTITIONS), "--whole-life"),
            "compare": lambda: [compare(source, kind, entries) for kind, entries in COMPARED],
        }
        for name, part in parts.items():
            if name not in facts:
                facts[name] = part()
                if arguments.facts:
                    arguments.facts.write_text(written(facts))
    page, svg = scale_page.page(facts), plot.scale(facts["grow"]["steps"])
    if arguments.record:
        results = machine.ROOT / "benches" / "results"
        (results / "scale.md").write_text(page)
        (results / "scale.json").write_text(written(facts))
        (machine.ROOT / "docs" / "scale.svg").write_text(svg)
    print(page)
    return 0 if scale_page.all_pass(facts) else 1


def begun(file: Path | None, fresh: dict) -> dict:
    """What an earlier run found; only of the same commit and size may parts be put together."""
    if file is None or not file.exists():
        return fresh
    facts = json.loads(file.read_text())
    if (facts["machine"]["commit"], facts["largest"]) != (fresh["machine"]["commit"], fresh["largest"]):
        sys.exit(f"{file} is of another commit or size: remove it")
    return facts


def written(facts: dict) -> str:
    return json.dumps(facts, indent=1) + "\n"


def kept(folder: str) -> Path:
    """Embedding twenty thousand goals takes a minute: kept for the next run where the assets are."""
    base = os.environ.get("TOLLFREE_CACHE_DIR")
    home = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tollfree"
    return (home if home.is_dir() else Path(folder)) / "scale-goals.f32"


def compare(source: list[str], kind: str, entries: int) -> dict:
    return run("scale", "index", "--kind", kind, "--entries", str(entries), *source, "--json")


def grow(source: list[str], folder: Path, sizes: list[int], *more: str) -> dict:
    directory = folder / "store"
    try:
        return run("scale", "grow", "--sizes", ",".join(map(str, sizes)), "--directory", str(directory), *more, *source,
                   "--json")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(*arguments: str) -> dict:
    finished = subprocess.run([str(BINARY), *arguments], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(finished.stdout)


if __name__ == "__main__":
    sys.exit(main())
