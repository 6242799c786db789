"""Gmail v1 over HTTP: plain calls, uploads and batches all end at the same `Api`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from infra.local.gmail import batch, drafts, history, labels, messages, profile, sending, settings, threads, watch
from infra.local.gmail.api import Answer, Api, Handler, Request, refusal
from infra.local.gmail.edge import aborted, body_answer
from infra.local.gmail.errors import ConnectionLost, GmailError
from infra.local.gmail.uploads import Uploads
from infra.local.gmail.world import World

JSON_TYPE = "application/json; charset=UTF-8"
RESOURCES = (drafts, history, labels, messages, profile, sending, settings, threads, watch)


def handlers() -> dict[str, Handler]:
    """Every method that the simulator offers, by its name in the discovery document."""
    return {name: handler for resource in RESOURCES for name, handler in resource.METHODS.items()}


@dataclass(frozen=True)
class Gmail:
    """The HTTP surface of Gmail v1."""

    world: World
    api: Api
    uploads: Uploads

    async def call(self, request: web.Request) -> web.Response:
        """A call below `/gmail/v1`."""
        return await self._answered(request, self.api.answer)

    async def upload(self, request: web.Request) -> web.Response:
        """A call below `/upload`."""
        return await self._answered(request, lambda asked: self.uploads.answer(asked, str(request.url)))

    async def batch(self, request: web.Request) -> web.Response:
        """A batch."""
        self.world.stats.http_calls += 1
        try:
            content, kind = await batch.answer(self.world, self.api, await request.read(), request.headers)
        except ConnectionLost:
            return aborted(request)
        except GmailError as error:
            return _response(request, refusal(error))
        return body_answer(request, 200, content, kind)

    async def _answered(self, request: web.Request, act: Callable[[Request], Awaitable[Answer]]) -> web.Response:
        self.world.stats.http_calls += 1
        body = await request.read()
        try:
            answer = await act(Request(request.method, request.path, request.query, request.headers, body))
        except ConnectionLost:
            return aborted(request)
        except GmailError as error:
            answer = refusal(error)
        return _response(request, answer)


def _response(request: web.Request, answer: Answer) -> web.Response:
    return body_answer(request, answer.status, answer.content, JSON_TYPE, answer.headers)


def routes(world: World) -> list[web.RouteDef]:
    """The routes of Gmail v1 for a world."""
    api = Api(world, handlers())
    gmail = Gmail(world, api, Uploads(api))
    return [
        web.route("*", "/gmail/v1/{rest:.*}", gmail.call),
        web.route("*", "/upload/gmail/v1/{rest:.*}", gmail.upload),
        web.route("*", "/resumable/upload/gmail/v1/{rest:.*}", gmail.upload),
        web.post("/batch", gmail.batch),
        web.post("/batch/gmail/v1", gmail.batch),
    ]
