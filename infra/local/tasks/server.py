"""The simulator as a whole: the gRPC server, the control endpoint and the queues, in one event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from google.cloud.tasks_v2.types import Queue
from google.protobuf import json_format

from infra.local.tasks import names
from infra.local.tasks.clock import Clock
from infra.local.tasks.control import Control
from infra.local.tasks.dispatch import Dispatcher, new_session
from infra.local.tasks.errors import RefusedError
from infra.local.tasks.faults import Delivery
from infra.local.tasks.registry import Registry
from infra.local.tasks.service import CloudTasks

HOST = "127.0.0.1"
DEDUPE_SECONDS = 3600.0
QueueMessage = Queue.pb()


@dataclass(frozen=True, slots=True)
class Options:
    """What a simulator starts with; a port of 0 is a free one."""

    key: RSAPrivateKey
    queues: Sequence[Any] = ()
    port: int = 0
    control_port: int = 0
    dedupe_seconds: float = DEDUPE_SECONDS


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running simulator listens: `grpc` as host:port, `control` as a URL."""

    grpc: str
    control: str


def queue_option(text: str) -> Any:
    """Read `NAME` or `NAME:{...}`, the queue's fields as in the REST API's JSON, or raise `ValueError`."""
    name, brace, fields = text.partition(":{")
    queue = QueueMessage()
    try:
        json_format.Parse(f"{{{fields}" if brace else "{}", queue)
        names.check_queue(name)
    except (json_format.ParseError, RefusedError) as exc:
        raise ValueError(f"queue {text!r}: {exc}") from exc
    queue.name = name
    return queue


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Endpoints]:
    """Run the simulator in this event loop while the block runs."""
    clock = Clock()
    async with new_session() as session:
        registry = Registry(clock, Dispatcher(session, options.key, clock), Delivery(), options.dedupe_seconds)
        for queue in options.queues:
            registry.create(names.location_of(queue.name), queue)
        try:
            async with _grpc(registry, options.port) as port, _control(registry, options.control_port) as control_port:
                yield Endpoints(f"{HOST}:{port}", f"http://{HOST}:{control_port}")
        finally:
            await registry.stop()


@contextmanager
def serving_in_thread(options: Options) -> Iterator[Endpoints]:
    """Run the simulator in a thread of this process while the block runs."""
    started: Future[tuple[Endpoints, Callable[[], object]]] = Future()
    with ThreadPoolExecutor(1, "tasks-simulator") as pool:
        served = pool.submit(asyncio.run, _serve(options, started))
        either: list[Future[Any]] = [served, started]
        wait(either, return_when=FIRST_COMPLETED)
        if served.done():
            served.result()
        endpoints, stop = started.result()
        try:
            yield endpoints
        finally:
            stop()
            served.result()


async def _serve(options: Options, started: "Future[tuple[Endpoints, Callable[[], object]]]") -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with serving(options) as endpoints:
        started.set_result((endpoints, lambda: loop.call_soon_threadsafe(stopped.set)))
        await stopped.wait()


@asynccontextmanager
async def _grpc(registry: Registry, port: int) -> AsyncIterator[int]:
    """Serve gRPC on a port that no other process shares: grpc would let a second simulator bind the same one."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((CloudTasks(registry).handler(),))
    bound = server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(grace=None)


@asynccontextmanager
async def _control(registry: Registry, port: int) -> AsyncIterator[int]:
    runner = web.AppRunner(Control(registry).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
