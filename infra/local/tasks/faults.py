"""How deliveries go astray on demand: Cloud Tasks promises at least once, not once and not on time."""

from dataclasses import dataclass

from infra.local.tasks import names


@dataclass(slots=True)
class Delivery:
    """What happens to the next tasks, of one queue (its id) or of all.

    `duplicate`: so many tasks are delivered twice, the copy `copy_after` seconds behind; its answer counts for nothing.
    `delay`: seconds that every attempt goes out late.
    """

    duplicate: int = 0
    copy_after: float = 0.0
    delay: float = 0.0
    queue: str | None = None

    def lateness(self, queue_name: str) -> float:
        """Answer the seconds by which the queue's attempts go out late."""
        return self.delay if self._concerns(queue_name) else 0.0

    def takes_copy(self, queue_name: str) -> bool:
        """Tell whether the task that starts now goes out twice, and count it."""
        if self.duplicate < 1 or not self._concerns(queue_name):
            return False
        self.duplicate -= 1
        return True

    def _concerns(self, queue_name: str) -> bool:
        return self.queue in {None, names.short(queue_name)}
