"""What arrives at a task's target: method, address, headers, body and token."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from google.protobuf.duration_pb2 import Duration

from infra.local.service_tokens import jwks
from tests.contract.tasks_simulator.bench import LOCATION, Bench, closed_port, from_now, pause_before_retry

ACCOUNT = "tasks@mailbridge-local.iam.gserviceaccount.com"


def test_the_request_arrives_as_the_task_describes_it(bench: Bench) -> None:
    request = {"http_method": "PUT", "headers": {"Content-Type": "application/json"}, "body": b'{"a": "\xc3\xa9"}'}
    bench.task(bench.queue(), "/deliver?x=1", http=request)
    received = bench.target.wait_for("/deliver?x=1")[0]
    assert (received.method, received.body) == ("PUT", b'{"a": "\xc3\xa9"}')
    assert received.headers["content-type"] == "application/json"


def test_a_request_is_a_post_without_a_content_type_by_default(bench: Bench) -> None:
    bench.task(bench.queue(), "/deliver", http={"http_method": None, "body": b"x"})
    received = bench.target.wait_for("/deliver")[0]
    assert received.method == "POST"
    assert "content-type" not in received.headers


def test_a_get_carries_no_body(bench: Bench) -> None:
    bench.task(bench.queue(), "/deliver", http={"http_method": "GET"})
    assert bench.target.wait_for("/deliver")[0].body == b""


def test_the_first_attempt_names_its_queue_and_task(bench: Bench) -> None:
    task = bench.task(bench.queue("delivery"), "/deliver", name="message-1")
    headers = bench.target.wait_for("/deliver")[0].headers
    assert headers["x-cloudtasks-queuename"] == "delivery"
    assert headers["x-cloudtasks-taskname"] == "message-1"
    assert headers["x-cloudtasks-taskretrycount"] == "0"
    assert headers["x-cloudtasks-taskexecutioncount"] == "0"
    assert float(headers["x-cloudtasks-tasketa"]) == pytest.approx(task.schedule_time.timestamp())
    assert headers["user-agent"] == "Google-Cloud-Tasks"
    assert "x-cloudtasks-taskpreviousresponse" not in headers
    assert "x-cloudtasks-taskretryreason" not in headers


def test_headers_that_are_cloud_tasks_own_cannot_be_set(bench: Bench) -> None:
    forged = {
        "X-CloudTasks-TaskName": "forged",
        "X-CloudTasks-Anything": "forged",
        "X-Google-Anything": "forged",
        "X-AppEngine-QueueName": "forged",
        "Host": "forged",
        "user-agent": "forged",
        "Content-Length": "6",
    }
    bench.task(bench.queue(), "/deliver", name="message-1", http={"headers": {**forged, "X-Mine": "kept"}})
    headers = bench.target.wait_for("/deliver")[0].headers
    assert "forged" not in headers.values()
    assert headers["x-mine"] == "kept"
    assert headers["x-cloudtasks-taskname"] == "message-1"


def test_the_token_verifies_with_the_published_keys(bench: Bench, signing_key: RSAPrivateKey) -> None:
    token = {"service_account_email": ACCOUNT, "audience": "https://mailbridge.example/deliver_message"}
    bench.task(bench.queue(), "/deliver", http={"oidc_token": token, "headers": {"Authorization": "Bearer mine"}})
    scheme, _, bearer = bench.target.wait_for("/deliver")[0].headers["authorization"].partition(" ")
    claims = verified(bearer, signing_key, token["audience"])
    assert scheme == "Bearer"
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["email"] == ACCOUNT
    assert claims["email_verified"] is True
    assert claims["sub"].isdecimal()
    assert claims["exp"] - claims["iat"] == 3600


def test_the_token_is_for_the_url_unless_the_task_says_otherwise(bench: Bench, signing_key: RSAPrivateKey) -> None:
    bench.task(bench.queue(), "/deliver", http={"oidc_token": {"service_account_email": ACCOUNT}})
    bearer = bench.target.wait_for("/deliver")[0].headers["authorization"].removeprefix("Bearer ")
    assert verified(bearer, signing_key, f"{bench.target.url}/deliver")["email"] == ACCOUNT


def test_a_task_without_a_token_keeps_its_own_authorization(bench: Bench) -> None:
    bench.task(bench.queue(), "/deliver", http={"headers": {"Authorization": "Bearer mine"}})
    assert bench.target.wait_for("/deliver")[0].headers["authorization"] == "Bearer mine"


def test_a_token_is_dated_by_real_time_even_where_the_simulated_one_runs_ahead(
    bench: Bench, signing_key: RSAPrivateKey
) -> None:
    bench.skip(7 * 24 * 3600)
    bench.task(bench.queue(), "/deliver", http={"oidc_token": {"service_account_email": ACCOUNT, "audience": "us"}})
    bearer = bench.target.wait_for("/deliver")[0].headers["authorization"].removeprefix("Bearer ")
    assert verified(bearer, signing_key, "us")["iat"] <= time.time()


def test_a_scheduled_task_waits_for_its_time(bench: Bench) -> None:
    queue = bench.queue()
    task = bench.task(queue, "/later", schedule_time=from_now(600))
    bench.reaches(bench.task(queue, "/now"), "done")
    assert bench.seen(task.name)["state"] == "scheduled"
    assert bench.target.at("/later") == []
    bench.skip(601)
    received = bench.target.wait_for("/later")[0]
    assert float(received.headers["x-cloudtasks-tasketa"]) == pytest.approx(task.schedule_time.timestamp())


def test_tasks_go_out_in_the_order_in_which_they_are_due(bench: Bench) -> None:
    queue = bench.queue(rate_limits={"max_concurrent_dispatches": 1})
    for minutes in (30, 10, 20):
        bench.task(queue, "/later", name=f"in-{minutes}", schedule_time=from_now(minutes * 60))
    bench.skip(3600)
    arrived = [received.headers["x-cloudtasks-taskname"] for received in bench.target.wait_for("/later", times=3)]
    assert arrived == ["in-10", "in-20", "in-30"]


def test_a_schedule_in_the_past_means_now(bench: Bench) -> None:
    task = bench.task(bench.queue(), "/send", schedule_time=from_now(-3600))
    assert task.schedule_time.timestamp() == pytest.approx(time.time(), abs=60)
    bench.reaches(task, "done")


def test_a_missed_deadline_is_a_failure_and_the_task_is_tried_again(bench: Bench) -> None:
    queue = bench.queue(retry_config={"min_backoff": Duration(seconds=60)})
    door = bench.target.hold("/slow")
    task = bench.task(queue, "/slow", dispatch_deadline=Duration(seconds=20))
    bench.target.wait_for("/slow")
    bench.skip(21)
    waiting = bench.failed(task, times=1)
    assert waiting.last_attempt.response_status.message.startswith("DEADLINE_EXCEEDED(4)")
    assert (waiting.dispatch_count, waiting.response_count) == (1, 0)
    door.open()
    bench.skip(61)
    bench.reaches(task, "done")
    again = bench.target.at("/slow")[1]
    assert again.counts() == ("1", "0")
    assert "x-cloudtasks-taskpreviousresponse" not in again.headers


def test_an_attempt_may_take_ten_minutes_by_default(bench: Bench) -> None:
    door = bench.target.hold("/slow")
    task = bench.task(bench.queue(), "/slow")
    bench.target.wait_for("/slow")
    bench.skip(590)
    assert bench.seen(task.name)["state"] == "running"
    door.open()
    assert len(bench.reaches(task, "done")["attempts"]) == 1


def test_a_dead_target_is_tried_again(bench: Bench) -> None:
    queue = bench.queue(retry_config={"min_backoff": Duration(seconds=100)})
    task = bench.task(queue, "/deliver", http={"url": f"http://127.0.0.1:{closed_port()}/deliver"})
    waiting = bench.failed(task, times=1)
    assert waiting.last_attempt.response_status.code == 14
    assert pause_before_retry(waiting) == 100
    bench.skip(101)
    assert bench.failed(task, times=2).response_count == 0


def test_the_queue_of_a_task_is_the_one_it_was_created_in(bench: Bench) -> None:
    task = bench.task(bench.queue("delivery"), "/deliver")
    assert task.name.startswith(f"{LOCATION}/queues/delivery/tasks/")


def verified(token: str, key: RSAPrivateKey, audience: str) -> dict[str, Any]:
    published = jwt.PyJWKSet.from_dict(jwks(key))
    signer = published[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, signer, algorithms=["RS256"], audience=audience)
    return claims
