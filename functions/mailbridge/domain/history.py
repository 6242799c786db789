"""Gmail's history as a list of changes per message, cut where it can be stored as a whole."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

HIDDEN = frozenset({"DRAFT", "CHAT", "SPAM", "TRASH", "SCHEDULED"})
"""Labels under which a message never enters the CRM (B9)."""

NEVER_STORED = frozenset({"DRAFT", "CHAT"})
"""Labels whose changes concern no stored message: somebody is writing."""

BATCH = 25
"""Messages fetched and stored at once: more per batch draws 429 from Gmail (P23)."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message as history names it: its ids and the labels it had then."""

    gmail_message_id: str
    thread_id: str
    label_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """One entry of Gmail's history."""

    history_id: int
    added: tuple[MessageRef, ...] = ()
    deleted: tuple[MessageRef, ...] = ()
    relabelled: tuple[MessageRef, ...] = ()
    unhidden: tuple[MessageRef, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """All records after a cursor; `history_id` is the mailbox's own when the first page was read."""

    records: tuple[HistoryRecord, ...]
    history_id: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run of records comes to, and the cursor that stands for having stored it.

    `new` may have to be fetched; `known` only matters where the message is stored already (labels as they are at the end);
    `deleted` holds ids of messages that Gmail has forgotten.
    """

    cursor: int
    records: tuple[HistoryRecord, ...] = ()
    new: dict[str, MessageRef] = field(default_factory=dict)
    known: dict[str, MessageRef] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    def before(self, gmail_message_ids: Collection[str]) -> "Changes | None":
        """The complete records ahead of the first that names one of these messages; None where there are none (P1)."""
        ahead: list[HistoryRecord] = []
        for record in self.records:
            if any(ref.gmail_message_id in gmail_message_ids for ref in _mentions([record])):
                break
            ahead.append(record)
        return fold(ahead, ahead[-1].history_id) if ahead else None


def runs(history: History, size: int = BATCH) -> Iterator[Changes]:
    """The history in runs of complete records with at most `size` new messages each (a longer record stands alone).

    Every run's cursor covers exactly what it holds, so that a crash between two runs loses nothing (P1).
    """
    batch: list[HistoryRecord] = []
    count = 0
    for record in history.records:
        arriving = len(record.added) + len(record.unhidden)
        if batch and count + arriving > size:
            yield fold(batch, batch[-1].history_id)
            batch, count = [], 0
        batch.append(record)
        count += arriving
    if batch:
        yield fold(batch, batch[-1].history_id)


def fold(records: Sequence[HistoryRecord], cursor: int) -> Changes:
    """What these records come to, message by message, in their order."""
    latest = {ref.gmail_message_id: ref for ref in _mentions(records)}
    deleted = frozenset(ref.gmail_message_id for record in records for ref in record.deleted)
    arriving = {ref.gmail_message_id for record in records for ref in (*record.added, *record.unhidden)}
    return Changes(
        cursor=cursor,
        records=tuple(records),
        new={key: latest[key] for key in latest if key in arriving - deleted and not latest[key].label_ids & HIDDEN},
        known={key: ref for key, ref in latest.items() if key not in deleted and not ref.label_ids & NEVER_STORED},
        deleted=deleted,
    )


def _mentions(records: Iterable[HistoryRecord]) -> Iterator[MessageRef]:
    for record in records:
        yield from (*record.added, *record.relabelled, *record.unhidden)
