"""Goals for measurements, each one different from all others, in a fixed random order.

Every goal is asked once, so that no memo and no exact entry can answer it: what is measured is a full look-up.
"""

from __future__ import annotations

import itertools
import random

LANGUAGES = [
    "Spanish", "French", "German", "Italian", "Portuguese", "Dutch", "Swedish", "Norwegian", "Danish", "Finnish",
    "Polish", "Czech", "Hungarian", "Romanian", "Greek", "Turkish", "Russian", "Ukrainian", "Arabic", "Hebrew",
    "Hindi", "Bengali", "Japanese", "Korean", "Mandarin", "Vietnamese", "Thai", "Indonesian", "Swahili", "Croatian",
]
DURATIONS = [f"{weeks} weeks" for weeks in range(4, 21)] + [f"{months} months" for months in range(2, 19)]

# Wordings of one goal that a template of the library answers.
TEMPLATE_WORDINGS = [
    "I want to learn conversational {language} in {duration}",
    "How can I learn {language} in {duration}?",
    "become fluent in {language} in {duration}",
    "I would like to learn to speak {language} in {duration}",
    "{duration} plan to learn {language}",
    "Help me learn {language} in {duration}",
]

# Goals that no template answers, as (what is done, with what): all combinations are goals of their own.
ACTIVITIES = [
    ("grow {} {}", [
        ["tomatoes", "peppers", "strawberries", "basil", "lettuce", "spinach", "beans", "peas", "cucumbers", "radishes",
         "carrots", "blueberries", "roses", "tulips", "lavender", "mint", "garlic", "onions", "potatoes", "pumpkins"],
        ["on a balcony", "in a greenhouse", "in raised beds", "on a windowsill"]]),
    ("build a {} out of {}", [
        ["bookshelf", "workbench", "birdhouse", "garden bench", "picnic table", "toy box", "bed frame", "shoe rack",
         "coffee table", "ladder", "treehouse", "chicken coop", "wine rack", "picture frame", "stool"],
        ["oak", "pine", "bamboo", "old pallets"]]),
    ("write a {} about {}", [
        ["short story", "song", "poem", "stage play", "children's book"],
        ["the sea", "winter", "friendship", "trains", "dragons", "my village", "chess", "bees", "the moon", "lighthouses",
         "robots", "grandparents"]]),
    ("restore an old {} {}", [
        ["bicycle", "piano", "typewriter", "radio", "clock", "rowing boat", "motorcycle", "gramophone", "sewing machine",
         "leather armchair", "wardrobe", "camera", "tractor", "accordion", "canoe"],
        ["at home", "on a small budget", "without special tools"]]),
    ("make {} from {}", [
        ["a lamp", "jewellery", "a wall clock", "a flower pot", "a mobile", "a mosaic"],
        ["sea glass", "clay", "driftwood", "old bottles", "copper wire", "paper"]]),
]
FIRST_WORDING = "How do I {}?"
REWORDINGS = [
    "How can I {}?",
    "How could I {}?",
    "How would I {}?",
    "I want to {}",
    "I would like to {}",
    "I'd like to {}",
    "Please help me {}",
    "Can you help me {}?",
]


def template_goals() -> list[str]:
    """Goals that a template answers: languages, durations and wordings in all combinations."""
    combinations = itertools.product(TEMPLATE_WORDINGS, LANGUAGES, DURATIONS)
    return _shuffled(wording.format(language=language, duration=duration) for wording, language, duration in combinations)


def semantic_goals() -> tuple[list[str], list[str]]:
    """Goals to store, and rewordings of them, each of which an entry for its goal answers."""
    subjects = [activity.format(*parts) for activity, lists in ACTIVITIES for parts in itertools.product(*lists)]
    stored = [FIRST_WORDING.format(subject) for subject in subjects]
    return stored, _shuffled(wording.format(subject) for wording, subject in itertools.product(REWORDINGS, subjects))


def chat(goal: str) -> dict:
    """The request of an application that asks for a plan."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": goal}]}


def _shuffled(goals) -> list[str]:
    goals = list(goals)
    if len(set(goals)) != len(goals):
        raise ValueError("two goals are the same")
    random.Random(20260101).shuffle(goals)
    return goals
