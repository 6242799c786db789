"""The control endpoint, apart from the real surface: health, what became of each task, astray deliveries, the clock.

| call | effect |
|---|---|
| `GET /_sim/health` | 200 `{"status": "ok", "queues": [...]}` |
| `GET /_sim/tasks?queue=` | every task and its attempts; of those gone the last 10,000 a queue |
| `POST /_sim/delivery` `{duplicate, copyAfterMs, delayMs, queue}` | the next `duplicate` tasks go out twice, all late |
| `DELETE /_sim/delivery` | deliveries are once and on time again |
| `POST /_sim/clock` `{advanceSeconds}` | time passes at once: schedules, back-off, deadlines, name de-duplication |
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from infra.local.tasks import names
from infra.local.tasks.durations import rfc3339
from infra.local.tasks.registry import Registry


class DeliveryRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of `POST /_sim/delivery`; what it leaves out is as usual again."""

    duplicate: int = 0
    copy_after_ms: float = 0
    delay_ms: float = 0
    queue: str | None = None


class ClockRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body of `POST /_sim/clock`."""

    advance_seconds: float


@dataclass(frozen=True, slots=True)
class Control:
    """The endpoint's handlers over the queues."""

    registry: Registry

    def app(self) -> web.Application:
        """Answer the aiohttp application."""
        app = web.Application(middlewares=[_refuse_malformed])
        app.router.add_get("/_sim/health", self.health)
        app.router.add_get("/_sim/tasks", self.tasks)
        app.router.add_post("/_sim/delivery", self.set_delivery)
        app.router.add_delete("/_sim/delivery", self.set_delivery)
        app.router.add_post("/_sim/clock", self.advance)
        return app

    async def health(self, _: web.Request) -> web.Response:
        """Say that the simulator serves, and which queues."""
        return web.json_response({"status": "ok", "queues": [queue.name for queue in self.registry.all()]})

    async def tasks(self, request: web.Request) -> web.Response:
        """List the tasks of all queues, or of the one whose id is given."""
        wanted = request.query.get("queue")
        queues = [queue for queue in self.registry.all() if wanted in {None, names.short(queue.name)}]
        items = [entry.described() for queue in queues for entry in queue.ledger.everything()]
        return web.json_response({"items": items})

    async def set_delivery(self, request: web.Request) -> web.Response:
        """Change how deliveries travel from now on; without a body they are once and on time."""
        wanted = msgspec.json.decode(await request.read() or b"{}", type=DeliveryRequest)
        delivery = self.registry.delivery
        delivery.duplicate, delivery.copy_after = wanted.duplicate, wanted.copy_after_ms / 1000
        delivery.delay, delivery.queue = wanted.delay_ms / 1000, wanted.queue
        self.registry.look_again()
        return web.json_response(msgspec.to_builtins(wanted))

    async def advance(self, request: web.Request) -> web.Response:
        """Skip time."""
        wanted = msgspec.json.decode(await request.read(), type=ClockRequest)
        if wanted.advance_seconds < 0:
            raise web.HTTPBadRequest(text="advanceSeconds: time does not run backwards")
        self.registry.clock.advance(wanted.advance_seconds)
        return web.json_response({"now": rfc3339(self.registry.clock.now())})


@web.middleware
async def _refuse_malformed(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except msgspec.MsgspecError as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc
    return answer
