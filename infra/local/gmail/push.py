"""Push notifications: at most one per mailbox and second, to the topic of each watch, by whatever way they travel."""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from infra.local.gmail.clock import Clock
from infra.local.gmail.errors import JSON, GmailError
from infra.local.gmail.history_log import Change
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.stats import Stats
from infra.local.gmail.switches import Travel

LOG = logging.getLogger(__name__)
WATCH_SECONDS = 7 * 86400
HELD_SECONDS = 2.0

Publisher = Callable[[str, JSON], Awaitable[int]]


@dataclass
class Watch:
    """A project's watch of a mailbox; it ends at `expires_at`, seconds since the epoch."""

    topic: str
    expires_at: float
    labels: frozenset[str] = frozenset()
    exclude: bool = False
    published_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def wants(self, change: Change) -> bool:
        """Whether the label filter lets a change through."""
        return not self.labels or bool(self.labels & change.touched) != self.exclude


class PubSub:
    """Publishes through a Pub/Sub emulator's REST surface at HOST:PORT; answers the HTTP status."""

    def __init__(self, host: str) -> None:
        self._base = f"http://{host}/v1/"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, topic: str, payload: JSON) -> int:
        """Publish `payload` as JSON to `projects/P/topics/T`."""
        self._session = self._session or aiohttp.ClientSession()
        data = base64.b64encode(json.dumps(payload).encode()).decode()
        async with self._session.post(f"{self._base}{topic}:publish", json={"messages": [{"data": data}]}) as answer:
            return answer.status

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()


async def publish_nowhere(_topic: str, _payload: JSON) -> int:
    """Without a Pub/Sub, notifications are only counted."""
    return 200


@dataclass
class Push:
    """The way from a mailbox's change to the topics that watch it."""

    clock: Clock
    stats: Stats
    publish: Publisher
    travel: Travel = field(default_factory=Travel)
    watches: dict[tuple[str, str], Watch] = field(default_factory=dict)
    held: list[tuple[str, JSON]] = field(default_factory=list)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, mailbox: Mailbox, project: str, watch: Watch) -> None:
        """Begin or replace a project's watch and announce the present state; 404 or 403 if the topic refuses."""
        status = await self._deliver(watch.topic, mailbox.notification())
        if status >= 400:
            raise _refused(status)
        self.end(mailbox.account.email, project)
        watch.published_at = asyncio.get_running_loop().time()
        self.watches[mailbox.account.email, project] = watch

    def end(self, email: str, project: str | None = None) -> None:
        """End a project's watch of a mailbox at once, or every project's."""
        for key in [key for key in self.watches if key[0] == email and project in {key[1], None}]:
            timer = self.watches.pop(key).timer
            if timer:
                timer.cancel()

    def changed(self, mailbox: Mailbox, change: Change) -> None:
        """Announce a change to the watches that want it."""
        for (email, _), watch in list(self.watches.items()):
            live = email == mailbox.account.email and watch.expires_at > self.clock.now()
            if live and watch.wants(change):
                self._announce(mailbox, watch)

    def clear(self) -> None:
        """End everything, including what is on its way."""
        for email, project in list(self.watches):
            self.end(email, project)
        for task in self.under_way:
            task.cancel()
        self.held.clear()

    def _announce(self, mailbox: Mailbox, watch: Watch) -> None:
        loop = asyncio.get_running_loop()
        wait = watch.published_at + self.travel.interval_ms / 1000 - loop.time()
        if wait <= 0 and watch.timer is None:
            self._fire(mailbox, watch)
        elif self.travel.surplus == "coalesce" and watch.timer is None:
            watch.timer = loop.call_later(wait, self._fire, mailbox, watch)
        else:
            self.stats.notifications["surplus"] += 1

    def _fire(self, mailbox: Mailbox, watch: Watch) -> None:
        watch.timer = None
        watch.published_at = asyncio.get_running_loop().time()
        self._spawn(self._travel(watch.topic, mailbox.notification()))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _travel(self, topic: str, payload: JSON) -> None:
        if self._lost():
            self.stats.notifications["dropped"] += 1
            return
        await asyncio.sleep(self.travel.delay_ms / 1000)
        if self.travel.reorder and not self.held:
            self.held.append((topic, payload))
            await asyncio.sleep(HELD_SECONDS)
            await self._release()
        else:
            await self._copies(topic, payload)
            await self._release()

    def _lost(self) -> bool:
        if isinstance(self.travel.drop, bool):
            return self.travel.drop
        lost = self.travel.drop > 0
        self.travel.drop -= lost
        return lost

    async def _release(self) -> None:
        while self.held:
            await self._copies(*self.held.pop())

    async def _copies(self, topic: str, payload: JSON) -> None:
        for _ in range(1 + self.travel.duplicate):
            await self._deliver(topic, payload)

    async def _deliver(self, topic: str, payload: JSON) -> int:
        try:
            status = await self.publish(topic, payload)
        except (aiohttp.ClientError, TimeoutError) as exc:
            LOG.warning("gmail.push.unreachable error=%s", type(exc).__name__)
            status = 503
        self.stats.notifications["published" if status < 400 else "failed"] += 1
        return status


def _refused(status: int) -> GmailError:
    sentence = f"Error sending test message to Cloud Pub/Sub: the topic answered {status}"
    return GmailError(404, "notFound", sentence) if status == 404 else GmailError(403, "forbidden", sentence)
