"""Users, contacts, conversations and messages, as the CRM reads and writes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from google.cloud import firestore

from mailbridge.adapters.store import database as db
from mailbridge.adapters.store.codec import from_fields, to_fields
from mailbridge.domain.model import Attachment, Contact, Conversation, Message, User

_NEWEST_FIRST = firestore.Query.DESCENDING
_MARKED_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class FirestoreCrm:
    """Implements `ports.Crm`."""

    client: Any

    @db.guarded
    def user(self, location_id: str, user_id: str) -> User | None:
        """One user."""
        return db.read(db.user(self.client, location_id, user_id), User)

    @db.guarded
    def put_user(self, location_id: str, user: User) -> User:
        """Store name, emails and role; keeps the link and re-marks internal contacts (B8)."""
        reference = db.user(self.client, location_id, user.user_id)

        def put(transaction: Any) -> tuple[User, User]:
            before = db.read(reference, User, transaction) or user
            linked = msgspec.structs.replace(user, mailbox_id=before.mailbox_id, linked_at=before.linked_at)
            transaction.set(reference, to_fields(linked))
            return before, linked

        before, stored = db.transact(self.client, put)
        self._mark_internal(location_id, dict.fromkeys((*before.emails, *stored.emails)))
        return stored

    def _mark_internal(self, location_id: str, emails: Iterable[str]) -> None:
        """Contacts with an address that a user has, or had until now."""
        contacts = db.location(self.client, location_id).collection("contacts")
        for chunk in db.chunks(emails, db.DISJUNCTIONS):
            for snapshot in db.where(contacts, "emails", "array_contains_any", chunk).stream():
                internal = self._is_internal(from_fields(snapshot.to_dict(), Contact))
                snapshot.reference.update({"internal": internal})

    @db.guarded
    def contact(self, location_id: str, contact_id: str) -> Contact | None:
        """One contact."""
        return db.read(db.contact(self.client, location_id, contact_id), Contact)

    @db.guarded
    def put_contact(self, contact: Contact) -> Contact:
        """Store; keeps `created_at`, decides `internal` (B8)."""
        internal = self._is_internal(contact)
        reference = db.contact(self.client, contact.location_id, contact.contact_id)

        def put(transaction: Any) -> Contact:
            before = db.read(reference, Contact, transaction) or contact
            kept = msgspec.structs.replace(contact, created_at=before.created_at, internal=internal)
            transaction.set(reference, to_fields(kept))
            return kept

        return db.transact(self.client, put)

    def _is_internal(self, contact: Contact) -> bool:
        users = db.location(self.client, contact.location_id).collection("users")
        queries = (
            db.where(users, "emails", "array_contains_any", chunk)
            for chunk in db.chunks(contact.emails, db.DISJUNCTIONS)
        )
        return any(True for query in queries for _ in query.limit(1).stream())

    @db.guarded
    def delete_contact(self, location_id: str, contact_id: str) -> None:
        """Remove the contact; its conversation stays."""
        db.contact(self.client, location_id, contact_id).delete()

    @db.guarded
    def contacts(self, location_id: str, after: str | None, limit: int) -> list[Contact]:
        """By id, after this id."""
        contacts = db.location(self.client, location_id).collection("contacts")
        return db.found(_page(contacts.order_by("contactId"), contacts, after, limit), Contact)

    @db.guarded
    def conversation(self, location_id: str, conversation_id: str) -> Conversation | None:
        """One conversation."""
        return db.read(db.conversation(self.client, location_id, conversation_id), Conversation)

    @db.guarded
    def conversations(self, location_id: str, after: str | None, limit: int) -> list[Conversation]:
        """Newest first, after this conversation."""
        conversations = db.location(self.client, location_id).collection("conversations")
        ordered = conversations.order_by("lastMessageMs", direction=_NEWEST_FIRST)
        return db.found(_page(ordered, conversations, after, limit), Conversation)

    @db.guarded
    def messages(self, location_id: str, conversation_id: str, after: str | None, limit: int) -> list[Message]:
        """Newest first, after this message."""
        messages = db.location(self.client, location_id).collection("messages")
        ordered = db.where(messages, "conversationId", "==", conversation_id).order_by("date", direction=_NEWEST_FIRST)
        return db.found(_page(ordered, messages, after, limit), Message)

    @db.guarded
    def message(self, location_id: str, message_id: str) -> Message | None:
        """One message."""
        return db.read(db.message(self.client, location_id, message_id), Message)

    @db.guarded
    def mark_read(self, location_id: str, conversation_id: str) -> None:
        """All of a conversation's messages are read."""
        messages = db.location(self.client, location_id).collection("messages")
        unread = db.where(db.where(messages, "conversationId", "==", conversation_id), "read", "==", False)
        summary = db.conversation(self.client, location_id, conversation_id)

        def mark(transaction: Any) -> int:
            group = list(unread.limit(_MARKED_AT_ONCE).stream(transaction=transaction))
            for snapshot in group:
                transaction.update(snapshot.reference, {"read": True})
            if group:
                transaction.set(summary, {"unread": firestore.Increment(-len(group))}, merge=True)
            return len(group)

        while db.transact(self.client, mark) == _MARKED_AT_ONCE:
            pass

    @db.guarded
    def attachments_settled(self, location_id: str, message_id: str, attachments: Sequence[Attachment]) -> None:
        """Replace a message's attachments by their settled states."""
        db.message(self.client, location_id, message_id).update({"attachments": to_fields(tuple(attachments))})


def _page(ordered: Any, collection: Any, after: str | None, limit: int) -> Any:
    """The query from behind a document on; a document that is gone starts at the beginning."""
    if after:
        last = collection.document(after).get()
        if last.exists:
            ordered = ordered.start_after(last)
    return ordered.limit(limit)
