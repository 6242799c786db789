"""The delivery's state machine: what a task that finds an outbox entry has to do (D2, D3, D8).

    scheduled ─┐
    queued ────┼─► sending ─► sent ─► bounced
    waiting ◄──┘      │ └───► failed
                      └─────► uncertain ─► sent | sending (once more)
    queued | scheduled | waiting ─► cancelled

An attempt is never repeated blindly: whoever finds `sending` or `uncertain` looks in Gmail first (P15).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from mailbridge.domain import quota
from mailbridge.domain.model import Allowance, DeliveryState, Mailbox, MailboxState, Outbox

PENDING = frozenset({DeliveryState.QUEUED, DeliveryState.SCHEDULED, DeliveryState.WAITING})
NO_ROOM = "daily_limit"
"""Why a mail waits or fails when the allowance is used up (D4)."""

UNRESOLVED = frozenset({DeliveryState.SENDING, DeliveryState.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Send:
    """Send it: this attempt is ours; `allowance` has its place taken, None where an earlier attempt's place still is."""

    outbox: Outbox
    allowance: Allowance | None


@dataclass(frozen=True, slots=True)
class Look:
    """An earlier attempt's outcome is unknown: look in Gmail, send nothing."""

    outbox: Outbox


@dataclass(frozen=True, slots=True)
class Later:
    """Not yet: try again at `at`; `outbox` is stored where it changed."""

    at: datetime
    outbox: Outbox
    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It will not be sent, for this reason; `allowance` has the place of an earlier attempt given back."""

    outbox: Outbox
    reason: str
    retry_at: datetime | None = None
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing left to do."""

    outbox: Outbox


Decision = Send | Look | Later | Refuse | Over


def begin(outbox: Outbox, mailbox: Mailbox | None, allowance: Allowance, now: datetime) -> Decision:
    """What to do with a delivery whose task has come up; the caller stores the answer in the same transaction."""
    if outbox.state in UNRESOLVED:
        return Look(outbox)
    if outbox.state not in PENDING:
        return Over(outbox)
    if outbox.due_at > now:
        return Later(outbox.due_at, outbox, "scheduled")
    refusal = _refusal(outbox, mailbox)
    if refusal or mailbox is None:
        return Refuse(_moved(outbox, DeliveryState.FAILED), refusal or "mailbox_disconnected")
    return _within_allowance(outbox, mailbox, allowance, now)


def resume(
    outbox: Outbox,
    mailbox: Mailbox | None,
    allowance: Allowance,
    now: datetime,
    *,
    lease: timedelta,
    lag: timedelta,
) -> Decision:
    """What to do after a look in Gmail that did not find the mail.

    `lease` is the longest time that an attempt can still be under way; `lag` is how late Gmail's lists may be. The mail
    is sent once more only when it was absent twice, a lag apart, with the attempt over; its place is still taken.
    """
    if outbox.state not in UNRESOLVED:
        return Over(outbox)
    attempt_over = (outbox.started_at or now) + lease
    if now < attempt_over:
        return Later(attempt_over, _moved(outbox, DeliveryState.UNCERTAIN), "outcome_unknown")
    if outbox.missed_at is None:
        missed = msgspec.structs.replace(outbox, state=DeliveryState.UNCERTAIN, missed_at=now)
        return Later(now + lag, missed, "outcome_unknown")
    if now < outbox.missed_at + lag:
        return Later(outbox.missed_at + lag, outbox, "outcome_unknown")
    refusal = _refusal(outbox, mailbox)
    if refusal:
        returned = quota.release(allowance, outbox.started_at or now)
        return Refuse(_moved(outbox, DeliveryState.FAILED), refusal, allowance=returned)
    return Send(_attempt(outbox, now), None)


def _refusal(outbox: Outbox, mailbox: Mailbox | None) -> str | None:
    if mailbox is None or mailbox.link(outbox.location_id, outbox.user_id) is None:
        return "mailbox_disconnected"
    if mailbox.state is not MailboxState.ACTIVE:
        return "reconnect_needed"
    return None


def _within_allowance(outbox: Outbox, mailbox: Mailbox, allowance: Allowance, now: datetime) -> Decision:
    state = quota.room(allowance, mailbox.daily_limit, now)
    if not quota.is_full(state):
        return Send(_attempt(outbox, now), quota.reserve(allowance, now))
    retry_at = state.resets_at or now + quota.WINDOW
    if outbox.when_limited == "wait":
        waiting = msgspec.structs.replace(outbox, state=DeliveryState.WAITING, due_at=retry_at, tasks=outbox.tasks + 1)
        return Later(retry_at, waiting, NO_ROOM)
    return Refuse(_moved(outbox, DeliveryState.FAILED), NO_ROOM, retry_at)


def _attempt(outbox: Outbox, now: datetime) -> Outbox:
    return msgspec.structs.replace(
        outbox, state=DeliveryState.SENDING, attempt=outbox.attempt + 1, started_at=now, missed_at=None
    )


def _moved(outbox: Outbox, state: DeliveryState) -> Outbox:
    return msgspec.structs.replace(outbox, state=state)
