"""A failed attempt is repeated as the queue's RetryConfig says (D3, P15)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from tests.contract.tasks_simulator.bench import Bench, pause_before_retry

TEN_THEN_LINEAR = {
    "min_backoff": Duration(seconds=10),
    "max_backoff": Duration(seconds=300),
    "max_doublings": 3,
    "max_attempts": -1,
}
EVERY_MINUTE = {"min_backoff": Duration(seconds=60), "max_backoff": Duration(seconds=60)}


def pauses(bench: Bench, task: Any, times: int) -> list[float]:
    """Let the task fail so often; answer the pause after each failure."""
    seen = []
    for failures in range(1, times + 1):
        waiting = bench.failed(task, times=failures)
        seen.append(pause_before_retry(waiting))
        bench.skip(seen[-1])
    return seen


@pytest.mark.parametrize("status", [304, 400, 404, 409, 429, 500, 503])
def test_whatever_is_not_a_success_is_tried_again(bench: Bench, status: int) -> None:
    bench.target.answers("/send", status)
    task = bench.task(bench.queue(), "/send")
    assert [attempt["status"] for attempt in bench.reaches(task, "done")["attempts"]][1:] == [
        "OK(0): HTTP status code 200"
    ]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(bench: Bench, status: int) -> None:
    bench.target.answers("/send", status)
    task = bench.task(bench.queue(), "/send")
    assert len(bench.reaches(task, "done")["attempts"]) == 1


def test_a_retry_says_what_came_before(bench: Bench) -> None:
    bench.target.answers("/send", 503, 404, 500)
    bench.reaches(bench.task(bench.queue(), "/send"), "done")
    first, *retries = bench.target.wait_for("/send", times=4)
    assert first.counts() == ("0", "0")
    assert [retry.headers["x-cloudtasks-taskpreviousresponse"] for retry in retries] == ["503", "404", "500"]
    assert [retry.headers["x-cloudtasks-taskretryreason"] for retry in retries] == ["", "", ""]
    assert [retry.counts() for retry in retries] == [("1", "0"), ("2", "1"), ("3", "1")]


def test_the_pause_doubles_then_grows_by_the_last_step_up_to_the_longest(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 9)
    task = bench.task(bench.queue(retry_config=TEN_THEN_LINEAR), "/send")
    assert pauses(bench, task, times=9) == [10, 20, 40, 80, 160, 240, 300, 300, 300]


def test_without_doublings_the_pause_grows_by_the_shortest(bench: Bench) -> None:
    queue = bench.queue(retry_config={"min_backoff": Duration(seconds=10), "max_backoff": Duration(seconds=35)})
    without = {"name": queue, "retry_config": {"max_doublings": 0}}
    bench.client.update_queue(queue=without, update_mask={"paths": ["retry_config.max_doublings"]})
    bench.target.answers("/send", *[500] * 5)
    assert pauses(bench, bench.task(queue, "/send"), times=5) == [10, 20, 30, 35, 35]


def test_the_eta_of_a_retry_is_its_own(bench: Bench) -> None:
    bench.target.answers("/send", 500)
    task = bench.task(bench.queue(retry_config=EVERY_MINUTE), "/send")
    again = bench.failed(task, times=1).schedule_time
    bench.skip(61)
    eta = bench.target.wait_for("/send", times=2)[1].headers["x-cloudtasks-tasketa"]
    assert float(eta) == pytest.approx(again.timestamp(), abs=0.001)


def test_a_task_is_given_up_after_its_attempts(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 5)
    task = bench.task(bench.queue(retry_config={"max_attempts": 3}), "/send")
    assert len(bench.reaches(task, "failed")["attempts"]) == 3
    assert len(bench.target.at("/send")) == 3


def test_a_duration_keeps_a_task_beyond_its_attempts(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 9)
    config = {**EVERY_MINUTE, "max_attempts": 2, "max_retry_duration": Duration(seconds=200)}
    task = bench.task(bench.queue(retry_config=config), "/send")
    assert pauses(bench, task, times=4) == [60, 60, 60, 60]
    assert len(bench.reaches(task, "failed")["attempts"]) == 5


def test_attempts_keep_a_task_beyond_its_duration(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 9)
    config = {**EVERY_MINUTE, "max_attempts": 4, "max_retry_duration": Duration(seconds=1)}
    task = bench.task(bench.queue(retry_config=config), "/send")
    assert pauses(bench, task, times=3) == [60, 60, 60]
    assert len(bench.reaches(task, "failed")["attempts"]) == 4


def test_unlimited_attempts_end_with_the_duration(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 9)
    config = {**EVERY_MINUTE, "max_attempts": -1, "max_retry_duration": Duration(seconds=90)}
    task = bench.task(bench.queue(retry_config=config), "/send")
    assert pauses(bench, task, times=2) == [60, 60]
    assert len(bench.reaches(task, "failed")["attempts"]) == 3


def test_a_tasks_own_retries_go_before_the_queues(bench: Bench) -> None:
    bench.target.answers("/send", *[500] * 3)
    task = bench.task(bench.queue(retry_config=EVERY_MINUTE), "/send", retry_config={"max_attempts": 1})
    assert len(bench.reaches(task, "failed")["attempts"]) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_target_that_names_a_time_is_left_alone_until_then(bench: Bench, status: int) -> None:
    bench.target.answers("/send", status, Retry_After="120")
    task = bench.task(bench.queue(retry_config=EVERY_MINUTE), "/send")
    assert pause_before_retry(bench.failed(task, times=1)) == 120


def test_a_target_may_name_the_time_as_a_date(bench: Bench) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    bench.target.answers("/send", 503, Retry_After=format_datetime(at, usegmt=True))
    task = bench.task(bench.queue(retry_config=EVERY_MINUTE), "/send")
    assert bench.failed(task, times=1).schedule_time.timestamp() == pytest.approx(at.timestamp(), abs=0.001)


@pytest.mark.parametrize(
    ("status", "header"), [(429, "5"), (503, "soon"), (503, "Wed, 21 Oct 2015 07:28:00 GMT"), (500, "120")]
)
def test_a_time_that_is_shorter_senseless_or_not_about_load_changes_nothing(
    bench: Bench, status: int, header: str
) -> None:
    bench.target.answers("/send", status, Retry_After=header)
    task = bench.task(bench.queue(retry_config=EVERY_MINUTE), "/send")
    assert pause_before_retry(bench.failed(task, times=1)) == 60


def test_a_failed_task_does_not_hold_up_the_others(bench: Bench) -> None:
    queue = bench.queue(retry_config=EVERY_MINUTE, rate_limits={"max_concurrent_dispatches": 1})
    bench.target.answers("/broken", 500)
    broken = bench.task(queue, "/broken")
    bench.failed(broken, times=1)
    bench.reaches(bench.task(queue, "/fine"), "done")
    assert bench.seen(broken.name)["state"] == "scheduled"
