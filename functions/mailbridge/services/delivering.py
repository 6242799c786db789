"""Delivers queued mail through Gmail, once (D3): every step is stored before the next is taken."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec

from mailbridge import logs
from mailbridge.domain import composing, delivery
from mailbridge.domain.delivery import Later, Look, Refuse, Send
from mailbridge.domain.model import Copy, Delivery, DeliveryState, Mailbox, Message, Outbox
from mailbridge.errors import (
    MailbridgeError,
    NotFound,
    OutcomeUnknown,
    Permanent,
    ReconnectNeeded,
    Temporary,
    Throttled,
)
from mailbridge.ports import Clock, Crm, Deliveries, Gmail, GmailMailbox, Mailboxes, Tasks
from mailbridge.services.contents import Contents
from mailbridge.services.outbound import outgoing
from mailbridge.services.own_mail import OwnMail

CLOCK_SKEW = timedelta(minutes=5)
"""How far Gmail's clock may be from ours when a lost mail is looked for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`lease`: the longest time one attempt can be under way; `lag`: how late Gmail's lists may be."""

    lease: timedelta
    lag: timedelta


@dataclass(frozen=True, slots=True)
class Delivering:
    """Runs deliveries. Temporary from here means: the same task, later."""

    crm: Crm
    mailboxes: Mailboxes
    deliveries: Deliveries
    gmail: Gmail
    contents: Contents
    own_mail: OwnMail
    tasks: Tasks
    patience: Patience
    clock: Clock

    def deliver(self, message_id: str) -> None:
        """Take a delivery as far as it goes now; doing so again, or at the same time, sends nothing twice."""
        now = self.clock()
        decision = self.deliveries.advance(message_id, partial(delivery.begin, now=now), now)
        if isinstance(decision, Look):
            decision = self._look(decision.outbox)
        match decision:
            case Send(outbox=outbox):
                self._send(outbox)
            case Later(outbox=outbox, at=at, reason=reason):
                self._later(outbox, at, reason)
            case Refuse(outbox=outbox, reason=reason):
                logs.warning("delivery.refused", messageId=outbox.message_id, reason=reason)

    def _later(self, outbox: Outbox, at: datetime, reason: str) -> None:
        """A wait for room gets a task of its own, at that time; every other wait keeps this task and its back-off."""
        if reason != delivery.NO_ROOM:
            raise Temporary("It is too early for this mail; the same task comes again.", reason=reason)
        self.tasks.deliver(outbox.message_id, outbox.tasks, at)

    def _look(self, outbox: Outbox) -> delivery.Decision:
        """Look for the mail in Gmail's Sent (P15): found, it is sent; absent, the domain decides."""
        mailbox = self.mailboxes.mailbox(outbox.mailbox_id)
        copy = self._find(outbox, mailbox) if mailbox else None
        now = self.clock()
        if copy:
            self.deliveries.sent(outbox, copy, now)
            logs.info("delivery.found", messageId=outbox.message_id, attempt=outbox.attempt)
            return delivery.Over(outbox)
        resume = partial(delivery.resume, now=now, lease=self.patience.lease, lag=self.patience.lag)
        return self.deliveries.advance(outbox.message_id, resume, now)

    def _find(self, outbox: Outbox, mailbox: Mailbox) -> Copy | None:
        since = (outbox.started_at or self.clock()) - CLOCK_SKEW
        try:
            return self.gmail.open(mailbox).find_sent(self.own_mail.sign(outbox.message_id), since)
        except ReconnectNeeded:
            self.mailboxes.require_reconnect(mailbox.mailbox_id, mailbox.grant)
            return None

    def _send(self, outbox: Outbox) -> None:
        try:
            copy = self._post(outbox)
        except MailbridgeError as exc:
            self._unsent(outbox, exc)
        else:
            self.deliveries.sent(outbox, copy, self.clock())
            logs.info("delivery.sent", messageId=outbox.message_id, attempt=outbox.attempt)

    def _post(self, outbox: Outbox) -> Copy:
        mailbox = self.mailboxes.mailbox(outbox.mailbox_id)
        message = self.crm.message(outbox.location_id, outbox.message_id)
        if mailbox is None or message is None:
            raise Permanent("The mailbox or the message is gone.", reason="gone")
        gmail = self.gmail.open(mailbox)
        parent = self.crm.message(outbox.location_id, outbox.in_reply_to) if outbox.in_reply_to else None
        content = self._compose(outbox, message, parent, mailbox, gmail)
        if self.clock() > (outbox.started_at or self.clock()) + self.patience.lease / 2:
            raise Temporary("This attempt took too long to be safe; it starts again.", reason="late")
        thread = parent.copies.get(mailbox.mailbox_id) if parent else None
        if thread is None:
            return gmail.send(content, None)
        try:
            return gmail.send(content, thread.thread_id)
        except (
            NotFound
        ):  # the user has deleted the thread in Gmail: certainly not sent, and the headers still thread it
            return gmail.send(content, None)

    def _compose(
        self, outbox: Outbox, message: Message, parent: Message | None, mailbox: Mailbox, gmail: GmailMailbox
    ) -> bytes:
        body = self.contents.body(outbox)
        answered = self._rfc_message_id(parent, mailbox, gmail) if parent else None
        references = (*(parent.references if parent else ()), *((answered,) if answered else ()))
        draft = outgoing(message, body, self.own_mail.sign(message.message_id))
        try:
            return composing.compose(msgspec.structs.replace(draft, in_reply_to=answered, references=references))
        except ValueError as exc:
            raise Permanent(f"The mail cannot be written down: {exc}", reason="not_composable") from exc

    def _rfc_message_id(self, parent: Message, mailbox: Mailbox, gmail: GmailMailbox) -> str | None:
        """The parent's Message-ID; for a mail of our own Gmail has replaced ours, so Gmail is asked (P16)."""
        copy = parent.copies.get(mailbox.mailbox_id)
        if parent.rfc_message_id or copy is None:
            return parent.rfc_message_id
        try:
            return gmail.rfc_message_id(copy.gmail_message_id)
        except NotFound:
            return None

    def _unsent(self, outbox: Outbox, exc: MailbridgeError) -> None:
        """What an error means for the mail; everything but an unknown outcome is certainly not sent."""
        logs.error("delivery.attempt_failed", exc, messageId=outbox.message_id, attempt=outbox.attempt)
        now = self.clock()
        if isinstance(exc, OutcomeUnknown):
            self.deliveries.settle(outbox, Delivery(state=DeliveryState.UNCERTAIN, at=now, reason="outcome_unknown"))
            raise Temporary("Whether Gmail took this mail is not certain yet.", reason="outcome_unknown") from exc
        if isinstance(exc, Temporary):
            self._again(outbox, exc, now)
            return
        if isinstance(exc, ReconnectNeeded):
            self._mark_reconnect(outbox)
        failed = Delivery(state=DeliveryState.FAILED, at=now, reason=exc.reason or "refused_by_gmail")
        self.deliveries.settle(outbox, failed, release=outbox.started_at)

    def _again(self, outbox: Outbox, exc: Temporary, now: datetime) -> None:
        """Back to the queue; where Gmail named a time, a task for that time (P24)."""
        retry_at = exc.retry_at if isinstance(exc, Throttled) else None
        queued = msgspec.structs.replace(outbox, due_at=retry_at or outbox.due_at, tasks=outbox.tasks + 1)
        waiting = Delivery(state=DeliveryState.QUEUED, at=now, reason=exc.reason, retry_at=retry_at)
        self.deliveries.settle(queued, waiting, release=outbox.started_at)
        if retry_at is None:
            raise exc
        self.tasks.deliver(outbox.message_id, queued.tasks, retry_at)

    def _mark_reconnect(self, outbox: Outbox) -> None:
        mailbox = self.mailboxes.mailbox(outbox.mailbox_id)
        if mailbox:
            self.mailboxes.require_reconnect(mailbox.mailbox_id, mailbox.grant)
