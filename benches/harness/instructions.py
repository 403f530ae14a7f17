"""Counts the user-mode instructions of a server while requests are sent: by perf, else by callgrind.

perf reads a counter of the processor, which virtual machines seldom have; callgrind runs the server in an emulator
and counts exactly, at a fiftieth of the speed.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

from .servers import MeasurementError, Server


class Perf:
    """`perf stat` attached to the process."""

    name = "perf stat -e instructions:u"
    wrapper: list[str] = []

    def count(self, server: Server, send: Callable[[], None]) -> int:
        command = ["perf", "stat", "-x", ",", "-e", "instructions:u", "-p", str(server.pid)]
        perf = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)  # perf says nothing when it is attached
        send()
        perf.send_signal(signal.SIGINT)
        _, text = perf.communicate(timeout=30)
        return _perf_count(text)


# Callgrind counts `rep movsb`, one instruction of the processor, once for each byte that it copies. With these settings
# the C library copies by vectors at all lengths, which counts nearly as perf would.
PLAIN_COPIES = ":".join(f"glibc.cpu.x86_rep_{move}_threshold=0x40000000" for move in ("movsb", "stosb"))


class Callgrind:
    """The process runs in valgrind's callgrind from its start; counting is switched on for the requests."""

    name = "valgrind --tool=callgrind, copies by vectors"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = f"--vgdb-prefix={folder / 'vgdb'}"
        self.wrapper = [
            "env", f"GLIBC_TUNABLES={PLAIN_COPIES}", "valgrind", "--tool=callgrind", "--instr-atstart=no",
            f"--callgrind-out-file={folder / 'callgrind.%p'}", self.prefix,
        ]

    def count(self, server: Server, send: Callable[[], None]) -> int:
        self._tell(server, "instrumentation on")
        self._tell(server, "zero")
        send()
        self._tell(server, "dump")
        totals = [_callgrind_total(dump) for dump in self.folder.glob(f"callgrind.{server.pid}.*")]
        for dump in self.folder.glob(f"callgrind.{server.pid}.*"):
            dump.unlink()
        self._tell(server, "instrumentation off")
        if not sum(totals):
            raise MeasurementError("callgrind wrote no count")
        return sum(totals)

    def _tell(self, server: Server, command: str) -> None:
        finished = subprocess.run(["vgdb", self.prefix, f"--pid={server.pid}", "--wait=30", *command.split()],
                                  capture_output=True, text=True, timeout=120)
        if finished.returncode != 0:
            raise MeasurementError(f"callgrind does not answer {command!r}: {finished.stderr.strip()[-300:]}")


def counter(folder: Path) -> Perf | Callgrind:
    """The best way to count on this machine; an error says why there is none."""
    reasons = []
    if shutil.which("perf"):
        probe = subprocess.run(["perf", "stat", "-x", ",", "-e", "instructions:u", "true"], capture_output=True, text=True)
        try:
            _perf_count(probe.stderr)
            return Perf()
        except MeasurementError as error:
            reasons.append(str(error))
    else:
        reasons.append("there is no perf")
    if shutil.which("valgrind") and shutil.which("vgdb"):
        return Callgrind(folder)
    raise MeasurementError("; ".join([*reasons, "there is no valgrind"]))


def _perf_count(text: str) -> int:
    """The count in the output of `perf stat -x ,`."""
    found = re.search(r"^(\d+),[^\n]*instructions:u", text, re.MULTILINE)
    if not found:
        raise MeasurementError(f"perf counts no instructions here: {text.strip()[:200]}")
    return int(found[1])


def _callgrind_total(dump: Path) -> int:
    """The count in a callgrind dump."""
    found = re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
