"""All queues of the simulator: made, found, changed and deleted by name, each with its loop."""

import asyncio
from typing import Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from infra.local.tasks import configuration, names
from infra.local.tasks.clock import Clock
from infra.local.tasks.dispatch import Dispatcher
from infra.local.tasks.errors import RefusedError, exists, not_found
from infra.local.tasks.faults import Delivery
from infra.local.tasks.queue import Queue

NAME_FREE_AFTER_SECONDS = 3 * 24 * 3600


class Registry:
    """The queues by name; the name of a deleted one can't be used again for three days, as at Google."""

    def __init__(self, clock: Clock, dispatcher: Dispatcher, delivery: Delivery, dedupe_seconds: float) -> None:
        self.delivery = delivery
        self.clock = clock
        self._dispatcher = dispatcher
        self._dedupe_seconds = dedupe_seconds
        self._queues: dict[str, Queue] = {}
        self._loops: dict[str, asyncio.Task[None]] = {}
        self._deleted: dict[str, float] = {}

    def create(self, parent: str, requested: Any) -> Queue:
        """Make a queue of the location `parent`."""
        names.check_location(parent)
        names.check_queue(requested.name)
        if names.location_of(requested.name) != parent:
            raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, f"{requested.name} does not belong to {parent}")
        if requested.name in self._queues:
            raise exists(f"queue {requested.name} exists already")
        return self._open(configuration.created(requested))

    def get(self, name: str) -> Queue:
        """Answer the queue of this name."""
        names.check_queue(name)
        if name not in self._queues:
            raise not_found(f"queue {name} does not exist: create it first")
        return self._queues[name]

    def of_task(self, task_name: str) -> Queue:
        """Answer the queue that the task's name names."""
        return self.get(names.queue_of(task_name))

    def update(self, requested: Any, mask: FieldMask) -> Queue:
        """Change a queue; one that does not exist is created."""
        names.check_queue(requested.name)
        if requested.name not in self._queues:
            return self._open(configuration.created(requested))
        queue = self._queues[requested.name]
        queue.update(requested, mask)
        return queue

    def delete(self, name: str) -> None:
        """Delete a queue with all its tasks; attempts under way go on."""
        self.get(name).purge()
        self._loops.pop(name).cancel()
        del self._queues[name]
        self._deleted[name] = self.clock.now() + NAME_FREE_AFTER_SECONDS

    def all(self) -> list[Queue]:
        """Answer the queues by name."""
        return [self._queues[name] for name in sorted(self._queues)]

    def look_again(self) -> None:
        """Wake every queue: how deliveries travel has changed."""
        for queue in self._queues.values():
            queue.look_again()

    async def stop(self) -> None:
        """End every loop and the attempts under way."""
        for loop in self._loops.values():
            loop.cancel()
        await asyncio.gather(*self._loops.values(), return_exceptions=True)
        await asyncio.gather(*(queue.stop() for queue in self._queues.values()))

    def _open(self, config: Any) -> Queue:
        if self._deleted.get(config.name, 0) > self.clock.now():
            message = f"queue {config.name} was deleted less than three days ago: choose another name"
            raise RefusedError(grpc.StatusCode.FAILED_PRECONDITION, message)
        queue = Queue(config, self.clock, self._dispatcher, self.delivery, self._dedupe_seconds)
        self._queues[config.name] = queue
        self._loops[config.name] = asyncio.get_running_loop().create_task(queue.work())
        return queue
