#!/usr/bin/env python3
"""The headline number: which share of a stream of goals is answered for free, how much of that is wrong, what it saves.

Replays a stream through a fresh proxy in front of a scripted upstream, one goal after the other, and reads the tier of
each answer from its headers. `make free-share` runs the generated stream, whose truth is known (wrong = the answer
belongs to another intent or other values). `--real FILE` replays a file of goals, one a line, whose hits can only be
judged by hand: `--sample N --out FILE` lists N hits of each tier without any text (row, tier, row or template answered
from, verdict to fill in), `--read FILE` writes the texts beside them for whoever judges, and `--verdicts FILE` reads the
verdicts back into the table of a later run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import goal_stream, machine
from harness.free_tally import COLUMNS, FREE, BadVerdicts, Hit, Tally, read_verdicts
from harness.servers import Server, wait_ready

ROOT = machine.ROOT
MARK = "Answer to: "
# What an answer of this length costs at the prices below is what a hit saves.
INPUT_TOKENS = 20
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
            "usage": {"prompt_tokens": INPUT_TOKENS, "completion_tokens": ANSWER_TOKENS,
                      "total_tokens": INPUT_TOKENS + ANSWER_TOKENS},
        }).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def ask(connection: http.client.HTTPConnection, goal: str) -> tuple[str, str, dict[str, str]]:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": goal}]})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    payload = json.loads(answer.read())
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return headers.get("x-tollfree-cache", "none"), payload["choices"][0]["message"]["content"], headers


class Replay:
    """One pass of a stream through the proxy."""

    def __init__(self, goals: list[goal_stream.Asked], judged: bool) -> None:
        self.goals, self.judged = goals, judged
        self.tally, self.answers = Tally(), {}
        self.first: dict[str, int] = {}
        self.wrong: list[str] = []

    def run(self, address: str) -> None:
        connection = http.client.HTTPConnection(address, timeout=60)
        for row, asked in enumerate(self.goals):
            self._take(row, asked, *ask(connection, asked.text))
        connection.close()

    def _take(self, row: int, asked: goal_stream.Asked, tier: str, text: str, headers: dict[str, str]) -> None:
        self.first.setdefault(asked.text, row)
        self.tally.tiers[tier] += 1
        self.tally.saved += float(headers.get("x-tollfree-saved-usd", 0))
        if tier not in FREE:
            self.tally.spent += (INPUT_TOKENS * PRICE["input"] + ANSWER_TOKENS * PRICE["output"]) / 1e6
            return
        entry = headers.get("x-tollfree-entry", "")
        source = entry if tier == "template" else str(self.first.get(text.removeprefix(MARK), ""))
        hit = Hit(row, tier, source)
        self.tally.hits.append(hit)
        self.answers[hit] = text
        if not self.judged:
            return
        if tier == "template":
            named = all(value.lower().split()[0] in text.lower() for value in asked.values)
            right = entry in asked.templates and named
        else:
            right = source != "" and self.goals[int(source)].truth == asked.truth
        self.tally.verdicts[hit] = right
        if not right:
            self.wrong.append(f"{tier}: {asked.text!r} got {entry if tier == 'template' else text!r}")


def list_sample(replay: Replay, options: argparse.Namespace, known: dict[Hit, bool]) -> None:
    """Writes the hits to judge; a verdict of an earlier run on the very same hit is kept."""
    chosen = replay.tally.sample(options.sample, options.seed)
    word = {True: "right", False: "wrong", None: ""}
    rows = [f"{hit.row}\t{hit.tier}\t{hit.source}\t{word[known.get(hit)]}" for hit in chosen]
    options.out.write_text("\n".join([COLUMNS, *rows]) + "\n")
    if options.read:
        options.read.write_text("".join(
            f"== {hit.row} {hit.tier} {hit.source} {word[known.get(hit)]}\nasked: {replay.goals[hit.row].text}\n"
            f"given: {replay.answers[hit]}\n" for hit in chosen))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--real", type=Path, help="a file of goals, one a line")
    parser.add_argument("--sample", type=int, default=150, help="how many hits of each tier to list for judging")
    parser.add_argument("--out", type=Path, help="where to list them: row, tier, row or template answered from, verdict")
    parser.add_argument("--read", type=Path, help="where to write their texts, for reading")
    parser.add_argument("--verdicts", type=Path, nargs="+", default=[], help="files like that of --out, judged")
    parser.add_argument("--min-similarity", type=float, help="cache.min_similarity, if not the default")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "tollfree")
    parser.add_argument("--show", type=int, default=10, help="wrong answers to print")
    return parser.parse_args()


def config(port: int, options: argparse.Namespace) -> str:
    text = (
        '[server]\nlisten = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n\n[[upstreams]]\nname = "scripted"\n'
        f'kind = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
        f'price = {{ input = {PRICE["input"]}, output = {PRICE["output"]} }}\n'
    )
    if options.min_similarity is not None:
        text += f"\n[cache]\nmin_similarity = {options.min_similarity}\n"
    return text


def main() -> int:
    options = arguments()
    if options.real:
        if not options.real.is_file():
            print(f"SKIPPED: {options.real} is not there")
            return 0
        lines = [line.strip() for line in options.real.read_text().splitlines()]
        goals = [goal_stream.Asked(line, line, (), frozenset()) for line in lines if line]
    else:
        goals = list(goal_stream.generate(options.number, options.seed))
    try:
        known = {hit: right for path in options.verdicts for hit, right in read_verdicts(path).items()}
    except (BadVerdicts, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    replay = Replay(goals, judged=not options.real)
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tollfree.toml"
        file.write_text(config(upstream.server_port, options))
        command = [str(options.binary), "serve", "--json", "--config", str(file), "--data-dir", f"{folder}/data"]
        with Server("tollfree", command, Path(folder) / "log") as server:
            wait_ready(server)
            replay.run(server.address)
    upstream.shutdown()
    if options.real:
        replay.tally.verdicts = known
    print(f"{replay.tally.asked} goals, {len(replay.first)} different texts"
          + (f", {len({g.truth for g in goals})} different meanings" if not options.real else "") + "\n")
    print(replay.tally.table())
    print(f"\n{replay.tally.cost()}, at {PRICE['input']} / {PRICE['output']} per million tokens")
    for example in replay.wrong[: options.show]:
        print("  wrong", example)
    if options.out:
        list_sample(replay, options, known)
    return 0


if __name__ == "__main__":
    sys.exit(main())
