"""When a failed task is tried again: the arithmetic of Cloud Tasks' RetryConfig and of Retry-After."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from infra.local.tasks.durations import seconds

UNLIMITED = -1
MOST_DOUBLINGS = 60


def backoff(config: Any, failures: int) -> float:
    """Answer the seconds to wait after the given number of failures (1 or more).

    It starts at `min_backoff`, doubles `max_doublings` times, then grows by the last step, and stays at `max_backoff`.
    """
    doublings = min(failures - 1, config.max_doublings)
    steps = max(1, failures - config.max_doublings)
    interval = seconds(config.min_backoff) * 2 ** min(doublings, MOST_DOUBLINGS) * steps
    return float(min(interval, seconds(config.max_backoff)))


def exhausted(config: Any, attempts: int, age: float) -> bool:
    """Tell whether a task that failed `attempts` times, first tried `age` seconds ago, is given up.

    Both limits must be reached where both are set; a duration of 0 and -1 attempts are no limit.
    """
    limit = seconds(config.max_retry_duration)
    too_old = limit > 0 and age >= limit
    if config.max_attempts == UNLIMITED:
        return too_old
    return attempts >= config.max_attempts and (too_old or limit == 0)


def retry_after(header: str | None, now: float) -> float | None:
    """Answer the seconds that a Retry-After header asks for: a number or a date (RFC 9110), else `None`."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
