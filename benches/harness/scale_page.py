"""The page of the scale measurements."""

from __future__ import annotations

from .record import command

MAX_BYTES = 2_600
MAX_SEARCH_US = 500.0
MIN_RECALL = 0.98
MAX_OPEN_S = 15.0
MAX_PEAK = 2.0


def goals(facts: dict) -> list[tuple[str, str, str, bool | None]]:
    """What the design asks of the largest size: name, bound, measured, met; `None` where it was not measured."""
    step = lambda part: part["steps"][-1]
    recall = lambda found: below_or_at(MIN_RECALL, found["recall"]["at_1"], "{:.4f}", at_least=True)
    search = lambda found: below_or_at(MAX_SEARCH_US, found["search_us"]["p50"], "{:.0f} us")
    each = lambda found: below_or_at(MAX_BYTES, found["bytes_per_entry"], "{:,.0f} bytes")
    opening = lambda found: below_or_at(MAX_OPEN_S, found["open_s"], "{:.1f} s")
    peak = lambda found: below_or_at(MAX_PEAK, found["peak_bytes"] / found["before_bytes"], "{:.2f}x", equal=True)
    microseconds, bytes_each = f"under {MAX_SEARCH_US:.0f} us", f"under {MAX_BYTES:,} bytes"
    asked = [
        ("recall@1 against the exact answer", f"at least {MIN_RECALL}", "grow", lambda part: recall(step(part))),
        ("search, p50", microseconds, "grow", lambda part: search(step(part))),
        ("search beside admissions, p50", microseconds, "grow", lambda part: search(part["beside"])),
        ("resident memory for each entry, all told", bytes_each, "grow", lambda part: each(step(part))),
        ("opening with the snapshot", f"under {MAX_OPEN_S:.0f} s", "reopen", opening),
        ("peak of memory during a rebuild", f"at most {MAX_PEAK:.1f}x", "rebuild", peak),
        ("search during a rebuild, p50", microseconds, "rebuild", search),
        ("recall@1 after the rebuild", f"at least {MIN_RECALL}", "rebuild", recall),
        ("10,000 partitions: memory for each entry", bytes_each, "partitions", lambda part: each(step(part))),
        ("10,000 partitions: search, p50", microseconds, "partitions", lambda part: search(step(part))),
        ("10,000 partitions: opening with the snapshot", f"under {MAX_OPEN_S:.0f} s", "partitions_reopen", opening),
    ]
    return [(name, bound, *(judge(facts[part]) if part in facts else ("", None))) for name, bound, part, judge in asked]


def below_or_at(bound: float, value: float, form: str, at_least: bool = False, equal: bool = False) -> tuple[str, bool]:
    met = value >= bound if at_least else value <= bound if equal else value < bound
    return form.format(value), met


def all_pass(facts: dict) -> bool:
    return all(met for *_, met in goals(facts))


def table(heads: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in [heads, *rows]]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def page(facts: dict) -> str:
    facts_of_machine = "\n".join(f"- {name}: {value}" for name, value in facts["machine"].items())
    word = {True: "pass", False: "FAIL", None: "NOT MEASURED"}
    verdicts = table(["what", "goal", "measured", ""],
                     [[name, bound, measured, word[met]] for name, bound, measured, met in goals(facts)])
    sections = [section(facts) for section in (growth, life, spread, comparison)]
    return f"""# The cache from a thousand entries to a million

Written by `{command()}`. Absolute figures hold for this machine only; others used it meanwhile.

{facts_of_machine}

At {facts["largest"]:,} entries:

{verdicts}

![latency, memory and recall](../../docs/scale.svg)

## What is measured
Vectors are embeddings (all-MiniLM-L6-v2, 384 dimensions) of up to 20,000 goals: those of given files first, then the
templates' phrasings with their slots filled, then combinations of activities and things.
Every further vector is a seeded neighbour of one of them at a cosine between 0.80 and 0.95, moved half in the direction
in which two other goals differ and half in a random one (`benches/src/scale/vectors.rs`).
Goals to search for are made the same way from stored vectors and are not stored themselves.
The exact answer compares each with every stored vector in f32; an answer is right if it is as similar as the nearest
within 0.000001. Recall is of 1,000 searches (standard error 0.0044 at 0.98).

Memory is the process's resident memory (mimalloc, as in the product) less what it was before the first entry, divided by the
entries: goal, an answer of 256 bytes, model names, keys, the maps by exact key, id and expiry, the vector in 16-bit fixed
point, links, tombstones and the allocator's waste. Longer answers add their bytes.
A search is `Cache::candidates`: from a vector to 8 entries; the embedding is not in it.

{"".join(sections)}"""


def growth(facts: dict) -> str:
    if "grow" not in facts:
        return ""
    grow = facts["grow"]
    steps = table(["entries", "bytes each", "search p50", "p99", "recall@1", "nearest p50", "processor", "wall"], [
        [f"{step['entries']:,}", f"{step['bytes_per_entry']:,.0f}", f"{step['search_us']['p50']:.0f} us",
         f"{step['search_us']['p99']:.0f} us", f"{step['recall']['at_1']:.4f}", f"{step['recall']['nearest_p50']:.2f}",
         f"{step['cpu_s']:.0f} s", f"{step['wall_s']:.0f} s"] for step in grow["steps"]])
    beside = grow["beside"]
    return f"""## One partition, growing
{steps}

Up to 16,384 entries a partition is scanned, up to 32,768 it is a graph of `hnsw_rs`, beyond that our own.
With few entries the fixed cost counts: pages of the store, buffers, what the allocator keeps of an index that was replaced.

Searches beside {beside['admissions_per_s']:.0f} admissions a second: p50 {beside['search_us']['p50']:.0f} us,
p99 {beside['search_us']['p99']:.0f} us; an admission takes {beside['admit_us']['p50']:.0f} us (p99
{beside['admit_us']['p99']:.0f} us).
Closing took {grow['close_s']:.1f} s, most of it for the snapshot of {grow['file_bytes'][1] / 2**20:,.0f} MiB; the store has
{grow['file_bytes'][0] / 2**20:,.0f} MiB.

"""


def life(facts: dict) -> str:
    lines = [opened(how, facts[part]) for how, part in (("With", "reopen"), ("Without", "reopen_bare")) if part in facts]
    if "rebuild" in facts:
        rebuild = facts["rebuild"]
        lines.append(
            f"After {rebuild['removed']:,} removals the index was built again in the background in {rebuild['wall_s']:.0f} s "
            f"({rebuild['cpu_s']:.0f} s of processor time, removals included), on all cores but one: memory "
            f"{rebuild['before_bytes'] / 2**20:,.0f} MiB before, {rebuild['peak_bytes'] / 2**20:,.0f} MiB at the peak; "
            f"searches meanwhile p50 {rebuild['search_us']['p50']:.0f} us, p99 {rebuild['search_us']['p99']:.0f} us.")
    return "## Opening and rebuilding\n" + "\n".join(lines) + "\n\n" if lines else ""


def spread(facts: dict) -> str:
    if "partitions" not in facts:
        return ""
    step = facts["partitions"]["steps"][-1]
    reopened = facts.get("partitions_reopen")
    return f"""## 10,000 partitions
{step['entries']:,} entries in 10,000 partitions take {step['bytes_per_entry']:,.0f} bytes each, sketches for the prefilter
included; a search takes {step['search_us']['p50']:.0f} us (p50).
{opened("With", reopened) if reopened else ""}

"""


def comparison(facts: dict) -> str:
    if "compare" not in facts:
        return ""
    compared = table(["index", "vectors", "bytes a vector", "search p50", "p99", "recall@1", "build, processor"], [
        [one["kind"], f"{one['entries']:,}", f"{one['bytes_per_vector']:,.0f}", f"{one['search_us']['p50']:.0f} us",
         f"{one['search_us']['p99']:.0f} us", f"{one['recall']['at_1']:.4f}", f"{one['build_cpu_s']:.0f} s"]
        for one in facts["compare"]])
    return f"""## Why a graph of our own
{compared}

Each index alone, without entries, keys and store.
`hnsw_rs` 0.3.5 keeps the f32 vector and its links as separately allocated lists.
Ours keeps two bytes for each dimension, walks by the high bytes, compares the best again by both, and holds links in flat
tables of 65 numbers a point.
"""


def opened(how: str, facts: dict) -> str:
    built = "" if facts["built_s"] is None else f", and no index is being built after {facts['built_s']:.0f} s"
    return (f"{how} the snapshot the store opens in {facts['open_s']:.1f} s ({facts['entries']:,} entries, "
            f"{facts['indexed']:,} indexed, {facts['bytes_per_entry']:,.0f} bytes each); searches then take "
            f"{facts['search_us']['p50']:.0f} us (p50){built}.")
