"""Counts of what was asked of the simulator: calls, units and bytes per method and mailbox."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from infra.local.gmail.errors import JSON


@dataclass
class Tally:
    """Calls, failed calls, quota units and body bytes (in: requests, out: answers)."""

    calls: int = 0
    failed: int = 0
    units: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def add(self, *, failed: bool, received: int, sent: int) -> None:
        """One more call."""
        self.calls += 1
        self.failed += failed
        self.bytes_in += received
        self.bytes_out += sent

    def resource(self) -> JSON:
        """The tally as JSON."""
        amounts = {"calls": self.calls, "failed": self.failed, "units": self.units}
        return {**amounts, "bytesIn": self.bytes_in, "bytesOut": self.bytes_out}


@dataclass
class Stats:
    """All tallies since the start or the last reset; `http_calls` counts requests, a batch being one."""

    http_calls: int = 0
    total: Tally = field(default_factory=Tally)
    methods: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    mailboxes: dict[str, dict[str, Tally]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Tally)))
    sent: Counter[str] = field(default_factory=Counter)
    sent_outside: int = 0
    notifications: Counter[str] = field(default_factory=Counter)

    def count(self, method: str, email: str, *, failed: bool, received: int, sent: int) -> None:
        """Count one call of a method for a mailbox ("" where none is known)."""
        for tally in self._tallies(method, email):
            tally.add(failed=failed, received=received, sent=sent)

    def charge(self, method: str, email: str, units: int) -> None:
        """Count the quota units of a call that was let through."""
        for tally in self._tallies(method, email):
            tally.units += units

    def _tallies(self, method: str, email: str) -> list[Tally]:
        own = [self.mailboxes[email][method]] if email else []
        return [self.total, self.methods[method], *own]

    def resource(self) -> JSON:
        """`{httpCalls, calls, units, ..., methods{}, mailboxes{email: {..., sent, methods{}}}, sent, notifications{}}`."""
        return {
            "httpCalls": self.http_calls,
            **self.total.resource(),
            "sent": self.sent.total(),
            "sentOutside": self.sent_outside,
            "methods": {name: tally.resource() for name, tally in self.methods.items()},
            "mailboxes": {email: self._mailbox(email) for email in sorted({*self.mailboxes, *self.sent})},
            "notifications": {name: self.notifications[name] for name in ("published", "surplus", "dropped", "failed")},
        }

    def _mailbox(self, email: str) -> JSON:
        tallies = self.mailboxes.get(email, {})
        shapes = {name: tally.resource() for name, tally in tallies.items()}
        amounts = ("calls", "failed", "units", "bytesIn", "bytesOut")
        sums = {key: sum(shape[key] for shape in shapes.values()) for key in amounts}
        return {**sums, "sent": self.sent[email], "methods": shapes}
