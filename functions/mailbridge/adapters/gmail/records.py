"""Gmail's JSON as values of the domain."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from mailbridge.domain.history import HistoryRecord, MessageRef
from mailbridge.ports import Resource, Watch

HISTORY_FIELDS = (
    "nextPageToken,historyId,history(id,messagesAdded/message(id,threadId,labelIds),"
    "messagesDeleted/message(id,threadId,labelIds),labelsAdded/message(id,threadId,labelIds),"
    "labelsRemoved(labelIds,message(id,threadId,labelIds)))"
)
"""All that a record's reading needs, and no more."""

_HIDING = frozenset({"SPAM", "TRASH", "DRAFT"})


def history_record(record: Mapping[str, Any]) -> HistoryRecord:
    """One entry of `users.history.list`; a message that loses a hiding label comes into view like a new one (P2)."""
    removed = record.get("labelsRemoved", ())
    return HistoryRecord(
        history_id=int(record["id"]),
        added=_refs(record.get("messagesAdded", ())),
        deleted=_refs(record.get("messagesDeleted", ())),
        relabelled=_refs((*record.get("labelsAdded", ()), *removed)),
        unhidden=_refs(change for change in removed if _HIDING.intersection(change.get("labelIds", ()))),
    )


def message_ref(message: Mapping[str, Any]) -> MessageRef:
    """A message as history and lists name it; a list names no labels."""
    return MessageRef(message["id"], message["threadId"], frozenset(message.get("labelIds", ())))


def watch(answer: Mapping[str, Any]) -> Watch:
    """The answer of `users.watch`; its expiry is in milliseconds."""
    expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)
    return Watch(history_id=int(answer["historyId"]), expires_at=expires_at)


def content(encoded: str) -> bytes:
    """What stands base64url-encoded, with its padding or without (P27)."""
    return base64.urlsafe_b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4))


def header(resource: Resource, name: str) -> str | None:
    """A header of a message in `format=metadata`; Gmail keeps the case that the sender chose."""
    headers = resource.get("payload", {}).get("headers", ())
    return next((entry["value"].strip() for entry in headers if entry["name"].lower() == name.lower()), None)


def _refs(changes: Iterable[Mapping[str, Any]]) -> tuple[MessageRef, ...]:
    return tuple(message_ref(change["message"]) for change in changes)
