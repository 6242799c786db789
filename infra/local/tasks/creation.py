"""What CreateTask accepts: the checks, the defaults and the views of a task."""

import re
from typing import Any

from google.cloud.tasks_v2.types import HttpMethod, Task

from infra.local.tasks import names
from infra.local.tasks.configuration import complete_retries
from infra.local.tasks.durations import assign, seconds
from infra.local.tasks.errors import invalid, unsupported

TaskMessage = Task.pb()
FULL = Task.View.FULL.value
BASIC = Task.View.BASIC.value

# The reference says 1 MiB; measured on the stored task by others, the last size that passes is 7 bytes less.
MAX_TASK_BYTES = 1_048_569
MAX_AHEAD_SECONDS = 30 * 24 * 3600
MAX_URL_LENGTH = 2083
MAX_HEADER_BYTES = 80 * 1024
DEADLINE_SECONDS = (15, 1800)
DEFAULT_DEADLINE_SECONDS = 600
USER_AGENT = "Google-Cloud-Tasks"
METHODS_WITH_BODY = {HttpMethod.POST.value, HttpMethod.PUT.value, HttpMethod.PATCH.value}

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def accepted(requested: Any, queue_name: str, now: float) -> Any:
    """Answer the task as the queue stores it, named and with every default filled in, or refuse it."""
    task = TaskMessage(name=_name(requested, queue_name), http_request=_http_request(requested))
    assign(task.create_time, int(now))
    assign(task.schedule_time, _schedule(requested, now))
    assign(task.dispatch_deadline, _deadline(requested))
    if requested.HasField("retry_config"):
        task.retry_config.CopyFrom(requested.retry_config)
        complete_retries(task.retry_config)
    if task.ByteSize() > MAX_TASK_BYTES:
        raise invalid(f"the task has {task.ByteSize()} bytes; at most {MAX_TASK_BYTES} fit (1 MiB)")
    return task


def viewed(task: Any, view: int) -> Any:
    """Answer a copy of the task for a caller: the body only in the FULL view."""
    copy = TaskMessage()
    copy.CopyFrom(task)
    copy.view = FULL if view == FULL else BASIC
    if view != FULL:
        copy.http_request.ClearField("body")
    return copy


def _name(requested: Any, queue_name: str) -> str:
    if not requested.name:
        return names.generated(queue_name)
    if names.queue_of(requested.name) != queue_name:
        raise invalid(f"task {requested.name!r} names another queue than the parent {queue_name!r}")
    return str(requested.name)


def _http_request(requested: Any) -> Any:
    if requested.HasField("app_engine_http_request"):
        raise unsupported("App Engine tasks: use http_request")
    request = requested.http_request
    _check_url(request.url)
    _check_headers(request.headers)
    if request.HasField("oauth_token"):
        raise unsupported("oauth_token: use oidc_token")
    request.http_method = request.http_method or HttpMethod.POST.value
    if request.body and request.http_method not in METHODS_WITH_BODY:
        raise invalid("http_request.body is allowed with POST, PUT and PATCH only")
    for name in [name for name in request.headers if name.lower() == "user-agent"]:
        del request.headers[name]
    request.headers["User-Agent"] = USER_AGENT
    return request


def _check_url(url: str) -> None:
    if not url:
        raise invalid("http_request.url is required")
    if not url.lower().startswith(("http://", "https://")):
        raise invalid(f"http_request.url must start with http:// or https://, not {url[:40]!r}")
    if len(url) > MAX_URL_LENGTH:
        raise invalid(f"http_request.url is longer than {MAX_URL_LENGTH} characters")


def _check_headers(headers: Any) -> None:
    for name, value in headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise invalid(f"http_request.headers: {name!r} is no valid header")
    if sum(len(name) + len(value) for name, value in headers.items()) >= MAX_HEADER_BYTES:
        raise invalid("http_request.headers must be smaller than 80 KB")


def _schedule(requested: Any, now: float) -> float:
    due = seconds(requested.schedule_time)
    if due > now + MAX_AHEAD_SECONDS:
        raise invalid("schedule_time must be within the next 30 days")
    return max(due, now)


def _deadline(requested: Any) -> float:
    if not requested.HasField("dispatch_deadline"):
        return DEFAULT_DEADLINE_SECONDS
    deadline = seconds(requested.dispatch_deadline)
    shortest, longest = DEADLINE_SECONDS
    if not shortest <= deadline <= longest:
        raise invalid("dispatch_deadline must be between 15 seconds and 30 minutes")
    return deadline
