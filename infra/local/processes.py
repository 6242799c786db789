"""Child processes of the stack: started in groups of their own, checked for health, logged, ended together."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests

from infra.local import guard as guarding
from infra.local.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
_LOG_LINES_SHOWN = 25
_CLOSED = -1

# The shell tells the guard its own process group before it becomes the service: whatever happens to the supervisor
# between the fork and this line, no service can run that the guard does not know. Standard input is the guard's pipe.
_ANNOUNCE = 'echo "+$$" >&0 && exec "$0" "$@" </dev/null'


@dataclass(frozen=True, slots=True)
class Service:
    """One program of the stack: how to start it, how to know that it answers, where its output goes."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]


class Guard:
    """The process that ends all children when the supervisor stops, crashes or is killed (see `guard.py`)."""

    def __init__(self, lock: int):
        outlet, self.inlet = os.pipe()
        argv = [sys.executable, "-I", "-S", str(Path(guarding.__file__))]
        self._process = subprocess.Popen(argv, stdin=outlet, pass_fds=[lock], start_new_session=True)
        os.close(outlet)

    @property
    def pid(self) -> int:
        """The guard's own process id."""
        return self._process.pid

    def forget(self, group: int) -> None:
        """Stop guarding a group that has ended: its number may soon be somebody else's."""
        os.write(self.inlet, b"-%d\n" % group)

    def end_all(self, groups: Iterable[int]) -> None:
        """Let the guard end every group it knows; where the guard itself was killed, end `groups` here.

        No child can be started afterwards; harmless when repeated.
        """
        if self.inlet == _CLOSED:
            return
        try:
            os.write(self.inlet, b".\n")
        except BrokenPipeError:
            guarding.end(groups, guarding.PATIENCE_SECONDS)
        os.close(self.inlet)
        self.inlet = _CLOSED

    def wait(self) -> None:
        """Wait until the guard has ended everything."""
        self._process.wait()


class Child:
    """A running service: leader of its own session and process group, its output appended to the service's log."""

    def __init__(self, service: Service, guard: Guard):
        self.service = service
        self.started_at = time.monotonic()
        self._guard = guard
        with service.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _ANNOUNCE, *service.argv],
                stdin=guard.inlet,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(service.environment),
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also its process group's."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code (negative: the signal that ended it), or nothing while it runs."""
        return self._process.poll()

    def bury(self) -> None:
        """After its end: end what it left behind in its group, and let the guard forget the group."""
        guarding.send(self.pid, signal.SIGKILL)
        self._guard.forget(self.pid)

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait()

    def account(self, what: str) -> str:
        """`what` happened, with the last lines of the log and where the whole log is."""
        name, log = self.service.name, self.service.log
        return f"{name} {what}.\n--- the end of {log} ---\n{last_lines(log)}\n---"


@dataclass
class Startup:
    """Waits for children to become ready and keeps how long each took, in seconds."""

    children: Sequence[Child]
    deadline_seconds: float
    took: dict[str, float] = field(default_factory=dict)

    def wait(self) -> None:
        """Return when all are ready; raise StackError when one ends or none is left in time."""
        waiting = list(self.children)
        deadline = time.monotonic() + self.deadline_seconds
        while waiting:
            waiting = [child for child in waiting if not self._is_up(child)]
            if waiting and time.monotonic() > deadline:
                raise StackError(waiting[0].account(f"was not ready after {self.deadline_seconds:.0f} s"))
            time.sleep(0.03)

    def _is_up(self, child: Child) -> bool:
        if (code := child.exit_code()) is not None:
            raise StackError(child.account(f"ended with exit code {code} while starting"))
        if not child.service.is_ready():
            return False
        self.took[child.service.name] = time.monotonic() - child.started_at
        return True


def answers_http(url: str) -> Callable[[], bool]:
    """A health check: true once `url` answers below 500."""

    def check() -> bool:
        try:
            return loopback_session().get(url, timeout=1).status_code < 500
        except requests.RequestException:
            return False

    return check


def loopback_session() -> requests.Session:
    """An HTTP session that no proxy setting leads away from this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def accepts_tcp(port: int) -> Callable[[], bool]:
    """A health check: true once something listens on the loopback port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return check


def free_ports(count: int) -> list[int]:
    """Distinct loopback ports that are free now.

    They lie below the range from which systems serve outgoing connections and `port 0`, and are drawn at random, so
    that nobody takes them before the child that is told the number listens there.
    """
    candidates = random.sample(range(20000, 32000), k=count * 50)
    free = [port for port in candidates if is_free(port)][:count]
    if len(free) < count:
        raise StackError("No free ports between 20000 and 32000 on 127.0.0.1: end what occupies them and try again.")
    return free


def is_free(port: int) -> bool:
    """Whether a service could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def last_lines(log: Path) -> str:
    """The last lines of a log, or a word that it is empty."""
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=_LOG_LINES_SHOWN)).rstrip() or "(empty)"
