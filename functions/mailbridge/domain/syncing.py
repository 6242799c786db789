"""What one run of the sync writes, worked out before anything is written."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from mailbridge.domain.history import MessageRef
from mailbridge.domain.mail.model import Body, Envelope
from mailbridge.domain.model import (
    Attachment,
    AttachmentState,
    Copy,
    Delivery,
    DeliveryState,
    Direction,
    Gap,
    Mailbox,
    Message,
    Presence,
    gmail_key,
)
from mailbridge.domain.routing import Home, Placement, direction

ATTACHMENTS_LIMIT = 25 * 1024 * 1024
"""Bytes of attachments that are copied for one mail (D5)."""


@dataclass(frozen=True, slots=True)
class MessageUpdate:
    """A change to a stored message: another copy of it, or what its user did to it in Gmail (B9)."""

    message: Message
    read: bool
    presence: Presence
    direction: Direction
    mailbox_id: str | None = None
    copy: Copy | None = None
    thread_homes: tuple[str, ...] = ()

    @property
    def unread_delta(self) -> int:
        """By how much the conversation's unread count changes."""
        return int(self.message.read) - int(self.read)


@dataclass(frozen=True, slots=True)
class ConversationUpdate:
    """How a conversation's summary changes."""

    location_id: str
    conversation_id: str
    unread: int
    latest: Message | None


@dataclass(frozen=True, slots=True)
class SyncCommit:
    """One atomic write: messages, conversations, counts and the cursor that stands for them."""

    mailbox_id: str
    history_id: int
    at: datetime
    covered: int = 0
    created: tuple[Message, ...] = ()
    updated: tuple[MessageUpdate, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    sent_from_gmail: Mapping[str, int] = field(default_factory=dict)
    gap: Gap | None = None

    @property
    def lag_seconds(self) -> float | None:
        """From Gmail's receipt of the newest stored message to its visibility; None where the run stored none."""
        newest = max((message.date for message in self.created), default=None)
        return None if newest is None else max(0.0, (self.at - newest).total_seconds())

    def conversations(self) -> list[ConversationUpdate]:
        """The summaries that these messages change."""
        touched: dict[tuple[str, str], ConversationUpdate] = {}
        for message in self.created:
            _touch(touched, message, int(not message.read), message)
        for update in self.updated:
            if update.unread_delta:
                _touch(touched, update.message, update.unread_delta, None)
        return list(touched.values())

    def without(self, stored: Sequence[Message]) -> "SyncCommit":
        """The same commit where these messages turned out to be stored already, through another mailbox (B11)."""
        existing = {(message.location_id, message.message_id): message for message in stored}
        fresh = tuple(m for m in self.created if (m.location_id, m.message_id) not in existing)
        again = [(existing[key], m) for m in self.created if (key := (m.location_id, m.message_id)) in existing]
        merged = tuple(another_copy(old, new) for old, new in again)
        return replace(self, created=fresh, updated=self.updated + merged)


def _touch(
    touched: dict[tuple[str, str], ConversationUpdate], message: Message, unread: int, latest: Message | None
) -> None:
    key = (message.location_id, message.conversation_id)
    before = touched.get(key, ConversationUpdate(*key, unread=0, latest=None))
    newest = max(filter(None, (before.latest, latest)), key=lambda m: m.date, default=None)
    touched[key] = replace(before, unread=before.unread + unread, latest=newest)


def message_id(mailbox_id: str, envelope: Envelope, fingerprint: str) -> str:
    """A mail's id in every location: Message-ID and content, so that a repeated Message-ID hides nothing (B11, P35)."""
    name = envelope.rfc_message_id or gmail_key(mailbox_id, envelope.gmail_message_id)
    return hashlib.sha256(f"{name}\n{fingerprint}".encode()).hexdigest()[:32]


def stored_message(mailbox: Mailbox, envelope: Envelope, placement: Placement, identity: str) -> Message:
    """The message without its content, as it stands in one location."""
    way = direction(envelope)
    thread = gmail_key(mailbox.mailbox_id, envelope.thread_id)
    return Message(
        message_id=identity,
        location_id=placement.location_id,
        conversation_id=placement.conversation_id,
        direction=way,
        user_id=placement.user_id,
        subject=envelope.subject,
        from_=envelope.from_,
        to=envelope.to,
        cc=envelope.cc,
        bcc=envelope.bcc,
        reply_to=envelope.reply_to,
        date=envelope.internal_date,
        read=way is Direction.OUTBOUND or "UNREAD" not in envelope.label_ids,
        delivery=Delivery(state=DeliveryState.SENT, at=envelope.internal_date) if way is Direction.OUTBOUND else None,
        rfc_message_id=envelope.rfc_message_id,
        references=envelope.references,
        copies={mailbox.mailbox_id: Copy(gmail_message_id=envelope.gmail_message_id, thread_id=envelope.thread_id)},
        gmail_keys=(gmail_key(mailbox.mailbox_id, envelope.gmail_message_id),),
        thread_homes=(thread,) if placement.opens_thread else (),
    )


def attachments(body: Body, identity: str) -> tuple[Attachment, ...]:
    """The mail's attachments, those past the limit named but not kept (D5)."""
    kept, result = 0, []
    for part in body.attachments:
        fits = kept + part.size <= ATTACHMENTS_LIMIT
        kept += part.size if fits else 0
        result.append(
            Attachment(
                attachment_id=f"{identity}.{part.part_id}",
                name=part.name,
                mime_type=part.mime_type,
                size=part.size,
                state=AttachmentState.PENDING if fits else AttachmentState.TOO_LARGE,
                content_id=part.content_id,
                inline=part.inline,
            )
        )
    return tuple(result)


def distinct(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages, two copies of one mail in the same run made one."""
    merged: dict[tuple[str, str], Message] = {}
    for message in messages:
        first = merged.setdefault((message.location_id, message.message_id), message)
        if first is not message:
            keys = tuple(dict.fromkeys((*first.gmail_keys, *message.gmail_keys)))
            homes = tuple(dict.fromkeys((*first.thread_homes, *message.thread_homes)))
            both = msgspec.structs.replace(first, gmail_keys=keys, thread_homes=homes)
            merged[first.location_id, first.message_id] = both
    return tuple(merged.values())


def answered_homes(envelope: Envelope, stored: Iterable[Message]) -> list[Home]:
    """Where the messages stand that this mail answers by `In-Reply-To` or any of its `References` (B3, P18)."""
    named = {*envelope.in_reply_to, *envelope.references}
    return [Home(m.location_id, m.conversation_id) for m in stored if m.rfc_message_id in named]


def another_copy(stored: Message, arrived: Message) -> MessageUpdate:
    """A stored message that has turned up in another mailbox of the location: one message, two copies (B11, P36)."""
    [(mailbox_id, copy)] = arrived.copies.items()
    sent = Direction.OUTBOUND in (stored.direction, arrived.direction)
    return MessageUpdate(
        message=stored,
        read=stored.read,
        presence=stored.presence,
        direction=Direction.OUTBOUND if sent else Direction.INBOUND,
        mailbox_id=mailbox_id,
        copy=copy,
        thread_homes=arrived.thread_homes,
    )


def relabelled(stored: Message, ref: MessageRef) -> MessageUpdate | None:
    """What Gmail's labels now say of a stored message, or None where that is nothing new (B9)."""
    read = stored.read if stored.direction is Direction.OUTBOUND else "UNREAD" not in ref.label_ids
    presence = _presence(ref.label_ids)
    if (read, presence) == (stored.read, stored.presence):
        return None
    return MessageUpdate(message=stored, read=read, presence=presence, direction=stored.direction)


def deleted(stored: Message) -> MessageUpdate | None:
    """Gmail has forgotten the message; the CRM keeps it, marked (B9)."""
    if stored.presence is Presence.DELETED:
        return None
    return MessageUpdate(message=stored, read=stored.read, presence=Presence.DELETED, direction=stored.direction)


def _presence(label_ids: Iterable[str]) -> Presence:
    labels = frozenset(label_ids)
    if "TRASH" in labels:
        return Presence.TRASHED
    return Presence.SPAM if "SPAM" in labels else Presence.PRESENT
