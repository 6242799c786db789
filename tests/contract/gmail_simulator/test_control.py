"""The controls themselves: they say what is wrong, and `DELETE /_sim` leaves nothing behind."""

import pytest
import requests

from tests.contract.gmail_simulator.driver import ANN, Simulator, letter


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        ("mail?to=nobody@gmail.com", "", "POST /_sim/mailboxes first"),
        ("mail", "", "?to=<mailbox>"),
        ("mail?to=ann@gmail.com&labels=Nope", "", "Nope"),
        ("mailboxes", '{"email": "ann"}', "no mail address"),
        ("mailboxes", '{"mail": "ann"}', "mail"),
        ("push", '{"repeat": 1}', "duplicate"),
        ("push", '{"surplus": "keep"}', "coalesce or drop"),
        ("behaviour", '{"rewriteMessageId": "maybe"}', "rewriteMessageId"),
        ("tariff", '{"name": "2031"}', "2025, 2026"),
        ("faults", "[", ""),
        ("lag", "[]", "JSON object"),
    ],
)
def test_a_control_that_can_not_be_obeyed_says_why(sim: Simulator, path: str, body: str, hint: str) -> None:
    answer = requests.post(f"{sim.url}/_sim/{path}", data=body, timeout=20)
    assert answer.status_code in {400, 404}
    assert hint in answer.json()["error"]


def test_one_mail_can_arrive_in_several_mailboxes(sim: Simulator) -> None:
    answer = sim.control("POST", "/mail", letter(), to=[ANN, "bob@firm.example"])
    assert [delivery["email"] for delivery in answer["deliveries"]] == [ANN, "bob@firm.example"]
    assert answer["id"] == answer["deliveries"][0]["id"] != answer["deliveries"][1]["id"]


def test_everything_can_be_forgotten(sim: Simulator) -> None:
    sim.mail(ANN, letter())
    sim.fault("getProfile", status=500)
    token = sim.token(ANN)
    sim.control("DELETE", "")
    assert sim.control("GET", "/mailboxes") == {"mailboxes": []}
    assert sim.control("GET", "/faults") == {"faults": []}
    assert (sim.stats()["calls"], sim.control("GET", "/outbox")) == (0, {"messages": []})
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{sim.url}/gmail/v1/users/me/profile", headers=headers, timeout=20).status_code == 401


def test_the_counts_can_begin_anew(sim: Simulator) -> None:
    sim.get(ANN, "profile")
    assert sim.control("DELETE", "/stats")["httpCalls"] == 0
    sim.get(ANN, "profile")
    assert sim.stats()["mailboxes"][ANN]["calls"] == 1
