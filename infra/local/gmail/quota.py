"""What Gmail allows: units per minute and user in both tariffs, and messages sent in any 24 hours."""

from collections import deque
from dataclasses import dataclass, field

from infra.local.gmail.clock import rfc3339
from infra.local.gmail.errors import GmailError
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.switches import Tariff

DAY = 86400
MINUTE = 60
UNITS_PER_MINUTE = {"2025": 15_000, "2026": 6_000}
UNITS_2025 = {
    **{"getProfile": 1, "watch": 100, "stop": 50, "history.list": 2},
    **{"messages.get": 5, "messages.list": 5, "messages.send": 100, "messages.attachments.get": 5},
    **{"messages.modify": 5, "messages.trash": 5, "messages.untrash": 5, "messages.delete": 10},
    **{"messages.batchModify": 50, "messages.batchDelete": 50, "messages.insert": 25, "messages.import": 25},
    **{"threads.get": 10, "threads.list": 10, "threads.modify": 10, "threads.trash": 10, "threads.untrash": 10},
    **{"threads.delete": 20, "labels.list": 1, "labels.get": 1, "labels.create": 5, "labels.update": 5},
    **{"labels.patch": 5, "labels.delete": 5, "settings.sendAs.list": 1, "settings.sendAs.get": 1},
    **{"drafts.create": 10, "drafts.get": 5, "drafts.list": 5, "drafts.update": 15, "drafts.delete": 10},
    **{"drafts.send": 100},
}
UNITS = {
    "2025": UNITS_2025,
    "2026": {**UNITS_2025, "messages.get": 20, "messages.attachments.get": 20, "threads.get": 40},
}
_QUOTA_SENTENCE = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service "
    "'gmail.googleapis.com' for consumer 'project_number:1'."
)


def units(tariff: Tariff, method: str) -> int:
    """What one call of a method costs."""
    return UNITS[tariff.name].get(method, 1)


@dataclass
class Meter:
    """The units that each user spent in the last minute."""

    spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def charge(self, tariff: Tariff, email: str, cost: int, now: float) -> None:
        """Book a call's units, or refuse it (403/429 rateLimitExceeded) if the minute has no room for them."""
        calls = self.spent.setdefault(email, deque())
        while calls and calls[0][0] <= now - MINUTE:
            calls.popleft()
        if tariff.enforce and sum(units for _, units in calls) + cost > UNITS_PER_MINUTE[tariff.name]:
            raise GmailError(tariff.status, "rateLimitExceeded", _QUOTA_SENTENCE, domain="usageLimits")
        calls.append((now, cost))


def sent_in_a_day(mailbox: Mailbox, now: float) -> list[float]:
    """The times of the mailbox's sends in the last 24 hours, oldest first."""
    return [at for at in mailbox.sent_at if at > now - DAY]


def check_sending(mailbox: Mailbox, now: float) -> None:
    """Refuse (429) to send when the last 24 hours hold as many messages as the account may send (D4)."""
    recent = sent_in_a_day(mailbox, now)
    limit = mailbox.account.limit
    if len(recent) >= limit:
        again = rfc3339(recent[len(recent) - limit] + DAY)
        sentence = f"User-rate limit exceeded.  Retry after {again} (Mail sending)"
        raise GmailError(429, "rateLimitExceeded", sentence, domain="usageLimits")
