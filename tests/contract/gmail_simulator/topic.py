"""A Pub/Sub of the simplest kind: it takes what is published by REST and keeps it."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Topics:
    """All notifications in order of arrival; topics named `missing` do not exist."""

    payloads: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        """The REST surface."""
        app = web.Application()
        app.router.add_post("/v1/projects/{project}/topics/{topic}:publish", self._publish)
        return app

    async def _publish(self, request: web.Request) -> web.Response:
        if request.match_info["topic"] == "missing":
            return web.json_response({"error": {"code": 404}}, status=404)
        for message in (await request.json())["messages"]:
            self.payloads.append(json.loads(base64.b64decode(message["data"])))
        return web.json_response({"messageIds": ["1"]})

    def history_ids(self) -> list[int]:
        """The history ids announced so far."""
        return [payload["historyId"] for payload in self.payloads]

    def wait_for(self, count: int) -> list[int]:
        """The history ids, once there are at least `count`."""
        deadline = time.monotonic() + 20
        while len(self.payloads) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.payloads) >= count, f"{len(self.payloads)} of {count} notifications came"
        return self.history_ids()
