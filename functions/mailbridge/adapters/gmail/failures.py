"""Gmail's refusals, as errors named by who should try again.

status  reason                                              error
401     (after one new access token)                        ReconnectNeeded
403     rateLimitExceeded, userRateLimitExceeded,           Throttled, at the time that Gmail names (P24)
        dailyLimitExceeded, quotaExceeded
403     insufficientPermissions                             ReconnectNeeded
403     domainPolicy and all others                         Permanent
404                                                         NotFound (HistoryExpired for history)
408                                                         Temporary (OutcomeUnknown for a send)
429                                                         Throttled, at the time that Gmail names
5xx                                                         Temporary (OutcomeUnknown for a send, P15)
others                                                      Permanent
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from mailbridge.errors import MailbridgeError, NotFound, Permanent, ReconnectNeeded, Temporary, Throttled

_RATE = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded"})
_SCOPE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_RETRY_AFTER = re.compile(r"Retry after (\S+?Z)", re.IGNORECASE)


def translate(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> MailbridgeError:
    """The error that an answer other than 2xx stands for; `headers` with names in lower case."""
    error = _error(body)
    reasons = frozenset(_reasons(error))
    if status == 429 or (status == 403 and reasons & _RATE):
        return Throttled("Gmail asks to wait.", retry_at=_retry_at(headers, error, now))
    if status == 401 or (status == 403 and reasons & _SCOPE):
        return ReconnectNeeded(
            "Google no longer accepts the mailbox's grant: connect it again.", reason="grant_refused"
        )
    if status == 404:
        return NotFound("Gmail knows nothing by that id.")
    reason = next(iter(sorted(reasons)), f"http_{status}")
    if status == 408 or status >= 500:
        return Temporary("Gmail is in trouble; try again.", reason=reason)
    return Permanent("Gmail refuses this.", reason=reason)


def _error(body: bytes) -> dict[str, Any]:
    """Google's `error` object; empty where a proxy or a cut connection answered instead."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    for entry in (*error.get("errors", ()), *error.get("details", ())):
        if isinstance(entry, dict) and isinstance(entry.get("reason"), str):
            yield entry["reason"]


def _retry_at(headers: Mapping[str, str], error: Mapping[str, Any], now: datetime) -> datetime | None:
    named = _RETRY_AFTER.search(str(error.get("message", "")))
    try:
        if named:
            return datetime.fromisoformat(named[1])
        return _from_header(headers.get("retry-after", ""), now)
    except ValueError:
        return None


def _from_header(value: str, now: datetime) -> datetime | None:
    if not value:
        return None
    if value.isdecimal():
        return now + timedelta(seconds=int(value))
    return parsedate_to_datetime(value).astimezone(UTC)
