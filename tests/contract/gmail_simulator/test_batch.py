"""Batches: many calls in one request, each with an answer of its own."""

from typing import Any

import pytest
import requests
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, Simulator, letter, service
from tests.contract.gmail_simulator.shapes import CheckedHttp, check

Outcome = dict[str, tuple[Any, Any]]


def fetch(sim: Simulator, ids: list[str]) -> Outcome:
    """Get messages in one batch of Google's client: id → (answer, error)."""
    found: Outcome = {}
    gmail = service(sim.url, CheckedHttp(sim.token(ANN)))
    batch = gmail.new_batch_http_request(lambda key, answer, error: found.update({key: (answer, error)}))
    for message_id in ids:
        batch.add(gmail.users().messages().get(userId="me", id=message_id), request_id=message_id)
    batch.execute()
    return found


def statuses(found: Outcome) -> list[int]:
    return [error.status_code if error else 200 for _, error in found.values()]


def arrived(sim: Simulator, count: int) -> list[str]:
    return [sim.mail(ANN, letter(f"Mail {n}"))["id"] for n in range(count)]


def test_each_call_of_a_batch_is_answered_by_its_own_id(sim: Simulator) -> None:
    ids = arrived(sim, 3)
    found = fetch(sim, [*ids, "00000000000000aa"])
    assert {key: answer["id"] for key, (answer, _) in found.items() if answer} == {key: key for key in ids}
    for answer, _ in list(found.values())[:3]:
        check("Message", answer)
    assert statuses(found) == [200, 200, 200, 404]


def test_each_call_of_a_batch_is_counted_and_charged(sim: Simulator) -> None:
    fetch(sim, arrived(sim, 3))
    stats = sim.stats()
    assert (stats["httpCalls"], stats["methods"]["messages.get"]["calls"], stats["units"]) == (1, 3, 60)


@pytest.mark.rule("P23")
def test_more_than_25_calls_at_once_draw_429_for_the_surplus(sim: Simulator) -> None:
    ids = arrived(sim, 30)
    found = fetch(sim, ids)
    assert statuses(found) == [200] * 25 + [429] * 5
    assert "Too many concurrent requests for user" in str(found[ids[-1]][1])
    sim.set("behaviour", batchConcurrency=None)
    assert statuses(fetch(sim, ids)) == [200] * 30


def test_a_batch_has_at_most_100_calls(sim: Simulator) -> None:
    part = "--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/profile\r\n\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Authorization": f"Bearer {sim.token(ANN)}"}
    answers = [
        requests.post(f"{sim.url}/batch", data=part * count + "--b--", headers=headers, timeout=20)
        for count in (100, 101)
    ]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert "101" in answers[1].json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"--b\r\n\r\n\r\n--b--", b"\x00" * 50, b"--b\r\n\r\nGET\r\n--b--"])
def test_what_is_no_batch_is_refused(sim: Simulator, body: bytes) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    assert requests.post(f"{sim.url}/batch/gmail/v1", data=body, headers=headers, timeout=20).status_code == 400


def test_a_fault_can_hit_one_call_of_a_batch(sim: Simulator) -> None:
    sim.fault("messages.get", nth=2, status=500)
    assert statuses(fetch(sim, arrived(sim, 3))) == [200, 500, 200]


def test_a_fault_can_let_only_the_first_calls_of_a_batch_through(sim: Simulator) -> None:
    sim.fault("batch", partial=1, status=429)
    assert statuses(fetch(sim, arrived(sim, 3))) == [200, 429, 429]


def test_a_fault_can_refuse_a_whole_batch(sim: Simulator) -> None:
    sim.fault("batch", status=503)
    with pytest.raises(HttpError) as refused:
        fetch(sim, arrived(sim, 2))
    assert refused.value.status_code == 503
    assert "messages.get" not in sim.stats()["methods"]
