"""A queue's tasks by name, and the names of those that are gone: Cloud Tasks keeps them from being used again."""

import heapq
from collections import deque
from itertools import count

from infra.local.tasks.clock import Clock
from infra.local.tasks.entry import Entry, State
from infra.local.tasks.errors import exists, not_found

REMEMBERED_TASKS = 10_000


class Ledger:
    """The tasks of one queue, in the order in which they are due.

    A name stays taken for `dedupe_seconds` after its task is done, given up or deleted (Google: up to 24 hours).
    """

    def __init__(self, clock: Clock, dedupe_seconds: float) -> None:
        self._clock = clock
        self._dedupe_seconds = dedupe_seconds
        self._entries: dict[str, Entry] = {}
        self._released: dict[str, float] = {}
        self._past: deque[Entry] = deque(maxlen=REMEMBERED_TASKS)
        self._order: list[tuple[float, int, Entry]] = []
        self._places: dict[Entry, int] = {}
        self._numbers = count()

    def add(self, entry: Entry) -> None:
        """Take a new task in, refusing a name that is or recently was in use."""
        name = entry.task.name
        if name in self._entries or self._recent(name):
            raise exists(f"{name} is or recently was in use: this task is known already")
        self._entries[name] = entry
        self.place(entry)

    def get(self, name: str) -> Entry:
        """Answer the task of this name, refusing one that is not, or no longer, there."""
        if name in self._entries:
            return self._entries[name]
        if self._recent(name):
            raise not_found(f"{name} existed until recently: it is done, given up or deleted")
        raise not_found(f"{name} does not exist")

    def holds(self, entry: Entry) -> bool:
        """Tell whether the entry is still in the queue."""
        return entry.ended is None

    def place(self, entry: Entry) -> None:
        """Line the entry up by its due time, giving up the place that it had."""
        number = next(self._numbers)
        self._places[entry] = number
        heapq.heappush(self._order, (entry.due, number, entry))

    def withdraw(self, entry: Entry) -> None:
        """Take the entry out of the line; it stays in the queue."""
        self._places.pop(entry, None)

    def first(self) -> Entry | None:
        """Answer the entry that is due first."""
        while self._order and self._places.get(self._order[0][2]) != self._order[0][1]:
            heapq.heappop(self._order)
        return self._order[0][2] if self._order else None

    def release(self, entry: Entry, state: State) -> None:
        """End the entry in `state`; its name stays taken for a while."""
        self.withdraw(entry)
        del self._entries[entry.task.name]
        entry.end(state)
        self._past.append(entry)
        self._released[entry.task.name] = self._clock.now() + self._dedupe_seconds

    def waiting(self) -> list[Entry]:
        """Answer the tasks in the queue, by name."""
        return sorted(self._entries.values(), key=lambda entry: entry.task.name)

    def everything(self) -> list[Entry]:
        """Answer the tasks in the queue and those remembered, oldest first."""
        return [*self._past, *self._entries.values()]

    def _recent(self, name: str) -> bool:
        self._forget()
        return name in self._released

    def _forget(self) -> None:
        """Free the names whose time is over: they stand in the order in which they were released."""
        now = self._clock.now()
        while self._released and next(iter(self._released.values())) <= now:
            del self._released[next(iter(self._released))]
