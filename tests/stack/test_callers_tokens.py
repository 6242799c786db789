"""Whoever Google would be when it calls a function, shows a token that can be verified."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer
from google.cloud import pubsub_v1, tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from infra.local import relay
from infra.local.processes import free_ports
from infra.local.settings import TOPIC
from infra.local.stack import LocalStack
from tests.stack.probes import eventually, kept_things


def verified(stack: LocalStack, authorization: str, function: str) -> dict[str, Any]:
    """The claims, once signature, audience and issuer hold."""
    token = authorization.removeprefix("Bearer ")
    key = jwt.PyJWKClient(stack.env["SERVICE_JWKS_URL"]).get_signing_key_from_jwt(token)
    audience = f"{stack.endpoints.gateway}/{function}"
    return dict(jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=stack.env["SERVICE_ISSUER"]))


@pytest.fixture
def publisher(echo_stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> pubsub_v1.PublisherClient:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", echo_stack.endpoints.pubsub)
    return pubsub_v1.PublisherClient()


def test_a_published_notification_reaches_the_function_with_pubsubs_token(
    echo_stack: LocalStack, kept: Path, publisher: pubsub_v1.PublisherClient
) -> None:
    notification = {"emailAddress": "ada@gmail.example", "historyId": 4711}
    publisher.publish(TOPIC, json.dumps(notification).encode()).result(timeout=20)

    def received() -> list[dict[str, Any]]:
        return [one for one in kept_things(kept, "notifications") if one["data"] == notification]

    claims = verified(echo_stack, eventually(received)[0]["authorization"], "sync_mailbox")
    assert claims["email"] == echo_stack.env["PUSH_SERVICE_ACCOUNT"]
    assert claims["email_verified"] is True


def test_a_notification_that_is_refused_is_delivered_again(
    echo_stack: LocalStack, kept: Path, publisher: pubsub_v1.PublisherClient
) -> None:
    publisher.publish(TOPIC, json.dumps({"refuse": 2}).encode()).result(timeout=20)
    eventually(lambda: [one for one in kept_things(kept, "notifications") if one["data"] == {"refuse": 2}])
    assert len(list(kept.glob("refusal-*"))) == 2


def test_the_relay_answers_502_while_the_functions_are_gone() -> None:
    [unused] = free_ports(1)

    async def status() -> int:
        application = relay.application(f"http://127.0.0.1:{unused}", lambda audience: audience)
        async with TestClient(TestServer(application)) as pubsub:
            return (await pubsub.post("/sync_mailbox", json={})).status

    assert asyncio.run(status()) == 502


def test_a_task_reaches_the_function_with_the_queues_token(echo_stack: LocalStack, kept: Path) -> None:
    transport = CloudTasksGrpcTransport(channel=grpc.insecure_channel(echo_stack.env["CLOUD_TASKS_ENDPOINT"]))
    url = f"{echo_stack.endpoints.gateway}/renew_watches"
    request = {
        "url": url,
        "http_method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"job": "task"}).encode(),
        "oidc_token": {"service_account_email": echo_stack.env["TASKS_SERVICE_ACCOUNT"], "audience": url},
    }
    for queue in (echo_stack.env["DELIVERY_QUEUE"], echo_stack.env["BACKGROUND_QUEUE"]):
        tasks_v2.CloudTasksClient(transport=transport).create_task(parent=queue, task={"http_request": request})

    def received() -> list[dict[str, Any]]:
        calls = [one for one in kept_things(kept, "jobs") if one["job"] == "task"]
        return calls if len(calls) == 2 else []

    for call in eventually(received):
        claims = verified(echo_stack, call["authorization"], "renew_watches")
        assert claims["email"] == echo_stack.env["TASKS_SERVICE_ACCOUNT"]


def test_the_scheduler_calls_the_safety_poll_with_its_own_token(echo_stack: LocalStack, kept: Path) -> None:
    first = eventually(lambda: [one for one in kept_things(kept, "jobs") if one["job"] == "poll"])[0]
    claims = verified(echo_stack, first["authorization"], "renew_watches")
    assert claims["email"] == echo_stack.env["SCHEDULER_SERVICE_ACCOUNT"]
