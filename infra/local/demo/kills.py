"""Kills the functions' process at random moments of the story; the stack starts it again."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.people.http import Client
from infra.local.people.waiting import eventually, expect

_WITHIN_SECONDS = 1.5
"""How late after a step's beginning a kill may come; most come early, when the functions are at work."""

_APART_SECONDS = 3.5
"""The stack takes more than 10 deaths in 30 s for a crash loop, and gives up."""


@dataclass(slots=True)
class Kills:
    """`plan` holds, per step number, the seconds after its beginning; `tell` hears of each kill."""

    stack: Path
    plan: Mapping[int, Sequence[float]]
    tell: Callable[[str], None]
    _one_by_one: threading.Lock = field(default_factory=threading.Lock)
    _timers: list[threading.Timer] = field(default_factory=list)
    _next_at: float = 0.0

    @classmethod
    def planned(cls, stack: Path, count: int, steps: int, seed: int, tell: Callable[[str], None]) -> "Kills":
        """So many kills, spread over the steps; the same seed plans the same."""
        chance = random.Random(seed)
        plan: dict[int, list[float]] = {}
        for _ in range(count):
            plan.setdefault(chance.randint(1, steps), []).append(_WITHIN_SECONDS * chance.random() ** 3)
        return cls(stack, plan, tell)

    def step_begins(self, number: int) -> None:
        """Set off what is planned for this step; it may strike during a later one."""
        for seconds in self.plan.get(number, ()):
            timer = threading.Timer(seconds, self._kill)
            timer.daemon = True
            timer.start()
            self._timers.append(timer)

    def finish(self) -> None:
        """Wait until every kill has struck and the functions serve again."""
        for timer in self._timers:
            timer.join()
        if self._timers:
            self._serving()

    def _kill(self) -> None:
        with self._one_by_one:
            time.sleep(max(0.0, self._next_at - time.monotonic()))
            pid = self._serving()
            self._next_at = time.monotonic() + _APART_SECONDS
            os.kill(pid, signal.SIGKILL)
            self.tell(f"(functions killed: process {pid})")
            eventually(lambda: expect(self._published()[1] != pid, "no new process of the functions"))

    def _serving(self) -> int:
        """The process that serves the functions, once it answers."""

        def look() -> int:
            gateway, pid = self._published()
            expect(Client(gateway).call("GET", "healthz")["pid"] == pid, "stack.json does not name the process yet")
            return pid

        return eventually(look)

    def _published(self) -> tuple[str, int]:
        described = json.loads(self.stack.read_text())
        return described["gateway"], described["pids"].get("gateway", 0)
