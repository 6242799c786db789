"""At least once, on demand: deliveries that are doubled or late (D3, P12)."""

import pytest
import requests

from tests.contract.tasks_simulator.bench import Bench, eventually


def test_the_next_tasks_arrive_twice_at_the_same_time(bench: Bench) -> None:
    bench.post("delivery", duplicate=2)
    queue = bench.queue()
    for name in ("a", "b", "c"):
        bench.reaches(bench.task(queue, "/send", name=name), "done")
    eventually(lambda: len(bench.target.at("/send")) == 5)
    names = sorted(received.headers["x-cloudtasks-taskname"] for received in bench.target.at("/send"))
    assert names == ["a", "a", "b", "b", "c"]


def test_both_deliveries_look_the_same(bench: Bench) -> None:
    bench.post("delivery", duplicate=1)
    bench.task(bench.queue(), "/send", http={"body": b"mail"})
    first, second = bench.target.wait_for("/send", times=2)
    assert first == second


def test_the_copy_may_come_after_the_task_is_done(bench: Bench) -> None:
    bench.post("delivery", duplicate=1, copyAfterMs=3_600_000)
    bench.reaches(bench.task(bench.queue(), "/send"), "done")
    assert len(bench.target.at("/send")) == 1
    bench.skip(3601)
    bench.target.wait_for("/send", times=2)


def test_the_copys_failure_changes_nothing(bench: Bench) -> None:
    bench.post("delivery", duplicate=1, copyAfterMs=3_600_000)
    queue = bench.queue()
    bench.target.answers("/send", 200, 500)
    task = bench.task(queue, "/send")
    bench.reaches(task, "done")
    bench.skip(3601)
    bench.target.wait_for("/send", times=2)
    bench.reaches(bench.task(queue, "/other"), "done")
    assert len(bench.target.at("/send")) == 2


def test_deliveries_may_be_late(bench: Bench) -> None:
    bench.post("delivery", delayMs=600_000)
    queue = bench.queue()
    task = bench.task(queue, "/send")
    bench.skip(590)
    assert bench.seen(task.name)["state"] == "scheduled"
    bench.skip(11)
    bench.reaches(task, "done")


def test_deliveries_are_on_time_again_when_told_so(bench: Bench) -> None:
    bench.post("delivery", delayMs=600_000, duplicate=5)
    task = bench.task(bench.queue(), "/send")
    requests.delete(f"{bench.control}/_sim/delivery", timeout=10).raise_for_status()
    bench.reaches(task, "done")
    assert len(bench.target.at("/send")) == 1


def test_one_queue_alone_may_be_late(bench: Bench) -> None:
    bench.post("delivery", delayMs=600_000, queue="late")
    late = bench.task(bench.queue("late"), "/late")
    bench.reaches(bench.task(bench.queue("punctual"), "/punctual"), "done")
    assert bench.seen(late.name)["state"] == "scheduled"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("delivery", '{"duplicates": 1}'),
        ("delivery", '{"duplicate": "one"}'),
        ("clock", "{}"),
        ("clock", '{"advanceSeconds": -1}'),
        ("clock", "now"),
    ],
)
def test_what_the_control_endpoint_does_not_understand_it_refuses(bench: Bench, path: str, body: str) -> None:
    answer = requests.post(f"{bench.control}/_sim/{path}", data=body, timeout=10)
    assert answer.status_code == 400
    assert answer.text


def test_the_control_endpoint_says_which_queues_it_serves(bench: Bench) -> None:
    queue = bench.queue("delivery")
    assert bench.get("health") == {"status": "ok", "queues": [queue]}
