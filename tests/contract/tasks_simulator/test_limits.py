"""A queue keeps to its rate, its concurrency and its state."""

from google.cloud.tasks_v2 import Queue

from tests.contract.tasks_simulator.bench import Bench, eventually

TEN_THEN_ONE_IN_A_THOUSAND_SECONDS = {"max_dispatches_per_second": 0.001}


def states(bench: Bench, queue: str) -> list[str]:
    return [item["state"] for item in bench.get(f"tasks?queue={queue.rpartition('/')[2]}")["items"]]


def test_a_burst_goes_out_at_once_and_the_rest_at_the_queues_rate(bench: Bench) -> None:
    queue = bench.queue(rate_limits=TEN_THEN_ONE_IN_A_THOUSAND_SECONDS)
    for _ in range(12):
        bench.task(queue, "/send")
    eventually(lambda: states(bench, queue).count("done") == 10)
    bench.skip(1000)
    eventually(lambda: states(bench, queue).count("done") == 11)
    assert len(bench.target.at("/send")) == 11
    bench.skip(1000)
    eventually(lambda: states(bench, queue).count("done") == 12)


def test_retries_count_against_the_rate(bench: Bench) -> None:
    queue = bench.queue(rate_limits=TEN_THEN_ONE_IN_A_THOUSAND_SECONDS)
    bench.target.answers("/send", *[500] * 30)
    task = bench.task(queue, "/send")
    bench.skip(3600)
    for failures in range(1, 11):
        bench.failed(task, times=failures)
        bench.skip(100)
    assert len(bench.target.at("/send")) <= 12


def test_no_more_attempts_run_at_once_than_the_queue_allows(bench: Bench) -> None:
    queue = bench.queue(rate_limits={"max_concurrent_dispatches": 2})
    door = bench.target.hold("/slow")
    for _ in range(5):
        bench.task(queue, "/slow")
    bench.target.wait_for("/slow", times=2)
    assert states(bench, queue).count("running") == 2
    assert states(bench, queue).count("scheduled") == 3
    assert len(bench.target.at("/slow")) == 2
    door.open()
    eventually(lambda: states(bench, queue) == ["done"] * 5)


def test_one_full_queue_does_not_hold_up_another(bench: Bench) -> None:
    full = bench.queue("full", rate_limits={"max_concurrent_dispatches": 1})
    door = bench.target.hold("/slow")
    bench.task(full, "/slow")
    bench.target.wait_for("/slow")
    bench.reaches(bench.task(bench.queue("free"), "/fast"), "done")
    door.open()


def test_a_paused_queue_takes_tasks_and_dispatches_them_when_resumed(bench: Bench) -> None:
    queue = bench.queue()
    assert bench.client.pause_queue(name=queue).state == Queue.State.PAUSED
    task = bench.task(queue, "/send")
    bench.reaches(bench.task(bench.queue("other"), "/other"), "done")
    assert bench.seen(task.name)["state"] == "scheduled"
    assert bench.client.resume_queue(name=queue).state == Queue.State.RUNNING
    bench.reaches(task, "done")


def test_pausing_leaves_the_attempt_under_way_alone(bench: Bench) -> None:
    queue = bench.queue()
    door = bench.target.hold("/slow")
    task = bench.task(queue, "/slow")
    bench.target.wait_for("/slow")
    bench.client.pause_queue(name=queue)
    door.open()
    assert len(bench.reaches(task, "done")["attempts"]) == 1


def test_new_limits_hold_at_once(bench: Bench) -> None:
    queue = bench.queue(rate_limits={"max_concurrent_dispatches": 1})
    door = bench.target.hold("/slow")
    for _ in range(3):
        bench.task(queue, "/slow")
    bench.target.wait_for("/slow")
    bench.client.update_queue(queue={"name": queue, "rate_limits": {"max_concurrent_dispatches": 3}})
    bench.target.wait_for("/slow", times=3)
    door.open()


def test_a_burst_of_many_tasks_arrives_whole(bench: Bench) -> None:
    queue = bench.queue()
    for number in range(150):
        bench.task(queue, "/send", name=f"message-{number}")
    arrived = bench.target.wait_for("/send", times=150)
    assert len({received.headers["x-cloudtasks-taskname"] for received in arrived}) == 150
