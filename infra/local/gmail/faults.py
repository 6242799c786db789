"""Injected faults: which call they hit, and what becomes of it."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from infra.local.gmail.clock import rfc3339
from infra.local.gmail.errors import ConnectionLost, GmailError


class Fault(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """One scripted fault.

    method: `messages.send`, `history.list`, `token`, `revoke`, `batch`, ... or `*`.  email: only for this mailbox.
    nth: the first matching call that it hits, counted from 1.  times: how many it hits.
    status, reason, message: the answer.  retryAfterSeconds: the answer says "Retry after" that time.
    reset: the TCP connection is aborted.  delayMs: wait first (with partial "after": wait with the answer).
    partial: "before" (default) the call is not carried out; "after" it is, and only its answer is lost;
    a number, for `batch`: so many sub-calls are carried out and the others get the fault's answer.
    """

    method: str
    nth: int = 1
    times: int = 1
    status: int = 0
    reason: str = ""
    message: str = ""
    retry_after_seconds: float = 0
    reset: bool = False
    delay_ms: int = 0
    partial: str | int = "before"
    email: str = ""

    @property
    def error_reason(self) -> str:
        """Google's reason word, derived from the status where the script names none."""
        by_status = {401: "authError", 403: "rateLimitExceeded", 404: "notFound", 429: "rateLimitExceeded"}
        return self.reason or by_status.get(self.status, "backendError")

    def error(self, now: float) -> GmailError:
        """The refusal that the script asks for."""
        message = self.message
        if self.retry_after_seconds:
            message = f"User-rate limit exceeded.  Retry after {rfc3339(now + self.retry_after_seconds)}"
        return GmailError(self.status, self.error_reason, message)

    def strike(self, now: float) -> None:
        """Raise what the script asks for; a fault that is only a delay raises nothing."""
        if self.reset:
            raise ConnectionLost
        if self.status:
            raise self.error(now)

    async def before(self, now: float) -> None:
        """What happens in place of the call."""
        if self.partial != "before":
            return
        await asyncio.sleep(self.delay_ms / 1000)
        self.strike(now)

    async def after(self, now: float) -> None:
        """What happens to the answer of a call that was carried out."""
        if self.partial != "after":
            return
        await asyncio.sleep(self.delay_ms / 1000)
        self.strike(now)


NO_FAULT = Fault(method="")


@dataclass
class Faults:
    """The script: faults with the number of matching calls that each has seen."""

    script: list[Fault] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def add(self, faults: list[Fault]) -> None:
        """Append to the script."""
        self.script += faults
        self.seen += [0] * len(faults)

    def take(self, method: str, email: str = "") -> Fault:
        """The fault that hits this call: the first in the script whose turn it is; all matching ones count the call."""
        hit = NO_FAULT
        for index, fault in enumerate(self.script):
            if fault.method not in {method, "*"} or fault.email not in {email, ""}:
                continue
            self.seen[index] += 1
            due = fault.nth <= self.seen[index] < fault.nth + fault.times
            hit = fault if due and hit is NO_FAULT else hit
        return hit
