"""Injected faults: which call they hit, and whether the action was carried out before the answer was lost."""

import time

import pytest
import requests
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, Simulator, letter, raw

TO_BOB = {"raw": raw(letter(from_=ANN, to=BOB))}


def post(sim: Simulator, path: str = "messages/send", timeout: float = 20) -> requests.Response:
    """One POST without any retry."""
    headers = {"Authorization": f"Bearer {sim.token(ANN)}"}
    return requests.post(f"{sim.url}/gmail/v1/users/me/{path}", json=TO_BOB, headers=headers, timeout=timeout)


def test_a_fault_hits_the_nth_call_and_as_many_as_it_says(sim: Simulator) -> None:
    sim.fault("getProfile", nth=2, times=2, status=503)
    assert [sim.get(ANN, "profile").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_a_fault_can_be_meant_for_one_mailbox(sim: Simulator) -> None:
    sim.fault("getProfile", status=500, email=BOB)
    assert [sim.get(email, "profile").status_code for email in (ANN, BOB)] == [200, 500]


@pytest.mark.rule("P24")
def test_a_fault_answers_in_googles_shape_with_reason_and_time(sim: Simulator) -> None:
    sim.set("clock", now=1_800_000_000)
    sim.fault("messages.send", status=429, reason="rateLimitExceeded", retryAfterSeconds=900)
    error = post(sim).json()["error"]
    assert (error["status"], error["errors"][0]["reason"]) == ("RESOURCE_EXHAUSTED", "rateLimitExceeded")
    assert "Retry after 2027-01-15T08:15:0" in error["message"]


@pytest.mark.rule("P15", "D3")
@pytest.mark.parametrize(("partial", "sent"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 502}])
def test_a_send_can_fail_before_or_after_it_is_carried_out(
    sim: Simulator, partial: str, sent: int, fault: dict[str, object]
) -> None:
    sim.fault("messages.send", partial=partial, **fault)
    if "reset" in fault:
        with pytest.raises(requests.ConnectionError):
            post(sim)
    else:
        assert post(sim).status_code == 502
    assert len(sim.messages(BOB)) == sent
    assert sim.stats()["methods"]["messages.send"]["calls"] == 1


@pytest.mark.rule("P15")
def test_a_send_that_the_caller_gave_up_on_is_carried_out_later(sim: Simulator) -> None:
    sim.fault("messages.send", delayMs=500)
    with pytest.raises(requests.ReadTimeout):
        post(sim, timeout=0.1)
    deadline = time.monotonic() + 20
    while not sim.messages(BOB) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(sim.messages(BOB)) == 1


def test_the_token_endpoint_fails_in_oauths_shape(sim: Simulator) -> None:
    sim.fault("token", status=503, reason="internal_failure")
    answer = requests.post(f"{sim.url}/token", data={"grant_type": "refresh_token"}, timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (503, "internal_failure")


def test_the_token_endpoint_can_drop_the_connection(sim: Simulator) -> None:
    sim.fault("token", reset=True)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{sim.url}/token", data={"grant_type": "refresh_token"}, timeout=20)


@pytest.mark.rule("P15")
def test_googles_client_sends_again_when_the_answer_is_lost(sim: Simulator) -> None:
    users = sim.gmail(ANN)
    users.getProfile(userId="me").execute()
    sim.fault("messages.send", reset=True, partial="after")
    users.messages().send(userId="me", body=TO_BOB).execute(num_retries=0)
    assert len(sim.messages(BOB)) == 2


def test_cleared_faults_hit_nothing(sim: Simulator) -> None:
    sim.fault("getProfile", status=500)
    sim.control("DELETE", "/faults")
    assert sim.get(ANN, "profile").status_code == 200


def test_a_fault_for_a_method_that_does_not_exist_is_refused(sim: Simulator) -> None:
    answer = requests.post(f"{sim.url}/_sim/faults", json=[{"method": "message.send"}], timeout=20)
    assert answer.status_code == 400
    assert "messages.send" in answer.json()["error"]


@pytest.mark.rule("P24")
def test_the_minutes_quota_draws_403_and_returns_with_time(sim: Simulator) -> None:
    sim.set("clock", now=1_800_000_000)
    users = sim.gmail(ANN)
    for _ in range(60):
        users.stop(userId="me").execute()
        users.stop(userId="me").execute()
    with pytest.raises(HttpError) as refused:
        users.getProfile(userId="me").execute()
    assert (refused.value.status_code, refused.value.error_details[0]["reason"]) == (403, "rateLimitExceeded")
    sim.gmail(BOB).getProfile(userId="me").execute()
    sim.set("clock", advanceSeconds=61)
    users.getProfile(userId="me").execute()


@pytest.mark.parametrize(("tariff", "units"), [("2026", 20), ("2025", 5)])
def test_units_are_counted_in_the_tariff_of_the_day(sim: Simulator, tariff: str, units: int) -> None:
    sim.set("tariff", name=tariff)
    mail = sim.mail(ANN, letter())
    sim.get(ANN, f"messages/{mail['id']}")
    assert sim.stats()["mailboxes"][ANN]["methods"]["messages.get"]["units"] == units


def test_the_quota_can_be_left_unenforced(sim: Simulator) -> None:
    sim.set("tariff", enforce=False)
    users = sim.gmail(ANN)
    for _ in range(130):
        users.stop(userId="me").execute()
    assert sim.stats()["units"] == 6500
