"""Mailboxes, their links, cursors and allowances, and connections under way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from google.cloud import firestore

from mailbridge.adapters.store import database as db
from mailbridge.adapters.store.codec import from_fields, to_fields
from mailbridge.domain.model import Allowance, ConnectState, Cursor, Link, Mailbox, MailboxState, User
from mailbridge.ports import VersionedCursor


@dataclass(frozen=True, slots=True)
class FirestoreMailboxes:
    """Implements `ports.Mailboxes`."""

    client: Any

    @db.guarded
    def add_connect_state(self, state: ConnectState) -> None:
        """Remember a connection under way."""
        db.connect_state(self.client, state.state_id).create(to_fields(state))

    @db.guarded
    def take_connect_state(self, state_id: str) -> ConnectState | None:
        """The connection, once."""
        reference = db.connect_state(self.client, state_id)

        def take(transaction: Any) -> ConnectState | None:
            state = db.read(reference, ConnectState, transaction)
            if state:
                transaction.delete(reference)
            return state

        return db.transact(self.client, take)

    @db.guarded
    def mailbox(self, mailbox_id: str) -> Mailbox | None:
        """The mailbox and its links."""
        return db.read(db.mailbox(self.client, mailbox_id), Mailbox)

    @db.guarded
    def cursor(self, mailbox_id: str) -> VersionedCursor | None:
        """The cursor with its version."""
        snapshot = db.cursor(self.client, mailbox_id).get()
        if not snapshot.exists:
            return None
        return VersionedCursor(from_fields(snapshot.to_dict(), Cursor), snapshot.update_time)

    @db.guarded
    def allowance(self, mailbox_id: str) -> Allowance:
        """What was sent in the last hours."""
        return db.read(db.allowance(self.client, mailbox_id), Allowance) or Allowance()

    @db.guarded
    def link(self, mailbox: Mailbox, link: Link, history_id: int) -> str | None:
        """Store grant and link in one transaction."""
        return db.transact(self.client, lambda transaction: self._link(transaction, mailbox, link, history_id))

    def _link(self, transaction: Any, mailbox: Mailbox, link: Link, history_id: int) -> str | None:
        cursor = db.cursor(self.client, mailbox.mailbox_id)
        user_reference = db.user(self.client, link.location_id, link.user_id)
        user = db.read(user_reference, User, transaction) or User(user_id=link.user_id)
        stored = db.read(db.mailbox(self.client, mailbox.mailbox_id), Mailbox, transaction)
        synced = cursor.get(transaction=transaction).exists
        previous = self._previous(transaction, user, mailbox.mailbox_id)

        links = {**(stored.links if stored else {}), link.key: _first(stored, link)}
        transaction.set(
            db.mailbox(self.client, mailbox.mailbox_id), to_fields(msgspec.structs.replace(mailbox, links=links))
        )
        if not synced:
            fresh = Cursor(mailbox_id=mailbox.mailbox_id, history_id=history_id, last_sync_at=link.linked_at)
            transaction.set(cursor, to_fields(fresh))
        linked = {"userId": user.user_id, "mailboxId": mailbox.mailbox_id, "linkedAt": links[link.key].linked_at}
        transaction.set(user_reference, linked, merge=True)
        return self._without(transaction, previous, link.key) if previous else None

    def _previous(self, transaction: Any, user: User, mailbox_id: str) -> Mailbox | None:
        if user.mailbox_id in (None, mailbox_id):
            return None
        return db.read(db.mailbox(self.client, str(user.mailbox_id)), Mailbox, transaction)

    @db.guarded
    def unlink(self, location_id: str, user_id: str) -> str | None:
        """Remove the user's link at once."""
        reference = db.user(self.client, location_id, user_id)

        def remove(transaction: Any) -> str | None:
            user = db.read(reference, User, transaction)
            if user is None or user.mailbox_id is None:
                return None
            mailbox = db.read(db.mailbox(self.client, user.mailbox_id), Mailbox, transaction)
            transaction.update(reference, {"mailboxId": None, "linkedAt": None})
            return self._without(transaction, mailbox, f"{location_id}/{user_id}") if mailbox else None

        return db.transact(self.client, remove)

    def _without(self, transaction: Any, mailbox: Mailbox, link_key: str) -> str | None:
        """Write the mailbox without this link; without any, it is closing and its cursor is gone.

        Either way the cursor is touched, so that a sync under way loses its compare-and-set and looks again (A6).
        """
        links = {key: link for key, link in mailbox.links.items() if key != link_key}
        state = mailbox.state if links else MailboxState.CLOSING
        left = msgspec.structs.replace(mailbox, links=links, state=state)
        transaction.set(db.mailbox(self.client, mailbox.mailbox_id), to_fields(left))
        cursor = db.cursor(self.client, mailbox.mailbox_id)
        if links:
            transaction.set(cursor, {"touched": firestore.Increment(1)}, merge=True)
            return None
        transaction.delete(cursor)
        return mailbox.mailbox_id

    @db.guarded
    def watched(self, mailbox_id: str, expires_at: datetime) -> None:
        """Remember until when Gmail notifies."""
        db.mailbox(self.client, mailbox_id).update({"watchExpiresAt": expires_at})

    @db.guarded
    def require_reconnect(self, mailbox_id: str, grant: bytes) -> None:
        """State `reauth_required`, unless the grant was replaced meanwhile."""
        reference = db.mailbox(self.client, mailbox_id)

        def mark(transaction: Any) -> None:
            mailbox = db.read(reference, Mailbox, transaction)
            if mailbox and mailbox.grant == grant and mailbox.state is MailboxState.ACTIVE:
                transaction.update(reference, {"state": MailboxState.REAUTH_REQUIRED.value})

        db.transact(self.client, mark)

    @db.guarded
    def forget(self, mailbox_id: str) -> None:
        """Delete a mailbox that is `closing`."""
        reference = db.mailbox(self.client, mailbox_id)

        def drop(transaction: Any) -> None:
            mailbox = db.read(reference, Mailbox, transaction)
            if mailbox and mailbox.state is MailboxState.CLOSING:
                transaction.delete(reference)

        db.transact(self.client, drop)

    @db.guarded
    def all(self) -> Iterable[Mailbox]:
        """Every mailbox."""
        return db.found(self.client.collection("mailboxes"), Mailbox)


def _first(stored: Mailbox | None, link: Link) -> Link:
    """A link that exists keeps its date: connecting again must not hide the mail since then (A7, A8)."""
    return (stored.links.get(link.key) if stored else None) or link
