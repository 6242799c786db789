"""A queue at work: it dispatches what is due, within its limits, and tries again what failed."""

import asyncio
import logging
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from infra.local.tasks import configuration, creation, retries
from infra.local.tasks.bucket import TokenBucket
from infra.local.tasks.clock import Clock
from infra.local.tasks.dispatch import Dispatcher, Request, prepared
from infra.local.tasks.durations import assign
from infra.local.tasks.entry import Answer, Entry
from infra.local.tasks.faults import Delivery
from infra.local.tasks.ledger import Ledger

logger = logging.getLogger(__name__)


class Queue:
    """One queue: its configuration, its tasks and the loop that sends them."""

    def __init__(
        self, config: Any, clock: Clock, dispatcher: Dispatcher, delivery: Delivery, dedupe_seconds: float
    ) -> None:
        self.config = config
        self.ledger = Ledger(clock, dedupe_seconds)
        self._clock = clock
        self._dispatcher = dispatcher
        self._delivery = delivery
        self._changed = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()
        self._running = 0
        self._bucket = self._new_bucket()

    @property
    def name(self) -> str:
        """The queue's full name."""
        return str(self.config.name)

    def create(self, requested: Any) -> Entry:
        """Take in a task as CreateTask describes it."""
        entry = Entry(creation.accepted(requested, self.name, self._clock.now()))
        self.ledger.add(entry)
        self.look_again()
        return entry

    def delete(self, task_name: str) -> None:
        """Delete a task; an attempt under way goes on, no other follows."""
        self.ledger.release(self.ledger.get(task_name), "deleted")

    def purge(self) -> None:
        """Delete every task."""
        for entry in self.ledger.waiting():
            self.ledger.release(entry, "deleted")
        assign(self.config.purge_time, self._clock.now())

    def run(self, task_name: str) -> Entry:
        """Dispatch a task now, whatever the queue's limits, its state or the task's schedule say."""
        entry = self.ledger.get(task_name)
        entry.schedule(self._clock.now())
        self._start(entry)
        return entry

    def update(self, requested: Any, mask: FieldMask) -> None:
        """Change the configuration; it holds for the next dispatch."""
        self.config = configuration.updated(self.config, requested, mask)
        self._bucket = self._new_bucket()
        self.look_again()

    def set_state(self, state: int) -> None:
        """Pause or resume the queue."""
        self.config.state = state
        self.look_again()

    def look_again(self) -> None:
        """Wake the loop: something has changed."""
        self._changed.set()

    async def work(self) -> None:
        """Dispatch for ever."""
        while True:
            self._changed.clear()
            until = self._dispatch_due()
            await self._clock.wait(self._changed, until)

    async def stop(self) -> None:
        """Break off the attempts under way."""
        for attempt in self._attempts:
            attempt.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)

    def _dispatch_due(self) -> float | None:
        """Start every attempt that is due and allowed; answer when to look again, `None`: when something changes."""
        while self._open() and (entry := self.ledger.first()):
            now = self._clock.now()
            ready = max(entry.due + self._delivery.lateness(self.name), self._bucket.ready_at(now))
            if ready > now:
                return ready
            self._bucket.take()
            self._start(entry)
        return None

    def _open(self) -> bool:
        limit = self.config.rate_limits.max_concurrent_dispatches
        return bool(self.config.state == configuration.RUNNING and self._running < limit)

    def _start(self, entry: Entry) -> None:
        self.ledger.withdraw(entry)
        request = prepared(entry)
        if not entry.attempts and self._delivery.takes_copy(self.name):
            self._spawn(self._send_copy(request))
        self._running += 1
        self._spawn(self._attempt(entry, entry.began(self._clock.now()), request))

    def _spawn(self, attempt: Any) -> None:
        task = asyncio.get_running_loop().create_task(attempt)
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)

    async def _attempt(self, entry: Entry, attempt: Any, request: Request) -> None:
        answer = await self._dispatcher.send(request)
        now = self._clock.now()
        self._running -= 1
        entry.finished(attempt, answer, now)
        logger.info("task_attempted %s attempt=%d %s", entry.task.name, entry.task.dispatch_count, answer.message)
        if self.ledger.holds(entry):
            self._settle(entry, answer, now)
        self.look_again()

    async def _send_copy(self, request: Request) -> None:
        await self._clock.wait(asyncio.Event(), self._clock.now() + self._delivery.copy_after)
        answer = await self._dispatcher.send(request)
        logger.info("task_copy_delivered %s %s", request.headers["X-CloudTasks-TaskName"], answer.message)

    def _settle(self, entry: Entry, answer: Answer, now: float) -> None:
        config = entry.task.retry_config if entry.task.HasField("retry_config") else self.config.retry_config
        failures = entry.task.dispatch_count
        if answer.accepted:
            self.ledger.release(entry, "done")
        elif retries.exhausted(config, failures, entry.age(now)):
            self.ledger.release(entry, "failed")
        elif not entry.running:
            asked = retries.retry_after(answer.retry_after, now) or 0
            entry.schedule(now + max(retries.backoff(config, failures), asked))
            self.ledger.place(entry)

    def _new_bucket(self) -> TokenBucket:
        limits = self.config.rate_limits
        return TokenBucket(limits.max_dispatches_per_second, limits.max_burst_size, self._clock.now())
