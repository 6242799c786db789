"""Tasks as Cloud Tasks accepts, shows and lists them."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument, MethodNotImplemented, NotFound
from google.cloud.tasks_v2 import Task
from google.protobuf.duration_pb2 import Duration

from tests.contract.tasks_simulator.bench import Bench, from_now

BODY = b"a body"
ONE_MEBIBYTE = 1024 * 1024


def test_a_task_is_shown_without_its_body_unless_asked_for_in_full(bench: Bench) -> None:
    queue = bench.paused()
    created = bench.task(queue, "/send", http={"body": BODY, "headers": {"X-Mine": "kept"}})
    basic = bench.client.get_task(name=created.name)
    full = bench.client.get_task(request={"name": created.name, "response_view": Task.View.FULL})
    assert (created.http_request.body, basic.http_request.body, full.http_request.body) == (b"", b"", BODY)
    assert basic.http_request.headers == {"X-Mine": "kept", "User-Agent": "Google-Cloud-Tasks"}
    assert (basic.view, full.view) == (Task.View.BASIC, Task.View.FULL)


def test_a_created_task_says_what_was_filled_in(bench: Bench) -> None:
    task = bench.task(bench.paused(), "/send", http={"http_method": None})
    assert task.http_request.http_method.name == "POST"
    assert task.dispatch_deadline == timedelta(minutes=10)
    assert task.schedule_time - task.create_time < timedelta(minutes=1)
    assert (task.dispatch_count, task.response_count) == (0, 0)


def test_a_waiting_task_shows_its_attempts(bench: Bench) -> None:
    bench.target.answers("/send", 500)
    queue = bench.queue(retry_config={"min_backoff": Duration(seconds=60)})
    waiting = bench.failed(bench.task(queue, "/send"), times=1)
    assert (waiting.dispatch_count, waiting.response_count) == (1, 1)
    assert waiting.first_attempt.dispatch_time == waiting.last_attempt.dispatch_time
    assert waiting.last_attempt.response_status.code == 13
    assert "500" in waiting.last_attempt.response_status.message


def test_tasks_are_listed_in_pages(bench: Bench) -> None:
    queue = bench.paused()
    for number in range(5):
        bench.task(queue, "/send", name=f"task-{number}", http={"body": BODY})
    request = {"parent": queue, "page_size": 2, "response_view": Task.View.FULL}
    pages = [[task.name[-1] for task in page.tasks] for page in bench.client.list_tasks(request=request).pages]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]
    assert {task.http_request.body for task in bench.client.list_tasks(request=request)} == {BODY}


def test_a_page_goes_on_where_the_last_ended_although_tasks_have_left(bench: Bench) -> None:
    queue = bench.paused()
    for number in range(4):
        bench.task(queue, "/send", name=f"task-{number}")
    first = next(iter(bench.client.list_tasks(request={"parent": queue, "page_size": 2}).pages))
    bench.client.delete_task(name=f"{queue}/tasks/task-1")
    rest = bench.client.list_tasks(request={"parent": queue, "page_token": first.next_page_token})
    assert [task.name[-1] for task in rest] == ["2", "3"]


def test_a_foreign_page_token_is_invalid(bench: Bench) -> None:
    with pytest.raises(InvalidArgument, match="page_token"):
        bench.client.list_tasks(request={"parent": bench.paused(), "page_token": "?"})


def test_a_task_of_one_mebibyte_does_not_fit(bench: Bench) -> None:
    queue = bench.paused()
    bench.task(queue, "/send", http={"body": b"x" * (ONE_MEBIBYTE - 1024)})
    with pytest.raises(InvalidArgument, match="1 MiB"):
        bench.task(queue, "/send", http={"body": b"x" * ONE_MEBIBYTE})


def test_a_task_can_be_scheduled_thirty_days_ahead_and_no_further(bench: Bench) -> None:
    queue, day = bench.paused(), 24 * 3600
    bench.task(queue, "/send", schedule_time=from_now(30 * day - 60))
    with pytest.raises(InvalidArgument, match="30 days"):
        bench.task(queue, "/send", schedule_time=from_now(30 * day + 60))


@pytest.mark.parametrize("seconds", [0, 14, 1801])
def test_a_deadline_out_of_bounds_is_invalid(bench: Bench, seconds: int) -> None:
    with pytest.raises(InvalidArgument, match="dispatch_deadline"):
        bench.task(bench.paused(), "/send", dispatch_deadline=Duration(seconds=seconds))


@pytest.mark.parametrize("seconds", [15, 1800])
def test_a_deadline_within_bounds_is_kept(bench: Bench, seconds: int) -> None:
    task = bench.task(bench.paused(), "/send", dispatch_deadline=Duration(seconds=seconds))
    assert task.dispatch_deadline == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("request_fields", "complaint"),
    [
        ({"url": ""}, "url is required"),
        ({"url": "mailbridge.example/deliver"}, "http://"),
        ({"url": "ftp://mailbridge.example"}, "http://"),
        ({"url": "http://mailbridge.example/" + "x" * 2083}, "2083"),
        ({"http_method": "GET", "body": BODY}, "body"),
        ({"http_method": "DELETE", "body": BODY}, "body"),
        ({"headers": {"X-Mine": "a\r\nX-Forged: b"}}, "header"),
        ({"headers": {"X Mine": "a"}}, "header"),
        ({"headers": {"X-Mine": "x" * 80 * 1024}}, "80 KB"),
    ],
)
def test_a_request_that_cannot_be_sent_is_invalid(bench: Bench, request_fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidArgument, match=complaint):
        bench.task(bench.paused(), "/send", http=request_fields)


@pytest.mark.parametrize("task_id", ["", "a b", "a/b", "ä", "x" * 501])
def test_a_malformed_task_id_is_invalid(bench: Bench, task_id: str) -> None:
    queue = bench.paused()
    task = {"name": f"{queue}/tasks/{task_id}", "http_request": {"url": bench.target.url}}
    with pytest.raises(InvalidArgument):
        bench.client.create_task(parent=queue, task=task)


def test_a_task_belongs_to_the_queue_it_is_created_in(bench: Bench) -> None:
    here, there = bench.paused("here"), bench.paused("there")
    task = {"name": f"{there}/tasks/mine", "http_request": {"url": bench.target.url}}
    with pytest.raises(InvalidArgument, match="another queue"):
        bench.client.create_task(parent=here, task=task)


def test_a_task_that_never_was_is_not_found(bench: Bench) -> None:
    name = f"{bench.paused()}/tasks/none"
    for call in (bench.client.get_task, bench.client.delete_task, bench.client.run_task):
        with pytest.raises(NotFound, match="does not exist"):
            call(name=name)


def test_what_the_simulator_cannot_do_it_refuses(bench: Bench) -> None:
    queue = bench.paused()
    with pytest.raises(MethodNotImplemented, match="App Engine"):
        bench.client.create_task(parent=queue, task={"app_engine_http_request": {"relative_uri": "/"}})
    with pytest.raises(MethodNotImplemented, match="oidc_token"):
        bench.task(queue, "/send", http={"oauth_token": {"service_account_email": "a@b.example"}})
