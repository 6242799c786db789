"""The simulator's clock: real time plus what a test has skipped, so that hours of back-off pass at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Clock:
    """Seconds since 1970 that only move forward; whoever waits on it notices a skip."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._deadlines: dict[asyncio.Timeout, float] = {}

    def now(self) -> float:
        """Answer the simulated time, in seconds since 1970."""
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip `seconds`; every deadline that falls into them passes now."""
        self._skipped += seconds
        for timeout, until in self._deadlines.items():
            if not timeout.expired():
                timeout.reschedule(self._loop_time(until))

    @asynccontextmanager
    async def deadline(self, until: float | None) -> AsyncIterator[None]:
        """Raise `TimeoutError` from the block when the clock reaches `until`; `None` waits for ever."""
        if until is None:
            yield
            return
        async with asyncio.timeout_at(self._loop_time(until)) as timeout:
            self._deadlines[timeout] = until
            try:
                yield
            finally:
                del self._deadlines[timeout]

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when `event` is set or the clock reaches `until`, whichever is first."""
        with suppress(TimeoutError):
            async with self.deadline(until):
                await event.wait()

    def _loop_time(self, until: float) -> float:
        return asyncio.get_running_loop().time() + until - self.now()
