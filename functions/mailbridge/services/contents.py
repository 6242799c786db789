"""Turns a fetched mail into the messages that are stored: body, attachments, and a stub where it cannot be read (J6)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from mailbridge import logs
from mailbridge.domain import syncing
from mailbridge.domain.mail.model import Attachment as MailPart
from mailbridge.domain.mail.model import Body, Envelope, UnreadableMail
from mailbridge.domain.mail.nested import attached_mail
from mailbridge.domain.mail.reading import missing_parts, read_body, read_envelope
from mailbridge.domain.mail.summary import fingerprint, snippet
from mailbridge.domain.model import Attachment, AttachmentState, Mailbox, Message, Outbox
from mailbridge.domain.routing import Placement
from mailbridge.errors import NotFound, Temporary
from mailbridge.ports import Blobs, Clock, Crm, Gmail, GmailMailbox, Mailboxes, Resource, Tasks

BODY_LIMIT = 200_000
"""Characters of text and HTML that stay in the message's document; more goes to Cloud Storage."""

COPY_DELAY = timedelta(seconds=1)
"""Attachments are asked for before the message is stored, so that a crash in between forgets none; the task comes later."""

_TRIES = 20
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


class StoredBody(msgspec.Struct, frozen=True, kw_only=True):
    """A body too large for its document."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Contents:
    """Reads mails and keeps what is too large for a document."""

    blobs: Blobs
    tasks: Tasks
    clock: Clock

    def messages(
        self,
        mailbox: Mailbox,
        gmail: GmailMailbox,
        resource: Resource,
        envelope: Envelope,
        placements: Sequence[Placement],
    ) -> list[Message]:
        """The mail as it stands in each of its locations; read once, and only if it goes anywhere."""
        if not placements:
            return []
        try:
            body = _read(gmail, resource, envelope)
        except UnreadableMail as exc:
            logs.error("message.stub", exc, mailboxId=mailbox.mailbox_id, gmailMessageId=envelope.gmail_message_id)
            return self._stubs(mailbox, gmail, envelope, placements, str(exc))
        identity = syncing.message_id(mailbox.mailbox_id, envelope, fingerprint(envelope, body))
        return [self._message(mailbox, envelope, body, placement, identity) for placement in placements]

    def _message(
        self, mailbox: Mailbox, envelope: Envelope, body: Body, placement: Placement, identity: str
    ) -> Message:
        message = syncing.stored_message(mailbox, envelope, placement, identity)
        attachments = syncing.attachments(body, identity)
        if any(attachment.state is AttachmentState.PENDING for attachment in attachments):
            self.tasks.store_attachments(placement.location_id, identity, self.clock() + COPY_DELAY)
        return msgspec.structs.replace(
            message,
            snippet=snippet(body),
            attachments=attachments,
            **self.kept("bodies", message, body.text, body.html),
        )

    def kept(self, folder: str, message: Message, text: str, html: str) -> dict[str, str]:
        """The fields of a document that keep this body: itself, or where it was put because it is too large."""
        if len(text) + len(html) <= BODY_LIMIT:
            return {"text": text, "html": html}
        content = msgspec.json.encode(StoredBody(text=text, html=html))
        # Named by what it says: the same id asked for with another body must not change what was accepted first.
        name = f"{folder}/{message.location_id}/{message.message_id}-{hashlib.sha256(content).hexdigest()[:16]}.json"
        self.blobs.put(name, content, "application/json")
        return {"body_ref": name}

    def _stubs(
        self,
        mailbox: Mailbox,
        gmail: GmailMailbox,
        envelope: Envelope,
        placements: Sequence[Placement],
        reason: str,
    ) -> list[Message]:
        """A mail that cannot be read still stands in its conversations, with its raw copy (J6)."""
        raw = gmail.raw(envelope.gmail_message_id)
        identity = syncing.message_id(mailbox.mailbox_id, envelope, _raw_fingerprint(envelope, raw))
        return [self._stub(mailbox, envelope, placement, identity, raw, reason) for placement in placements]

    def _stub(
        self, mailbox: Mailbox, envelope: Envelope, placement: Placement, identity: str, raw: bytes, reason: str
    ) -> Message:
        name = f"raw/{placement.location_id}/{identity}.eml"
        self.blobs.put(name, raw, "message/rfc822")
        message = syncing.stored_message(mailbox, envelope, placement, identity)
        return msgspec.structs.replace(message, stub_reason=reason, raw_ref=name)

    def body(self, document: Message | Outbox) -> StoredBody:
        """A document's text and HTML, wherever they are kept."""
        if document.body_ref is None:
            return StoredBody(text=document.text, html=document.html)
        return msgspec.json.decode(self.blobs.get(document.body_ref), type=StoredBody)


@dataclass(frozen=True, slots=True)
class AttachmentCopies:
    """Copies attachments from Gmail to Cloud Storage, after their message is visible."""

    mailboxes: Mailboxes
    crm: Crm
    gmail: Gmail
    blobs: Blobs

    def copy(self, location_id: str, message_id: str, tries: int) -> None:
        """Copy every pending attachment; a repeat copies nothing.

        The task comes before its message. Temporary while that is missing; after some tries it was never stored, and the
        run that does store it has made a task of its own.
        """
        message = self.crm.message(location_id, message_id)
        if message is None and tries < _TRIES:
            raise Temporary("The message is not stored yet.", reason="not_stored_yet")
        if message is None:
            return
        if not any(attachment.state is AttachmentState.PENDING for attachment in message.attachments):
            return
        settled = self._settled(message)
        self.crm.attachments_settled(location_id, message_id, settled)

    def _settled(self, message: Message) -> list[Attachment]:
        for mailbox_id, copy in message.copies.items():
            mailbox = self.mailboxes.mailbox(mailbox_id)
            if mailbox and mailbox.links:
                gmail = self.gmail.open(mailbox)
                return self._copied(message, gmail, copy.gmail_message_id)
        return [_unavailable(attachment) for attachment in message.attachments]

    def _copied(self, message: Message, gmail: GmailMailbox, gmail_message_id: str) -> list[Attachment]:
        """Gmail's attachment ids change with every answer, so the message is read again and its parts are found by place."""
        fetched = gmail.messages([gmail_message_id])
        for exc in fetched.failed.values():
            raise exc
        if gmail_message_id not in fetched.found:
            return [_unavailable(attachment) for attachment in message.attachments]
        resource = fetched.found[gmail_message_id]
        parts = {part.part_id: part for part in _read(gmail, resource, read_envelope(resource)).attachments}
        return [self._copy(message, gmail, gmail_message_id, a, parts.get(a.part_id)) for a in message.attachments]

    def _copy(
        self,
        message: Message,
        gmail: GmailMailbox,
        gmail_message_id: str,
        attachment: Attachment,
        part: MailPart | None,
    ) -> Attachment:
        if attachment.state is not AttachmentState.PENDING:
            return attachment
        try:
            content = _content(gmail, gmail_message_id, part)
        except NotFound:
            return _unavailable(attachment)
        self.blobs.put(blob_name(message.location_id, attachment.attachment_id), content, "application/octet-stream")
        return msgspec.structs.replace(attachment, state=AttachmentState.STORED, size=len(content))


def blob_name(location_id: str, attachment_id: str) -> str:
    """Where an attachment's content is kept."""
    return f"attachments/{location_id}/{attachment_id}"


def _content(gmail: GmailMailbox, gmail_message_id: str, part: MailPart | None) -> bytes:
    if part is not None and part.data is not None:
        return part.data
    if part is not None and part.gmail_attachment_id is not None:
        return gmail.part(gmail_message_id, part.gmail_attachment_id)
    attached = attached_mail(gmail.raw(gmail_message_id), part.part_id) if part is not None else None
    if attached is None:
        raise NotFound("Gmail no longer has this attachment.")
    return attached


def _raw_fingerprint(envelope: Envelope, raw: bytes) -> str:
    """A fingerprint for a mail that cannot be read: transport headers differ from copy to copy, its content does not."""
    content = _END_OF_HEADERS.split(raw, maxsplit=1)[-1]
    return fingerprint(envelope, Body(text=hashlib.sha256(content).hexdigest(), html=""))


def _read(gmail: GmailMailbox, resource: Resource, envelope: Envelope) -> Body:
    missing = missing_parts(resource)
    fetched = {part.attachment_id: gmail.part(envelope.gmail_message_id, part.attachment_id) for part in missing}
    return read_body(resource, fetched)


def _unavailable(attachment: Attachment) -> Attachment:
    if attachment.state is not AttachmentState.PENDING:
        return attachment
    return msgspec.structs.replace(attachment, state=AttachmentState.UNAVAILABLE)
