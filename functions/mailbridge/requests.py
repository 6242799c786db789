"""The bodies that callers send."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mailbridge.domain.addresses import Address
from mailbridge.domain.model import Kind
from mailbridge.services.outbound import Wish

Id = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^(?!\.{1,2}$|__.*__$)[^/\x00-\x1f]+$")]
"""What Firestore takes as a document's name."""

Line = Annotated[str, Meta(max_length=1000)]
Email = Annotated[str, Meta(min_length=3, max_length=320)]


class Request(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of all bodies: unknown fields are refused, so that a misspelt one is not ignored in silence."""


class Connect(Request, frozen=True, kw_only=True):
    """`connect_mailbox`."""

    location_id: Id
    return_url: Annotated[str, Meta(max_length=2000)]


class Disconnect(Request, frozen=True, kw_only=True):
    """`disconnect_mailbox`."""

    location_id: Id


class NamedAddress(Request, frozen=True, kw_only=True):
    """A recipient with a name."""

    email: Email
    name: Line = ""


Recipients = Annotated[tuple[Email | NamedAddress, ...], Meta(max_length=500)]


class Send(Request, frozen=True, kw_only=True):
    """`send_message`; a recipient is an address or `{email, name}`, and without any the contact's first address is taken."""

    location_id: Id
    contact_id: Id
    user_id: Id | None = None
    kind: Kind = Kind.INDIVIDUAL
    to: Recipients = ()
    cc: Recipients = ()
    bcc: Recipients = ()
    subject: Line = ""
    html: str = ""
    text: str = ""
    reply_to: Id | None = None
    send_at: Annotated[datetime, Meta(tz=True)] | None = None
    when_limited: Literal["fail", "wait"] = "fail"


class PutUser(Request, frozen=True, kw_only=True):
    """`PUT /locations/{l}/users/{u}`."""

    name: Line = ""
    emails: Annotated[tuple[Email, ...], Meta(max_length=50)] = ()
    role: Annotated[str, Meta(max_length=50)] = "user"


class PutContact(Request, frozen=True, kw_only=True):
    """`PUT /locations/{l}/contacts/{c}`; `createdAt` counts for a new contact only (B6)."""

    name: Line = ""
    emails: Annotated[tuple[Email, ...], Meta(max_length=50)] = ()
    assigned_to: Id | None = None
    created_at: Annotated[datetime, Meta(tz=True)] | None = None


class Deliver(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task for `deliver_message`."""

    message_id: str


class StoreAttachments(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="task", tag="store_attachments"
):
    """A task for `run_task`: copy a message's attachments."""

    location_id: str
    message_id: str


class Schedule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the scheduler asks of `renew_watches`."""

    job: Literal["renew", "poll", "all"] = "all"


class Notification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Gmail publishes; the number may come as text."""

    email_address: str
    history_id: int


def is_id(text: str) -> bool:
    """Whether anything could have this id."""
    try:
        msgspec.convert(text, Id)
    except msgspec.ValidationError:
        return False
    return True


def wish(send: Send, user_id: str, key: str | None) -> Wish:
    """The mail that this body asks for; `key` is the Idempotency-Key."""
    return Wish(
        location_id=send.location_id,
        user_id=user_id,
        contact_id=send.contact_id,
        kind=send.kind,
        to=addresses(send.to),
        cc=addresses(send.cc),
        bcc=addresses(send.bcc),
        subject=send.subject,
        html=send.html,
        text=send.text,
        reply_to=send.reply_to,
        send_at=send.send_at,
        when_limited=send.when_limited,
        key=key,
    )


def addresses(recipients: tuple[str | NamedAddress, ...]) -> tuple[Address, ...]:
    """Recipients as addresses."""
    return tuple(
        Address(email=r.strip()) if isinstance(r, str) else Address(email=r.email.strip(), name=r.name)
        for r in recipients
    )
