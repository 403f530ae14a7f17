"""Training pairs: from the groups and fields in data/*.jsonl, by systematic changes and by everyday noise.

A group is {"g": request, "s": [requests one answer does for], "d": [[kind, request that needs another answer], ...]}.
A field is {"field": topic, "intents": [[wordings of one request], ...]}: neighbours, each of which needs its own answer.
Everything in data/ was written for this project; no public set of question pairs went in.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

LONG = 110
DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True)
class Pair:
    cached: str
    asked: str
    same: bool
    kind: str


@dataclass(frozen=True)
class Group:
    same: list[str]
    different: list[tuple[str, str]]
    # Groups of one field are held out together; one that is of no field is a field of its own.
    field: str
    # Whether it is an intent of a field.
    intent: bool


def read_groups(folder: Path = DATA) -> list[Group]:
    """All groups, in a fixed order; each intent of a field is one, unless another has one of its wordings already."""
    groups, taken = [], set()
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            row, name = json.loads(line), f"{path.name}:{number}"
            if "g" in row:
                groups.append(Group([row["g"], *row["s"]], [(kind, text) for kind, text in row["d"]], name, False))
                continue
            for at, intent in enumerate(row["intents"]):
                plain = {text.lower().strip("?!. ") for text in intent}
                if taken & plain:
                    continue
                taken |= plain
                others = [("neighbour", text) for other in row["intents"][:at] + row["intents"][at + 1 :] for text in other]
                groups.append(Group(intent, others, name, True))
    return groups


def split(groups: list[Group], share: float, seed: int) -> tuple[list[Group], list[Group]]:
    """Splits by whole fields, so that no sentence of a held-out group was trained on."""
    fields = list(dict.fromkeys(group.field for group in groups))
    random.Random(seed).shuffle(fields)
    held = set(fields[: round(len(fields) * share)])
    return [g for g in groups if g.field not in held], [g for g in groups if g.field in held]


def all_pairs(group: Group) -> list[Pair]:
    """Every pair that a group states, in one direction."""
    same = [Pair(a, b, True, "same") for i, a in enumerate(group.same) for b in group.same[i + 1 :]]
    different = [Pair(a, b, False, kind) for a in group.same for kind, b in group.different]
    return same + different


def some_pairs(group: Group, rng: random.Random, most: int = 48) -> list[Pair]:
    """`all_pairs`, of which an intent of a field has hundreds, thinned."""
    pairs = all_pairs(group)
    return pairs if len(pairs) <= most else rng.sample(pairs, most)


@dataclass(frozen=True)
class Draw:
    """How many pairs of each kind one group gives in one epoch."""

    same: int
    different: int
    neighbours: int


def epoch(groups: list[Group], neighbours: list[list[int]], rng: random.Random, draw: Draw) -> list[Pair]:
    """A fresh draw of pairs from each group and its `neighbours`, with noise and systematic changes."""
    pairs: list[Pair] = []
    for group, near in zip(groups, neighbours, strict=True):
        stated = all_pairs(group)
        # Long texts cost three times as much and teach no more.
        share = 0.8 if len(group.same[0]) > LONG else 1.0
        # What differs least from the group's first request is what the index will propose: drawn more often.
        same = [p for p in stated if p.same]
        minimal = [p for p in stated if not p.same and p.cached == group.same[0]]
        other = [p for p in stated if not p.same and p.cached != group.same[0]]
        half = round(draw.different * share / 2)
        drawn = rng.sample(same, min(round(draw.same * share), len(same)))
        drawn += rng.sample(minimal, min(half, len(minimal)))
        drawn += rng.sample(other, min(half, len(other)))
        drawn.append(Pair(rng.choice(group.same), rng.choice(group.same), True, "repeat"))
        changed = change_value(rng.choice(group.same), rng)
        if changed:
            drawn.append(Pair(changed[0], changed[1], False, "number"))
        for at in rng.sample(near, min(draw.neighbours, len(near))):
            drawn.append(Pair(rng.choice(group.same), rng.choice(groups[at].same), False, "neighbour"))
        foreign = groups[rng.randrange(len(groups))]
        if foreign.field != group.field:
            drawn.append(Pair(rng.choice(group.same), rng.choice(foreign.same), False, "unrelated"))
        pairs += drawn
    out = []
    for pair in pairs:
        a, b = (pair.cached, pair.asked) if rng.random() < 0.5 else (pair.asked, pair.cached)
        out.append(Pair(noise(a, rng), noise(b, rng), pair.same, pair.kind))
    rng.shuffle(out)
    return out


FILLERS = [
    "um", "uh", "so", "ok so", "hey", "hi", "hello", "hi there", "hey there", "please", "quick question", "well",
    "excuse me", "sorry", "right", "just wondering", "one question", "i was wondering", "can you tell me",
    "could you tell me", "do you know", "i'd like to know", "i need to know", "tell me", "can you help me", "morning!",
    "good morning", "good evening", "hi team", "hello everyone", "silly question", "help:", "question:",
]
ENDINGS = ["please", "thanks", "thank you", "pls", "?", "??", "!", "if possible", "cheers", "then", "now"]
INNER = ["um", "uh", "like", "er", "you know", "actually", "basically"]


def noise(text: str, rng: random.Random) -> str:
    """What people do to a sentence without meaning anything by it: case, punctuation, fillers, one slip."""
    if rng.random() < 0.55:
        return text
    words = text.split()
    if rng.random() < 0.3:
        filler = rng.choice(FILLERS)
        words.insert(0, filler + rng.choice(["", "", ","]))
        if rng.random() < 0.7 and len(words) > 1 and not words[1].isupper():
            words[1] = words[1][:1].lower() + words[1][1:]
        if rng.random() < 0.5:
            words[0] = words[0][:1].upper() + words[0][1:]
    if rng.random() < 0.15:
        words.append(rng.choice(ENDINGS))
    if rng.random() < 0.12 and len(words) > 3:
        words.insert(rng.randrange(1, len(words)), rng.choice(INNER))
    text = " ".join(words)
    if rng.random() < 0.35:
        text = text.lower()
    if rng.random() < 0.4:
        text = text.rstrip("?.!")
    if rng.random() < 0.2:
        text = text.replace("'", "")
    while rng.random() < 0.35:
        text = slip(text, rng)
    return text


def slip(text: str, rng: random.Random) -> str:
    """Swaps, drops or doubles one letter inside one long lower-case word."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha() and word.islower()]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    k = rng.randrange(1, len(word) - 2)
    words[at] = rng.choice([
        word[:k] + word[k + 1] + word[k] + word[k + 2 :],
        word[:k] + word[k + 1 :],
        word[:k] + word[k] + word[k:],
    ])
    return " ".join(words)


NUMBER = re.compile(r"(?<![\w.])\d{1,6}(?![\w]*\d)")
WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "fifteen", "twenty", "thirty"]
NUMBER_WORD = re.compile(r"\b(" + "|".join(WORDS) + r")\b", re.IGNORECASE)


def change_value(text: str, rng: random.Random) -> tuple[str, str] | None:
    """The text, and the text with one number changed; None if it holds none."""
    if match := NUMBER.search(text):
        old = match.group()
        digits = list(old)
        if rng.random() < 0.5:
            at = rng.randrange(len(digits))
            digits[at] = rng.choice([d for d in "123456789" if d != digits[at]])
            new = "".join(digits)
        else:
            new = str(max(1, int(int(old) * rng.choice([2, 3, 5, 10, 0.5]) + rng.choice([0, 1, 2]))))
        if new == old:
            return None
        return text, text[: match.start()] + new + text[match.end() :]
    if match := NUMBER_WORD.search(text):
        new = rng.choice([word for word in WORDS if word != match.group().lower()])
        return text, text[: match.start()] + new + text[match.end() :]
    return None
