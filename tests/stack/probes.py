"""What these tests look through: the small functions, processes seen from outside, and patience."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

FUNCTIONS = Path(__file__).parent / "functions" / "main.py"
T = TypeVar("T")


def eventually(look: Callable[[], T], within_seconds: float = 30) -> T:
    """The first truthy answer of `look`; fails where none comes in time."""
    deadline = time.monotonic() + within_seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not true within {within_seconds} s"
        time.sleep(0.05)
    return found


def living(groups: Iterable[int]) -> set[int]:
    """The processes that run in the given process groups; what only waits for its parent's notice is dead."""
    wanted = set(groups)
    listing = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return {int(pid) for pid, group, state in rows if int(group) in wanted and not state.startswith("Z")}


def kept_things(folder: Path, name: str) -> list[dict[str, Any]]:
    """What the small functions kept under a name so far."""
    file = folder / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
