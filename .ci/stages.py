#!/usr/bin/env python3
"""Runs every check and test in order, stops at the first failure and prints the seconds of each stage.

`make test` calls this; give stage names to run only those: `python3 .ci/stages.py fmt clippy`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "proxy" / "tests"


def assets() -> Path:
    """The folder outside the checkout where everything fetched lives."""
    if explicit := os.environ.get("TOLLFREE_CACHE_DIR"):
        return Path(explicit)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tollfree"


# The tools are built once, at these versions, into the assets folder.
TOOLS = {"cargo-deny": "0.20.2", "cargo-machete": "0.9.2"}


def call(*command: str | Path, **env: str) -> None:
    print("+", *command, flush=True)
    path = os.pathsep.join([str(assets() / "tools" / "bin"), os.environ["PATH"], str(assets() / "cmake" / "bin")])
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, env={**os.environ, "PATH": path, **env})


def cargo(*arguments: str, **env: str) -> None:
    call("cargo", *arguments, **env)


def setup() -> None:
    call(sys.executable, "deploy/setup/fetch.py")


def scripts() -> None:
    for folder in ("deploy/setup", "benches"):
        call(sys.executable, "-m", "unittest", "discover", "-s", folder, "-p", "test_*.py")


def fmt() -> None:
    cargo("fmt", "--all", "--check")


def build() -> None:
    cargo("build", "--release", "--locked", "--workspace", "--bins")


def clippy() -> None:
    cargo("clippy", "--release", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings")


def doc() -> None:
    cargo("doc", "--release", "--locked", "--workspace", "--no-deps", RUSTDOCFLAGS="-D warnings")


def test() -> None:
    cargo("test", "--release", "--locked", "--workspace")


def graph() -> None:
    call(sys.executable, ".ci/crate_graph.py")


def deny() -> None:
    tools = assets() / "tools"
    # cargo install is given its own target folder, inside the assets, so that it never touches the checkout's.
    for name, version in TOOLS.items():
        stamp = tools / f"{name}-{version}"
        if not stamp.exists():
            cargo("install", "--locked", "--root", str(tools), "--target-dir", str(tools / "build"),
                  "--no-default-features", f"{name}@{version}")
            stamp.touch()
    cargo("deny", "--locked", "check", "bans", "licenses", "sources")
    cargo("machete")


def behaviour() -> None:
    """The whole product through its real listeners, with the official SDKs as clients."""
    environment = assets() / "venv"
    python = environment / "bin" / "python"
    wanted = (TESTS / "requirements.txt").read_text()
    stamp = environment / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        # Debian's Python cannot put pip into an environment without one more package; any pip can install into it.
        venv.create(environment, with_pip=False, clear=True)
        sys.path.insert(0, str(ROOT / "deploy" / "setup"))
        from pip_wheel import pip_command

        call(*pip_command(), "--python", python, "install", "--quiet", "-r", TESTS / "requirements.txt")
        stamp.write_text(wanted)
    call(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS,
         TOLLFREE_BIN=str(ROOT / "target" / "release" / "tollfree"))


def templates() -> None:
    call(ROOT / "target" / "release" / "tollfree", "templates", "lint")


STAGES = [setup, scripts, fmt, graph, build, templates, behaviour, test, clippy, doc, deny]


def main() -> int:
    wanted = sys.argv[1:]
    chosen = [stage for stage in STAGES if not wanted or stage.__name__ in wanted]
    if unknown := set(wanted) - {stage.__name__ for stage in STAGES}:
        print(f"no such stage: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    times: list[tuple[str, float]] = []
    failed = None
    for stage in chosen:
        print(f"\n== {stage.__name__}", flush=True)
        began = time.monotonic()
        try:
            stage()
        except subprocess.CalledProcessError as error:
            failed = f"{stage.__name__}: exit {error.returncode}"
        times.append((stage.__name__, time.monotonic() - began))
        if failed:
            break
    print("\n== seconds of each stage")
    for name, seconds in times:
        print(f"{seconds:8.1f}  {name}")
    print(f"{sum(seconds for _, seconds in times):8.1f}  all")
    if failed:
        print(f"FAILED at {failed}", file=sys.stderr)
        return 1
    print(f"{len(times)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
