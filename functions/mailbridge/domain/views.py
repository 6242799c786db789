"""What the API shows of the stored documents: the shapes of its answers."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from mailbridge.domain.addresses import Address
from mailbridge.domain.model import (
    AttachmentState,
    Contact,
    Conversation,
    Cursor,
    Delivery,
    Direction,
    Document,
    Kind,
    Link,
    Mailbox,
    MailboxState,
    Message,
    Presence,
    User,
)
from mailbridge.domain.quota import Room


class Page(Document, frozen=True, kw_only=True):
    """One page of a list; `next_cursor` is null on the last."""

    items: tuple[Any, ...]
    next_cursor: str | None


class MailboxView(Document, frozen=True, kw_only=True):
    """A linked mailbox (A3); `skipped` counts what was left out, by reason (J1)."""

    email_address: str
    state: MailboxState
    linked_at: datetime
    allowance: Room
    lag_seconds: float
    last_sync_at: datetime | None
    skipped: dict[str, int]


class ContactView(Document, frozen=True, kw_only=True):
    """A contact; `internal`: never synced, because an address of it is a user's (B8)."""

    contact_id: str
    name: str
    emails: tuple[str, ...]
    assigned_to: str | None
    created_at: datetime
    internal: bool


class UserView(Document, frozen=True, kw_only=True):
    """A user of a location."""

    user_id: str
    name: str
    emails: tuple[str, ...]
    role: str


class ConversationView(Document, frozen=True, kw_only=True):
    """A conversation: all mail with one contact."""

    conversation_id: str
    contact_id: str
    last_message_at: datetime
    last_subject: str
    last_snippet: str
    unread: int


class AttachmentView(Document, frozen=True, kw_only=True):
    """An attachment; downloadable once `stored`."""

    attachment_id: str
    name: str
    mime_type: str
    size: int
    state: AttachmentState
    inline: bool
    content_id: str | None


class Body(Document, frozen=True, kw_only=True):
    """A message's content; the HTML is cleaned, remote images are held back."""

    text: str
    html: str


class Stub(Document, frozen=True, kw_only=True):
    """Why a message could not be read; its raw copy is at `/messages/{messageId}/raw` (J6)."""

    reason: str


class MessageView(Document, frozen=True, kw_only=True):
    """A message; `body` only where one message is asked for, `delivery` only on outbound ones."""

    message_id: str
    conversation_id: str
    direction: Direction
    kind: Kind
    user_id: str | None
    subject: str
    from_: tuple[Address, ...] = msgspec.field(name="from")
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    date: datetime
    snippet: str
    read: bool
    presence: Presence
    rfc_message_id: str | None
    delivery: Delivery | None
    attachments: tuple[AttachmentView, ...]
    stub: Stub | None
    body: Body | None = None


def mailbox(mailbox: Mailbox, link: Link, room: Room, cursor: Cursor | None) -> MailboxView:
    """A mailbox as one of its linked users sees it."""
    return MailboxView(
        email_address=mailbox.email_address,
        state=mailbox.state,
        linked_at=link.linked_at,
        allowance=room,
        lag_seconds=cursor.lag_seconds if cursor else 0.0,
        last_sync_at=cursor.last_sync_at if cursor else None,
        skipped=cursor.skipped if cursor else {},
    )


def contact(contact: Contact) -> ContactView:
    """A contact."""
    return ContactView(
        contact_id=contact.contact_id,
        name=contact.name,
        emails=contact.emails,
        assigned_to=contact.assigned_to,
        created_at=contact.created_at,
        internal=contact.internal,
    )


def user(user: User) -> UserView:
    """A user."""
    return UserView(user_id=user.user_id, name=user.name, emails=user.emails, role=user.role)


def conversation(conversation: Conversation) -> ConversationView:
    """A conversation's summary."""
    return ConversationView(
        conversation_id=conversation.conversation_id,
        contact_id=conversation.conversation_id,
        last_message_at=datetime.fromtimestamp(conversation.last_message_ms / 1000, UTC),
        last_subject=conversation.last_subject,
        last_snippet=conversation.last_snippet,
        unread=max(0, conversation.unread),
    )


def message(message: Message) -> MessageView:
    """A message without its body."""
    return MessageView(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        direction=message.direction,
        kind=message.kind,
        user_id=message.user_id,
        subject=message.subject,
        from_=message.from_,
        to=message.to,
        cc=message.cc,
        bcc=message.bcc,
        date=message.date,
        snippet=message.snippet,
        read=message.read,
        presence=message.presence,
        rfc_message_id=message.rfc_message_id,
        delivery=message.delivery,
        attachments=_attachments(message),
        stub=Stub(reason=message.stub_reason) if message.stub_reason else None,
    )


def _attachments(message: Message) -> tuple[AttachmentView, ...]:
    return tuple(
        AttachmentView(
            attachment_id=attachment.attachment_id,
            name=attachment.name,
            mime_type=attachment.mime_type,
            size=attachment.size,
            state=attachment.state,
            inline=attachment.inline,
            content_id=attachment.content_id,
        )
        for attachment in message.attachments
    )
