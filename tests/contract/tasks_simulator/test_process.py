"""The simulator as one process: `python -m infra.local.tasks`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.tasks.server import Endpoints
from tests.contract.tasks_simulator.bench import LOCATION, connected, eventually

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "infra.local.tasks")


@contextmanager
def running(folder: Path, options: Sequence[str] = ()) -> Iterator[tuple["subprocess.Popen[str]", Endpoints]]:
    ports = folder / "ports.json"
    command = [*COMMAND, "--signing-key", str(folder / "key.pem"), "--port-file", str(ports), *options]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        eventually(lambda: ports.exists() or process.poll() is not None)
        yield process, Endpoints(**json.loads(ports.read_text()))
    finally:
        process.kill()
        process.communicate()


def test_it_starts_with_its_queues_and_stops_when_told(tmp_path: Path) -> None:
    option = f'{LOCATION}/queues/delivery:{{"retryConfig": {{"minBackoff": "2.5s", "maxAttempts": -1}}}}'
    with running(tmp_path, ["--queue", option, "--queue", f"{LOCATION}/queues/background"]) as (process, endpoints):
        with connected(endpoints) as client:
            queues = {queue.name.rpartition("/")[2]: queue for queue in client.list_queues(parent=LOCATION)}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert set(queues) == {"delivery", "background"}
    assert queues["delivery"].retry_config.min_backoff.total_seconds() == 2.5
    assert queues["delivery"].retry_config.max_attempts == -1


def test_a_port_that_is_taken_ends_it_with_a_reason(tmp_path: Path) -> None:
    with running(tmp_path) as (_, endpoints):
        second = refused("--signing-key", str(tmp_path / "key.pem"), "--port", endpoints.grpc.rpartition(":")[2])
    assert endpoints.grpc in second


def test_a_malformed_queue_ends_it_with_a_reason(tmp_path: Path) -> None:
    key = str(tmp_path / "key.pem")
    assert "queues/QUEUE_ID" in refused("--signing-key", key, "--queue", "delivery")
    assert "retryConfigs" in refused("--signing-key", key, "--queue", f'{LOCATION}/queues/q:{{"retryConfigs": 1}}')


def refused(*options: str) -> str:
    """Answer what the process complains of when it does not start."""
    process = subprocess.run([*COMMAND, *options], cwd=ROOT, text=True, capture_output=True, check=False, timeout=60)
    assert process.returncode == 2
    return process.stderr
