"""The page of the scale measurements."""

from __future__ import annotations

from .record import command

MAX_BYTES = 2_600
MAX_SEARCH_US = 500.0
MIN_RECALL = 0.98
MAX_OPEN_S = 15.0
MAX_PEAK = 2.0


def goals(facts: dict) -> list[tuple[str, str, str, bool]]:
    """What the design asks of the largest size: name, bound, measured, met."""
    largest, beside = facts["grow"]["steps"][-1], facts["grow"]["beside"]
    rebuild, opened = facts["grow"]["rebuild"], facts["grow"]["with_snapshot"]
    spread = facts["partitions"]["steps"][-1]
    peak = rebuild["peak_bytes"] / rebuild["before_bytes"]
    return [
        ("recall@1 against the exact answer", f"at least {MIN_RECALL}", f"{largest['recall']['at_1']:.4f}",
         largest["recall"]["at_1"] >= MIN_RECALL),
        ("search, p50", f"under {MAX_SEARCH_US:.0f} us", f"{largest['search_us']['p50']:.0f} us",
         largest["search_us"]["p50"] < MAX_SEARCH_US),
        (f"search beside {beside['admissions_per_s']:.0f} admissions/s, p50", f"under {MAX_SEARCH_US:.0f} us",
         f"{beside['search_us']['p50']:.0f} us", beside["search_us"]["p50"] < MAX_SEARCH_US),
        ("resident memory for each entry, all told", f"under {MAX_BYTES:,} bytes",
         f"{largest['bytes_per_entry']:,.0f} bytes", largest["bytes_per_entry"] < MAX_BYTES),
        ("peak of memory during a rebuild", f"at most {MAX_PEAK:.1f}x", f"{peak:.2f}x", peak <= MAX_PEAK),
        ("recall@1 after the rebuild", f"at least {MIN_RECALL}", f"{rebuild['recall']['at_1']:.4f}",
         rebuild["recall"]["at_1"] >= MIN_RECALL),
        ("opening with the snapshot", f"under {MAX_OPEN_S:.0f} s", f"{opened['open_s']:.1f} s",
         opened["open_s"] < MAX_OPEN_S),
        (f"{facts['partitions']['partitions']:,} partitions: memory for each entry", f"under {MAX_BYTES:,} bytes",
         f"{spread['bytes_per_entry']:,.0f} bytes", spread["bytes_per_entry"] < MAX_BYTES),
        (f"{facts['partitions']['partitions']:,} partitions: search, p50", f"under {MAX_SEARCH_US:.0f} us",
         f"{spread['search_us']['p50']:.0f} us", spread["search_us"]["p50"] < MAX_SEARCH_US),
    ]


def all_pass(facts: dict) -> bool:
    return all(met for *_, met in goals(facts))


def table(heads: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in [heads, *rows]]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def page(facts: dict) -> str:
    grow, spread = facts["grow"], facts["partitions"]
    facts_of_machine = "\n".join(f"- {name}: {value}" for name, value in facts["machine"].items())
    verdicts = table(["what", "goal", "measured", ""],
                     [[name, bound, measured, "pass" if met else "FAIL"] for name, bound, measured, met in goals(facts)])
    steps = table(["entries", "bytes each", "search p50", "p99", "recall@1", "nearest p50", "processor", "wall"], [
        [f"{step['entries']:,}", f"{step['bytes_per_entry']:,.0f}", f"{step['search_us']['p50']:.0f} us",
         f"{step['search_us']['p99']:.0f} us", f"{step['recall']['at_1']:.4f}", f"{step['recall']['nearest_p50']:.2f}",
         f"{step['cpu_s']:.0f} s", f"{step['wall_s']:.0f} s"] for step in grow["steps"]])
    compared = table(["index", "vectors", "bytes a vector", "search p50", "p99", "recall@1", "build, processor"], [
        [one["kind"], f"{one['entries']:,}", f"{one['bytes_per_vector']:,.0f}", f"{one['search_us']['p50']:.0f} us",
         f"{one['search_us']['p99']:.0f} us", f"{one['recall']['at_1']:.4f}", f"{one['build_cpu_s']:.0f} s"]
        for one in facts["compare"]])
    return f"""# The cache from a thousand entries to a million

Written by `{command()}`. Absolute figures hold for this machine only; others used it meanwhile.

{facts_of_machine}

{verdicts}

![latency, memory and recall](../../docs/scale.svg)

## What is measured
Vectors are embeddings (all-MiniLM-L6-v2, 384 dimensions) of up to 20,000 goals: those of given files first, then the
templates' phrasings with their slots filled, then combinations of activities and things.
Every further vector is a seeded neighbour of one of them at a cosine between 0.80 and 0.95, moved half in the direction
in which two other goals differ and half in a random one (`benches/src/scale/vectors.rs`).
Goals to search for are made the same way from stored vectors and are not stored themselves.
The exact answer compares each with every stored vector in f32; an answer is right if it is as similar as the nearest
within 0.000001.

Memory is the process's resident memory (mimalloc, as in the product) less what it was before the first entry, divided by the
entries: goal, an answer of {grow['answer_bytes']} bytes, model names, keys, the maps by exact key, id and expiry, the vector in
16-bit fixed point, links, tombstones and the allocator's waste. Longer answers add their bytes.
A search is `Cache::candidates`: from a vector to 8 entries; the embedding is not in it.

## One partition, growing
{steps}

Up to 16,384 entries a partition is scanned, up to 32,768 it is a graph of `hnsw_rs`, beyond that our own.
With few entries the fixed cost counts (16 MiB of pages of the store, buffers, threads).

Searches beside {grow['beside']['admissions_per_s']:.0f} admissions a second: p50 {grow['beside']['search_us']['p50']:.0f} us,
p99 {grow['beside']['search_us']['p99']:.0f} us; an admission takes {grow['beside']['admit_us']['p50']:.0f} us
(p99 {grow['beside']['admit_us']['p99']:.0f} us).

{rebuilt(grow['rebuild'])}

{opened("With", grow['with_snapshot'])}
{opened("Without", grow['without_snapshot'])}
Closing took {grow['close_s']:.1f} s, most of it for the snapshot of {grow['file_bytes'][1] / 2**20:,.0f} MiB; the store has
{grow['file_bytes'][0] / 2**20:,.0f} MiB.

## {spread['partitions']:,} partitions
{spread['steps'][-1]['entries']:,} entries in {spread['partitions']:,} partitions take {spread['steps'][-1]['bytes_per_entry']:,.0f}
bytes each, sketches for the prefilter included; a search takes {spread['steps'][-1]['search_us']['p50']:.0f} us (p50).
{opened("With", spread['with_snapshot'])}
{opened("Without", spread['without_snapshot'])}

## Why a graph of our own
{compared}

Each index alone, without entries, keys and store.
`hnsw_rs` 0.3.5 keeps the f32 vector and its links as separately allocated lists.
Ours keeps two bytes for each dimension, walks by the high bytes, compares the best again by both, and holds links in flat
tables of 65 numbers a point.
"""


def rebuilt(rebuild: dict) -> str:
    return (f"After {rebuild['removed']:,} removals the index was built again in the background in {rebuild['wall_s']:.0f} s "
            f"({rebuild['cpu_s']:.0f} s of processor time, removals included), on all cores but one: memory "
            f"{rebuild['before_bytes'] / 2**20:,.0f} MiB before, {rebuild['peak_bytes'] / 2**20:,.0f} MiB at the peak; "
            f"searches meanwhile p50 {rebuild['search_us']['p50']:.0f} us, p99 {rebuild['search_us']['p99']:.0f} us.")


def opened(how: str, facts: dict) -> str:
    return (f"{how} the snapshot the store opens in {facts['open_s']:.1f} s ({facts['entries']:,} entries, "
            f"{facts['indexed']:,} indexed, {facts['bytes_per_entry']:,.0f} bytes each); searches then take "
            f"{facts['search_us']['p50']:.0f} us (p50), and no index is being built after {facts['built_s']:.0f} s.")
