"""Accepts mail from the CRM: validate all of it, store it, queue it (D1, D2)."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from mailbridge import logs
from mailbridge.domain.addresses import Address, is_address, normalise
from mailbridge.domain.composing import OutboundMail, compose, reply_subject
from mailbridge.domain.mail.html import clean_html
from mailbridge.domain.mail.model import Body
from mailbridge.domain.mail.rendering import html_to_text, text_to_html
from mailbridge.domain.mail.summary import snippet
from mailbridge.domain.model import (
    Delivery,
    DeliveryState,
    Direction,
    Kind,
    Mailbox,
    MailboxState,
    Message,
    Outbox,
    gmail_key,
)
from mailbridge.errors import Conflict, InvalidRequest, MailbridgeError, NotFound, ReconnectNeeded
from mailbridge.ports import Clock, Crm, Deliveries, Mailboxes, Tasks, Threads
from mailbridge.services.contents import Contents, StoredBody

KEPT = timedelta(days=30)
"""How long an outbox entry stays after it is due; Firestore's TTL removes it."""

FURTHEST = timedelta(days=30)
"""How far ahead Cloud Tasks takes a task."""

RECIPIENTS = 100
"""Recipients of one mail that every Gmail account may have."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as the caller wishes it to be sent, already of the right types; `key` is the Idempotency-Key."""

    location_id: str
    user_id: str
    contact_id: str
    kind: Kind = Kind.INDIVIDUAL
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    reply_to: str | None = None
    send_at: datetime | None = None
    when_limited: str = "fail"
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Outbound:
    """Accepts and cancels mail."""

    crm: Crm
    mailboxes: Mailboxes
    threads: Threads
    deliveries: Deliveries
    contents: Contents
    tasks: Tasks
    clock: Clock
    new_token: Callable[[int], str] = secrets.token_hex

    def accept(self, wish: Wish) -> Outbox:
        """Store the mail and queue it; the same key answers the same mail, whatever became of it (D3).

        The task is made after the mail is stored: should that fail, the sweep makes it, and the answer is still true.
        """
        digest = hashlib.sha256(msgspec.json.encode(wish)).hexdigest()
        stored = self._stored(wish, digest)
        if stored.request_digest != digest:
            raise Conflict("This Idempotency-Key was used for another mail.", reason="idempotency_key_reused")
        self._queue(stored)
        return stored

    def _stored(self, wish: Wish, digest: str) -> Outbox:
        """The new mail; or the one that the key named before, though by now it would no longer be accepted."""
        try:
            outbox, message = self._prepare(wish, digest, self.clock())
        except MailbridgeError:
            earlier = self.deliveries.outbox(self._message_id(wish)) if wish.key else None
            if earlier is None:
                raise
            return earlier
        return self.deliveries.accept(message, outbox)

    def cancel(self, location_id: str, message_id: str) -> Delivery:
        """Cancel what has not begun to leave (D8)."""
        return self.deliveries.cancel(location_id, message_id, self.clock())

    def requeue(self, before: datetime, limit: int = 200) -> int:
        """Make tasks for what should long have left; answers how many. A task too many finds nothing to do."""
        entries = self.deliveries.stuck(before, limit)
        for entry in entries:
            self.tasks.deliver(entry.message_id, int(self.clock().timestamp()))
        return len(entries)

    def _queue(self, outbox: Outbox) -> None:
        try:
            self.tasks.deliver(outbox.message_id, outbox.tasks, outbox.due_at)
        except MailbridgeError as exc:
            logs.error("delivery.not_queued", exc, messageId=outbox.message_id)

    def _prepare(self, wish: Wish, digest: str, now: datetime) -> tuple[Outbox, Message]:
        mailbox = self._mailbox(wish)
        parent = self._parent(wish, mailbox)
        wish = self._completed(wish, parent)
        _check(wish, now)
        due_at = max(wish.send_at or now, now)
        state = DeliveryState.SCHEDULED if due_at > now else DeliveryState.QUEUED
        sender = Address(email=mailbox.email_address, name=self._name(wish, mailbox))
        message = self._message(wish, sender, Delivery(state=state, at=now), now)
        outbox = Outbox(
            message_id=message.message_id,
            location_id=wish.location_id,
            conversation_id=wish.contact_id,
            user_id=wish.user_id,
            mailbox_id=mailbox.mailbox_id,
            state=state,
            request_digest=digest,
            when_limited=wish.when_limited,
            in_reply_to=wish.reply_to,
            due_at=due_at,
            expire_at=due_at + KEPT,
        )
        _check_composable(outgoing(message, StoredBody(text=wish.text, html=wish.html), message.message_id))
        kept = self.contents.kept("outbox", message, wish.text, wish.html)
        return msgspec.structs.replace(outbox, **kept), message

    def _message(self, wish: Wish, sender: Address, delivery: Delivery, now: datetime) -> Message:
        message = Message(
            message_id=self._message_id(wish),
            location_id=wish.location_id,
            conversation_id=wish.contact_id,
            direction=Direction.OUTBOUND,
            kind=wish.kind,
            user_id=wish.user_id,
            subject=wish.subject,
            from_=(sender,),
            to=wish.to,
            cc=wish.cc,
            bcc=wish.bcc,
            date=now,
            delivery=delivery,
        )
        body = _shown(wish.text, wish.html)
        kept = self.contents.kept("bodies", message, body.text, body.html)
        return msgspec.structs.replace(message, snippet=snippet(body), **kept)

    def _mailbox(self, wish: Wish) -> Mailbox:
        user = self.crm.user(wish.location_id, wish.user_id)
        mailbox = self.mailboxes.mailbox(user.mailbox_id) if user and user.mailbox_id else None
        if wish.kind is not Kind.INDIVIDUAL or mailbox is None or not mailbox.link(wish.location_id, wish.user_id):
            raise Conflict(
                "This mail leaves through the location's own mail provider, and none is set up. "
                "Connect Gmail for individual mail, or set up a provider.",
                reason="no_provider",
            )
        if mailbox.state is not MailboxState.ACTIVE:
            raise ReconnectNeeded(
                "Google no longer accepts the connection. Connect Gmail again.", reason="reconnect_needed"
            )
        return mailbox

    def _parent(self, wish: Wish, mailbox: Mailbox) -> Message | None:
        if wish.reply_to is None:
            return None
        parent = self.crm.message(wish.location_id, wish.reply_to)
        if parent is None or parent.conversation_id != wish.contact_id:
            raise NotFound("The message to reply to is not in this conversation.")
        self._still_held(wish.location_id, parent, mailbox)
        return parent

    def _still_held(self, location_id: str, parent: Message, mailbox: Mailbox) -> None:
        copy = parent.copies.get(mailbox.mailbox_id)
        homes = self.threads.homes([gmail_key(mailbox.mailbox_id, copy.thread_id)]) if copy else []
        if homes and location_id not in {home.location_id for home in homes}:
            raise Conflict(
                "This conversation went on elsewhere. Take the thread over to answer it here.",
                reason="thread_elsewhere",
            )

    def _completed(self, wish: Wish, parent: Message | None) -> Wish:
        """With the contact's first address, and the parent's subject, where the caller named none."""
        to = wish.to or self._contact_address(wish)
        subject = wish.subject or (reply_subject(parent.subject) if parent else "")
        return msgspec.structs.replace(wish, to=to, subject=subject)

    def _contact_address(self, wish: Wish) -> tuple[Address, ...]:
        contact = self.crm.contact(wish.location_id, wish.contact_id)
        if contact is None:
            raise NotFound("There is no such contact in this location.")
        return tuple(Address(email=email, name=contact.name) for email in contact.emails[:1])

    def _message_id(self, wish: Wish) -> str:
        if wish.key is None:
            return self.new_token(16)
        return hashlib.sha256("\n".join((wish.location_id, wish.user_id, wish.key)).encode()).hexdigest()[:32]

    def _name(self, wish: Wish, mailbox: Mailbox) -> str:
        user = self.crm.user(wish.location_id, wish.user_id)
        return (user.name if user else "") or mailbox.name


def outgoing(message: Message, body: StoredBody, signed_id: str) -> OutboundMail:
    """The mail as it leaves, but for its thread; Gmail replaces the Message-ID, ours serves where it does not (P16)."""
    sender = message.from_[0]
    return OutboundMail(
        from_=sender,
        to=message.to,
        cc=message.cc,
        bcc=message.bcc,
        subject=message.subject,
        date=message.date,
        message_id=f"{message.message_id}@{sender.email.rpartition('@')[2]}",
        our_id=signed_id,
        text=body.text or None,
        html=body.html or None,
    )


def _shown(text: str, html: str) -> Body:
    """What people are shown of a mail that is still to leave: both forms, the HTML cleaned as if a stranger had sent it."""
    shown = clean_html(html) if html.strip() else text_to_html(text)
    return Body(text=text if text.strip() else html_to_text(html), html=shown)


def _check(wish: Wish, now: datetime) -> None:
    recipients = (*wish.to, *wish.cc, *wish.bcc)
    if not recipients:
        raise InvalidRequest("Name at least one recipient: the contact has no address.", reason="no_recipient")
    if len(recipients) > RECIPIENTS:
        raise InvalidRequest(f"A mail has at most {RECIPIENTS} recipients.", reason="too_many_recipients")
    _check_addresses(recipients)
    if not (wish.html.strip() or wish.text.strip()):
        raise InvalidRequest("Write something: `text` and `html` are both empty.", reason="no_content")
    if wish.send_at and wish.send_at > now + FURTHEST:
        raise InvalidRequest(f"`sendAt` may be at most {FURTHEST.days} days ahead.", reason="too_far_ahead")
    if any(mark in value for value in (wish.subject, *(a.name for a in recipients)) for mark in "\r\n\0"):
        raise InvalidRequest("Subjects and names are one line each.", reason="line_break")


def _check_composable(mail: OutboundMail) -> None:
    """What cannot be written down as a mail is refused before it is queued, with the field's name (P29)."""
    try:
        compose(mail)
    except ValueError as exc:
        raise InvalidRequest(f"The mail cannot be written down: {exc}", reason="not_composable") from exc


def _check_addresses(recipients: Sequence[Address]) -> None:
    for position, address in enumerate(recipients):
        if not is_address(normalise(address.email)):
            raise InvalidRequest(f"Recipient {position + 1} is not a mail address.", reason="bad_address")
