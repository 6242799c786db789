"""The `api` function's resources: which service answers which path."""

from collections.abc import Callable
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from mailbridge import requests, web
from mailbridge.errors import InvalidRequest, NotFound
from mailbridge.ports import Caller
from mailbridge.services.crm import Keeping, Reading
from mailbridge.services.outbound import Outbound


class Api:
    """Answers one request for a caller who is known; every path begins with a location that the caller must be of."""

    def __init__(self, reading: Reading, keeping: Keeping, outbound: Outbound) -> None:
        self._reading = reading
        self._keeping = keeping
        self._outbound = outbound
        self._routes = _routes()

    def answer(self, request: Request, caller: Caller) -> Response:
        """The resource's answer, or the error that says why not."""
        try:
            name, args = self._routes.bind("api").match(request.path, method=request.method)
        except MethodNotAllowed as exc:
            raise InvalidRequest(f"{request.method} is not possible here.", reason="method") from exc
        except HTTPException as exc:
            raise NotFound("There is nothing at this path.") from exc
        if not all(map(requests.is_id, args.values())):
            raise NotFound("There is nothing at this path.")
        web.member(caller, args["location_id"])
        handler: Callable[..., Response] = getattr(self, f"_{name}")
        return handler(request, caller, **args)

    def _get_mailbox(self, request: Request, caller: Caller, location_id: str) -> Response:
        user_id = web.acting_user(caller, request.args.get("userId"))
        return web.json(self._reading.mailbox(location_id, user_id))

    def _put_user(self, request: Request, caller: Caller, location_id: str, user_id: str) -> Response:
        web.backend(caller)
        put = web.body(request, requests.PutUser)
        return web.json(self._keeping.put_user(location_id, user_id, put.name, put.emails, put.role))

    def _list_contacts(self, request: Request, _: Caller, location_id: str) -> Response:
        return web.json(self._reading.contacts(location_id, _cursor(request)))

    def _get_contact(self, _request: Request, _: Caller, location_id: str, contact_id: str) -> Response:
        return web.json(self._reading.contact(location_id, contact_id))

    def _put_contact(self, request: Request, _: Caller, location_id: str, contact_id: str) -> Response:
        put = web.body(request, requests.PutContact)
        stored = self._keeping.put_contact(
            location_id, contact_id, put.name, put.emails, put.assigned_to, put.created_at
        )
        return web.json(stored)

    def _delete_contact(self, _request: Request, _: Caller, location_id: str, contact_id: str) -> Response:
        self._keeping.delete_contact(location_id, contact_id)
        return web.empty()

    def _list_conversations(self, request: Request, _: Caller, location_id: str) -> Response:
        return web.json(self._reading.conversations(location_id, _cursor(request)))

    def _get_conversation(self, _request: Request, _: Caller, location_id: str, conversation_id: str) -> Response:
        return web.json(self._reading.conversation(location_id, conversation_id))

    def _list_messages(self, request: Request, _: Caller, location_id: str, conversation_id: str) -> Response:
        return web.json(self._reading.messages(location_id, conversation_id, _cursor(request)))

    def _read_conversation(self, _request: Request, _: Caller, location_id: str, conversation_id: str) -> Response:
        self._reading.read(location_id, conversation_id)
        return web.empty()

    def _get_message(self, _request: Request, _: Caller, location_id: str, message_id: str) -> Response:
        return web.json(self._reading.message(location_id, message_id))

    def _cancel_message(self, _request: Request, _: Caller, location_id: str, message_id: str) -> Response:
        delivery = self._outbound.cancel(location_id, message_id)
        return web.json({"messageId": message_id, "state": delivery.state})

    def _get_raw(self, _request: Request, _: Caller, location_id: str, message_id: str) -> Response:
        return web.redirect(self._reading.raw_url(location_id, message_id))

    def _get_attachment(self, _request: Request, _: Caller, location_id: str, attachment_id: str) -> Response:
        return web.redirect(self._reading.attachment_url(location_id, attachment_id))


def _cursor(request: Request) -> str | None:
    cursor = request.args.get("cursor") or None
    if cursor and not requests.is_id(cursor):
        raise InvalidRequest("`cursor` is not one that a page before this gave.", reason="bad_cursor")
    return cursor


def _routes() -> Map:
    routes: list[tuple[str, str, str]] = [
        ("GET", "mailbox", "get_mailbox"),
        ("PUT", "users/<user_id>", "put_user"),
        ("GET", "contacts", "list_contacts"),
        ("GET", "contacts/<contact_id>", "get_contact"),
        ("PUT", "contacts/<contact_id>", "put_contact"),
        ("DELETE", "contacts/<contact_id>", "delete_contact"),
        ("GET", "conversations", "list_conversations"),
        ("GET", "conversations/<conversation_id>", "get_conversation"),
        ("GET", "conversations/<conversation_id>/messages", "list_messages"),
        ("POST", "conversations/<conversation_id>/read", "read_conversation"),
        ("GET", "messages/<message_id>", "get_message"),
        ("DELETE", "messages/<message_id>", "cancel_message"),
        ("GET", "messages/<message_id>/raw", "get_raw"),
        ("GET", "attachments/<attachment_id>", "get_attachment"),
    ]
    rules: list[Any] = [
        Rule(f"/locations/<location_id>/{path}", methods=[method], endpoint=name) for method, path, name in routes
    ]
    return Map(rules, strict_slashes=False)
