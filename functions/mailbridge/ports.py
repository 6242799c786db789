"""What the services need from outside, as protocols; `adapters` implements them, `bootstrap` joins the two.

Every Google or transport error reaches a service as one of `mailbridge.errors`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mailbridge.domain.delivery import Decision
from mailbridge.domain.history import History, MessageRef
from mailbridge.domain.model import (
    Allowance,
    Attachment,
    ConnectState,
    Contact,
    Conversation,
    Copy,
    Cursor,
    Delivery,
    Link,
    Mailbox,
    Message,
    Outbox,
    User,
)
from mailbridge.domain.oauth import Grant, Identity
from mailbridge.domain.syncing import SyncCommit
from mailbridge.errors import MailbridgeError

Clock = Callable[[], datetime]
"""The time now, timezone-aware UTC."""

Resource = Mapping[str, Any]
"""A message as Gmail gives it (`format=full`); only `domain.mail` reads it."""

Decide = Callable[[Outbox, Mailbox | None, Allowance], Decision]
"""A pure decision inside the outbox's transaction."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Where the mailbox's history stands, and until when Gmail notifies."""

    history_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A batch's answer per Gmail message id: resources, ids that Gmail has forgotten (404), and errors per id."""

    found: Mapping[str, Resource]
    gone: frozenset[str]
    failed: Mapping[str, MailbridgeError]


@dataclass(frozen=True, slots=True)
class VersionedCursor:
    """A cursor and the version that a compare-and-set needs."""

    cursor: Cursor
    version: Any


@dataclass(frozen=True, slots=True)
class Caller:
    """What a CRM's ID token says of its holder; `locations` None: every location (the CRM's backend)."""

    user_id: str
    locations: frozenset[str] | None
    role: str


class Sealer(Protocol):
    """Authenticated encryption of grants, bound to the mailbox they belong to (`context`)."""

    def seal(self, secret: str, context: str) -> bytes:
        """The secret, readable only with the same context."""

    def open(self, sealed: bytes, context: str) -> str:
        """The secret; Permanent where key or context are not the ones it was sealed with."""


class GoogleAccounts(Protocol):
    """Google's OAuth: consent, grants, identity."""

    def authorization_url(self, state: str, code_challenge: str, login_hint: str | None = None) -> str:
        """Google's account chooser and consent page for this connection (A1)."""

    def exchange(self, code: str, code_verifier: str) -> Grant:
        """The grant for a code; InvalidRequest where Google does not accept it."""

    def identify(self, grant: Grant) -> Identity:
        """The account, from the verified ID token (signature, issuer, audience, expiry)."""

    def revoke(self, token: str) -> None:
        """Give the whole grant back; an already dead token is no error."""


class GmailMailbox(Protocol):
    """One mailbox at Gmail. Raises ReconnectNeeded, Throttled, Temporary, Permanent, NotFound."""

    def watch(self) -> Watch:
        """Start or renew notifications."""

    def stop(self) -> None:
        """End notifications."""

    def history_id(self) -> int:
        """Where the mailbox's history stands now (`getProfile`)."""

    def history(self, since: int) -> History:
        """All pages after the cursor; HistoryExpired where Gmail no longer holds them (P6)."""

    def messages(self, gmail_message_ids: Sequence[str]) -> Fetched:
        """At most 25 messages in one HTTP call, `format=full` (P23)."""

    def arrived_since(self, since: datetime) -> list[MessageRef]:
        """Every message with a later internal date (to the second, rounded down), oldest first, spam and trash left out."""

    def raw(self, gmail_message_id: str) -> bytes:
        """The RFC 5322 original."""

    def part(self, gmail_message_id: str, attachment_id: str) -> bytes:
        """A part's decoded content."""

    def send(self, mail: bytes, thread_id: str | None) -> Copy:
        """One POST, never repeated. OutcomeUnknown where no answer, or a 5xx, came back (P15)."""

    def find_sent(self, signed_id: str, since: datetime) -> Copy | None:
        """The sent message with this `X-Mailbridge-Id`, looked for in SENT since then."""

    def rfc_message_id(self, gmail_message_id: str) -> str | None:
        """The Message-ID as Gmail keeps it (without angle brackets): Gmail replaces ours (P16)."""


class Gmail(Protocol):
    """Opens mailboxes at Gmail."""

    def open(self, mailbox: Mailbox) -> GmailMailbox:
        """With the stored grant."""

    def open_grant(self, grant: Grant) -> GmailMailbox:
        """With a grant that is not stored yet."""


class Mailboxes(Protocol):
    """Mailboxes, their cursors and allowances, and connections under way."""

    def add_connect_state(self, state: ConnectState) -> None:
        """Remember a connection under way."""

    def take_connect_state(self, state_id: str) -> ConnectState | None:
        """The connection, once: a second taker gets None."""

    def mailbox(self, mailbox_id: str) -> Mailbox | None:
        """The mailbox and its links."""

    def cursor(self, mailbox_id: str) -> VersionedCursor | None:
        """The cursor; None where nothing is to be synced."""

    def allowance(self, mailbox_id: str) -> Allowance:
        """What was sent in the last hours; empty where nothing was."""

    def link(self, mailbox: Mailbox, link: Link, history_id: int) -> str | None:
        """Store grant and link in one transaction; an existing cursor stays (A4, P7).

        Answers the id of the mailbox that this link replaced and that nobody links any more (A5).
        """

    def unlink(self, location_id: str, user_id: str) -> str | None:
        """Remove the user's link at once (A6); answers the mailbox's id where it was its last link, and it is `closing`."""

    def watched(self, mailbox_id: str, expires_at: datetime) -> None:
        """Remember until when Gmail notifies."""

    def require_reconnect(self, mailbox_id: str, grant: bytes) -> None:
        """State `reauth_required` (A7), unless the grant was replaced meanwhile."""

    def forget(self, mailbox_id: str) -> None:
        """Delete a mailbox that is `closing`, tokens included."""

    def all(self) -> Iterable[Mailbox]:
        """Every mailbox."""


class Threads(Protocol):
    """What the sync reads and writes; one call is one round trip."""

    def by_copies(self, gmail_keys: Sequence[str]) -> list[Message]:
        """Stored messages with any of these Gmail copies."""

    def homes(self, thread_keys: Sequence[str]) -> list[Message]:
        """The messages on which these threads' homes stand."""

    def by_rfc_ids(self, mailbox_id: str, rfc_message_ids: Sequence[str]) -> list[Message]:
        """Stored messages of this mailbox with these Message-IDs."""

    def contacts(self, location_ids: Sequence[str], emails: Sequence[str]) -> list[Contact]:
        """Contacts of these locations with any of these addresses."""

    def commit(self, commit: SyncCommit, seen: VersionedCursor) -> VersionedCursor:
        """All of it or nothing, and the cursor's new version; Superseded where it has moved or is gone (P12)."""


class Crm(Protocol):
    """Users, contacts, conversations and messages, as the CRM reads and writes them."""

    def user(self, location_id: str, user_id: str) -> User | None:
        """One user."""

    def put_user(self, location_id: str, user: User) -> User:
        """Store name, emails and role; keeps the link and re-marks internal contacts (B8)."""

    def contact(self, location_id: str, contact_id: str) -> Contact | None:
        """One contact."""

    def put_contact(self, contact: Contact) -> Contact:
        """Store; keeps `created_at`, decides `internal` (B8)."""

    def delete_contact(self, location_id: str, contact_id: str) -> None:
        """Remove the contact; its conversation stays."""

    def contacts(self, location_id: str, after: str | None, limit: int) -> list[Contact]:
        """By id, after this id."""

    def conversation(self, location_id: str, conversation_id: str) -> Conversation | None:
        """One conversation."""

    def conversations(self, location_id: str, after: str | None, limit: int) -> list[Conversation]:
        """Newest first, after this conversation."""

    def messages(self, location_id: str, conversation_id: str, after: str | None, limit: int) -> list[Message]:
        """Newest first, after this message."""

    def message(self, location_id: str, message_id: str) -> Message | None:
        """One message."""

    def mark_read(self, location_id: str, conversation_id: str) -> None:
        """All of a conversation's messages are read."""

    def attachments_settled(self, location_id: str, message_id: str, attachments: Sequence[Attachment]) -> None:
        """Replace a message's attachments by their settled states."""


class Deliveries(Protocol):
    """The outbox. Every method is one transaction or one atomic write."""

    def accept(self, message: Message, outbox: Outbox) -> Outbox:
        """Store both and the conversation's new end; where the message exists already, answer its outbox entry unchanged."""

    def outbox(self, message_id: str) -> Outbox | None:
        """One entry."""

    def advance(self, message_id: str, decide: Decide, now: datetime) -> Decision:
        """Read entry, mailbox and allowance, decide, store the decision; NotFound where there is no entry."""

    def sent(self, outbox: Outbox, copy: Copy, now: datetime) -> None:
        """It is in Gmail: state, copy, and the thread's home, which this location now claims (E2, E3)."""

    def settle(self, outbox: Outbox, delivery: Delivery, *, release: datetime | None = None) -> None:
        """Another end or step; `release` gives the place reserved at that time back."""

    def cancel(self, location_id: str, message_id: str, now: datetime) -> Delivery:
        """D8; Conflict where it is too late, NotFound where there is none."""

    def stuck(self, before: datetime, limit: int) -> list[Outbox]:
        """Entries due before then that are neither ended nor cancelled."""


class Tasks(Protocol):
    """Work handed to Cloud Tasks; the same arguments name the same task, and a repeat is no error."""

    def deliver(self, message_id: str, number: int, at: datetime | None = None) -> None:
        """Run `deliver_message` for this message; `number` tells its tasks apart."""

    def store_attachments(self, location_id: str, message_id: str, at: datetime) -> None:
        """Run `run_task` to copy a message's attachments; unnamed, since a repeat must run."""


class Blobs(Protocol):
    """Content too large for a document."""

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Store, or overwrite with the same."""

    def get(self, name: str) -> bytes:
        """The content; NotFound."""

    def url(self, name: str, file_name: str, content_type: str) -> str:
        """A signed URL that downloads it under this name for a few minutes."""


class Callers(Protocol):
    """Who is calling; NotAuthenticated where the token proves nothing."""

    def crm(self, token: str) -> Caller:
        """A CRM's user or backend, by ID token."""

    def service(self, token: str, audience: str, email: str) -> None:
        """One of Google's services, calling this function as this service account."""
