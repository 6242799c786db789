"""Deleting, purging and running tasks by hand (D8, P33)."""

import pytest
from google.api_core.exceptions import NotFound
from google.protobuf.duration_pb2 import Duration

from tests.contract.tasks_simulator.bench import Bench, from_now

EVERY_MINUTE = {"min_backoff": Duration(seconds=60), "max_backoff": Duration(seconds=60)}


def test_a_deleted_task_is_never_sent(bench: Bench) -> None:
    queue = bench.queue()
    task = bench.task(queue, "/send", schedule_time=from_now(60))
    bench.client.delete_task(name=task.name)
    bench.skip(3600)
    bench.reaches(bench.task(queue, "/other"), "done")
    assert bench.seen(task.name)["state"] == "deleted"
    assert bench.target.at("/send") == []
    with pytest.raises(NotFound):
        bench.client.delete_task(name=task.name)


def test_deleting_a_task_under_way_stops_its_retries_but_not_the_attempt(bench: Bench) -> None:
    queue = bench.queue()
    bench.target.answers("/slow", 500)
    door = bench.target.hold("/slow")
    task = bench.task(queue, "/slow")
    bench.target.wait_for("/slow")
    bench.client.delete_task(name=task.name)
    door.open()
    assert bench.ended(task, times=1) == ["INTERNAL(13): HTTP status code 500"]
    bench.skip(3600)
    bench.reaches(bench.task(queue, "/other"), "done")
    assert len(bench.target.at("/slow")) == 1


def test_a_purge_empties_the_queue_and_keeps_it(bench: Bench) -> None:
    queue = bench.paused()
    for _ in range(5):
        bench.task(queue, "/send")
    purged = bench.client.purge_queue(name=queue)
    assert purged.purge_time is not None
    assert list(bench.client.list_tasks(parent=queue)) == []
    bench.client.resume_queue(name=queue)
    bench.reaches(bench.task(queue, "/after"), "done")
    assert bench.target.at("/send") == []


def test_running_a_task_by_hand_ignores_schedule_and_pause(bench: Bench) -> None:
    queue = bench.paused()
    task = bench.task(queue, "/send", schedule_time=from_now(3600))
    assert bench.client.run_task(name=task.name).dispatch_count == 1
    assert len(bench.reaches(task, "done")["attempts"]) == 1


def test_a_task_run_by_hand_that_fails_waits_for_its_retry(bench: Bench) -> None:
    queue = bench.queue(retry_config=EVERY_MINUTE)
    bench.target.answers("/send", 500)
    task = bench.task(queue, "/send", schedule_time=from_now(3600))
    bench.client.run_task(name=task.name)
    bench.failed(task, times=1)
    bench.skip(61)
    assert len(bench.reaches(task, "done")["attempts"]) == 2


def test_running_a_task_that_runs_already_sends_it_a_second_time(bench: Bench) -> None:
    door = bench.target.hold("/slow")
    task = bench.task(bench.queue(), "/slow")
    bench.target.wait_for("/slow")
    bench.client.run_task(name=task.name)
    bench.target.wait_for("/slow", times=2)
    door.open()
    assert len(bench.reaches(task, "done")["attempts"]) == 2


def test_a_failure_waits_for_the_other_attempt_under_way(bench: Bench) -> None:
    queue = bench.queue(retry_config=EVERY_MINUTE)
    bench.target.answers("/slow", 500)
    door = bench.target.hold("/slow")
    task = bench.task(queue, "/slow")
    bench.target.wait_for("/slow")
    bench.client.run_task(name=task.name)
    bench.target.wait_for("/slow", times=2)
    door.let_one_through()
    bench.ended(task, times=1)
    bench.skip(61)
    bench.reaches(bench.task(queue, "/other"), "done")
    assert len(bench.target.at("/slow")) == 2
    door.open()
    assert len(bench.reaches(task, "done")["attempts"]) == 2
