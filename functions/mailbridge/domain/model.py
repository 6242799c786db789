"""The documents of Firestore, as values; the README draws the same model.

Field names are snake_case here and camelCase in Firestore and JSON. Times are timezone-aware UTC.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from mailbridge.domain.addresses import Address


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of everything that is stored or answered as JSON."""


class Direction(StrEnum):
    """Which way a message went, seen from the CRM's user."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Kind(StrEnum):
    """Why a message was sent, which decides its road (G1)."""

    INDIVIDUAL = "individual"
    BULK = "bulk"
    WORKFLOW = "workflow"


class DeliveryState(StrEnum):
    """Where an outbound message stands (D2)."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BOUNCED = "bounced"


class MailboxState(StrEnum):
    """`active` syncs; `reauth_required` waits for its user (A7); `closing` gives its grant back to Google (A6)."""

    ACTIVE = "active"
    REAUTH_REQUIRED = "reauth_required"
    CLOSING = "closing"


class Presence(StrEnum):
    """Where a message's Gmail copy is now (B9); the CRM keeps its record in every case."""

    PRESENT = "present"
    TRASHED = "trashed"
    SPAM = "spam"
    DELETED = "deleted"


class AttachmentState(StrEnum):
    """`pending` until a task has copied it; `too_large` is named but not kept (D5); `unavailable`: Gmail no longer has it."""

    PENDING = "pending"
    STORED = "stored"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


class User(Document, frozen=True, kw_only=True):
    """`locations/{locationId}/users/{userId}`."""

    user_id: str
    name: str = ""
    emails: tuple[str, ...] = ()
    role: str = "user"
    mailbox_id: str | None = None
    linked_at: datetime | None = None


class Contact(Document, frozen=True, kw_only=True):
    """`locations/{locationId}/contacts/{contactId}`; `internal`: one of its addresses is a user's (B8)."""

    contact_id: str
    location_id: str
    name: str = ""
    emails: tuple[str, ...] = ()
    assigned_to: str | None = None
    created_at: datetime
    internal: bool = False


class Conversation(Document, frozen=True, kw_only=True):
    """`locations/{locationId}/conversations/{contactId}`; milliseconds, because Firestore's `Maximum` takes numbers only."""

    conversation_id: str
    last_message_ms: int = 0
    last_snippet: str = ""
    last_subject: str = ""
    unread: int = 0


class Attachment(Document, frozen=True, kw_only=True):
    """One attachment of a message; `attachment_id` is `{messageId}.{partId}`, unique in the location."""

    attachment_id: str
    name: str
    mime_type: str
    size: int
    state: AttachmentState = AttachmentState.PENDING
    content_id: str | None = None
    inline: bool = False

    @property
    def part_id(self) -> str:
        """The part's place in the mail, as Gmail counts: `0.1`."""
        return self.attachment_id.partition(".")[2]


class Delivery(Document, frozen=True, kw_only=True):
    """What has become of an outbound message, and why."""

    state: DeliveryState
    at: datetime
    reason: str | None = None
    retry_at: datetime | None = None


class Copy(Document, frozen=True, kw_only=True):
    """A message's copy in one Gmail mailbox."""

    gmail_message_id: str
    thread_id: str


class Message(Document, frozen=True, kw_only=True):
    """`locations/{locationId}/messages/{messageId}`.

    `gmail_keys` finds a message by any of its Gmail copies. `thread_homes` names the Gmail threads that this location holds:
    it stands on the first message of a thread only, so that one read finds a thread's home and no document is kept for it.
    """

    message_id: str
    location_id: str
    conversation_id: str
    direction: Direction
    kind: Kind = Kind.INDIVIDUAL
    user_id: str | None = None
    subject: str = ""
    from_: tuple[Address, ...] = msgspec.field(default=(), name="from")
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime
    snippet: str = ""
    text: str = ""
    html: str = ""
    body_ref: str | None = None
    attachments: tuple[Attachment, ...] = ()
    read: bool = True
    presence: Presence = Presence.PRESENT
    delivery: Delivery | None = None
    rfc_message_id: str | None = None
    references: tuple[str, ...] = ()
    copies: dict[str, Copy] = {}
    gmail_keys: tuple[str, ...] = ()
    thread_homes: tuple[str, ...] = ()
    stub_reason: str | None = None
    raw_ref: str | None = None


class Link(Document, frozen=True, kw_only=True):
    """One user's use of a mailbox in one location (A4)."""

    location_id: str
    user_id: str
    linked_at: datetime

    @property
    def key(self) -> str:
        """The link's name within its mailbox."""
        return f"{self.location_id}/{self.user_id}"


class Mailbox(Document, frozen=True, kw_only=True):
    """`mailboxes/{mailboxId}`: one Google account, its grant (encrypted) and its links."""

    mailbox_id: str
    email_address: str
    name: str = ""
    sub: str
    state: MailboxState
    daily_limit: int
    grant: bytes
    scopes: tuple[str, ...] = ()
    watch_expires_at: datetime | None = None
    links: dict[str, Link] = {}

    def link(self, location_id: str, user_id: str) -> Link | None:
        """This user's link in this location, if there is one."""
        return self.links.get(f"{location_id}/{user_id}")


class Gap(Document, frozen=True, kw_only=True):
    """A stretch of time that Gmail's history no longer covered and that was filled from the mailbox itself (P6)."""

    since: datetime
    until: datetime
    found: int


class Cursor(Document, frozen=True, kw_only=True):
    """`cursors/{mailboxId}`: how far the mailbox's history is stored; changed only by compare-and-set or to stop a run.

    `history_id` is the last record stored, and where the next run starts. `covered` is how far Gmail said its answer went: a
    notification up to there is stale. The two are apart because Gmail's index may lag behind what it says.
    """

    mailbox_id: str
    history_id: int
    covered: int = 0
    last_sync_at: datetime
    lag_seconds: float = 0.0
    skipped: dict[str, int] = {}
    gap: Gap | None = None


class Allowance(Document, frozen=True, kw_only=True):
    """`allowances/{mailboxId}`: how many mails left the mailbox in each hour; keys like `2026112320` (UTC)."""

    buckets: dict[str, int] = {}


class Outbox(Document, frozen=True, kw_only=True):
    """`outbox/{messageId}`: the delivery's state machine; the message shows the same state to people.

    `text` and `html` (or `body_ref`) are what leaves; the message holds the cleaned copy that people are shown. `tasks` counts
    the tasks made for this entry, so that each has a name of its own. `missed_at`: Gmail was looked into and did not have it.
    """

    message_id: str
    location_id: str
    conversation_id: str
    user_id: str
    mailbox_id: str
    state: DeliveryState
    request_digest: str
    when_limited: str = "fail"
    in_reply_to: str | None = None
    text: str = ""
    html: str = ""
    body_ref: str | None = None
    attempt: int = 0
    tasks: int = 0
    due_at: datetime
    started_at: datetime | None = None
    missed_at: datetime | None = None
    expire_at: datetime


class ConnectState(Document, frozen=True, kw_only=True):
    """`connectStates/{stateId}`: a connection under way; single use, bound to user and browser (A1)."""

    state_id: str
    user_id: str
    location_id: str
    return_url: str
    browser_digest: str
    code_verifier: str
    expire_at: datetime


def gmail_key(mailbox_id: str, gmail_id: str) -> str:
    """A Gmail message's or thread's name across mailboxes."""
    return f"{mailbox_id}:{gmail_id}"
