"""A mailbox's history: sparse ascending ids, one record a change, forgotten on demand."""

import bisect
from dataclasses import dataclass, field
from random import Random

from infra.local.gmail.errors import JSON

KINDS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


@dataclass(frozen=True)
class Change:
    """What happened to one message; `labels` are those it had afterwards (before, for a deletion)."""

    id: int
    at: float
    message_id: str
    thread_id: str
    labels: tuple[str, ...]
    added: bool = False
    deleted: bool = False
    labels_added: tuple[str, ...] = ()
    labels_removed: tuple[str, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        """All labels that the change is about: what filters compare with."""
        return frozenset(self.labels) | set(self.labels_added) | set(self.labels_removed)

    def resource(self, kinds: frozenset[str]) -> JSON | None:
        """Gmail's `History` restricted to some of `KINDS`; None if nothing remains."""
        parts = {name: entries for name, entries in self._parts().items() if name in kinds}
        bare = {"id": self.message_id, "threadId": self.thread_id}
        return {"id": str(self.id), "messages": [bare], **parts} if parts else None

    def _parts(self) -> JSON:
        message: JSON = {"id": self.message_id, "threadId": self.thread_id}
        message |= {"labelIds": list(self.labels)} if self.labels else {}
        parts: JSON = {"messagesAdded": [{"message": message}]} if self.added else {}
        parts |= {"messagesDeleted": [{"message": message}]} if self.deleted else {}
        if self.labels_added:
            parts["labelsAdded"] = [{"message": message, "labelIds": list(self.labels_added)}]
        if self.labels_removed:
            parts["labelsRemoved"] = [{"message": message, "labelIds": list(self.labels_removed)}]
        return parts


@dataclass
class HistoryLog:
    """Ids ascend with gaps and stay far below 2⁵³; nothing older than `floor` can be asked for."""

    random: Random
    last: int = 0
    floor: int = 0
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.floor = self.random.randrange(10_000, 1_000_000)

    def next_id(self) -> int:
        """The id for the next change."""
        self.last += self.random.randrange(1, 60)
        return self.last

    def append(self, change: Change) -> None:
        """Remember a change that has the id given out last."""
        self.changes.append(change)

    def since(self, start: int, until: float) -> list[Change]:
        """The changes after id `start` that happened up to `until` (seconds since the epoch)."""
        first = bisect.bisect_right(self.changes, start, key=lambda change: change.id)
        return [change for change in self.changes[first:] if change.at <= until]

    def expire(self) -> None:
        """Forget all that happened so far: older start ids answer 404 from now on (P6)."""
        self.floor = self.last
        self.changes.clear()
