"""What a result must say about where it was measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def describe(binaries: list[Path]) -> dict[str, str]:
    """Processor, memory, kernel, versions and commit; no name of the machine or its user."""
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "unknown",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "versions": ", ".join([*(_said(str(binary), "--version") for binary in binaries), _said("rustc", "--version"),
                               f"Python {platform.python_version()}"]),
        "commit": commit(),
    }


def commit() -> str:
    """The commit of the checkout, with a mark when files differ from it."""
    revision = _said("git", "rev-parse", "HEAD")
    return revision + (" and uncommitted changes" if _said("git", "status", "--porcelain") else "")


def _said(*command: str) -> str:
    try:
        finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except FileNotFoundError:
        return f"no {Path(command[0]).name}"
    return finished.stdout.strip()
