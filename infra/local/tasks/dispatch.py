"""One attempt: the HTTP request that Cloud Tasks sends to a task's target, and what its answer means."""

import time
from dataclasses import dataclass

import aiohttp
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from google.cloud.tasks_v2.types import HttpMethod
from google.rpc.code_pb2 import Code
from multidict import CIMultiDict

from infra.local.service_tokens import service_token
from infra.local.tasks import names
from infra.local.tasks.clock import Clock
from infra.local.tasks.durations import seconds
from infra.local.tasks.entry import Answer, Entry

COMPUTED = {"host", "content-length"}
RESERVED = ("x-google-", "x-appengine-", "x-cloudtasks-")
THROTTLING = {429, 503}
CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    409: Code.ABORTED,
    416: Code.OUT_OF_RANGE,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    501: Code.UNIMPLEMENTED,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}
CODES_BY_CLASS = {2: Code.OK, 4: Code.FAILED_PRECONDITION, 5: Code.INTERNAL}


@dataclass(frozen=True, slots=True)
class Request:
    """The request of one attempt, complete but for its token."""

    url: str
    method: str
    headers: CIMultiDict[str]
    body: bytes
    token: tuple[str, str] | None
    deadline: float


def prepared(entry: Entry) -> Request:
    """Answer the request of the entry's next attempt; `deadline` is how long it may take, in seconds."""
    http = entry.task.http_request
    email, audience = http.oidc_token.service_account_email, http.oidc_token.audience or http.url
    return Request(
        url=http.url,
        method=HttpMethod(http.http_method).name,
        headers=_headers(entry),
        body=http.body,
        token=(email, audience) if http.HasField("oidc_token") else None,
        deadline=seconds(entry.task.dispatch_deadline),
    )


class Dispatcher:
    """Sends attempts over HTTP, each on a connection of its own: a stale one would count as a failed attempt."""

    def __init__(self, session: aiohttp.ClientSession, key: RSAPrivateKey, clock: Clock) -> None:
        self._session = session
        self._key = key
        self._clock = clock

    async def send(self, request: Request) -> Answer:
        """Send the request once and answer what came of it; an unreachable target is an answer, too."""
        try:
            async with self._clock.deadline(self._clock.now() + request.deadline):
                return await self._exchange(request)
        except TimeoutError:
            return _answer(Code.DEADLINE_EXCEEDED, f"no answer within {request.deadline:g} s")
        except aiohttp.ClientError as exc:
            return _answer(Code.UNAVAILABLE, f"{type(exc).__name__}: {exc}")

    async def _exchange(self, request: Request) -> Answer:
        async with self._session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=self._authorized(request),
            skip_auto_headers=("Content-Type",),
        ) as response:
            await response.read()
            return _received(response.status, response.headers.get("Retry-After"))

    def _authorized(self, request: Request) -> CIMultiDict[str]:
        """Add the OIDC token, dated by the real time: its receivers do not know the simulated one."""
        if request.token is None:
            return request.headers
        headers = request.headers.copy()
        headers["Authorization"] = f"Bearer {service_token(self._key, *request.token, now=time.time())}"
        return headers


def new_session() -> aiohttp.ClientSession:
    """Answer a session without limits of its own: the queue sets the concurrency, the task the deadline."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None, sock_connect=None), auto_decompress=False
    )


def _headers(entry: Entry) -> CIMultiDict[str]:
    """Answer the task's own headers and Cloud Tasks'; the empty reason is Google's, too."""
    task = entry.task
    headers = CIMultiDict({name: value for name, value in task.http_request.headers.items() if _is_own(name)})
    headers["X-CloudTasks-QueueName"] = names.short(names.queue_of(task.name))
    headers["X-CloudTasks-TaskName"] = names.short(task.name)
    headers["X-CloudTasks-TaskRetryCount"] = str(task.dispatch_count)
    headers["X-CloudTasks-TaskExecutionCount"] = str(entry.executions)
    headers["X-CloudTasks-TaskETA"] = f"{entry.due:.6f}"
    if entry.previous_status is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(entry.previous_status)
        headers["X-CloudTasks-TaskRetryReason"] = ""
    return headers


def _is_own(header: str) -> bool:
    return header.lower() not in COMPUTED and not header.lower().startswith(RESERVED)


def _received(status: int, retry_after: str | None) -> Answer:
    code = CODES.get(status) or CODES_BY_CLASS.get(status // 100, Code.UNKNOWN)
    return _answer(code, f"HTTP status code {status}", status, retry_after if status in THROTTLING else None)


def _answer(code: int, detail: str, status: int | None = None, retry_after: str | None = None) -> Answer:
    return Answer(code, f"{Code.Name(code)}({code}): {detail}", status, retry_after)
