"""A mail as values: its envelope, its body, its attachments."""

from datetime import datetime

import msgspec

from mailbridge.domain.addresses import Address
from mailbridge.errors import Permanent


class UnreadableMail(Permanent):
    """The content cannot be understood: a visible stub with the raw copy stands for it (J6).

    `reason` is a static name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The content of this mail cannot be read ({reason}). Open it in Gmail.", reason=reason)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Gmail and the headers say about a mail.

    `internal_date` is UTC. Message ids stand without `<>`; `references` holds the newest 100. `original_from` is the
    author whom a Google Group replaced in From (P19). `our_id` is what `X-Mailbridge-Id` claims; anybody can (B11).
    """

    gmail_message_id: str
    thread_id: str
    label_ids: frozenset[str] = frozenset()
    history_id: int = 0
    internal_date: datetime
    rfc_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: tuple[Address, ...] = msgspec.field(default=(), name="from")
    sender: tuple[Address, ...] = ()
    original_from: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    auto_submitted: bool = False
    list_id: str | None = None
    our_id: str | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part that is not the body; `data` where Gmail delivered it with the message, else fetch `gmail_attachment_id`.

    With neither (a mail attached to the mail), it can be taken from the raw copy only. `inline`: the body shows it, by
    its `content_id` (without `<>`), so that a list of attachments need not. `size` is in bytes, decoded.
    """

    part_id: str
    gmail_attachment_id: str | None = None
    name: str
    mime_type: str
    size: int
    content_id: str | None = None
    inline: bool = False
    data: bytes | None = None


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body as text and as cleaned HTML, each derived from the other where the mail has only one."""

    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()

    @property
    def size_bytes(self) -> int:
        """What storing text and HTML takes, in bytes of UTF-8."""
        return len(self.text.encode()) + len(self.html.encode())


class MissingPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A text of the body that Gmail keeps apart (P27): fetch it, and read the body again with its bytes."""

    part_id: str
    attachment_id: str
    charset: str
    mime_type: str
    size: int
