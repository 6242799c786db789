"""What the tests of the Cloud Tasks simulator are made of: a target, the real client and the control endpoint."""

import json
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import grpc
import requests
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from infra.local.tasks.server import Endpoints

LOCATION = "projects/mailbridge-local/locations/local"
PATIENCE_SECONDS = 30
T = TypeVar("T")


def eventually(look: Callable[[], T]) -> T:
    """Answer the first true thing that `look` sees."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return seen


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def counts(self) -> tuple[str, str]:
        """Answer the retry count and the execution count that the request came with."""
        return self.headers["x-cloudtasks-taskretrycount"], self.headers["x-cloudtasks-taskexecutioncount"]


class Door:
    """Requests wait at it until they are let through, one by one or all."""

    def __init__(self) -> None:
        self._passes = threading.Semaphore(0)

    def wait(self) -> None:
        self._passes.acquire(timeout=PATIENCE_SECONDS)

    def let_one_through(self) -> None:
        self._passes.release()

    def open(self) -> None:
        self._passes.release(1000)


@dataclass(slots=True)
class Target:
    """A worker that answers 200, or what the test has scripted for a path; `hold` lets it take its time."""

    url: str
    received: list[Received] = field(default_factory=list)
    script: dict[str, deque[tuple[int, dict[str, str]]]] = field(default_factory=lambda: defaultdict(deque))
    doors: dict[str, Door] = field(default_factory=dict)

    def answers(self, path: str, *statuses: int, **headers: str) -> None:
        """Answer the next requests of the path with these statuses, in turn."""
        self.script[path].extend((status, headers) for status in statuses)

    def hold(self, path: str) -> Door:
        """Keep requests of the path waiting at a door."""
        return self.doors.setdefault(path, Door())

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, times: int = 1) -> list[Received]:
        """Answer the path's requests once there are so many."""
        return eventually(lambda: (len(self.at(path)) >= times and self.at(path)) or [])

    def answer_to(self, request: Received) -> tuple[int, dict[str, str]]:
        self.received.append(request)
        if request.path in self.doors:
            self.doors[request.path].wait()
        script = self.script[request.path]
        return script.popleft() if script else (200, {})


class Server(ThreadingHTTPServer):
    request_queue_size = 1024  # a burst of connections overflows the default of 5, and the kernel drops the rest


@contextmanager
def listening() -> Iterator[Target]:
    """Run a target on a free port."""
    server = Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    target = Target(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield target
    finally:
        for door in target.doors.values():
            door.open()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            status, extra = target.answer_to(Received(self.command, self.path, headers, body))
            self.send_response(status)
            for name, value in {**extra, "Content-Length": "0"}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815  the base class looks for these names

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@dataclass(slots=True)
class Bench:
    """One simulator, seen through the real client, with a target for its tasks."""

    client: Any
    control: str
    target: Target

    def queue(self, name: str = "work", **config: Any) -> str:
        """Make a queue and answer its name; `config` is `rate_limits` and `retry_config`."""
        full = f"{LOCATION}/queues/{name}"
        self.client.create_queue(parent=LOCATION, queue={"name": full, **config})
        return full

    def task(self, queue: str, path: str, name: str | None = None, **fields: Any) -> Any:
        """Create a task for the target's path; further fields go into the task, `http` into its request."""
        request = {"url": self.target.url + path, "http_method": "POST", **fields.pop("http", {})}
        task = {"http_request": request, **fields, **({"name": f"{queue}/tasks/{name}"} if name else {})}
        return self.client.create_task(parent=queue, task=task)

    def paused(self, name: str = "work", **config: Any) -> str:
        """Make a queue that dispatches nothing yet."""
        queue = self.queue(name, **config)
        self.client.pause_queue(name=queue)
        return queue

    def seen(self, name: str) -> dict[str, Any]:
        """Answer what the control endpoint knows of a task."""
        items = self.get("tasks")["items"]
        return next(item for item in items if item["name"] == name)

    def reaches(self, task: Any, state: str) -> dict[str, Any]:
        """Answer the task once it is in this state."""
        return eventually(lambda: ((item := self.seen(task.name))["state"] == state and item) or {})

    def ended(self, task: Any, times: int) -> list[str]:
        """Answer what became of the task's attempts once so many are over."""
        return eventually(lambda: (len(over := self._over(task)) >= times and over) or [])

    def failed(self, task: Any, times: int) -> Any:
        """Answer the waiting task once it has failed so often."""
        self.ended(task, times)
        return self.client.get_task(name=task.name)

    def _over(self, task: Any) -> list[str]:
        return [attempt["status"] for attempt in self.seen(task.name)["attempts"] if attempt["endedAt"]]

    def get(self, path: str) -> Any:
        return requests.get(f"{self.control}/_sim/{path}", timeout=PATIENCE_SECONDS).json()

    def post(self, path: str, **body: Any) -> Any:
        response = requests.post(f"{self.control}/_sim/{path}", data=json.dumps(body), timeout=PATIENCE_SECONDS)
        response.raise_for_status()
        return response.json()

    def skip(self, seconds: float) -> None:
        """Let the simulator's time pass."""
        self.post("clock", advanceSeconds=seconds)


def pause_before_retry(task: Any) -> float:
    """Answer the seconds between a task's last failure and its next attempt."""
    pause: timedelta = task.schedule_time - task.last_attempt.response_time
    return round(pause / timedelta(seconds=1), 3)


def closed_port() -> int:
    """Answer a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@contextmanager
def connected(endpoints: Endpoints) -> Iterator[Any]:
    """Answer the real client, connected to the simulator."""
    with grpc.insecure_channel(endpoints.grpc) as channel:
        yield CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
