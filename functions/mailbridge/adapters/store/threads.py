"""What the sync reads and the one atomic write that it ends with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from google.api_core import exceptions as google_errors
from google.cloud import firestore

from mailbridge.adapters.store import database as db
from mailbridge.adapters.store.codec import from_fields, to_fields
from mailbridge.domain.model import Contact, Cursor, Message, gmail_key
from mailbridge.domain.syncing import ConversationUpdate, MessageUpdate, SyncCommit
from mailbridge.errors import Superseded
from mailbridge.ports import VersionedCursor


@dataclass(frozen=True, slots=True)
class FirestoreThreads:
    """Implements `ports.Threads`."""

    client: Any

    @db.guarded
    def by_copies(self, gmail_keys: Sequence[str]) -> list[Message]:
        """Stored messages with any of these Gmail copies."""
        return self._messages("gmailKeys", "array_contains_any", gmail_keys)

    @db.guarded
    def homes(self, thread_keys: Sequence[str]) -> list[Message]:
        """The messages on which these threads' homes stand."""
        return self._messages("threadHomes", "array_contains_any", thread_keys)

    @db.guarded
    def by_rfc_ids(self, mailbox_id: str, rfc_message_ids: Sequence[str]) -> list[Message]:
        """Stored messages of this mailbox with these Message-IDs."""
        messages = self._messages("rfcMessageId", "in", rfc_message_ids)
        return [message for message in messages if mailbox_id in message.copies]

    def _messages(self, path: str, operator: str, values: Sequence[str]) -> list[Message]:
        group = self.client.collection_group("messages")
        queries = (db.where(group, path, operator, chunk) for chunk in db.chunks(values, db.DISJUNCTIONS))
        return list({(m.location_id, m.message_id): m for query in queries for m in db.found(query, Message)}.values())

    @db.guarded
    def contacts(self, location_ids: Sequence[str], emails: Sequence[str]) -> list[Contact]:
        """Contacts of these locations with any of these addresses; Firestore allows 30 combinations a query."""
        found: dict[tuple[str, str], Contact] = {}
        for locations in db.chunks(location_ids, db.DISJUNCTIONS):
            for addresses in db.chunks(emails, db.DISJUNCTIONS // len(locations)):
                query = db.where(self.client.collection_group("contacts"), "locationId", "in", locations)
                query = db.where(query, "emails", "array_contains_any", addresses)
                found |= {(c.location_id, c.contact_id): c for c in db.found(query, Contact)}
        return list(found.values())

    @db.guarded
    def commit(self, commit: SyncCommit, seen: VersionedCursor) -> VersionedCursor:
        """All of it or nothing."""
        try:
            return self._commit(commit, seen)
        except google_errors.AlreadyExists:
            return self._merge(commit, seen)

    def _merge(self, commit: SyncCommit, seen: VersionedCursor) -> VersionedCursor:
        """The commit, with what other mailboxes have stored already as further copies (B11)."""
        try:
            return self._commit(commit.without(self._existing(commit.created)), seen)
        except google_errors.AlreadyExists as exc:
            raise Superseded("Another mailbox is storing the same mail.") from exc

    def _existing(self, messages: Sequence[Message]) -> list[Message]:
        references = [db.message(self.client, m.location_id, m.message_id) for m in messages]
        return [from_fields(s.to_dict(), Message) for s in self.client.get_all(references) if s.exists]

    def _commit(self, commit: SyncCommit, seen: VersionedCursor) -> VersionedCursor:
        batch = self.client.batch()
        for message in commit.created:
            batch.create(db.message(self.client, message.location_id, message.message_id), to_fields(message))
        for update in commit.updated:
            batch.update(
                db.message(self.client, update.message.location_id, update.message.message_id), _message_fields(update)
            )
        for conversation in commit.conversations():
            self._summarise(batch, conversation)
        self._count_sent(batch, commit)
        guard = self.client.write_option(last_update_time=seen.version)
        batch.update(db.cursor(self.client, commit.mailbox_id), _cursor_fields(commit, seen.cursor), option=guard)
        try:
            results = batch.commit()
        except (google_errors.FailedPrecondition, google_errors.Aborted, google_errors.NotFound) as exc:
            raise Superseded("The mailbox's cursor has moved.") from exc
        moved = msgspec.structs.replace(seen.cursor, history_id=max(commit.history_id, seen.cursor.history_id))
        return VersionedCursor(moved, results[-1].update_time)

    def _summarise(self, batch: Any, update: ConversationUpdate) -> None:
        fields: dict[str, Any] = {
            "conversationId": update.conversation_id,
            "unread": firestore.Increment(update.unread),
        }
        if update.latest:
            fields |= latest_fields(update.latest)
        batch.set(db.conversation(self.client, update.location_id, update.conversation_id), fields, merge=True)

    def _count_sent(self, batch: Any, commit: SyncCommit) -> None:
        if commit.sent_from_gmail:
            buckets = {hour: firestore.Increment(count) for hour, count in commit.sent_from_gmail.items()}
            batch.set(db.allowance(self.client, commit.mailbox_id), {"buckets": buckets}, merge=True)


def latest_fields(message: Message) -> dict[str, Any]:
    """The conversation's summary with this message as its newest."""
    return {
        "lastMessageMs": firestore.Maximum(int(message.date.timestamp() * 1000)),
        "lastSnippet": message.snippet,
        "lastSubject": message.subject,
    }


def copy_fields(mailbox_id: str, gmail_message_id: str, thread_id: str) -> dict[str, Any]:
    """A message's fields for one more Gmail copy."""
    return {
        f"copies.`{mailbox_id}`": {"gmailMessageId": gmail_message_id, "threadId": thread_id},
        "gmailKeys": firestore.ArrayUnion([gmail_key(mailbox_id, gmail_message_id)]),
    }


def _message_fields(update: MessageUpdate) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "read": update.read,
        "presence": update.presence.value,
        "direction": update.direction.value,
    }
    if update.mailbox_id and update.copy:
        fields |= copy_fields(update.mailbox_id, update.copy.gmail_message_id, update.copy.thread_id)
    if update.thread_homes:
        fields["threadHomes"] = firestore.ArrayUnion(list(update.thread_homes))
    return fields


def _cursor_fields(commit: SyncCommit, seen: Cursor) -> dict[str, Any]:
    """The cursor's changes; `lastSyncAt` only moves with the cursor, because a resync starts from it (P6, P10)."""
    fields: dict[str, Any] = {"touched": firestore.Increment(1)}
    if commit.history_id > seen.history_id:
        fields |= {
            "historyId": commit.history_id,
            "covered": firestore.Maximum(commit.covered),
            "lastSyncAt": commit.at,
        }
    fields |= {f"skipped.{reason}": firestore.Increment(count) for reason, count in commit.skipped.items()}
    if commit.lag_seconds is not None:
        fields["lagSeconds"] = commit.lag_seconds
    if commit.gap:
        fields["gap"] = to_fields(commit.gap)
    return fields
