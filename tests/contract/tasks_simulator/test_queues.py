"""Queues: made, found, changed, listed and deleted as Cloud Tasks does it."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud.tasks_v2 import Queue
from google.protobuf.duration_pb2 import Duration

from tests.contract.tasks_simulator.bench import LOCATION, Bench


def test_a_new_queue_has_googles_defaults(bench: Bench) -> None:
    queue = bench.client.get_queue(name=bench.queue())
    limits, retries = queue.rate_limits, queue.retry_config
    assert queue.state == Queue.State.RUNNING
    assert (limits.max_dispatches_per_second, limits.max_burst_size) == (500, 100)
    assert limits.max_concurrent_dispatches == 1000
    assert (retries.max_attempts, retries.max_doublings) == (100, 16)
    assert (retries.min_backoff, retries.max_backoff) == (timedelta(seconds=0.1), timedelta(hours=1))


def test_a_queue_keeps_what_was_asked_for(bench: Bench) -> None:
    asked = {"max_attempts": 5, "max_doublings": 2, "min_backoff": Duration(seconds=3)}
    queue = bench.client.get_queue(name=bench.queue(retry_config=asked, rate_limits={"max_dispatches_per_second": 1}))
    assert (queue.retry_config.max_attempts, queue.retry_config.max_doublings) == (5, 2)
    assert queue.retry_config.min_backoff == timedelta(seconds=3)
    assert (queue.rate_limits.max_dispatches_per_second, queue.rate_limits.max_burst_size) == (1, 10)


def test_a_queue_is_made_once(bench: Bench) -> None:
    bench.queue()
    with pytest.raises(AlreadyExists):
        bench.queue()


def test_an_update_changes_only_what_its_mask_names(bench: Bench) -> None:
    queue = bench.queue(retry_config={"max_attempts": 5}, rate_limits={"max_concurrent_dispatches": 7})
    changed = {"name": queue, "retry_config": {"max_attempts": 9}, "rate_limits": {"max_concurrent_dispatches": 9}}
    bench.client.update_queue(queue=changed, update_mask={"paths": ["retry_config.max_attempts"]})
    now = bench.client.get_queue(name=queue)
    assert (now.retry_config.max_attempts, now.rate_limits.max_concurrent_dispatches) == (9, 7)


def test_an_update_of_a_queue_that_does_not_exist_makes_it(bench: Bench) -> None:
    name = f"{LOCATION}/queues/new"
    bench.client.update_queue(queue={"name": name, "retry_config": {"max_attempts": 4}})
    assert bench.client.get_queue(name=name).retry_config.max_attempts == 4


def test_an_update_cannot_change_the_state(bench: Bench) -> None:
    queue = {"name": bench.queue(), "state": Queue.State.PAUSED}
    with pytest.raises(InvalidArgument, match="state"):
        bench.client.update_queue(queue=queue, update_mask={"paths": ["state"]})


def test_queues_are_listed_by_name_and_location_in_pages(bench: Bench) -> None:
    for name in ("c", "a", "b"):
        bench.queue(name)
    pages = bench.client.list_queues(request={"parent": LOCATION, "page_size": 2}).pages
    assert [[queue.name[-1] for queue in page.queues] for page in pages] == [["a", "b"], ["c"]]
    assert list(bench.client.list_queues(parent="projects/mailbridge-local/locations/elsewhere")) == []


def test_a_deleted_queue_is_gone_with_its_tasks_and_its_name_for_three_days(bench: Bench) -> None:
    queue = bench.paused()
    task = bench.task(queue, "/send")
    bench.client.delete_queue(name=queue)
    with pytest.raises(NotFound):
        bench.client.get_task(name=task.name)
    with pytest.raises(NotFound):
        bench.task(queue, "/send")
    with pytest.raises(FailedPrecondition, match="three days"):
        bench.queue()
    bench.skip(3 * 24 * 3600 + 1)
    bench.queue()
    assert bench.target.at("/send") == []


def test_a_queue_that_does_not_exist_is_not_found(bench: Bench) -> None:
    name, calls = f"{LOCATION}/queues/none", bench.client
    for call in (calls.get_queue, calls.delete_queue, calls.purge_queue, calls.pause_queue, calls.resume_queue):
        with pytest.raises(NotFound):
            call(name=name)
    with pytest.raises(NotFound):
        bench.client.list_tasks(parent=name)
    with pytest.raises(NotFound):
        bench.task(name, "/send")


@pytest.mark.parametrize(
    "name", ["work", "queues/work", f"{LOCATION}/queues/not_a_queue", f"{LOCATION}/queues/{'x' * 101}"]
)
def test_a_malformed_name_is_invalid(bench: Bench, name: str) -> None:
    with pytest.raises(InvalidArgument, match="queues/QUEUE_ID"):
        bench.client.get_queue(name=name)
    with pytest.raises(InvalidArgument):
        bench.client.create_queue(parent=LOCATION, queue={"name": name})


def test_a_queue_belongs_to_its_parent(bench: Bench) -> None:
    elsewhere = "projects/other/locations/local/queues/work"
    with pytest.raises(InvalidArgument, match="does not belong"):
        bench.client.create_queue(parent=LOCATION, queue={"name": elsewhere})


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"rate_limits": {"max_dispatches_per_second": 501}}, "max_dispatches_per_second"),
        ({"rate_limits": {"max_dispatches_per_second": -1}}, "max_dispatches_per_second"),
        ({"rate_limits": {"max_concurrent_dispatches": 5001}}, "max_concurrent_dispatches"),
        ({"retry_config": {"max_attempts": -2}}, "max_attempts"),
        ({"retry_config": {"max_doublings": -1}}, "max_doublings"),
        ({"retry_config": {"min_backoff": Duration(seconds=-1)}}, "min_backoff"),
        ({"retry_config": {"min_backoff": Duration(seconds=9), "max_backoff": Duration(seconds=8)}}, "min_backoff"),
    ],
)
def test_a_configuration_out_of_bounds_is_invalid(bench: Bench, config: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument, match=field):
        bench.queue(**config)


def test_what_the_simulator_cannot_do_it_refuses(bench: Bench) -> None:
    with pytest.raises(MethodNotImplemented, match="http_target"):
        bench.queue(http_target={"http_method": "POST"})
    with pytest.raises(MethodNotImplemented, match="filter"):
        bench.client.list_queues(request={"parent": LOCATION, "filter": "state: PAUSED"})
