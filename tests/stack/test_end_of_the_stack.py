"""However the program ends, no process is left, and the next one can start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.errors import StackError
from infra.local.processes import ROOT, free_ports
from infra.local.stack import LocalStack
from tests.stack.probes import FUNCTIONS, eventually, living

OTHER_GMAIL = {"GMAIL_API_ENDPOINT": "http://127.0.0.1:9/", "OAUTH_TOKEN_URL": "http://127.0.0.1:9/elsewhere"}


@contextmanager
def up(run_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`python -m infra.local up` with another Gmail than the simulator, ended at the latest on leaving."""
    argv = [sys.executable, "-m", "infra.local", "up", "--port", str(port), "--run-dir", str(run_dir)]
    argv += ["--functions", str(FUNCTIONS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, cwd=ROOT, env={**os.environ, **OTHER_GMAIL}, stdout=pipe, stderr=pipe, text=True
    ) as program:
        try:
            yield program
        finally:
            program.terminate()


def described(run_dir: Path, program: subprocess.Popen[str]) -> dict[str, Any]:
    """`stack.json`, once this program has published it."""

    def look() -> dict[str, Any] | None:
        assert program.poll() is None, program.communicate()[1]
        try:
            found: dict[str, Any] = json.loads((run_dir / "stack.json").read_text())
        except FileNotFoundError:
            return None
        return found if found["supervisor"] == program.pid else None

    answer = eventually(look, within_seconds=60)
    assert answer
    return answer


@dataclass(frozen=True)
class Killed:
    """A program that was ended with kill -9, and what it had published."""

    run_dir: Path
    description: dict[str, Any]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    run_dir = tmp_path_factory.mktemp("killed")
    with up(run_dir, *free_ports(1)) as program:
        description = described(run_dir, program)
        os.kill(program.pid, signal.SIGKILL)
    return Killed(run_dir, description)


def test_up_stays_until_ctrl_c_refuses_a_second_and_leaves_nothing(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with up(tmp_path, port) as program:
        stack = described(tmp_path, program)
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).json()["pid"] == stack["pids"]["gateway"]
        with up(tmp_path, port) as second:
            assert second.wait(timeout=60) == 3
            assert second.stderr
            assert f"already runs in {tmp_path} (process {program.pid})" in second.stderr.read()
        program.send_signal(signal.SIGINT)
        printed, errors = program.communicate(timeout=30)
    assert program.returncode == 0, errors
    assert f"http://127.0.0.1:{port}" in printed
    assert printed.endswith("Stopped.\n")
    assert not living(stack["pids"].values())
    assert not (tmp_path / "stack.json").exists()


def test_another_gmail_takes_the_simulators_place(killed: Killed) -> None:
    stack = killed.description
    assert "gmail" not in stack["pids"]
    assert stack["gmail"] == stack["env"]["GMAIL_API_ENDPOINT"] == "http://127.0.0.1:9"
    assert stack["env"]["OAUTH_TOKEN_URL"] == "http://127.0.0.1:9/elsewhere"
    assert stack["env"]["OAUTH_REVOKE_URL"] == "http://127.0.0.1:9/revoke"


def test_kill_9_leaves_no_process(killed: Killed) -> None:
    assert eventually(lambda: not living(killed.description["pids"].values()), within_seconds=10)


def test_the_next_start_replaces_what_a_killed_one_left_and_an_error_ends_it(killed: Killed) -> None:
    description = killed.run_dir / "stack.json"
    assert description.exists()
    seen: dict[str, Any] = {}

    def use_it_badly() -> None:
        with LocalStack(run_dir=killed.run_dir, functions_source=FUNCTIONS, gmail_endpoint="http://127.0.0.1:9"):
            seen.update(json.loads(description.read_text()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_it_badly()
    assert seen["supervisor"] == os.getpid()
    assert seen["env"]["GRANT_KEYSET"] == killed.description["env"]["GRANT_KEYSET"]
    assert not living(seen["pids"].values())
    assert not description.exists()


def test_sigterm_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with up(tmp_path, port) as program:
        eventually(lambda: list(tmp_path.glob("logs/*.log")))
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=30) == 0
    commands = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in commands
    assert not (tmp_path / "stack.json").exists()


def test_functions_that_cannot_be_loaded_end_the_start_with_their_own_words(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise RuntimeError('CRM_ISSUER is not set')\n")
    broken = LocalStack(run_dir=tmp_path / "run", functions_source=tmp_path / "main.py", environ={**os.environ})
    with pytest.raises(StackError, match="gateway ended with exit code 1 while starting") as error, broken:
        pass
    assert "CRM_ISSUER is not set" in str(error.value)
    assert not (tmp_path / "run" / "stack.json").exists()
