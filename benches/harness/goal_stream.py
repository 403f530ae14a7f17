"""A stream of goals whose truth is known: intents with typed slots, many wordings of each, Zipf-distributed.

Two goals may share an answer exactly when intent and slot values are equal. The wordings were written for this stream;
neither templates nor training data hold them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

LANGUAGES = ["Spanish", "French", "German", "Italian", "Japanese", "Portuguese", "Korean", "Dutch"]
INSTRUMENTS = ["guitar", "piano", "violin", "ukulele", "drums", "cello"]
MONTHS = ["3 months", "6 months", "8 weeks"]


@dataclass(frozen=True)
class Intent:
    """One kind of goal. `slots` name the values that change the answer; `templates` may answer it."""

    name: str
    wordings: tuple[str, ...]
    slots: dict[str, list[str]] = field(default_factory=dict)
    templates: frozenset[str] = frozenset()


def intent(name: str, wordings: str, templates: str = "", **slots: list[str]) -> Intent:
    return Intent(name, tuple(wordings.strip().splitlines()), slots, frozenset(templates.split()))


INTENTS = [
    intent("language", """
learn {language}
I'd love to pick up {language}
How can a busy person learn {language}?
what's a good way to teach myself {language}
help me get started with {language}
{language} for someone who speaks none of it, where do I begin
""", "learn-language improve-language", language=LANGUAGES),
    intent("language-by", """
learn {language} in {time}
I want to speak {language} {time} from now
Can you give me a plan to learn {language} in {time}?
I have {time} to learn {language}, how should I go about it
get conversational in {language} within {time}
""", "learn-language improve-language", language=LANGUAGES[:5], time=MONTHS),
    intent("instrument", """
learn to play the {instrument}
How do I start playing {instrument}?
I want to take up the {instrument}
teach myself {instrument}
{instrument} lessons for an adult starting from zero, how to plan them
""", "learn-instrument", instrument=INSTRUMENTS),
    intent("smoking", """
quit smoking
How do I stop smoking for good?
I want to give up cigarettes
help me kick the smoking habit
what can I do to finally be a non-smoker
""", "quit-smoking"),
    intent("marathon", """
run a marathon
How should I train for my first marathon?
I want to finish a marathon
marathon training plan please
get ready for a marathon
""", "run-marathon"),
    intent("weight", """
lose {amount} in {time}
How can I lose {amount} in {time}?
I need to drop {amount} within {time}
help me get rid of {amount} over {time}
""", "lose-weight-amount lose-weight", amount=["5 kg", "10 kg", "15 pounds"], time=["3 months", "6 months"]),
    intent("debt", """
get out of debt
How do I pay off my debts?
I want to become debt free
what's the fastest way out of debt
""", "get-out-of-debt pay-off-debt"),
    intent("sleep", """
sleep better
How can I get better sleep at night?
I want to improve my sleep
what should I change to sleep more soundly
""", "sleep-better"),
    intent("faucet", """
How do I fix a dripping {place} tap?
my {place} tap keeps dripping, how can I repair it
stop a leaky tap in the {place}
repair a tap that drips in the {place}
what do I need to do about the dripping tap in my {place}?
""", place=["kitchen", "bathroom"]),
    intent("passport", """
How do I renew my {country} passport?
what's the process for renewing a {country} passport
my {country} passport is about to expire, how do I get a new one
steps to renew a passport from {country}
""", country=["Irish", "Canadian", "Australian"]),
    intent("sourdough", """
How do I bake sourdough bread?
bake a loaf of sourdough at home
I want to make my own sourdough bread
what's the way to make sourdough bread from scratch
""", ""),
    intent("stain", """
How do I get {stain} out of a {cloth} shirt?
remove a {stain} stain from a {cloth} shirt
what takes {stain} stains out of {cloth} shirts
there's {stain} on my {cloth} shirt, how do I clean it
""", stain=["coffee", "ink", "grass"], cloth=["cotton", "silk"]),
    intent("python-csv", """
How do I read a {kind} file in {lang}?
open a {kind} file with {lang}
what is the way to load a {kind} file in {lang}
reading {kind} files in {lang}, how does it work
""", kind=["CSV", "JSON", "XML"], lang=["Python", "Rust", "Java"]),
    intent("cat", """
How do I stop my {pet} from scratching the sofa?
my {pet} scratches the couch, how can I make it stop
keep my {pet} from scratching furniture
what helps against a {pet} that scratches the sofa
""", pet=["cat", "dog"]),
    intent("visa", """
How do I apply for a {kind} visa for {country}?
what do I need to apply for a {kind} visa to {country}
getting a {kind} visa for {country}, what are the steps
steps to get a {country} {kind} visa
""", kind=["student", "work"], country=["Germany", "Japan", "Brazil"]),
    intent("unsubscribe", """
How do I {verb} notifications on my {device}?
I want to {verb} notifications on my {device}, how
what's the way to {verb} the notifications of my {device}
""", verb=["turn off", "turn on"], device=["phone", "laptop", "watch"]),
    intent("rent", """
How do I get my deposit back from my {who}?
my {who} won't return my deposit, what can I do
what can I do if the {who} keeps my deposit
get a deposit back from a {who} who refuses
""", who=["landlord", "letting agent"]),
    intent("why-sky", """
Why is the {thing} {colour}?
what makes the {thing} {colour}
how come the {thing} is {colour}
explain why the {thing} looks {colour}
""", thing=["sky", "sea"], colour=["blue", "red at sunset"]),
    intent("convert", """
How do I convert {a} to {b}?
convert {a} into {b}
what's a simple way to turn {a} into {b}
""", a=["PDF", "Word"], b=["Excel", "plain text"]),
    intent("tomato", """
How do I grow {plant} {where}?
growing {plant} {where}, what do I need to know
I want to grow {plant} {where}
what is the best way to grow {plant} {where}
""", plant=["tomatoes", "chillies", "strawberries"], where=["on a balcony", "in a greenhouse"]),
]

OFF_TOPIC = [
    "tell me a joke", "what's 17 times 23", "good morning", "who are you", "translate 'thank you' into Finnish",
    "what is the capital of Mongolia", "play some jazz", "how tall is Mount Kenya", "spell rhythm", "never mind",
    "set a timer for ten minutes", "what does ubiquitous mean", "flip a coin", "write a haiku about rain",
    "is my flight on time", "call my sister", "what's the weather like today", "add milk to the shopping list",
]
COURTESY = ["", "", "", "", "please ", "hi, ", "hey, ", "ok so ", "um ", "quick question: "]


@dataclass(frozen=True)
class Asked:
    text: str
    # Two goals of equal truth share their answer.
    truth: str
    values: tuple[str, ...]
    templates: frozenset[str]


def generate(number: int, seed: int) -> Iterator[Asked]:
    """Yields `number` goals: one in ten off topic, the rest Zipf over (intent, values), a wording at random."""
    rng = random.Random(seed)
    meanings = [(kind, values) for kind in INTENTS for values in _combinations(kind.slots)]
    rng.shuffle(meanings)
    weights = [1 / (rank + 1) ** 0.9 for rank in range(len(meanings))]
    for _ in range(number):
        if rng.random() < 0.1:
            text = rng.choice(OFF_TOPIC)
            yield Asked(text, f"off:{text}", (), frozenset())
            continue
        kind, values = rng.choices(meanings, weights)[0]
        text = rng.choice(kind.wordings).format(**values)
        courtesy = rng.choice(COURTESY)
        if courtesy:
            text = courtesy + (text if text.startswith("I") else text[0].lower() + text[1:])
        if rng.random() < 0.3:
            text = text.rstrip("?")
        yield Asked(text, f"{kind.name}:{sorted(values.items())}", tuple(values.values()), kind.templates)


def _combinations(slots: dict[str, list[str]]) -> list[dict[str, str]]:
    combinations: list[dict[str, str]] = [{}]
    for name, values in slots.items():
        combinations = [{**one, name: value} for one in combinations for value in values]
    return combinations
