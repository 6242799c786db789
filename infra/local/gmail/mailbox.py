"""One mailbox: its messages, threads, labels and history, all in memory."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from infra.local.gmail import mime
from infra.local.gmail.accounts import Account
from infra.local.gmail.clock import Clock
from infra.local.gmail.errors import JSON, not_found
from infra.local.gmail.header_block import HeaderBlock
from infra.local.gmail.history_log import Change, HistoryLog
from infra.local.gmail.label_names import UserLabel
from infra.local.gmail.thread_rules import message_ids

Listener = Callable[["Mailbox", Change], None]


@dataclass(eq=False)
class Message:
    """A stored message; `raw` are its exact bytes, `internal_ms` its time of receipt."""

    id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    internal_ms: int
    history_id: int = 0

    @cached_property
    def part(self) -> mime.Part:
        """The message taken apart, once."""
        return mime.parse(self.raw)

    @cached_property
    def head(self) -> HeaderBlock:
        """The header fields of the message itself."""
        return HeaderBlock(self.part.fields)

    @property
    def rfc_message_ids(self) -> list[str]:
        """What its Message-ID field names: usually one id, none in odd mail."""
        return message_ids(self.head.values("Message-ID"))


@dataclass(eq=False)
class Mailbox:
    """A user's mail; every change goes through the methods below, into the history and to the listener."""

    account: Account
    clock: Clock
    random: Random
    listener: Listener
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    user_labels: dict[str, UserLabel] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    sent_at: list[float] = field(default_factory=list)
    known_ids: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.history = HistoryLog(self.random)
        self._labels_made = 0

    def get(self, message_id: str) -> Message:
        """A message by its id; 404 if there is none."""
        message = self.messages.get(message_id)
        if message is None:
            raise not_found()
        return message

    def thread(self, thread_id: str) -> list[Message]:
        """A thread's messages in order; 404 if there is no such thread."""
        if thread_id not in self.threads:
            raise not_found()
        return [self.messages[message_id] for message_id in self.threads[thread_id]]

    def with_rfc_id(self, rfc_id: str) -> list[Message]:
        """The messages whose Message-ID is this one, oldest first."""
        return [self.messages[message_id] for message_id in self.known_ids.get(rfc_id, ())]

    def insert(self, raw: bytes, labels: Collection[str], thread_id: str = "", internal_ms: int = 0) -> Message:
        """Store a message in a thread, or in one of its own."""
        message_id = self._new_id()
        now_ms = internal_ms or int(self.clock.now() * 1000)
        message = Message(message_id, thread_id or message_id, raw, set(labels), now_ms)
        self.messages[message_id] = message
        self.threads.setdefault(message.thread_id, []).append(message_id)
        for rfc_id in message.rfc_message_ids:
            self.known_ids.setdefault(rfc_id, []).append(message_id)
        self._record(message, added=True)
        return message

    def relabel(self, message: Message, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
        """Change a message's labels; what it has or lacks already leaves no trace in the history."""
        gained = sorted(set(add) - message.labels)
        lost = sorted((set(remove) & message.labels) - set(add))
        message.labels = (message.labels | set(gained)) - set(lost)
        if gained or lost:
            self._record(message, labels_added=tuple(gained), labels_removed=tuple(lost))

    def delete(self, message: Message) -> None:
        """Remove a message for ever, and its thread with the last one."""
        del self.messages[message.id]
        self.threads[message.thread_id].remove(message.id)
        if not self.threads[message.thread_id]:
            del self.threads[message.thread_id]
        for rfc_id in message.rfc_message_ids:
            self.known_ids[rfc_id].remove(message.id)
        self._record(message, deleted=True)

    def add_label(self, name: str, settings: JSON) -> UserLabel:
        """A new label of the user's; ids are given out once."""
        self._labels_made += 1
        label = UserLabel(f"Label_{self._labels_made}", name, settings)
        self.user_labels[label.id] = label
        return label

    def notification(self) -> JSON:
        """The payload of a push notification about the present state."""
        return {"emailAddress": self.account.email, "historyId": self.history.last}

    def _record(
        self,
        message: Message,
        *,
        added: bool = False,
        deleted: bool = False,
        labels_added: tuple[str, ...] = (),
        labels_removed: tuple[str, ...] = (),
    ) -> None:
        message.history_id = self.history.next_id()
        labels = tuple(sorted(message.labels))
        change = Change(
            message.history_id,
            self.clock.now(),
            message.id,
            message.thread_id,
            labels,
            added,
            deleted,
            labels_added,
            labels_removed,
        )
        self.history.append(change)
        self.listener(self, change)

    def _new_id(self) -> str:
        """16 hex digits that grow with time, as Gmail's do."""
        while True:
            candidate = f"{int(self.clock.now() * 1000):011x}{self.random.getrandbits(20):05x}"
            if candidate not in self.messages:
                return candidate
