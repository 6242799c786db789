"""Cloud Tasks that remembers what it was given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Planned:
    """A task: the function it calls, its JSON body, and its time (None: at once)."""

    function: str
    work: Mapping[str, str]
    at: datetime | None


@dataclass
class FakeTasks:
    """`ports.Tasks`; `planned` holds the tasks in the order of their arrival."""

    planned: list[Planned] = field(default_factory=list)
    _names: set[tuple[str, int]] = field(default_factory=set)

    def deliver(self, message_id: str, number: int, at: datetime | None = None) -> None:
        """One task for each message and number."""
        if (message_id, number) in self._names:
            return
        self._names.add((message_id, number))
        self.planned.append(Planned("deliver_message", {"messageId": message_id}, at))

    def store_attachments(self, location_id: str, message_id: str, at: datetime) -> None:
        """A task each time."""
        work = {"task": "store_attachments", "locationId": location_id, "messageId": message_id}
        self.planned.append(Planned("run_task", work, at))
