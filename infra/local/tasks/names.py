"""Resource names of Cloud Tasks: locations, queues and tasks, checked as the API reference describes them."""

import re
import secrets

from infra.local.tasks.errors import invalid

_LOCATION = re.compile(r"projects/[A-Za-z0-9:.-]+/locations/[A-Za-z0-9-]+")
_QUEUE_ID = re.compile(r"[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def check_location(name: str) -> None:
    """Refuse what is not `projects/P/locations/L`."""
    if not _LOCATION.fullmatch(name):
        raise invalid(f"{name!r} is no location: write projects/PROJECT_ID/locations/LOCATION_ID")


def check_queue(name: str) -> None:
    """Refuse what is not `projects/P/locations/L/queues/Q`."""
    location, separator, queue_id = name.rpartition("/queues/")
    if not (separator and _LOCATION.fullmatch(location) and _QUEUE_ID.fullmatch(queue_id)):
        raise invalid(f"{name!r} is no queue: write projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID")


def queue_of(task_name: str) -> str:
    """Answer the queue's name in the task's name, refusing what is not `projects/P/locations/L/queues/Q/tasks/T`."""
    queue, separator, task_id = task_name.rpartition("/tasks/")
    if not (separator and _TASK_ID.fullmatch(task_id)):
        raise invalid(f"{task_name!r} is no task: after /tasks/ come 1 to 500 letters, numbers, hyphens or underscores")
    check_queue(queue)
    return queue


def location_of(queue_name: str) -> str:
    """Answer `projects/P/locations/L` of a well-formed queue name."""
    return queue_name.rpartition("/queues/")[0]


def short(name: str) -> str:
    """Answer the last part of a name: the queue's or the task's id."""
    return name.rpartition("/")[2]


def generated(queue_name: str) -> str:
    """Answer a name for a task whose creator gave none: a number of 20 digits, like Google's."""
    return f"{queue_name}/tasks/{secrets.randbelow(9 * 10**19) + 10**19}"
