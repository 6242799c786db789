"""HTTP in and out: requests to values, values to JSON, errors to problem+json (RFC 9457) by one table."""

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from cloudevents.http.event import CloudEvent
from flask import Request, Response, abort
from markupsafe import escape

from mailbridge import logs
from mailbridge.errors import (
    Conflict,
    InvalidRequest,
    LimitReached,
    MailbridgeError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Permanent,
    ReconnectNeeded,
    Temporary,
    Throttled,
)
from mailbridge.ports import Caller, Callers

T = TypeVar("T")
Handler = Callable[[Request], Response]
EventHandler = Callable[[CloudEvent], None]

STATUS: tuple[tuple[type[MailbridgeError], int, str], ...] = (
    (InvalidRequest, 400, "The request is not valid"),
    (NotAuthenticated, 401, "Sign in first"),
    (NotAllowed, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (ReconnectNeeded, 409, "Gmail has to be connected again"),
    (Conflict, 409, "Not possible now"),
    (LimitReached, 429, "The limit is reached"),
    (Permanent, 422, "It cannot be done"),
    (Temporary, 503, "Try again"),
)
"""The one table from errors to HTTP; the first class that fits, anything else is a 500."""

_JSON = "application/json"
_PROBLEM = "application/problem+json"


def answering(handler: Handler) -> Handler:
    """An entry point whose errors become problems; unforeseen ones are logged and give nothing away."""

    @wraps(handler)
    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except MailbridgeError as exc:
            return problem(exc)
        except Exception as exc:  # the last resort of an entry point: a 500 that says nothing of the inside
            logs.error("request.failed", exc, function=handler.__name__)
            return _problem(500, "Something went wrong", "It was logged. Try again later.", {})

    return answer


def task(work: Callable[[], None]) -> Response:
    """Run a task's work: only what can succeed later is tried again, anything else ends here and is logged."""
    try:
        work()
    except Temporary:
        raise
    except MailbridgeError as exc:
        logs.error("task.ended", exc)
    return empty()


def acknowledging(handler: EventHandler) -> EventHandler:
    """A function of events: returning acknowledges; our errors answer by the table, so that a stranger gets a 401."""

    @wraps(handler)
    def answer(event: CloudEvent) -> None:
        try:
            handler(event)
        except MailbridgeError as exc:
            abort(problem(exc))

    return answer


def problem(exc: MailbridgeError) -> Response:
    """An error as problem+json, with `reason` and `retryAt` where it has them."""
    status, title = next(((s, t) for kind, s, t in STATUS if isinstance(exc, kind)), (500, "Something went wrong"))
    retry_at = exc.retry_at if isinstance(exc, LimitReached | Throttled) else None
    extra = {"reason": exc.reason, "retryAt": retry_at.isoformat() if retry_at else None}
    return _problem(status, title, str(exc), {key: value for key, value in extra.items() if value})


def _problem(status: int, title: str, detail: str, extra: dict[str, Any]) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    return Response(msgspec.json.encode(body), status, content_type=_PROBLEM)


def json(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, content_type=_JSON)


def empty() -> Response:
    """Done; nothing to say."""
    return Response(status=204)


def redirect(url: str) -> Response:
    """Go there; nobody keeps where that was."""
    return Response(
        status=303, headers={"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


def page(status: int, title: str, detail: str) -> Response:
    """A page for a person who has come here by a link and can be sent nowhere."""
    html = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(title)}</title><body style='font:16px system-ui;max-width:34em;margin:15vh auto;padding:0 1em'>"
        f"<h1 style='font-size:1.4em'>{escape(title)}</h1><p>{escape(detail)}</p>"
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(html, status, headers, content_type="text/html; charset=utf-8")


def body(request: Request, kind: type[T]) -> T:
    """The request's JSON body; InvalidRequest names the field that is wrong."""
    try:
        return msgspec.json.decode(request.get_data(cache=False) or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidRequest(f"The body does not fit: {exc}", reason="bad_body") from exc


def crm_caller(request: Request, callers: Callers) -> Caller:
    """The CRM's user or backend whose ID token this request bears."""
    return callers.crm(bearer(request))


def bearer(request: Request) -> str:
    """The bearer token; NotAuthenticated where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("Send `Authorization: Bearer <ID token>`.")
    return token.strip()


def member(caller: Caller, location_id: str) -> None:
    """NotFound where the caller has nothing to do with the location: it does not even learn that there is one."""
    if caller.locations is not None and location_id not in caller.locations:
        raise NotFound("There is no such location for you.")


def backend(caller: Caller) -> None:
    """NotAllowed for everybody but the CRM's backend (H2)."""
    if caller.role != "backend":
        raise NotAllowed("Only the CRM's backend may do this.")


def acting_user(caller: Caller, named: str | None) -> str:
    """The user on whose behalf this is: the caller; the backend names one."""
    if named is None or named == caller.user_id:
        return caller.user_id
    backend(caller)
    return named


def allowed_return(url: str, origins: tuple[str, ...]) -> str:
    """The return URL, if its origin is on the list; on loopback any port is (RFC 8252)."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    loopback = parts.hostname in {"127.0.0.1", "localhost"} and f"{parts.scheme}://{parts.hostname}" in origins
    if "@" in parts.netloc or "\\" in url or not (origin in origins or loopback):
        raise InvalidRequest("`returnUrl` is not on this deployment's list (RETURN_URLS).", reason="return_url")
    return url


def service_call(request: Request, callers: Callers, audience: str, email: str) -> None:
    """NotAuthenticated unless the request comes from this service account, for this function."""
    callers.service(bearer(request), audience, email)


def with_status(url: str, status: str) -> str:
    """The URL with `status=` added to its query."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("status", status)])
    return urlunsplit(parts._replace(query=query))


def retries(request: Request) -> int:
    """How often Cloud Tasks has tried this task before."""
    count = request.headers.get("X-CloudTasks-TaskRetryCount", "0")
    return int(count) if count.isdigit() else 0


def pubsub_data(data: Any) -> bytes:
    """The payload of a Pub/Sub message inside its CloudEvent; InvalidRequest where there is none."""
    try:
        return base64.b64decode(data["message"]["data"], validate=True)
    except (KeyError, TypeError, binascii.Error) as exc:
        raise InvalidRequest("The event carries no Pub/Sub message.", reason="bad_event") from exc


@contextmanager
def logged(event: str, **fields: Any) -> Iterator[None]:
    """Log how a piece of work that nobody waits for ended; its error goes on, so that the platform delivers again (P31)."""
    try:
        yield
    except Temporary as exc:
        logs.warning(f"{event}.later", reason=exc.reason, **fields)
        raise
    except Exception as exc:
        logs.error(f"{event}.failed", exc, **fields)
        raise
    logs.info(f"{event}.done", **fields)
