#!/usr/bin/env python3
"""Measures the speed goals of the first release and prints a table of goal, ratio and verdict.

Each goal is a ratio to a baseline that runs on the same machine in the same run: exact hits to a bare Pingora handler,
template and semantic hits to one bare embedding, a pass-through to a plain Pingora pass-through. Both sides are
measured in alternating rounds and the ratio is that of the medians, so that other work on the machine touches both.
Every server has one thread, so that on two cores the client and the server do not fight for one.

`make bench` builds what is needed and calls this. Exit 1: a goal is missed. Exit 2: something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from harness import goals, instructions, machine, record
from harness.servers import MeasurementError, Server, bench, post, wait_ready

CONNECTIONS = 32
EXACT_RATE = 200
HIT_RATE = 50
# A goal may miss now and then, since the verifier refuses when in doubt; a run of mostly misses says nothing on hits.
MIN_HIT_SHARE = 0.9
# No template answers it. With its frame the body has the size of the published baselines (414 bytes).
EXACT_GOAL = (
    "How do I restore the wooden rowing boat that has been lying upside down behind my grandfather's barn for ten "
    "winters? I have a garage, hand tools, most weekends until June, and about 400 euros. I would like to know what to "
    "do first, what I must not forget, and how to tell that the hull is sound before I paint it."
)


@dataclass
class Line:
    """One row of the table."""

    name: str
    unit: str
    at_least: bool
    bound: float | None
    baseline: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def measured(self) -> bool:
        return bool(self.baseline and self.ours)

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.baseline)

    @property
    def spread(self) -> tuple[float, float]:
        """Smallest and largest ratio of a round."""
        ratios = [ours / baseline for ours, baseline in zip(self.ours, self.baseline)]
        return min(ratios), max(ratios)

    @property
    def passed(self) -> bool | None:
        """Whether the goal is met; `None` when there is none or nothing was measured."""
        if not self.measured or self.bound is None:
            return None
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound

    def facts(self) -> dict:
        derived = {"ratio": self.ratio, "spread": self.spread} if self.measured else {}
        return {**asdict(self), **derived, "measured": self.measured, "passed": self.passed}


class FirstLight:
    """The servers, files and options of one run."""

    def __init__(self, options: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self.options = options
        self.folder = folder
        self.stack = stack
        self.tool = options.bench
        self.number = 0
        self.exact_body = self.write("exact.json", json.dumps(goals.chat(EXACT_GOAL)))
        self.upstream = self.baseline("upstream", "--echo")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def baseline(self, kind: str, *arguments: str, wrapper: list[str] | None = None) -> Server:
        command = [str(self.tool), "baseline", kind, *arguments]
        return self.stack.enter_context(Server(f"baseline {kind}", command, self._log(kind), wrapper))

    def proxy(self, name: str, cache: bool = True, templates: bool = True, wrapper: list[str] | None = None) -> Server:
        """Starts the product with an empty store in front of the scripted upstream and waits until it is ready.

        In a wrapper, which only passes requests through, it does without the embedder: nothing is embedded there, and
        an emulator takes minutes to load it.
        """
        log = self._log(name)
        embedder = '[embedder]\nruntime = "absent.so"' if wrapper else ""
        config = self.write(f"{log.stem}.toml", f"""
[server]
threads = 1
auth = "open"

[cache]
enabled = {json.dumps(cache)}

[templates]
enabled = {json.dumps(templates)}

[log]
level = "off"

{embedder}

[[upstreams]]
name = "scripted"
kind = "openai"
base_url = "http://{self.upstream.address}"
credential = "own"
""")
        command = [str(self.options.tollfree), "serve", "--json", "--listen", "127.0.0.1:0", "--admin-listen",
                   "127.0.0.1:0", "--data-dir", str(self.folder / f"{log.stem}.data"), "--config", str(config)]
        server = self.stack.enter_context(Server(f"tollfree ({name})", command, log, wrapper))
        if not wrapper:
            wait_ready(server)
        return server

    def _log(self, name: str) -> Path:
        self.number += 1
        return self.folder / f"{self.number}-{name}.log"

    def load(self, server: Server, *arguments: object, expect: str | None = None) -> dict:
        expected = ["--expect-header", f"x-tollfree-cache={expect}"] if expect else []
        report = bench(self.tool, "load", "--url", server.url, *arguments, *expected)
        for each in (server, self.upstream):
            each.check_alive()
        return report

    def timed(self, server: Server, *arguments: object, expect: str | None = None) -> dict:
        """A load run of the usual length in which every request must succeed."""
        times = ["--warmup", f"{self.options.warmup}s", "--duration", f"{self.options.seconds}s"]
        report = self.load(server, *times, *arguments, expect=expect)
        if report["errors"]["total"]:
            raise MeasurementError(f"{server.name}: {report['errors']['total']} errors; first: {report['first_error']}")
        return report

    def rounds(self):
        """Numbers of the rounds; whoever goes first changes with each."""
        for number in range(self.options.rounds):
            say(f"  round {number + 1} of {self.options.rounds}")
            yield number

    # The goals.

    def exact(self) -> list[Line]:
        throughput = Line("exact hit, throughput at 32 connections", "answers/s", True, 0.60)
        latency = Line("exact hit, p50 at 200 requests/s", "us", False, 1.6)
        floor, ours = self.baseline("answer"), self.proxy("exact")
        stored(ours, EXACT_GOAL)
        cpu: dict[str, list[float]] = {floor.name: [], ours.name: []}
        busy: list[float] = []
        sides = [(floor, throughput.baseline, latency.baseline, None), (ours, throughput.ours, latency.ours, "exact")]
        for number in self.rounds():
            for server, rates, _, expect in alternated(sides, number):
                before = server.cpu_seconds()
                report = self.timed(server, "--connections", CONNECTIONS, "--body", self.exact_body, expect=expect)
                rates.append(report["throughput_per_s"])
                # The warm-up is not in the count of requests, so it is left out of the time by its share.
                share = report["elapsed_s"] / (report["elapsed_s"] + self.options.warmup)
                used = (server.cpu_seconds() - before) * share
                cpu[server.name].append(used / report["requests"] * 1e6)
                # A server that is not busy all the time waits for the client, and its throughput is the client's.
                busy.append(used / report["elapsed_s"])
            for server, _, p50s, expect in alternated(sides, number):
                report = self.timed(server, "--rate", EXACT_RATE, "--body", self.exact_body, expect=expect)
                p50s.append(report["latency_us"]["p50"])
        throughput.note = "CPU per request {:.1f} against {:.1f} us; server busy {:.0%} of the time or more".format(
            median(cpu[ours.name]), median(cpu[floor.name]), min(busy))
        floor.stop()
        ours.stop()
        return [throughput, latency]

    def template(self) -> list[Line]:
        ours = self.proxy("template")
        lines = self.hits("template", ours, goals.template_goals())
        ours.stop()
        return lines

    def semantic(self) -> list[Line]:
        ours = self.proxy("semantic", templates=False)
        first, rewordings = goals.semantic_goals()
        say(f"  storing {len(first)} answers")
        for goal in first:
            store(ours, goal)
        for goal in first:
            stored(ours, goal)
        lines = self.hits("semantic", ours, rewordings)
        ours.stop()
        return lines

    def hits(self, tier: str, ours: Server, supply: list[str]) -> list[Line]:
        """Hits on goals that were never asked before, beside bare embeddings of the same goals."""
        p50 = Line(f"{tier} hit, p50 at 50 goals/s, to one embedding", "us", False, 2.5)
        p99 = Line(f"{tier} hit, p99 at 50 goals/s, to one embedding", "us", False, 6.0)
        each = HIT_RATE * (self.options.seconds + self.options.warmup)
        if each * self.options.rounds > len(supply):
            raise MeasurementError(f"there are {len(supply)} goals for {tier} hits and {each * self.options.rounds} are "
                                   "needed: take fewer rounds or seconds")
        shares: list[float] = []

        def embed(asked: list[str]) -> None:
            report = bench(self.tool, "embed", "--texts", self.write("texts", "\n".join(asked)))
            p50.baseline.append(report["latency_us"]["p50"])
            # A tail is compared with the usual cost of an embedding, not with a tail.
            p99.baseline.append(report["latency_us"]["p50"])

        def ask(asked: list[str]) -> None:
            bodies = self.write("bodies.jsonl", "".join(json.dumps(goals.chat(goal)) + "\n" for goal in asked))
            report = self.load(ours, "--rate", HIT_RATE, "--bodies", bodies, "--warmup", f"{self.options.warmup}s",
                               "--duration", f"{self.options.seconds}s", expect=tier)
            errors = report["errors"]
            if errors["total"] > errors["header"]:
                raise MeasurementError(f"{ours.name}: {errors}; first: {report['first_error']}")
            shares.append(1 - errors["header"] / report["requests"])
            if shares[-1] < MIN_HIT_SHARE:
                raise MeasurementError(f"only {shares[-1]:.0%} of the goals were {tier} hits: {report['first_error']}")
            p50.ours.append(report["latency_us"]["p50"])
            p99.ours.append(report["latency_us"]["p99"])

        for number in self.rounds():
            asked = supply[number * each:(number + 1) * each]
            for side in alternated([embed, ask], number):
                side(asked)
        p50.note = p99.note = f"{min(shares):.1%} of the goals or more hit"
        return [p50, p99]

    def passing(self) -> list[Line]:
        names = ["pass-through, cache off", "pass-through, cache on and bypassed"]
        # The goal is for bytes that pass unread; a bypass reads the body to find out that it is one.
        lines = [Line(f"{name}, to plain Pingora", "instructions/request", False, bound)
                 for name, bound in zip(names, [1.25, None])]
        try:
            counter = instructions.counter(self.folder)
        except MeasurementError as error:
            for line in lines:
                line.note = f"not measured: {error}"
            return lines
        # No templates: the bypass does not see them, and under callgrind embedding their phrasings takes half an hour.
        proxies = [{"name": "off", "cache": False}, {"name": "bypass"}]
        headers: list[tuple[str, ...]] = [(), ("--header", "cache-control: no-store")]
        wrapper = counter.wrapper
        floor = self.counted(counter, self.baseline("pass", "--upstream", self.upstream.address, wrapper=wrapper))
        for line, proxy, header in zip(lines, proxies, headers):
            ours = self.counted(counter, self.proxy(**proxy, templates=False, wrapper=wrapper), *header)
            line.baseline, line.ours, line.note = [floor], [ours], f"counted by {counter.name}"
        return lines

    def counted(self, counter: instructions.Perf | instructions.Callgrind, server: Server, *arguments: str) -> float:
        """Instructions per request of `server`, whose connections and caches are warm."""
        say(f"  counting {server.name}")

        def send(requests: int) -> None:
            report = self.load(server, "--connections", 4, "--body", self.exact_body, "--requests", requests,
                               "--warmup", "0s", "--timeout", "60s", *arguments)
            if report["errors"]["total"]:
                raise MeasurementError(f"{server.name}: {report['errors']}; first: {report['first_error']}")

        send(200)
        count = counter.count(server, lambda: send(self.options.counted)) / self.options.counted
        server.stop()
        return count


def store(server: Server, goal: str) -> None:
    """Has the upstream answer a goal, without a look-up, so that its answer is stored."""
    status, headers, body = post(server.address, goals.chat(goal), {"cache-control": "no-cache"})
    if status != 200:
        raise MeasurementError(f"{server.name} answered {status}: {body[:300]!r}")


def stored(server: Server, goal: str) -> None:
    """Waits until a goal is answered from its own entry; asks the upstream the first time."""
    for _ in range(500):
        status, headers, body = post(server.address, goals.chat(goal))
        if status != 200:
            raise MeasurementError(f"{server.name} answered {status}: {body[:300]!r}")
        if headers.get("x-tollfree-cache") == "exact":
            return
    raise MeasurementError(f"{server.name} does not store the answer to {goal!r}: {headers}")


def alternated(sides: list, number: int) -> list:
    return sides if number % 2 == 0 else sides[::-1]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


PARTS = {"exact": FirstLight.exact, "template": FirstLight.template, "semantic": FirstLight.semantic,
         "pass": FirstLight.passing}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    release = machine.ROOT / "target" / "release"
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round, to see that everything works")
    parser.add_argument("--only", action="append", choices=PARTS, help="measures this part; may be given several times")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=int, default=6, help="length of one measurement (default 6)")
    parser.add_argument("--warmup", type=int, default=1, help="seconds before each that do not count (default 1)")
    parser.add_argument("--counted", type=int, default=2000, help="requests whose instructions are counted (default 2000)")
    parser.add_argument("--json", type=Path, default=machine.ROOT / "target" / "first-light.json", metavar="FILE",
                        help="where all figures are written (default target/first-light.json)")
    parser.add_argument("--record", action="store_true", help="writes benches/results/first-light.md as well")
    parser.add_argument("--tollfree", type=Path, default=Path(os.environ.get("TOLLFREE_BIN") or release / "tollfree"),
                        help="the binary under measurement (default TOLLFREE_BIN, else target/release/tollfree)")
    parser.add_argument("--bench", type=Path, default=release / "tollfree-bench", help="the measuring binary")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds, options.warmup, options.counted = 1, 2, 1, 300
    return options


def main() -> int:
    options = parse()
    for name in ("tollfree", "bench"):
        binary = getattr(options, name).resolve()
        if not binary.exists():
            say(f"{getattr(options, name)} is not there: run `make build`, and `cargo build --release -p tollfree-bench`")
            return 2
        setattr(options, name, binary)
    where = machine.describe([options.tollfree, options.bench])
    lines, failures = [], []
    for name in options.only or PARTS:
        say(f"{name}:")
        # Each part has its own servers, and they end with it: nobody's idle threads disturb the next one.
        with tempfile.TemporaryDirectory(prefix="first-light-") as folder, ExitStack() as stack:
            try:
                lines += PARTS[name](FirstLight(options, Path(folder), stack))
            except MeasurementError as error:
                failures.append(f"{name}: {error}")
                say(f"  {error}")
    facts = {"machine": where, "command": record.command(), "rounds": options.rounds, "seconds": options.seconds,
             "lines": [line.facts() for line in lines], "failures": failures}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(facts, indent=2) + "\n")
    print(record.table(facts))
    if options.record:
        record.write(facts)
    if failures:
        return 2
    return 1 if any(line.passed is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
