"""Entry points: each deployed function parses its request, calls one service, and answers."""

from datetime import datetime, timedelta

import functions_framework
import msgspec
from cloudevents.http.event import CloudEvent
from flask import Request, Response
from flask import request as flask_request

from mailbridge import bootstrap, logs, requests, web
from mailbridge.errors import InvalidRequest

BROWSER_COOKIE = "mailbridge_connect"
"""Binds a connection to the browser that began it (A1)."""

SILENCE = timedelta(minutes=15)
"""How long a mailbox may be silent before it is looked at without a notification."""

STUCK = timedelta(seconds=30)
"""How long past its time a delivery may be before it gets another task."""


@functions_framework.http
@web.answering
def connect_mailbox(request: Request) -> Response:
    """A CRM user begins to connect a Gmail mailbox: answers `{authorizationUrl}` (A1)."""
    caller = web.crm_caller(request, bootstrap.callers())
    wish = web.body(request, requests.Connect)
    web.member(caller, wish.location_id)
    return_url = web.allowed_return(wish.return_url, bootstrap.config().return_urls)
    started = bootstrap.connecting().start(caller.user_id, wish.location_id, return_url)
    answer = web.json({"authorizationUrl": started.authorization_url})
    secure = request.is_secure or bootstrap.config().public_url.startswith("https:")
    answer.set_cookie(
        BROWSER_COOKIE,
        started.browser_token,
        max_age=900,
        secure=secure,
        httponly=True,
        samesite="None" if secure else "Lax",
    )
    return answer


@functions_framework.http
@web.answering
def connect_callback(request: Request) -> Response:
    """Google's redirect: ends at the CRM's return URL with `status=` (A2, A3)."""
    browser_token, query = request.cookies.get(BROWSER_COOKIE), request.args
    try:
        ended = bootstrap.connecting().finish(
            query.get("state", ""), browser_token, query.get("code"), query.get("error")
        )
    except InvalidRequest as exc:
        return web.page(400, "Gmail was not connected", str(exc))
    answer = web.redirect(web.with_status(ended.return_url, ended.status))
    answer.delete_cookie(BROWSER_COOKIE)
    return answer


@functions_framework.http
@web.answering
def disconnect_mailbox(request: Request) -> Response:
    """A CRM user disconnects their mailbox from a location (A6)."""
    caller = web.crm_caller(request, bootstrap.callers())
    wish = web.body(request, requests.Disconnect)
    web.member(caller, wish.location_id)
    bootstrap.connecting().disconnect(wish.location_id, caller.user_id)
    return web.empty()


@functions_framework.cloud_event
@web.acknowledging
def sync_mailbox(event: CloudEvent) -> None:
    """Gmail's notification, pushed by Pub/Sub: returning acknowledges, an error has it delivered again (B)."""
    config = bootstrap.config()
    web.service_call(
        flask_request, bootstrap.callers(), config.function_url("sync_mailbox"), config.push_service_account
    )
    try:
        notification = msgspec.json.decode(web.pubsub_data(event.data), type=requests.Notification, strict=False)
    except (msgspec.DecodeError, InvalidRequest) as exc:
        logs.error("notification.unreadable", exc, eventId=event["id"])
        return
    published_at = datetime.fromisoformat(event["time"]) if "time" in event else bootstrap.now()
    with web.logged("notification", eventId=event["id"], historyId=notification.history_id):
        bootstrap.inbound().notified(notification.email_address, notification.history_id, published_at)


@functions_framework.http
@web.answering
def send_message(request: Request) -> Response:
    """A CRM user, or its backend for one, sends a mail: 202 with `{messageId, state}` (D1, D2)."""
    caller = web.crm_caller(request, bootstrap.callers())
    send = web.body(request, requests.Send)
    web.member(caller, send.location_id)
    user_id = web.acting_user(caller, send.user_id)
    accepted = bootstrap.outbound().accept(requests.wish(send, user_id, request.headers.get("Idempotency-Key")))
    return web.json({"messageId": accepted.message_id, "state": accepted.state}, 202)


@functions_framework.http
@web.answering
def deliver_message(request: Request) -> Response:
    """A task of the delivery queue: send one accepted mail, once (D3)."""
    config = bootstrap.config()
    web.service_call(request, bootstrap.callers(), config.function_url("deliver_message"), config.tasks_service_account)
    return web.task(lambda: bootstrap.delivering().deliver(web.body(request, requests.Deliver).message_id))


@functions_framework.http
@web.answering
def run_task(request: Request) -> Response:
    """A task of the background queue: deferred work."""
    config = bootstrap.config()
    web.service_call(request, bootstrap.callers(), config.function_url("run_task"), config.tasks_service_account)
    return web.task(lambda: _store_attachments(request))


def _store_attachments(request: Request) -> None:
    task = web.body(request, requests.StoreAttachments)
    bootstrap.attachment_copies().copy(task.location_id, task.message_id, web.retries(request))


@functions_framework.http
@web.answering
def renew_watches(request: Request) -> Response:
    """Cloud Scheduler: renew watches daily; every few minutes look at silent mailboxes and stuck sends (P4)."""
    config = bootstrap.config()
    web.service_call(
        request, bootstrap.callers(), config.function_url("renew_watches"), config.scheduler_service_account
    )
    job = web.body(request, requests.Schedule).job
    done: dict[str, int] = {}
    if job in ("renew", "all"):
        done["renewed"] = bootstrap.connecting().renew()
    if job in ("poll", "all"):
        done["polled"] = bootstrap.inbound().poll_all(bootstrap.connecting().silent(bootstrap.now() - SILENCE))
        done["requeued"] = bootstrap.outbound().requeue(bootstrap.now() - STUCK)
    return web.json(done)


@functions_framework.http
@web.answering
def api(request: Request) -> Response:
    """The resources that the CRM reads and writes (H1, H2)."""
    return bootstrap.api().answer(request, web.crm_caller(request, bootstrap.callers()))
