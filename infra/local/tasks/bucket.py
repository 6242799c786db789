"""The token bucket that holds a queue to its rate: `max_dispatches_per_second`, with bursts of `max_burst_size`."""


class TokenBucket:
    """Starts full; one token a dispatch, refilled at `rate` a second up to `burst`."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._refilled_at = now

    def ready_at(self, now: float) -> float:
        """Answer the time at which a token is there: `now` if one is."""
        self._refill(now)
        return now if self._tokens >= 1 else now + (1 - self._tokens) / self._rate

    def take(self) -> None:
        """Use one token."""
        self._tokens -= 1

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._refilled_at) * self._rate)
        self._refilled_at = now
