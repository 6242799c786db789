"""Watches the running children: starts the functions again when they die, reports the death of anything else."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from infra.local.errors import StackError
from infra.local.processes import Child, Guard

_LOOK_EVERY_SECONDS = 0.05
_TOO_MANY_DEATHS, _WITHIN_SECONDS = 10, 30.0


class Watch(threading.Thread):
    """Keeps the child named `restarted` alive; the others hold their state in memory: their end is the stack's trouble.

    `children` always holds those that run; `on_restart` is called after each change of it for the better. `trouble`
    receives a StackError for each child that is gone for good.
    """

    def __init__(self, children: list[Child], guard: Guard, restarted: str, on_restart: Callable[[], None]):
        super().__init__(name="watch", daemon=True)
        self._children = children
        self.trouble: SimpleQueue[StackError] = SimpleQueue()
        self._guard = guard
        self._restarted = restarted
        self._on_restart = on_restart
        self._deaths: deque[float] = deque(maxlen=_TOO_MANY_DEATHS + 1)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look at every child until told to stop."""
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            for child in [child for child in self._children if child.exit_code() is not None]:
                self._after_death(child)

    def stop(self) -> None:
        """Look away; afterwards nothing is started any more."""
        self._stopping.set()
        self.join()

    def _after_death(self, child: Child) -> None:
        child.bury()
        self._children.remove(child)
        if child.service.name != self._restarted:
            self._report(child, f"ended with exit code {child.exit_code()}; what it held in memory is lost")
        elif self._is_crash_loop():
            self._report(child, f"died more than {_TOO_MANY_DEATHS} times in {_WITHIN_SECONDS:.0f} s and stays down")
        else:
            self._children.append(Child(child.service, self._guard))
            self._on_restart()

    def _is_crash_loop(self) -> bool:
        self._deaths.append(time.monotonic())
        return len(self._deaths) > _TOO_MANY_DEATHS and self._deaths[-1] - self._deaths[0] < _WITHIN_SECONDS

    def _report(self, child: Child, what: str) -> None:
        error = StackError(child.account(what))
        print(f"\n*** local stack: {error}\n", file=sys.stderr, flush=True)
        self.trouble.put(error)
