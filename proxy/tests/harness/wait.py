"""Waiting for a condition, never for a time.

A test that needs something to happen polls for it with a deadline. `let_pass` is the one exception: where
the elapsed time itself is what the specification speaks of ("loses no more than the last second").
"""

import time

DEADLINE = 15.0


def until(condition, what, deadline=DEADLINE, interval=0.01):
    """Polls `condition` until it is true and returns its value; fails with `what` at the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(interval)


def let_pass(seconds):
    """Lets `seconds` of wall time pass, for promises that are about elapsed time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)
