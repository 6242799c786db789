"""Ends the stack's process groups when the supervisor says so or is gone, however it went.

Run as a program: standard input is a pipe whose other end only the supervisor holds. A line `+123` adds process group
123, `-123` takes it away; a line `.` or the end of the pipe (the supervisor was killed) ends every group that is left.
A child that announces itself only after that word is ended, too: it holds the pipe open until it has.
An inherited descriptor of the run directory's lock keeps the next supervisor waiting until that is done.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

PATIENCE_SECONDS = 2.0
# The alarm's default is to end this process: a stranger that holds the pipe open shall not keep it for ever.
LATE_SECONDS = 10


def main() -> None:
    """Read groups until told to end them, end them, then end those that come late."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    lines = iter(sys.stdin.readline, "")
    end(groups_left(lines), PATIENCE_SECONDS)
    signal.alarm(LATE_SECONDS)
    end(groups_left(lines), PATIENCE_SECONDS)


def groups_left(lines: Iterable[str]) -> set[int]:
    """The groups that were added and not taken away when the lines ended."""
    groups: set[int] = set()
    for line in lines:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        elif line.startswith("-"):
            groups.discard(int(line[1:]))
        else:
            break
    return groups


def end(groups: Iterable[int], patience_seconds: float) -> None:
    """Ask the groups to end (SIGTERM) and, when patience is over, make them (SIGKILL)."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    deadline = time.monotonic() + patience_seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Signal a process group; false when nobody is left in it (macOS says EPERM where only zombies are)."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
