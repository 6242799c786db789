"""A queue's configuration: Cloud Tasks' defaults and bounds for rate limits and retries."""

from typing import Any

from google.cloud.tasks_v2.types import Queue
from google.protobuf.field_mask_pb2 import FieldMask

from infra.local.tasks.durations import assign, seconds
from infra.local.tasks.errors import invalid, unsupported

QueueMessage = Queue.pb()
RUNNING = Queue.State.RUNNING.value
PAUSED = Queue.State.PAUSED.value

MAX_RATE = 500
MAX_CONCURRENT = 5000
DEFAULT_CONCURRENT = 1000
DEFAULT_ATTEMPTS = 100
DEFAULT_DOUBLINGS = 16
DEFAULT_MIN_BACKOFF_SECONDS = 0.1
DEFAULT_MAX_BACKOFF_SECONDS = 3600.0
UPDATABLE = ("rate_limits", "retry_config", "stackdriver_logging_config")


def created(requested: Any) -> Any:
    """Answer the configuration of a new queue: what was asked for, the rest by default."""
    _refuse_unsupported(requested)
    queue = QueueMessage(name=requested.name, state=RUNNING)
    for field in UPDATABLE:
        if requested.HasField(field):
            getattr(queue, field).CopyFrom(getattr(requested, field))
    return _completed(queue)


def updated(current: Any, requested: Any, mask: FieldMask) -> Any:
    """Answer `current` with the fields of `requested` that the mask names; an empty mask names all that can change."""
    _refuse_unsupported(requested)
    paths = list(mask.paths) or list(UPDATABLE)
    strangers = [path for path in paths if path.partition(".")[0] not in UPDATABLE]
    if strangers:
        raise invalid(f"update_mask: {', '.join(strangers)} can't be updated, only {', '.join(UPDATABLE)}")
    queue = QueueMessage()
    queue.CopyFrom(current)
    FieldMask(paths=paths).MergeMessage(requested, queue, True, True)
    return _completed(queue, doublings=0 if "retry_config.max_doublings" in paths else DEFAULT_DOUBLINGS)


def complete_retries(retries: Any, doublings: int = DEFAULT_DOUBLINGS) -> None:
    """Fill in what a RetryConfig leaves open and refuse what is out of bounds; 0 counts as open."""
    _check_retries(retries)
    retries.max_attempts = retries.max_attempts or DEFAULT_ATTEMPTS
    retries.max_doublings = retries.max_doublings or doublings
    if not seconds(retries.max_backoff):
        assign(retries.max_backoff, max(DEFAULT_MAX_BACKOFF_SECONDS, seconds(retries.min_backoff)))
    if not seconds(retries.min_backoff):
        assign(retries.min_backoff, min(DEFAULT_MIN_BACKOFF_SECONDS, seconds(retries.max_backoff)))
    if seconds(retries.min_backoff) > seconds(retries.max_backoff):
        raise invalid("retry_config: min_backoff must not exceed max_backoff")


def _completed(queue: Any, doublings: int = DEFAULT_DOUBLINGS) -> Any:
    limits = queue.rate_limits
    _check_limits(limits)
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or MAX_RATE
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or DEFAULT_CONCURRENT
    limits.max_burst_size = _burst(limits.max_dispatches_per_second)
    complete_retries(queue.retry_config, doublings)
    return queue


def _burst(rate: float) -> int:
    """Google chooses it: 100 at 500/s and 10 at 1/s have been seen; between those this is a guess."""
    return round(min(100, max(10, rate / 5)))


def _check_limits(limits: Any) -> None:
    _within(limits.max_dispatches_per_second, 0, MAX_RATE, "rate_limits.max_dispatches_per_second")
    _within(limits.max_concurrent_dispatches, 0, MAX_CONCURRENT, "rate_limits.max_concurrent_dispatches")


def _check_retries(retries: Any) -> None:
    _at_least(retries.max_attempts, -1, "retry_config.max_attempts")
    _at_least(retries.max_doublings, 0, "retry_config.max_doublings")
    for field in ("min_backoff", "max_backoff", "max_retry_duration"):
        _at_least(seconds(getattr(retries, field)), 0, f"retry_config.{field}")


def _at_least(value: float, low: float, field: str) -> None:
    if value < low:
        raise invalid(f"{field} must be {low} or more, not {value:g}")


def _within(value: float, low: float, high: float, field: str) -> None:
    if not low <= value <= high:
        raise invalid(f"{field} must be between {low} and {high}, not {value:g}")


def _refuse_unsupported(requested: Any) -> None:
    for field in ("http_target", "app_engine_routing_override"):
        if requested.HasField(field):
            raise unsupported(f"a queue's {field}: put the target into each task")
