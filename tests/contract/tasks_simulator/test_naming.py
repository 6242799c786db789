"""A task's name is a promise: Cloud Tasks takes it once, and remembers it for a while (D3)."""

import pytest
from google.api_core.exceptions import AlreadyExists, NotFound

from tests.contract.tasks_simulator.bench import Bench

AN_HOUR = 3600


def test_a_name_is_refused_while_its_task_waits(bench: Bench) -> None:
    queue = bench.paused()
    bench.task(queue, "/send", name="message-1")
    with pytest.raises(AlreadyExists):
        bench.task(queue, "/send", name="message-1")
    assert len(list(bench.client.list_tasks(parent=queue))) == 1


def test_a_name_is_refused_while_its_task_runs(bench: Bench) -> None:
    queue = bench.queue()
    door = bench.target.hold("/send")
    task = bench.task(queue, "/send", name="message-1")
    bench.target.wait_for("/send")
    with pytest.raises(AlreadyExists):
        bench.task(queue, "/send", name="message-1")
    door.open()
    bench.reaches(task, "done")
    assert len(bench.target.at("/send")) == 1


def test_a_name_is_refused_for_an_hour_after_its_task_is_done(bench: Bench) -> None:
    queue = bench.queue()
    bench.reaches(bench.task(queue, "/send", name="message-1"), "done")
    with pytest.raises(AlreadyExists):
        bench.task(queue, "/send", name="message-1")
    bench.skip(AN_HOUR + 1)
    bench.task(queue, "/send", name="message-1")
    bench.target.wait_for("/send", times=2)


def test_a_name_is_refused_for_an_hour_after_its_task_was_deleted(bench: Bench) -> None:
    queue = bench.paused()
    task = bench.task(queue, "/send", name="message-1")
    bench.client.delete_task(name=task.name)
    bench.skip(AN_HOUR - 60)
    with pytest.raises(AlreadyExists):
        bench.task(queue, "/send", name="message-1")
    bench.skip(120)
    assert bench.task(queue, "/send", name="message-1").name == task.name


def test_a_name_is_refused_after_its_task_was_given_up(bench: Bench) -> None:
    queue = bench.queue(retry_config={"max_attempts": 1})
    bench.target.answers("/send", 500)
    bench.reaches(bench.task(queue, "/send", name="message-1"), "failed")
    with pytest.raises(AlreadyExists):
        bench.task(queue, "/send", name="message-1")


def test_the_same_name_in_another_queue_is_another_task(bench: Bench) -> None:
    first, second = bench.paused("first"), bench.paused("second")
    assert bench.task(first, "/send", name="same").name != bench.task(second, "/send", name="same").name


def test_tasks_without_a_name_get_different_ones(bench: Bench) -> None:
    queue = bench.paused()
    names = {bench.task(queue, "/send").name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith(f"{queue}/tasks/") for name in names)


def test_a_task_that_is_done_is_not_found_any_more(bench: Bench) -> None:
    task = bench.task(bench.queue(), "/send")
    bench.reaches(task, "done")
    for call in (bench.client.get_task, bench.client.delete_task, bench.client.run_task):
        with pytest.raises(NotFound, match="existed until recently"):
            call(name=task.name)
