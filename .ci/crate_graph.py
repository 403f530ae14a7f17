#!/usr/bin/env python3
"""Checks that dependencies between our crates point only the way the design allows, and that lints apply."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# From each crate to the ones it may use (dependencies, build and dev dependencies alike).
ALLOWED: dict[str, set[str]] = {
    "tollfree-config": set(),
    "tollfree-embedder": {"tollfree-config"},
    "tollfree-cache": {"tollfree-config"},
    "tollfree-llm": set(),
    "tollfree": {"tollfree-config", "tollfree-cache", "tollfree-embedder", "tollfree-llm"},
    "tollfree-bench": {"tollfree-config", "tollfree-cache", "tollfree-embedder", "tollfree-llm", "tollfree"},
}


def main() -> int:
    output = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    problems = []
    for package in json.loads(output)["packages"]:
        name = package["name"]
        allowed = ALLOWED.get(name)
        if allowed is None:
            problems.append(f"{name}: is not in the design; add it to {Path(__file__).name} with what it may use")
            continue
        used = {dependency["name"] for dependency in package["dependencies"]} & ALLOWED.keys()
        problems += [f"{name}: may not use {other}" for other in sorted(used - allowed)]
        manifest = tomllib.loads(Path(package["manifest_path"]).read_text())
        if manifest.get("lints", {}).get("workspace") is not True:
            problems.append(f"{name}: lacks `[lints] workspace = true`")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("crate graph is as designed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
