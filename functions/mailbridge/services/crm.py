"""What the CRM reads and writes: mailbox, contacts, users, conversations, messages (H1, H2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from mailbridge.domain import quota, views
from mailbridge.domain.addresses import is_address, normalise
from mailbridge.domain.model import AttachmentState, Contact, Document, MailboxState, Message, User
from mailbridge.domain.views import ContactView, ConversationView, MailboxView, MessageView, Page, UserView
from mailbridge.errors import Conflict, InvalidRequest, NotFound
from mailbridge.ports import Blobs, Clock, Crm, Mailboxes
from mailbridge.services.contents import Contents, blob_name

PAGE = 50
"""Items of a list's page."""

D = TypeVar("D", bound=Document)
V = TypeVar("V", bound=Document)


@dataclass(frozen=True, slots=True)
class Reading:
    """The API's resources, each for one location that the caller may see."""

    crm: Crm
    mailboxes: Mailboxes
    contents: Contents
    blobs: Blobs
    clock: Clock

    def mailbox(self, location_id: str, user_id: str) -> MailboxView:
        """The caller's linked mailbox: address, state, since when, allowance, lag, what was left out and why (A3, J1)."""
        user = self.crm.user(location_id, user_id)
        mailbox = self.mailboxes.mailbox(user.mailbox_id) if user and user.mailbox_id else None
        link = mailbox.link(location_id, user_id) if mailbox else None
        if mailbox is None or link is None or mailbox.state is MailboxState.CLOSING:
            raise NotFound("No Gmail is linked here. Connect one.")
        room = quota.room(self.mailboxes.allowance(mailbox.mailbox_id), mailbox.daily_limit, self.clock())
        seen = self.mailboxes.cursor(mailbox.mailbox_id)
        return views.mailbox(mailbox, link, room, seen.cursor if seen else None)

    def contact(self, location_id: str, contact_id: str) -> ContactView:
        """One contact."""
        return views.contact(_found(self.crm.contact(location_id, contact_id), "contact"))

    def contacts(self, location_id: str, cursor: str | None) -> Page:
        """Contacts by id."""
        return _page(self.crm.contacts(location_id, cursor, PAGE + 1), views.contact, lambda view: view.contact_id)

    def conversation(self, location_id: str, conversation_id: str) -> ConversationView:
        """One conversation."""
        return views.conversation(_found(self.crm.conversation(location_id, conversation_id), "conversation"))

    def conversations(self, location_id: str, cursor: str | None) -> Page:
        """Conversations, newest first."""
        found = self.crm.conversations(location_id, cursor, PAGE + 1)
        return _page(found, views.conversation, lambda view: view.conversation_id)

    def messages(self, location_id: str, conversation_id: str, cursor: str | None) -> Page:
        """A conversation's messages, newest first, without their bodies."""
        found = self.crm.messages(location_id, conversation_id, cursor, PAGE + 1)
        return _page(found, views.message, lambda view: view.message_id)

    def message(self, location_id: str, message_id: str) -> MessageView:
        """One message with its body."""
        message = _found(self.crm.message(location_id, message_id), "message")
        body = self.contents.body(message)
        return msgspec.structs.replace(views.message(message), body=views.Body(text=body.text, html=body.html))

    def read(self, location_id: str, conversation_id: str) -> None:
        """Mark all of a conversation as read."""
        self.crm.mark_read(location_id, conversation_id)

    def attachment_url(self, location_id: str, attachment_id: str) -> str:
        """Where an attachment can be downloaded for a few minutes."""
        message = _found(self.crm.message(location_id, attachment_id.partition(".")[0]), "attachment")
        attachment = next((a for a in message.attachments if a.attachment_id == attachment_id), None)
        attachment = _found(attachment, "attachment")
        if attachment.state is not AttachmentState.STORED:
            raise Conflict(f"This attachment is {attachment.state.value}.", reason=attachment.state.value)
        return self.blobs.url(blob_name(location_id, attachment_id), attachment.name, attachment.mime_type)

    def raw_url(self, location_id: str, message_id: str) -> str:
        """Where the raw copy of a message that could not be read can be downloaded (J6)."""
        message: Message = _found(self.crm.message(location_id, message_id), "message")
        return self.blobs.url(_found(message.raw_ref, "raw copy"), f"{message_id}.eml", "message/rfc822")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeps users and contacts in step with the CRM."""

    crm: Crm
    clock: Clock

    def put_user(self, location_id: str, user_id: str, name: str, emails: Sequence[str], role: str) -> UserView:
        """Create or replace a user; an existing link stays."""
        user = User(user_id=user_id, name=name, emails=_normalised(emails), role=role)
        return views.user(self.crm.put_user(location_id, user))

    def put_contact(
        self,
        location_id: str,
        contact_id: str,
        name: str,
        emails: Sequence[str],
        assigned_to: str | None,
        created_at: datetime | None,
    ) -> ContactView:
        """Create or replace a contact; a contact keeps the time of its creation (B6)."""
        contact = Contact(
            contact_id=contact_id,
            location_id=location_id,
            name=name,
            emails=_normalised(emails),
            assigned_to=assigned_to,
            created_at=(created_at or self.clock()).astimezone(UTC),
        )
        return views.contact(self.crm.put_contact(contact))

    def delete_contact(self, location_id: str, contact_id: str) -> None:
        """Remove a contact; its conversation stays readable."""
        self.crm.delete_contact(location_id, contact_id)


def _normalised(emails: Sequence[str]) -> tuple[str, ...]:
    normalised = tuple(dict.fromkeys(normalise(email) for email in emails))
    for position, email in enumerate(normalised):
        if not is_address(email):
            raise InvalidRequest(f"Address {position + 1} is not a mail address.", reason="bad_address")
    return normalised


T = TypeVar("T")


def _found(value: T | None, name: str) -> T:
    if value is None:
        raise NotFound(f"There is no such {name} in this location.")
    return value


def _page(found: Sequence[D], view: Callable[[D], V], key: Callable[[V], str]) -> Page:
    items = [view(document) for document in found[:PAGE]]
    return Page(items=tuple(items), next_cursor=key(items[-1]) if len(found) > PAGE else None)
