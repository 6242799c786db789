"""Tasks: the fake and Cloud Tasks keep the same promises."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.tasks.server import Options, queue_option, serving_in_thread
from mailbridge.adapters.tasks import CloudTasks
from mailbridge.errors import NotFound, Temporary
from mailbridge.ports import Tasks
from tests.contract.adapters.loopback import PROJECT, Received, config, eventually, http_server
from tests.fakes.tasks import FakeTasks

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
LOCATION = f"projects/{PROJECT}/locations/local"


@dataclass
class Functions:
    """Stands for our functions: remembers what Cloud Tasks calls."""

    received: list[Received] = field(default_factory=list)

    def respond(self, request: Received) -> tuple[int, bytes]:
        self.received.append(request)
        return 200, b"{}"

    def first(self) -> Received:
        eventually(lambda: bool(self.received))
        return self.received[0]


@dataclass(frozen=True)
class Cloud:
    """A running Cloud Tasks, the functions that it calls, and the adapter."""

    tasks: CloudTasks
    functions: Functions
    key: rsa.RSAPrivateKey
    public_url: str
    control: str

    def listed(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = requests.get(f"{self.control}/_sim/tasks", timeout=10).json()["items"]
        return items


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def cloud(key: rsa.RSAPrivateKey) -> Iterator[Cloud]:
    queues = [queue_option(f"{LOCATION}/queues/{name}") for name in ("delivery", "background")]
    functions = Functions()
    with http_server(functions.respond) as url, serving_in_thread(Options(key=key, queues=queues)) as endpoints:
        tasks = CloudTasks(config(PUBLIC_URL=url, CLOUD_TASKS_ENDPOINT=endpoints.grpc))
        yield Cloud(tasks, functions, key, url, endpoints.control)


@dataclass(frozen=True)
class Promise:
    """Either implementation, and how many tasks it holds or has run."""

    tasks: Tasks
    count: Callable[[], int]


@pytest.fixture(params=["fake", "real"])
def promise(request: pytest.FixtureRequest) -> Promise:
    if request.param == "fake":
        fake = FakeTasks()
        return Promise(fake, lambda: len(fake.planned))
    cloud: Cloud = request.getfixturevalue("cloud")
    return Promise(cloud.tasks, lambda: len(cloud.listed()))


@pytest.mark.rule("D3")
def test_the_same_delivery_asked_for_twice_is_one_task(promise: Promise) -> None:
    promise.tasks.deliver("m1", 1, LATER)
    promise.tasks.deliver("m1", 1, LATER)
    promise.tasks.deliver("m1", 1)
    assert promise.count() == 1


def test_another_number_or_message_is_another_task(promise: Promise) -> None:
    promise.tasks.deliver("m1", 1, LATER)
    promise.tasks.deliver("m1", 2, LATER)
    promise.tasks.deliver("m2", 1, LATER)
    assert promise.count() == 3


def test_storing_attachments_runs_each_time_it_is_asked_for(promise: Promise) -> None:
    promise.tasks.store_attachments("l1", "m1", LATER)
    promise.tasks.store_attachments("l1", "m1", LATER)
    assert promise.count() == 2


@pytest.mark.rule("D3")
def test_eight_threads_asking_for_one_delivery_make_one_task(cloud: Cloud) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cloud.tasks.deliver("m1", 1, LATER), range(16)))
    assert len(cloud.listed()) == 1


def test_a_delivery_calls_the_function_with_the_message(cloud: Cloud) -> None:
    cloud.tasks.deliver("m1", 1)
    received = cloud.functions.first()
    assert (received.method, received.path) == ("POST", "/deliver_message")
    assert json.loads(received.body) == {"messageId": "m1"}
    assert received.headers["Content-Type"] == "application/json"


def test_deferred_work_calls_run_task_with_what_to_do(cloud: Cloud) -> None:
    cloud.tasks.store_attachments("l1", "m1", datetime.now(UTC))
    received = cloud.functions.first()
    assert received.path == "/run_task"
    assert json.loads(received.body) == {"task": "store_attachments", "locationId": "l1", "messageId": "m1"}


def test_a_call_proves_by_token_that_it_comes_from_our_queue(cloud: Cloud) -> None:
    cloud.tasks.deliver("m1", 1)
    token = cloud.functions.first().headers["Authorization"].removeprefix("Bearer ")
    audience = f"{cloud.public_url}/deliver_message"
    claims = jwt.decode(token, cloud.key.public_key(), algorithms=["RS256"], audience=audience)
    assert claims["email"] == "tasks@example.iam.gserviceaccount.com"


@pytest.mark.rule("D8")
def test_a_later_delivery_waits_for_its_time(cloud: Cloud) -> None:
    cloud.tasks.deliver("m1", 1, LATER)
    (task,) = cloud.listed()
    assert task["state"] == "scheduled"
    assert datetime.fromisoformat(task["scheduleTime"]) == LATER


def test_any_message_id_makes_a_legal_name(cloud: Cloud) -> None:
    cloud.tasks.deliver("<ä/b c@example>" * 50, 1, LATER)
    assert len(cloud.listed()) == 1


def test_a_queue_that_is_not_there_is_named_as_the_trouble(cloud: Cloud) -> None:
    endpoint = cloud.tasks._config.cloud_tasks_endpoint
    lost = CloudTasks(config(CLOUD_TASKS_ENDPOINT=endpoint, DELIVERY_QUEUE=f"{LOCATION}/queues/unknown"))
    with pytest.raises(NotFound):
        lost.deliver("m1", 1)


def test_cloud_tasks_out_of_reach_is_passing_trouble() -> None:
    with pytest.raises(Temporary):
        CloudTasks(config(CLOUD_TASKS_ENDPOINT="127.0.0.1:1")).deliver("m1", 1)
