"""The daily sending allowance: how much room is left in the last 24 hours, and when there is more (D4).

Counts are kept per hour of UTC. An hour counts in full until its last minute is 24 hours past, so that no window of
24 hours ever holds more than the limit.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from mailbridge.domain.model import Allowance, Document

WINDOW = timedelta(hours=24)
_HOUR = timedelta(hours=1)


class Room(Document, frozen=True, kw_only=True):
    """The allowance as it is shown: mails used and allowed in 24 hours; `resets_at` is when the next place comes free."""

    used: int
    limit: int
    resets_at: datetime | None


def bucket(at: datetime) -> str:
    """The hour that counts a mail sent at this time."""
    return at.astimezone(UTC).strftime("%Y%m%d%H")


def room(allowance: Allowance, limit: int, now: datetime) -> Room:
    """What is used of the limit now."""
    living = _living(allowance, now)
    return Room(used=sum(living.values()), limit=limit, resets_at=_resets_at(living, limit))


def is_full(state: Room) -> bool:
    """Whether the next mail has to wait or fail."""
    return state.used >= state.limit


def reserve(allowance: Allowance, now: datetime) -> Allowance:
    """One place taken now; hours that no longer count are dropped."""
    living = _living(allowance, now)
    return msgspec.structs.replace(allowance, buckets={**living, bucket(now): living.get(bucket(now), 0) + 1})


def release(allowance: Allowance, reserved_at: datetime) -> Allowance:
    """The place taken at that time given back, because the mail was certainly not sent."""
    hour = bucket(reserved_at)
    left = allowance.buckets.get(hour, 0) - 1
    rest = {name: count for name, count in allowance.buckets.items() if name != hour}
    return msgspec.structs.replace(allowance, buckets=rest | ({hour: left} if left > 0 else {}))


def _resets_at(living: dict[str, int], limit: int) -> datetime | None:
    """When the next place comes free; Gmail's own clients may have sent more than is allowed here."""
    left = sum(living.values())
    for hour in sorted(living):
        left -= living[hour]
        if left < limit:
            return _frees_at(hour)
    return None


def _living(allowance: Allowance, now: datetime) -> dict[str, int]:
    return {hour: count for hour, count in allowance.buckets.items() if count > 0 and _frees_at(hour) > now}


def _frees_at(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC) + _HOUR + WINDOW
