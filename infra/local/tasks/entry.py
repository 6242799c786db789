"""One task in a queue: the stored message, its attempts and where it stands."""

from dataclasses import dataclass, field
from typing import Any, Literal

from google.cloud.tasks_v2.types import Attempt

from infra.local.tasks import names
from infra.local.tasks.durations import assign, rfc3339, seconds

AttemptMessage = Attempt.pb()
State = Literal["scheduled", "running", "done", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt: `code` is a google.rpc.Code; `http_status` is `None` where no answer came.

    `retry_after` is the header of a target that asks to be left alone for a while.
    """

    code: int
    message: str
    http_status: int | None = None
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """The target took the task over: any 2xx."""
        return self.http_status is not None and 200 <= self.http_status < 300

    @property
    def executed(self) -> bool:
        """The target executed the task, whatever came of it: X-CloudTasks-TaskExecutionCount leaves out 5xx."""
        return self.http_status is not None and self.http_status < 500


@dataclass(eq=False, slots=True)
class Entry:
    """A task of a queue, or what is remembered of one that has left it."""

    task: Any
    running: int = 0
    executions: int = 0
    previous_status: int | None = None
    ended: State | None = None
    attempts: list[Any] = field(default_factory=list)

    @property
    def due(self) -> float:
        """When the next attempt is due, in seconds since 1970."""
        return seconds(self.task.schedule_time)

    @property
    def state(self) -> State:
        """Where the task stands."""
        return self.ended or ("running" if self.running else "scheduled")

    def schedule(self, due: float) -> None:
        """Put the next attempt at `due`, in seconds since 1970."""
        assign(self.task.schedule_time, due)

    def began(self, now: float) -> Any:
        """Count an attempt that starts now and answer its record."""
        attempt = AttemptMessage(schedule_time=self.task.schedule_time)
        assign(attempt.dispatch_time, now)
        if not self.attempts:
            self.task.first_attempt.dispatch_time.CopyFrom(attempt.dispatch_time)
        self.task.last_attempt.CopyFrom(attempt)
        self.attempts.append(attempt)
        self.task.dispatch_count += 1
        self.running += 1
        return attempt

    def finished(self, attempt: Any, answer: Answer, now: float) -> None:
        """Note what came of an attempt."""
        assign(attempt.response_time, now)
        attempt.response_status.code = answer.code
        attempt.response_status.message = answer.message
        self.task.last_attempt.CopyFrom(attempt)
        self.task.response_count += answer.http_status is not None
        self.executions += answer.executed
        self.previous_status = answer.http_status
        self.running -= 1

    def age(self, now: float) -> float:
        """Answer the seconds since the first attempt."""
        return now - seconds(self.task.first_attempt.dispatch_time)

    def end(self, state: State) -> None:
        """Leave the queue; the body is no longer needed."""
        self.ended = state
        self.task.http_request.ClearField("body")

    def described(self) -> dict[str, Any]:
        """Answer the entry as the control endpoint shows it."""
        return {
            "name": self.task.name,
            "queue": names.short(names.queue_of(self.task.name)),
            "state": self.state,
            "scheduleTime": rfc3339(self.due),
            "attempts": [_described(attempt) for attempt in self.attempts],
        }


def _described(attempt: Any) -> dict[str, Any]:
    answered = attempt.HasField("response_time")
    return {
        "scheduledAt": rfc3339(seconds(attempt.schedule_time)),
        "dispatchedAt": rfc3339(seconds(attempt.dispatch_time)),
        "endedAt": rfc3339(seconds(attempt.response_time)) if answered else None,
        "status": attempt.response_status.message,
    }
