"""One call of Gmail v1, whatever way it came: found, authorised, charged, carried out, masked, counted."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from multidict import MultiMapping

from infra.local.gmail import fields, quota
from infra.local.gmail.discovery import Method
from infra.local.gmail.errors import JSON, ConnectionLost, GmailError, insufficient_scope, invalid, unauthenticated
from infra.local.gmail.grants import AccessToken
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.rendering import View
from infra.local.gmail.world import World

JSON_LIMIT = 5 * 2**20


@dataclass(frozen=True)
class Request:
    """A call as it arrived; `media` is the uploaded message, if it came through `/upload`."""

    verb: str
    path: str
    query: MultiMapping[str]
    headers: Mapping[str, str]
    body: bytes = b""
    media: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, with JSON or without a body."""

    status: int
    body: JSON | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def content(self) -> bytes:
        """The body as bytes."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode("utf-8", "replace")


@dataclass(frozen=True)
class Call:
    """What a method's handler gets: whose mailbox, with which token, and the parameters."""

    world: World
    request: Request
    method: Method
    path: Mapping[str, str]
    token: AccessToken
    mailbox: Mailbox

    @cached_property
    def body(self) -> JSON:
        """The JSON body, checked against the method's schema; empty if there is none."""
        if len(self.request.body) > JSON_LIMIT:
            raise GmailError(413, "uploadTooLarge", "Request payload size exceeds the limit: use the /upload URL.")
        body = json_object(self.request.body)
        self.world.discovery.check_body(self.method.request, body)
        return body

    def text(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query.get(name, default)

    def texts(self, name: str) -> list[str]:
        """All values of a repeated query parameter."""
        return self.request.query.getall(name, [])

    def number(self, name: str, default: int, most: int) -> int:
        """A positive number of a query parameter, at most `most`; 400 if it is none."""
        text = self.text(name, str(default))
        if not text.isdigit():
            raise invalid(f"Invalid value at '{name}': {text}")
        return min(int(text) or default, most)

    def flag(self, name: str) -> bool:
        """A boolean query parameter."""
        return self.text(name).lower() == "true"

    def view(self, default: str = "full") -> View:
        """How the caller wants to see messages; the metadata scope shows no content."""
        view = self.shown(self.text("format", default).lower(), self.texts("metadataHeaders"))
        only_metadata = not self.token.scopes & (self.method.scopes - {_METADATA_SCOPE})
        if only_metadata and view.format in {"full", "raw"}:
            raise GmailError(403, "forbidden", f"Metadata scope doesn't allow format {view.format.upper()}")
        return view

    def shown(self, form: str, wanted_headers: list[str] | None = None) -> View:
        """A view in a given format, under today's behaviour."""
        behaviour = self.world.behaviour
        return View(form, tuple(wanted_headers or ()), behaviour.decode_headers, behaviour.text_inline_limit)


_METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
Handler = Callable[[Call], "JSON | Awaitable[JSON] | None"]


class Api:
    """The methods that the simulator offers; others of Gmail's answer 501."""

    def __init__(self, world: World, handlers: Mapping[str, Handler]) -> None:
        self._world = world
        self._handlers = handlers

    async def answer(self, request: Request) -> Answer:
        """The answer to a call; raises `ConnectionLost` where the fault script says so."""
        try:
            method, path = self._found(request)
        except GmailError as error:
            return refusal(error)
        return await self._counted(method, path, request)

    def admit(self, request: Request) -> None:
        """Refuse a call that would be refused whatever its content, before an upload begins."""
        method, path = self._found(request)
        self._admitted(method, path, request, self._token(request))

    def _found(self, request: Request) -> tuple[Method, dict[str, str]]:
        found = self._world.discovery.match(request.verb, request.path)
        if found is None:
            raise GmailError(404, "notFound", "The requested URL was not found on this server.")
        return found

    async def _counted(self, method: Method, path: Mapping[str, str], request: Request) -> Answer:
        token = self._token(request)
        email = token.email if token else ""
        received = len(request.body) + len(request.media or b"")
        try:
            answer = await self._answer(method, path, request, token)
        except ConnectionLost:
            self._world.stats.count(method.name, email, failed=True, received=received, sent=0)
            raise
        failed = answer.status >= 400
        self._world.stats.count(method.name, email, failed=failed, received=received, sent=len(answer.content))
        return answer

    async def _answer(
        self, method: Method, path: Mapping[str, str], request: Request, token: AccessToken | None
    ) -> Answer:
        fault = self._world.faults.take(method.name, token.email if token else "")
        try:
            await fault.before(self._world.clock.now())
            body = await self._carried_out(self._admitted(method, path, request, token))
            await fault.after(self._world.clock.now())
        except GmailError as error:
            return refusal(error)
        return Answer(204, None) if method.response is None else Answer(200, body)

    async def _carried_out(self, call: Call) -> JSON | None:
        mask = self._mask(call)
        handler = self._handler(call.method)
        self._charge(call)
        result = handler(call)
        body = await result if inspect.isawaitable(result) else result
        return dict(fields.apply(mask, body)) if body else body

    def _token(self, request: Request) -> AccessToken | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            value = request.query.get("access_token", "")
        return self._world.grants.bearer(value.strip())

    def _admitted(self, method: Method, path: Mapping[str, str], request: Request, token: AccessToken | None) -> Call:
        if token is None:
            raise unauthenticated()
        if not token.scopes & method.scopes:
            raise insufficient_scope()
        self._world.discovery.check_query(method, request.query)
        return Call(self._world, request, method, path, token, self._mailbox(path["userId"], token))

    def _mailbox(self, user_id: str, token: AccessToken) -> Mailbox:
        mailbox = self._world.mailboxes.get(token.email)
        if mailbox is None:
            raise GmailError(400, "failedPrecondition")
        if user_id.lower() not in {"me", token.email}:
            raise GmailError(403, "forbidden", f"Delegation denied for {token.email}")
        return mailbox

    def _charge(self, call: Call) -> None:
        cost = quota.units(self._world.tariff, call.method.name)
        self._world.meter.charge(self._world.tariff, call.token.email, cost, self._world.clock.now())
        self._world.stats.charge(call.method.name, call.token.email, cost)

    def _handler(self, method: Method) -> Handler:
        handler = self._handlers.get(method.name)
        if handler is None:
            raise GmailError(501, "notImplemented", f"This simulator does not offer {method.name}")
        return handler

    def _mask(self, call: Call) -> fields.Mask:
        text = call.text("fields")
        if not text or call.method.response is None:
            return {}
        mask = fields.parse(text)
        fields.check(mask, self._world.discovery, {"$ref": call.method.response})
        return mask


def refusal(error: GmailError) -> Answer:
    """The answer that an error is."""
    return Answer(error.code, error.body(), error.headers)


def json_object(octets: bytes) -> JSON:
    """A JSON object from bytes, {} from none; 400 for anything else."""
    try:
        value: Any = json.loads(octets) if octets.strip() else {}
    except ValueError as exc:
        raise invalid("Parse Error") from exc
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object")
    return value
