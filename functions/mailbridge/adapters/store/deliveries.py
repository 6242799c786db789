"""The outbox: each step of a delivery is one transaction or one atomic write."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from google.api_core import exceptions as google_errors
from google.cloud import firestore

from mailbridge.adapters.store import database as db
from mailbridge.adapters.store.codec import to_fields
from mailbridge.adapters.store.threads import copy_fields, latest_fields
from mailbridge.domain import quota
from mailbridge.domain.delivery import PENDING, UNRESOLVED, Decision, Refuse, Send
from mailbridge.domain.model import Allowance, Copy, Delivery, DeliveryState, Mailbox, Message, Outbox, gmail_key
from mailbridge.errors import Conflict, NotFound
from mailbridge.ports import Decide


@dataclass(frozen=True, slots=True)
class FirestoreDeliveries:
    """Implements `ports.Deliveries`."""

    client: Any

    @db.guarded
    def accept(self, message: Message, outbox: Outbox) -> Outbox:
        """Store both and the conversation's new end, once."""
        batch = self.client.batch()
        batch.create(db.outbox(self.client, outbox.message_id), to_fields(outbox))
        batch.create(db.message(self.client, message.location_id, message.message_id), to_fields(message))
        summary = {"conversationId": message.conversation_id, **latest_fields(message)}
        batch.set(db.conversation(self.client, message.location_id, message.conversation_id), summary, merge=True)
        try:
            batch.commit()
        except google_errors.AlreadyExists:
            return self.outbox(outbox.message_id) or outbox
        return outbox

    @db.guarded
    def outbox(self, message_id: str) -> Outbox | None:
        """One entry."""
        return db.read(db.outbox(self.client, message_id), Outbox)

    @db.guarded
    def advance(self, message_id: str, decide: Decide, now: datetime) -> Decision:
        """Read entry, mailbox and allowance, decide, store the decision."""
        reference = db.outbox(self.client, message_id)

        def step(transaction: Any) -> Decision:
            outbox = db.read(reference, Outbox, transaction)
            if outbox is None:
                raise NotFound("There is no such delivery.")
            mailbox = db.read(db.mailbox(self.client, outbox.mailbox_id), Mailbox, transaction)
            allowance_reference = db.allowance(self.client, outbox.mailbox_id)
            allowance = db.read(allowance_reference, Allowance, transaction) or Allowance()
            decision = decide(outbox, mailbox, allowance)
            if isinstance(decision, Send | Refuse) and decision.allowance is not None:
                transaction.set(allowance_reference, to_fields(decision.allowance))
            if decision.outbox != outbox:
                self._write(transaction, decision.outbox, _delivery(decision, now))
            return decision

        return db.transact(self.client, step)

    @db.guarded
    def sent(self, outbox: Outbox, copy: Copy, now: datetime) -> None:
        """It is in Gmail; the thread is this location's from now on, and nobody else's (E2, E3)."""
        key = gmail_key(outbox.mailbox_id, copy.thread_id)
        holders = db.where(self.client.collection_group("messages"), "threadHomes", "array_contains", key)
        homes = list(holders.stream())
        batch = self.client.batch()
        for snapshot in homes:
            if snapshot.get("locationId") != outbox.location_id:
                batch.update(snapshot.reference, {"threadHomes": firestore.ArrayRemove([key])})
        held = any(snapshot.get("locationId") == outbox.location_id for snapshot in homes)
        fields = copy_fields(outbox.mailbox_id, copy.gmail_message_id, copy.thread_id)
        fields |= {"delivery": to_fields(Delivery(state=DeliveryState.SENT, at=now))}
        fields |= {} if held else {"threadHomes": firestore.ArrayUnion([key])}
        batch.update(db.message(self.client, outbox.location_id, outbox.message_id), fields)
        batch.update(db.outbox(self.client, outbox.message_id), {"state": DeliveryState.SENT.value})
        batch.commit()

    @db.guarded
    def settle(self, outbox: Outbox, delivery: Delivery, *, release: datetime | None = None) -> None:
        """Another end or step, unless the mail has turned out to be sent meanwhile."""
        reference = db.outbox(self.client, outbox.message_id)
        allowance_reference = db.allowance(self.client, outbox.mailbox_id)

        def step(transaction: Any) -> None:
            stored = db.read(reference, Outbox, transaction)
            allowance = db.read(allowance_reference, Allowance, transaction) if release else None
            if stored is None or stored.state not in UNRESOLVED or stored.attempt != outbox.attempt:
                return
            if release and allowance:
                transaction.set(allowance_reference, to_fields(quota.release(allowance, release)))
            self._write(transaction, msgspec.structs.replace(outbox, state=delivery.state), delivery)

        db.transact(self.client, step)

    @db.guarded
    def cancel(self, location_id: str, message_id: str, now: datetime) -> Delivery:
        """D8: only what has not begun to leave can be cancelled."""
        reference = db.outbox(self.client, message_id)
        cancelled = Delivery(state=DeliveryState.CANCELLED, at=now)

        def step(transaction: Any) -> Delivery:
            outbox = db.read(reference, Outbox, transaction)
            if outbox is None or outbox.location_id != location_id:
                raise NotFound("There is no such message waiting to be sent.")
            if outbox.state is not DeliveryState.CANCELLED and outbox.state not in PENDING:
                raise Conflict(f"It is too late: the message is {outbox.state.value}.", reason=outbox.state.value)
            self._write(transaction, msgspec.structs.replace(outbox, state=DeliveryState.CANCELLED), cancelled)
            return cancelled

        return db.transact(self.client, step)

    @db.guarded
    def stuck(self, before: datetime, limit: int) -> list[Outbox]:
        """Entries due before then that are neither ended nor cancelled."""
        states = sorted(state.value for state in PENDING | UNRESOLVED)
        open_entries = db.where(self.client.collection("outbox"), "state", "in", states)
        return db.found(db.where(open_entries, "dueAt", "<", before).order_by("dueAt").limit(limit), Outbox)

    def _write(self, transaction: Any, outbox: Outbox, delivery: Delivery) -> None:
        transaction.set(db.outbox(self.client, outbox.message_id), to_fields(outbox))
        message = db.message(self.client, outbox.location_id, outbox.message_id)
        transaction.update(message, {"delivery": to_fields(delivery)})


def _delivery(decision: Decision, now: datetime) -> Delivery:
    """What a person sees of a decision."""
    reason = getattr(decision, "reason", None)
    retry_at = decision.retry_at if isinstance(decision, Refuse) else getattr(decision, "at", None)
    return Delivery(state=decision.outbox.state, at=now, reason=reason, retry_at=retry_at)
