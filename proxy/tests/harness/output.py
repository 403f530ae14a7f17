"""Reads what the commands print."""

import json


def lines(done, code=0):
    """The JSON lines of a finished command."""
    assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def facts(done, code=0):
    """What `--json` printed: one JSON value, or JSON lines as a list."""
    assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def rows(value, *keys):
    """The list inside a command's facts: the value itself, or the list under one of `keys`."""
    if isinstance(value, list):
        return value
    for key in keys:
        if isinstance(value.get(key), list):
            return value[key]
    raise AssertionError(f"no list under any of {keys} in {list(value)}")
