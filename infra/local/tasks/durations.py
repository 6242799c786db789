"""Seconds, as protobuf's Duration and Timestamp hold them; both to the microsecond."""

from datetime import UTC, datetime
from typing import Any


def seconds(value: Any) -> float:
    """Answer the seconds of a Duration, or since 1970 of a Timestamp."""
    return float(value.ToMicroseconds()) / 1_000_000


def assign(target: Any, value: float) -> None:
    """Set a Duration or a Timestamp to `value` seconds."""
    target.FromMicroseconds(round(value * 1_000_000))


def rfc3339(value: float) -> str:
    """Answer a time in seconds since 1970 as RFC 3339 text."""
    return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
