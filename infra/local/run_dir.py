"""The run directory of one stack: who keeps it, its logs, its secrets and the published `stack.json`."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from infra.local.errors import AlreadyRunningError

_CLEANUP_SECONDS = 10.0


class RunDir:
    """A directory that one supervisor at a time keeps; a claim outlives a killed supervisor until its guard is done."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.mail = self.path / "mail"
        self.keys = self.path / "keys"
        self.description = self.path / "stack.json"
        self._lock = -1

    def claim(self) -> int:
        """Take the directory and clear what an earlier stack left; answers the lock's descriptor, for the guard.

        AlreadyRunningError where another supervisor keeps it. A supervisor that was killed leaves the lock with its
        guard, so this waits until the old processes have ended.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + _CLEANUP_SECONDS
        while not self._try_lock():
            keeper = self._keeper()
            if _is_alive(keeper) or time.monotonic() > deadline:
                raise self._refusal(keeper)
            time.sleep(0.05)
        self._sign(str(os.getpid()))
        self._clear()
        return self._lock

    def publish(self, description: Mapping[str, object]) -> None:
        """Write `stack.json` so that a reader sees either the old or the new one."""
        partial = self.path / "stack.json.partial"
        partial.write_text(json.dumps(description, indent=2) + "\n")
        partial.replace(self.description)

    def withdraw(self) -> None:
        """Remove `stack.json`: nobody shall start to use a stack that is going away."""
        self.description.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the directory up."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _keeper(self) -> int:
        return int(os.pread(self._lock, 20, 0) or b"0")

    def _refusal(self, keeper: int) -> AlreadyRunningError:
        self.release()
        return AlreadyRunningError(
            f"A local stack already runs in {self.path} (process {keeper}). "
            f"Use it, end it with `kill {keeper}`, or choose another directory with --run-dir."
        )

    def _sign(self, owner: str) -> None:
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, owner.encode(), 0)

    def _clear(self) -> None:
        self.withdraw()
        for folder in (self.logs, self.mail):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
