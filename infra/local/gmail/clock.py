"""The simulator's time: it runs by itself and can be moved, so that days pass in a test."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch, ahead of (or behind) a source by a movable offset."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0

    def now(self) -> float:
        """Now, in seconds since the epoch."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._offset += seconds

    def set(self, epoch: float) -> None:
        """Make it `epoch` now; time runs on from there."""
        self._offset = epoch - self._source()


def rfc3339(epoch: float) -> str:
    """A time as Google writes it: UTC, milliseconds, `Z`."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(epoch: float) -> str:
    """A time as a mail's Date header has it."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
