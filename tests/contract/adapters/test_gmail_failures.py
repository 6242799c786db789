"""What Gmail's refusals mean, by who should try again."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from mailbridge.adapters.gmail.failures import translate
from mailbridge.errors import MailbridgeError, NotFound, Permanent, ReconnectNeeded, Temporary, Throttled

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def refused(status: int, reason: str = "", message: str = "", headers: dict[str, str] | None = None) -> MailbridgeError:
    detail = {"message": message, "domain": "usageLimits", "reason": reason}
    body = {"error": {"code": status, "message": message, "errors": [detail] if reason else []}}
    return translate(status, headers or {}, json.dumps(body).encode(), NOW)


@pytest.mark.rule("P32")
@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "invalidArgument", Permanent),
        (400, "failedPrecondition", Permanent),
        (401, "authError", ReconnectNeeded),
        (403, "rateLimitExceeded", Throttled),
        (403, "userRateLimitExceeded", Throttled),
        (403, "dailyLimitExceeded", Throttled),
        (403, "domainPolicy", Permanent),
        (403, "insufficientPermissions", ReconnectNeeded),
        (403, "", Permanent),
        (404, "notFound", NotFound),
        (408, "", Temporary),
        (413, "uploadTooLarge", Permanent),
        (429, "rateLimitExceeded", Throttled),
        (429, "", Throttled),
        (500, "backendError", Temporary),
        (503, "", Temporary),
        (504, "", Temporary),
    ],
)
def test_each_refusal_has_its_error(status: int, reason: str, error: type[MailbridgeError]) -> None:
    assert type(refused(status, reason)) is error


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"[]", b'{"error": "oops"}', b"\xff\xfe"])
def test_what_no_google_wrote_is_judged_by_its_status(body: bytes) -> None:
    assert type(translate(502, {}, body, NOW)) is Temporary
    assert type(translate(403, {}, body, NOW)) is Permanent


@pytest.mark.rule("P24")
@pytest.mark.parametrize(
    ("message", "headers", "retry_at"),
    [
        ("User-rate limit exceeded.  Retry after 2026-11-23T20:07:30.250Z", {}, NOW + timedelta(seconds=450.25)),
        ("Retry after 2026-11-23T20:01:00Z (Mail sending)", {}, NOW + timedelta(minutes=1)),
        ("Slow down", {"retry-after": "90"}, NOW + timedelta(seconds=90)),
        ("Slow down", {"retry-after": "Mon, 23 Nov 2026 20:05:00 GMT"}, NOW + timedelta(minutes=5)),
        ("Slow down", {"retry-after": "soon"}, None),
        ("Retry after dinnerZ", {}, None),
        ("Slow down", {}, None),
    ],
)
def test_a_throttle_carries_the_time_that_gmail_named(
    message: str, headers: dict[str, str], retry_at: datetime | None
) -> None:
    error = refused(429, "rateLimitExceeded", message, headers)
    assert isinstance(error, Throttled)
    assert error.retry_at == retry_at


def test_an_error_repeats_nothing_of_gmails_text() -> None:
    error = refused(400, "invalidArgument", "Invalid To header: carl@contact.example")
    assert "carl" not in str(error)
    assert error.reason == "invalidArgument"
