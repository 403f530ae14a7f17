"""Writes configurations for the proxy under test."""

import json

# The variables the tests' own upstream keys come from, and what they hold.
OWN_KEYS = {"OPENAI_KEY_UNDER_TEST": "sk-own-openai-key", "GEMINI_KEY_UNDER_TEST": "own-gemini-key"}
OPENAI_KEY = OWN_KEYS["OPENAI_KEY_UNDER_TEST"]
GEMINI_KEY = OWN_KEYS["GEMINI_KEY_UNDER_TEST"]


def table(name, **fields):
    """`[name]` with its fields; strings, numbers, booleans, lists and inline tables."""
    return f"[{name}]\n" + _fields(fields)


def upstream(server, credential="client", name=None, key_env=None, base_url=None, **fields):
    """`[[upstreams]]` for a scripted upstream; credential "own" takes its key from the environment."""
    own = {}
    if credential == "own":
        own["api_key"] = {"env": key_env or f"{server.kind.upper()}_KEY_UNDER_TEST"}
    fields = {
        "name": name or server.name,
        "kind": server.kind,
        "base_url": base_url or server.url,
        "credential": credential,
        **own,
        **fields,
    }
    return "[[upstreams]]\n" + _fields(fields)


def frame(name, user, shape, system=None):
    """`[[frames]]`."""
    fields = {"name": name, "user": user, "shape": shape}
    if system is not None:
        fields["system"] = system
    return "[[frames]]\n" + _fields(fields)


def _fields(fields):
    return "".join(f"{key} = {_value(value)}\n" for key, value in fields.items()) + "\n"


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


NO_TEMPLATES = table("templates", enabled=False)
# An embedding that comes late is a miss, which a test of what must be served cannot afford on a busy machine.
PATIENT = table("embedder", deadline="20s")
NO_CACHE = table("cache", enabled=False)
