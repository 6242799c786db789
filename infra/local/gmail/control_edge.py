"""How `/_sim` speaks: JSON in, checked by shape, JSON out, and errors that say what to do."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from infra.local.gmail.edge import WORLD, json_answer
from infra.local.gmail.errors import GmailError, invalid
from infra.local.gmail.mailbox import Mailbox
from infra.local.gmail.world import World

Spec = TypeVar("Spec")
Act = Callable[[World, web.Request, bytes], Any]


class OfAccount(msgspec.Struct, forbid_unknown_fields=True):
    """A control that needs nothing but an account."""

    email: str


def control(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    """An HTTP handler of a control; refusals answer `{"error": sentence}`."""

    async def handler(request: web.Request) -> web.Response:
        try:
            return json_answer(request, act(request.app[WORLD], request, await request.read()))
        except GmailError as error:
            return json_answer(request, {"error": error.message}, error.code)

    return handler


def read(octets: bytes, kind: type[Spec]) -> Spec:
    """A control's JSON body; 400 with what is wrong with it."""
    try:
        return msgspec.json.decode(octets or b"{}", type=kind)
    except msgspec.DecodeError as exc:
        raise invalid(str(exc)) from exc


def owner(world: World, email: str) -> Mailbox:
    """The mailbox of an account by its own address; 404 that says how to make one."""
    mailbox = world.mailboxes.get(email.strip().lower())
    if mailbox is None:
        raise GmailError(404, "notFound", f"There is no Google account {email!r} here: POST /_sim/mailboxes first")
    return mailbox
