"""The gRPC service google.cloud.tasks.v2.CloudTasks: each method parses, calls the registry and answers."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.cloud.tasks_v2 import types
from google.protobuf.empty_pb2 import Empty

from infra.local.tasks import names
from infra.local.tasks.configuration import PAUSED, RUNNING
from infra.local.tasks.creation import viewed
from infra.local.tasks.errors import RefusedError, invalid, unsupported
from infra.local.tasks.registry import Registry

SERVICE = "google.cloud.tasks.v2.CloudTasks"
MAX_QUEUES_PAGE = 9800
MAX_TASKS_PAGE = 1000
T = TypeVar("T")


class CloudTasks:
    """The methods, named as in the API's description; requests and answers are its protobuf messages."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def handler(self) -> "grpc.GenericRpcHandler[Any, Any]":
        """Answer the handler of all methods, for a server."""
        return grpc.method_handlers_generic_handler(
            SERVICE, {name: _rpc(getattr(self, method), request) for name, method, request in METHODS}
        )

    def list_queues(self, request: Any) -> Any:
        """List the queues of a location, by name."""
        names.check_location(request.parent)
        if request.filter:
            raise unsupported("ListQueues.filter: filter the answer")
        mine = [queue for queue in self._registry.all() if names.location_of(queue.name) == request.parent]
        page, token = _page(mine, lambda queue: queue.name, request, MAX_QUEUES_PAGE)
        return types.ListQueuesResponse.pb()(queues=[queue.config for queue in page], next_page_token=token)

    def get_queue(self, request: Any) -> Any:
        """Answer a queue's configuration and state."""
        return self._registry.get(request.name).config

    def create_queue(self, request: Any) -> Any:
        """Make a queue."""
        return self._registry.create(request.parent, request.queue).config

    def update_queue(self, request: Any) -> Any:
        """Change a queue, or make it."""
        return self._registry.update(request.queue, request.update_mask).config

    def delete_queue(self, request: Any) -> Any:
        """Delete a queue and its tasks."""
        self._registry.delete(request.name)
        return Empty()

    def purge_queue(self, request: Any) -> Any:
        """Delete a queue's tasks, at once."""
        queue = self._registry.get(request.name)
        queue.purge()
        return queue.config

    def pause_queue(self, request: Any) -> Any:
        """Stop dispatching from a queue."""
        return self._set_state(request.name, PAUSED)

    def resume_queue(self, request: Any) -> Any:
        """Dispatch from a queue again."""
        return self._set_state(request.name, RUNNING)

    def list_tasks(self, request: Any) -> Any:
        """List a queue's tasks, by name."""
        entries = self._registry.get(request.parent).ledger.waiting()
        page, token = _page(entries, lambda entry: entry.task.name, request, MAX_TASKS_PAGE)
        tasks = [viewed(entry.task, request.response_view) for entry in page]
        return types.ListTasksResponse.pb()(tasks=tasks, next_page_token=token)

    def get_task(self, request: Any) -> Any:
        """Answer a task that is in its queue."""
        entry = self._registry.of_task(request.name).ledger.get(request.name)
        return viewed(entry.task, request.response_view)

    def create_task(self, request: Any) -> Any:
        """Add a task to a queue."""
        entry = self._registry.get(request.parent).create(request.task)
        return viewed(entry.task, request.response_view)

    def delete_task(self, request: Any) -> Any:
        """Delete a task."""
        self._registry.of_task(request.name).delete(request.name)
        return Empty()

    def run_task(self, request: Any) -> Any:
        """Dispatch a task now."""
        entry = self._registry.of_task(request.name).run(request.name)
        return viewed(entry.task, request.response_view)

    def _set_state(self, name: str, state: int) -> Any:
        queue = self._registry.get(name)
        queue.set_state(state)
        return queue.config


METHODS = (
    ("ListQueues", "list_queues", types.ListQueuesRequest),
    ("GetQueue", "get_queue", types.GetQueueRequest),
    ("CreateQueue", "create_queue", types.CreateQueueRequest),
    ("UpdateQueue", "update_queue", types.UpdateQueueRequest),
    ("DeleteQueue", "delete_queue", types.DeleteQueueRequest),
    ("PurgeQueue", "purge_queue", types.PurgeQueueRequest),
    ("PauseQueue", "pause_queue", types.PauseQueueRequest),
    ("ResumeQueue", "resume_queue", types.ResumeQueueRequest),
    ("ListTasks", "list_tasks", types.ListTasksRequest),
    ("GetTask", "get_task", types.GetTaskRequest),
    ("CreateTask", "create_task", types.CreateTaskRequest),
    ("DeleteTask", "delete_task", types.DeleteTaskRequest),
    ("RunTask", "run_task", types.RunTaskRequest),
)


def _rpc(method: Callable[[Any], Any], request: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    async def call(message: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return method(message)
        except RefusedError as refused:
            await context.abort(refused.code, refused.message)

    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=request.pb().FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )


def _page(items: Sequence[T], key: Callable[[T], str], request: Any, most: int) -> tuple[list[T], str]:
    """Answer one page of items that are in the order of their key, and the token of the next, empty at the end."""
    if request.page_size < 0:
        raise invalid("page_size must not be negative")
    after = _read_token(request.page_token)
    rest = [item for item in items if key(item) > after]
    page = rest[: min(request.page_size or most, most)]
    more = len(rest) > len(page)
    return page, base64.urlsafe_b64encode(key(page[-1]).encode()).decode() if more else ""


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise invalid("page_token is none of ours: pass on what the last answer said") from exc
