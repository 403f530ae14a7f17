#!/usr/bin/env python3
"""The headline number: which share of a stream of goals is answered for free, how much of that is wrong, what it saves.

Replays a stream through a fresh proxy in front of a scripted upstream, one goal after the other, and reads the tier of
each answer from its headers. `make free-share` runs the generated stream, whose truth is known (wrong = the answer
belongs to another intent or other values); `--real FILE` replays a file of goals, one a line, whose hits can only be
judged by hand (`--sample N --out FILE` writes row numbers to judge, no text).
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import goal_stream, machine
from harness.servers import Server, wait_ready

ROOT = machine.ROOT
MARK = "Answer to: "
# What an answer of this length costs at the prices below is what a hit saves.
ANSWER_TOKENS = 400
PRICE = {"input": 0.30, "output": 2.50}


class Upstream(BaseHTTPRequestHandler):
    """Answers every chat completion with the goal it was asked, so that an answer tells whose it is."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        goal = asked["messages"][-1]["content"]
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 0, "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": MARK + goal}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": ANSWER_TOKENS, "total_tokens": 20 + ANSWER_TOKENS},
        }).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Tally:
    tiers: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)
    saved: float = 0.0
    examples: list[str] = field(default_factory=list)
    hits: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def asked(self) -> int:
        return sum(self.tiers.values())

    def table(self) -> str:
        lines = ["| tier | answers | share | wrong | share of its answers |", "|---|---|---|---|---|"]
        free = [tier for tier in ("exact", "template", "semantic") if self.tiers[tier]]
        for name, tiers in [*((tier, [tier]) for tier in free), ("**free**", free), ("upstream", ["miss", "bypass"])]:
            answers, wrong = sum(self.tiers[t] for t in tiers), sum(self.wrong[t] for t in tiers)
            right = f"{wrong} | {100 * wrong / answers:.2f} %" if answers and name != "upstream" else " | "
            lines.append(f"| {name} | {answers} | {100 * answers / self.asked:.1f} % | {right} |")
        return "\n".join(lines)


def ask(connection: http.client.HTTPConnection, goal: str) -> tuple[str, str, dict[str, str]]:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": goal}]})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    payload = json.loads(answer.read())
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return headers.get("x-tollfree-cache", "none"), payload["choices"][0]["message"]["content"], headers


def replay(address: str, goals: list[goal_stream.Asked], judged: bool) -> Tally:
    tally, truth_of = Tally(), {}
    connection = http.client.HTTPConnection(address, timeout=60)
    for row, asked in enumerate(goals):
        tier, text, headers = ask(connection, asked.text)
        tally.tiers[tier] += 1
        tally.saved += float(headers.get("x-tollfree-saved-usd", 0))
        truth_of.setdefault(asked.text, asked.truth)
        if tier not in ("exact", "semantic", "template"):
            continue
        entry = headers.get("x-tollfree-entry", "")
        tally.hits.append((row, tier, entry))
        if not judged:
            continue
        if tier == "template":
            named = all(value.lower().split()[0] in text.lower() for value in asked.values)
            right = entry in asked.templates and named
        else:
            right = truth_of.get(text.removeprefix(MARK)) == asked.truth
        if not right:
            tally.wrong[tier] += 1
            tally.examples.append(f"{tier}: {asked.text!r} got {entry if tier == 'template' else text!r}")
    connection.close()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=Path, help="a file of goals, one a line")
    parser.add_argument("--sample", type=int, default=0, help="how many hits of the real stream to list for judging")
    parser.add_argument("--out", type=Path, help="where to list them: row, tier, entry")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "tollfree")
    parser.add_argument("--show", type=int, default=10, help="wrong answers to print")
    options = parser.parse_args()
    if options.real:
        if not options.real.is_file():
            print(f"SKIPPED: {options.real} is not there")
            return 0
        lines = [line.strip() for line in options.real.read_text().splitlines()]
        goals = [goal_stream.Asked(line, line, (), frozenset()) for line in lines if line]
    else:
        goals = list(goal_stream.generate(options.number, options.seed))
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "tollfree.toml"
        config.write_text(
            '[server]\nlisten = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n\n[[upstreams]]\nname = "scripted"\n'
            f'kind = "openai"\nbase_url = "http://127.0.0.1:{upstream.server_port}/v1"\n'
            f'price = {{ input = {PRICE["input"]}, output = {PRICE["output"]} }}\n'
        )
        command = [str(options.binary), "serve", "--json", "--config", str(config), "--data-dir", f"{folder}/data"]
        with Server("tollfree", command, Path(folder) / "log") as server:
            wait_ready(server)
            tally = replay(server.address, goals, judged=not options.real)
    upstream.shutdown()
    print(f"{tally.asked} goals, {len({g.text for g in goals})} different texts"
          + (f", {len({g.truth for g in goals})} different meanings" if not options.real else "") + "\n")
    print(tally.table())
    spent = tally.tiers["miss"] * (20 * PRICE["input"] + ANSWER_TOKENS * PRICE["output"]) / 1e6
    print(f"\nsaved {tally.saved:.4f} US dollars, spent {spent:.4f} upstream, at {PRICE['input']} / {PRICE['output']} per "
          "million tokens")
    for example in tally.examples[: options.show]:
        print("  wrong", example)
    if options.out and options.sample:
        chosen = sorted(random.Random(options.seed).sample(
            [hit for hit in tally.hits if hit[1] != "exact"], min(options.sample, len(tally.hits))))
        options.out.write_text("row\ttier\tentry\n" + "".join(f"{row}\t{tier}\t{entry}\n" for row, tier, entry in chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
