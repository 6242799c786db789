"""Patience: what is true soon is waited for, and what was seen instead is told."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_EVERY_SECONDS = 0.1


class NotSeenError(AssertionError):
    """Something did not come true in time; the text tells what was seen last."""


def eventually(probe: Callable[[], T], within: float = 60.0) -> T:
    """The first answer of `probe` without an AssertionError; NotSeenError after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            return probe()
        except AssertionError as error:
            if time.monotonic() > deadline:
                raise NotSeenError(f"not within {within:.0f} s; seen last: {error}") from error
        time.sleep(_EVERY_SECONDS)


def steadily(probe: Callable[[], T], seconds: float = 2.0) -> T:
    """The answer of `probe`, which keeps passing for so many seconds: what shall not happen has had its chance."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        probe()
        time.sleep(_EVERY_SECONDS)
    return probe()


def expect(holds: bool, seen: object) -> None:
    """AssertionError with what was seen where something does not hold."""
    if not holds:
        raise AssertionError(f"{seen}")
