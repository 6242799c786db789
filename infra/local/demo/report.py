"""Runs steps one after the other and prints a line for each: number, what, how long, whether it held, what was observed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

import requests

from infra.local.demo.story import Story
from infra.local.people.http import RefusedError

FAILURES = (AssertionError, RefusedError, requests.RequestException, LookupError, TypeError, ValueError)
"""What a step can fail with: something not seen, refused, unreachable, or of another shape than promised."""

_GREEN, _RED, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Observed:
    """What a step saw; `seconds` where not the whole step is of interest: from a mail's delivery to its visibility."""

    text: str
    seconds: float | None = None


Act = Callable[[Story], Observed]


@dataclass(frozen=True, slots=True)
class Step:
    """One step; it runs only after the steps in `needs` have held."""

    what: str
    act: Act
    needs: Sequence[Act] = ()


@dataclass(slots=True)
class Report:
    """The printed story and its count."""

    out: TextIO
    steps: int = 0
    failed: int = 0
    held: set[Act] = field(default_factory=set)

    def walk(self, steps: Sequence[Step], story: Story, begins: Callable[[int], None]) -> None:
        """Run every step whose needs are met; `begins` hears each step's number."""
        for step in steps:
            self.steps += 1
            begins(self.steps)
            self._run(step, story)

    def not_started(self, error: Exception, steps: int) -> None:
        """There is nothing to walk on: every step counts as failed."""
        self.steps = self.failed = steps
        print(f"\n{error}\n", file=self.out, flush=True)

    def remark(self, text: str) -> None:
        """Something that happened between the lines."""
        print(f"      {text}", file=self.out, flush=True)

    def conclude(self, seconds: float) -> int:
        """The last line; answers the exit code."""
        print(f"demo: {self.steps} steps, {self.failed} failed, {seconds:.1f} s", file=self.out, flush=True)
        return int(self.failed > 0)

    def _run(self, step: Step, story: Story) -> None:
        if not self.held.issuperset(step.needs):
            self._line(step, None, 0.0, "not run: a step that it needs has failed")
            return
        began = time.monotonic()
        try:
            observed = step.act(story)
        except FAILURES as error:
            self._line(step, None, time.monotonic() - began, f"{type(error).__name__}: {error}")
            return
        self.held.add(step.act)
        self._line(step, observed, time.monotonic() - began, observed.text)

    def _line(self, step: Step, observed: Observed | None, took: float, text: str) -> None:
        self.failed += observed is None
        seconds = took if observed is None or observed.seconds is None else observed.seconds
        mark = self._coloured("✓", _GREEN) if observed else self._coloured("✗", _RED)
        print(f"{self.steps:>3}  {step.what:<58} {seconds:>6.2f} s  {mark}  {text}", file=self.out, flush=True)

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.out.isatty() else text
