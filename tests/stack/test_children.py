"""Single children under guard and watch, without the rest of the stack."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.errors import StackError
from infra.local.processes import Child, Guard, Service, Startup
from infra.local.watch import Watch
from tests.stack.probes import eventually, living


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    with (tmp_path / "lock").open("w") as lock:
        guard = Guard(lock.fileno())
        yield guard
        guard.end_all([])
        guard.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Service]:
    def service(script: str, name: str = "sleeper", is_ready: Callable[[], bool] = lambda: True) -> Service:
        return Service(name, ["/bin/sh", "-c", script], os.environ, tmp_path / f"{name}.log", is_ready)

    return service


def test_a_child_that_ends_while_starting_is_shown_with_its_last_lines(
    guard: Guard, shell: Callable[..., Service]
) -> None:
    child = Child(shell("echo no such queue; exit 3", is_ready=lambda: False), guard)
    with pytest.raises(StackError, match="sleeper ended with exit code 3 while starting") as error:
        Startup([child], 30).wait()
    assert "no such queue" in str(error.value)
    assert str(child.service.log) in str(error.value)


def test_a_child_that_never_gets_ready_is_given_up(guard: Guard, shell: Callable[..., Service]) -> None:
    child = Child(shell("echo thinking; exec sleep 60", is_ready=lambda: False), guard)
    eventually(lambda: "thinking" in child.service.log.read_text())
    with pytest.raises(StackError, match="sleeper was not ready after 0 s") as error:
        Startup([child], 0.1).wait()
    assert "thinking" in str(error.value)
    guard.end_all([child.pid])
    child.wait()


def test_the_guard_ends_grandchildren_and_those_who_ignore_the_request(
    guard: Guard, shell: Callable[..., Service]
) -> None:
    script = "trap '' TERM; sleep 60 & sleep 60 & echo ready; wait; sleep 60"
    child = Child(shell(script), guard)
    eventually(lambda: "ready" in child.service.log.read_text())
    assert len(living([child.pid])) == 3
    guard.end_all([child.pid])
    child.wait()
    assert eventually(lambda: not living([child.pid]))


def test_a_child_that_announces_itself_after_the_end_was_called_is_ended_too(guard: Guard) -> None:
    announcement = 'sleep 0.3; echo "+$$" >&0 && exec sleep 60 </dev/null'
    late = subprocess.Popen(["/bin/sh", "-c", announcement], stdin=guard.inlet, start_new_session=True)
    guard.end_all([])
    assert late.wait(timeout=10) == -signal.SIGTERM


def test_children_end_even_when_the_guard_was_killed(guard: Guard, shell: Callable[..., Service]) -> None:
    child = Child(shell("echo ready; exec sleep 60"), guard)
    eventually(lambda: "ready" in child.service.log.read_text())
    os.kill(guard.pid, signal.SIGKILL)
    eventually(lambda: not living([guard.pid]))
    guard.end_all([child.pid])
    child.wait()
    assert not living([child.pid])


def test_a_restarted_child_takes_what_it_left_behind_with_it(guard: Guard, shell: Callable[..., Service]) -> None:
    children = [Child(shell("sleep 60 & echo ready; wait"), guard)]
    first, restarts = children[0], list[int]()
    eventually(lambda: len(living([first.pid])) == 2)
    watch = Watch(children, guard, "sleeper", lambda: restarts.append(children[0].pid))
    watch.start()
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: restarts)
    watch.stop()
    assert not living([first.pid])
    assert restarts == [children[0].pid] != [first.pid]
    assert eventually(lambda: children[0].service.log.read_text() == "ready\nready\n")
    guard.end_all([children[0].pid])
    children[0].wait()


def test_a_crash_loop_is_reported_and_ended(
    guard: Guard, shell: Callable[..., Service], capsys: pytest.CaptureFixture[str]
) -> None:
    children = [Child(shell("echo bad setting; exit 1"), guard)]
    watch = Watch(children, guard, "sleeper", lambda: None)
    watch.start()
    trouble = watch.trouble.get(timeout=60)
    watch.stop()
    assert "sleeper died more than 10 times" in str(trouble)
    assert children == []
    assert "bad setting" in capsys.readouterr().err


def test_the_end_of_a_part_that_holds_state_is_trouble(
    guard: Guard, shell: Callable[..., Service], capsys: pytest.CaptureFixture[str]
) -> None:
    children = [Child(shell("exit 1", name="firestore"), guard)]
    watch = Watch(children, guard, "sleeper", lambda: None)
    watch.start()
    trouble = watch.trouble.get(timeout=30)
    watch.stop()
    assert "firestore ended with exit code 1" in str(trouble)
    assert "what it held in memory is lost" in capsys.readouterr().err
