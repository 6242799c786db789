"""The stack while it runs: all parts answer, and `stack.json` leads to them."""

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import firestore

from infra.local.errors import StackError
from infra.local.stack import LocalStack
from tests.stack.probes import FUNCTIONS, eventually, living


def published(stack: LocalStack) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(stack.run_dir.description.read_text())
    return answer


def test_stack_json_names_every_endpoint_process_and_setting(echo_stack: LocalStack) -> None:
    described = published(echo_stack)
    assert described["project"] == "mailbridge-local"
    assert set(described["pids"]) == {
        "firestore",
        "pubsub",
        "gateway",
        "gmail",
        "tasks",
        "small-services",
        "storage",
    }
    assert described["env"]["PUBLIC_URL"] == described["gateway"]
    assert described["env"]["FIRESTORE_EMULATOR_HOST"] == described["firestore"]
    assert described["env"]["OAUTH_TOKEN_URL"] == f"{described['gmail']}/token"


@pytest.mark.parametrize(
    "name", ["gateway", "gmail", "issuer", "storage", "firestore", "pubsub", "tasks", "tasksControl", "smtp"]
)
def test_every_endpoint_accepts_connections(echo_stack: LocalStack, name: str) -> None:
    host, port = published(echo_stack)[name].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5):
        assert host == "127.0.0.1"


def test_every_process_runs_and_writes_a_log_of_its_own(echo_stack: LocalStack) -> None:
    pids = published(echo_stack)["pids"]
    assert set(pids.values()) <= living(pids.values())
    assert {log.stem for log in echo_stack.run_dir.logs.glob("*.log")} == set(pids)


def test_firestore_keeps_documents_through_the_real_client(
    echo_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", echo_stack.endpoints.firestore)
    client = firestore.Client(project="mailbridge-local")
    client.document("locations/l1").set({"name": "Praxis Öhler"})
    assert client.document("locations/l1").get().to_dict() == {"name": "Praxis Öhler"}


def test_the_gateway_serves_each_function_below_its_name(echo_stack: LocalStack) -> None:
    gateway = echo_stack.endpoints.gateway
    listed = requests.get(f"{gateway}/", timeout=10).json()["functions"]
    assert listed == {"echo": "http", "meet": "http", "sync_mailbox": "cloudevent", "renew_watches": "http"}
    answer = requests.post(f"{gateway}/echo/below/it", data=b"12345", timeout=10).json()
    assert (answer["path"], answer["bytes"], answer["project"]) == ("/below/it", 5, "mailbridge-local")
    assert requests.get(f"{gateway}/unknown", timeout=10).status_code == 404


def test_the_gateway_takes_large_requests_up_to_cloud_runs_limit(echo_stack: LocalStack) -> None:
    url = f"{echo_stack.endpoints.gateway}/echo"
    assert requests.post(url, data=bytes(31 << 20), timeout=30).json()["bytes"] == 31 << 20
    assert requests.post(url, data=bytes((32 << 20) + 1), timeout=30).status_code == 413


def test_the_gateway_answers_several_requests_at_once(echo_stack: LocalStack) -> None:
    url = f"{echo_stack.endpoints.gateway}/meet"
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: requests.post(url, timeout=30).status_code, range(8)))
    assert answers == [204] * 8


def test_a_killed_gateway_comes_back_on_its_port_with_a_new_process(echo_stack: LocalStack) -> None:
    before = published(echo_stack)["pids"]["gateway"]
    os.kill(before, signal.SIGKILL)

    def answered() -> int:
        try:
            return int(requests.get(f"{echo_stack.endpoints.gateway}/echo", timeout=5).json()["pid"])
        except requests.ConnectionError:
            return 0

    after = eventually(answered)
    assert after != before
    assert eventually(lambda: published(echo_stack)["pids"]["gateway"] == after)
    assert not living([before])


def test_a_taken_port_is_refused_before_anything_starts(echo_stack: LocalStack, tmp_path: Path) -> None:
    port = int(echo_stack.endpoints.gateway.rsplit(":", 1)[1])
    second = LocalStack(run_dir=tmp_path, gateway_port=port, functions_source=FUNCTIONS)
    with pytest.raises(StackError, match=f"Port {port} is taken"), second:
        pass
    assert list((tmp_path / "logs").iterdir()) == []
