"""What the adapter asks of Gmail: how many calls, how many tokens, and what it makes of trouble on the way."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailbridge.adapters.gmail import GoogleGmail
from mailbridge.domain.oauth import REQUIRED, Grant
from mailbridge.errors import MailbridgeError, Permanent, ReconnectNeeded, Temporary, Throttled
from mailbridge.ports import GmailMailbox
from tests.contract.adapters.conftest import ANN, World
from tests.contract.adapters.loopback import Received, config, http_server
from tests.contract.adapters.simulator import SimulatedGoogle
from tests.fakes.sealer import FakeSealer

MAIL = b"From: carl@contact.example\r\nSubject: Hello\r\n\r\nHello\r\n"
GRANT = Grant(access_token="access", refresh_token=None, scopes=REQUIRED, id_token="")


def arrivals(simulator: SimulatedGoogle, count: int) -> list[str]:
    return [simulator.arrive(ANN, MAIL) for _ in range(count)]


def spent(simulator: SimulatedGoogle, work: Callable[[], object]) -> tuple[int, int]:
    """HTTP calls and Gmail units that a piece of work costs."""
    before = simulator.stats()
    work()
    after = simulator.stats()
    return after["httpCalls"] - before["httpCalls"], after["units"] - before["units"]


@pytest.mark.rule("P23")
@pytest.mark.parametrize("count", [1, 2, 25])
def test_up_to_25_messages_take_one_http_call(real: World, simulator: SimulatedGoogle, count: int) -> None:
    mailbox = real.ann()
    mailbox.history_id()
    ids = arrivals(simulator, count)
    assert spent(simulator, lambda: mailbox.messages(ids)) == (1, 20 * count)


def test_history_and_a_send_take_one_call_each(real: World, simulator: SimulatedGoogle) -> None:
    mailbox = real.ann()
    since = mailbox.history_id()
    arrivals(simulator, 3)
    assert spent(simulator, lambda: mailbox.history(since)) == (1, 2)
    outgoing = b"To: carl@contact.example\r\n\r\nHello"
    assert spent(simulator, lambda: mailbox.send(outgoing, None)) == (1, 100)


@pytest.mark.rule("P23")
def test_looking_for_a_sent_mail_reads_in_batches_and_stops_at_the_match(
    real: World, simulator: SimulatedGoogle
) -> None:
    mailbox = real.ann()
    for number in range(30):
        simulator.compose(ANN, b"To: carl@contact.example\r\nX-Mailbridge-Id: m%d\r\n\r\nHello" % number)
    since = datetime.now(UTC) - timedelta(minutes=1)
    mailbox.history_id()
    assert spent(simulator, lambda: mailbox.find_sent("m29", since)) == (2, 5 + 25 * 20)
    assert spent(simulator, lambda: mailbox.find_sent("m0", since)) == (3, 5 + 30 * 20)
    assert spent(simulator, lambda: mailbox.find_sent("none", since)) == (3, 5 + 30 * 20)


@pytest.mark.rule("D3")
def test_a_sent_mail_is_not_called_absent_while_a_candidate_could_not_be_read(
    real: World, simulator: SimulatedGoogle
) -> None:
    mailbox = real.ann()
    for _ in range(3):
        simulator.compose(ANN, b"To: carl@contact.example\r\nX-Mailbridge-Id: m1\r\n\r\nHello")
    simulator.fault("messages.get", status=503)
    with pytest.raises(Temporary):
        mailbox.find_sent("m2", datetime.now(UTC) - timedelta(minutes=1))


@pytest.mark.rule("P5")
def test_history_goes_on_over_pages_without_records() -> None:
    def record(number: int) -> dict[str, Any]:
        return {"id": str(number), "messagesAdded": [{"message": {"id": f"m{number}", "threadId": "t"}}]}

    pages: dict[str, dict[str, Any]] = {
        "": {"history": [record(2), record(5)], "nextPageToken": "second", "historyId": "9007199254740000"},
        "second": {"nextPageToken": "third", "historyId": "9007199254740001"},
        "third": {"history": [record(9)], "historyId": "9007199254740002"},
    }
    asked: list[dict[str, list[str]]] = []

    def respond(request: Received) -> tuple[int, bytes]:
        asked.append(parse_qs(urlsplit(request.path).query))
        return 200, json.dumps(pages[asked[-1].get("pageToken", [""])[0]]).encode()

    with http_server(respond) as url:
        history = elsewhere(url).history(1)
    assert [record.history_id for record in history.records] == [2, 5, 9]
    assert history.history_id == 9007199254740000
    assert {query["startHistoryId"][0] for query in asked} == {"1"}
    assert {query["maxResults"][0] for query in asked} == {"500"}
    assert not any("historyTypes" in query or "labelId" in query for query in asked)


def elsewhere(url: str) -> GmailMailbox:
    """A mailbox at another Gmail than the simulator."""
    return GoogleGmail(config(GMAIL_API_ENDPOINT=url), FakeSealer(), lambda: datetime.now(UTC)).open_grant(GRANT)


@pytest.mark.rule("P8")
def test_one_message_in_trouble_leaves_the_others_of_its_batch_alone(real: World, simulator: SimulatedGoogle) -> None:
    mailbox = real.ann()
    ids = arrivals(simulator, 4)
    simulator.fault("batch", partial=2, status=429, retryAfterSeconds=60)
    fetched = mailbox.messages(ids)
    assert fetched.found.keys() == set(ids[:2])
    assert fetched.failed.keys() == set(ids[2:])
    assert all(isinstance(error, Throttled) and error.retry_at for error in fetched.failed.values())
    assert not fetched.gone


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"status": 503}, Temporary), ({"reset": True}, Temporary), ({"status": 429}, Throttled)],
)
def test_a_batch_that_fails_as_a_whole_is_an_error(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any], error: type[MailbridgeError]
) -> None:
    mailbox = real.ann()
    ids = arrivals(simulator, 3)
    simulator.fault("batch", **fault)
    with pytest.raises(error):
        mailbox.messages(ids)


def test_a_batch_whose_answer_is_cut_short_is_passing_trouble() -> None:
    with http_server(lambda _: (200, b"{}")) as url, pytest.raises(Temporary):
        elsewhere(url).messages(["1", "2"])


@pytest.mark.rule("P32")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 403, "reason": "rateLimitExceeded"}, Throttled),
        ({"status": 403, "reason": "domainPolicy"}, Permanent),
        ({"status": 403, "reason": "insufficientPermissions"}, ReconnectNeeded),
        ({"status": 500}, Temporary),
        ({"reset": True}, Temporary),
        ({"status": 401, "times": 2}, ReconnectNeeded),
    ],
)
def test_a_refused_call_is_the_error_of_the_table(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any], error: type[MailbridgeError]
) -> None:
    mailbox = real.ann()
    simulator.fault("getProfile", **fault)
    with pytest.raises(error):
        mailbox.history_id()


def test_a_permission_that_was_not_granted_means_connecting_again(real: World) -> None:
    mailbox = real.gmail.open(real.mailbox(real.grant(scopes=("openid", "email"))))
    with pytest.raises(ReconnectNeeded):
        mailbox.history_id()


def test_an_answer_that_is_no_json_is_passing_trouble() -> None:
    with http_server(lambda _: (200, b"<html>")) as url, pytest.raises(Temporary):
        elsewhere(url).history_id()


def test_an_access_token_serves_until_it_ends(real: World, simulator: SimulatedGoogle) -> None:
    stored = real.mailbox(real.grant())
    exchanged = simulator.calls("token")
    for _ in range(3):
        real.gmail.open(stored).history_id()
    assert simulator.calls("token") == exchanged + 1


def test_an_access_token_that_has_ended_is_replaced_once(real: World, simulator: SimulatedGoogle) -> None:
    mailbox = real.ann()
    ids = arrivals(simulator, 3)
    mailbox.history_id()
    asked = simulator.calls("token")
    simulator.control("clock", {"advanceSeconds": 4000})
    assert mailbox.messages(ids).found.keys() == set(ids)
    mailbox.history_id()
    assert simulator.calls("token") == asked + 1


@pytest.mark.rule("A7")
def test_a_mailbox_connected_again_uses_its_new_grant(real: World, simulator: SimulatedGoogle) -> None:
    before = real.mailbox(real.grant())
    real.gmail.open(before).history_id()
    simulator.withdraw(ANN)
    after = real.mailbox(real.grant())
    with pytest.raises(ReconnectNeeded):
        real.gmail.open(before).history_id()
    assert real.gmail.open(after).history_id()


@pytest.mark.rule("P32")
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 429}, {"reset": True}])
def test_a_token_endpoint_in_trouble_disconnects_nobody(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any]
) -> None:
    mailbox = real.ann()
    simulator.fault("token", **fault)
    with pytest.raises(Temporary):
        mailbox.history_id()
    assert mailbox.history_id()


@pytest.mark.rule("A7", "P32")
@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (400, b'{"error": "invalid_grant"}', ReconnectNeeded),
        (400, b'{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', ReconnectNeeded),
        (400, b'{"error": "admin_policy_enforced"}', ReconnectNeeded),
        (401, b'{"error": "invalid_client"}', Temporary),
        (502, b"<html>Bad Gateway</html>", Temporary),
        (400, b"[]", Temporary),
    ],
)
def test_only_a_dead_grant_means_connecting_again(status: int, answer: bytes, error: type[MailbridgeError]) -> None:
    lasting = Grant(access_token="", refresh_token="refresh", scopes=REQUIRED, id_token="")
    with http_server(lambda _: (status, answer)) as url:
        gmail = GoogleGmail(config(OAUTH_TOKEN_URL=url), FakeSealer(), lambda: datetime.now(UTC))
        with pytest.raises(error) as raised:
            gmail.open_grant(lasting).history_id()
    assert type(raised.value) is error


@pytest.mark.rule("P26")
def test_eight_threads_share_one_adapter_and_one_access_token(real: World, simulator: SimulatedGoogle) -> None:
    stored = real.mailbox(real.grant())
    asked = simulator.calls("token")
    simulator.control("tariff", {"enforce": False})
    ids = arrivals(simulator, 40)

    def subjects(number: int) -> set[str]:
        mailbox = real.gmail.open(stored)
        own = ids[number % 8 * 5 :][:5]
        assert mailbox.history_id()
        return set(mailbox.messages(own).found) ^ set(own)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(subjects, range(40))) == [set()] * 40
    assert simulator.calls("token") == asked + 1


def test_threads_that_send_at_once_send_once_each(real: World, simulator: SimulatedGoogle) -> None:
    stored = real.mailbox(real.grant())
    simulator.control("tariff", {"enforce": False})

    def send(number: int) -> str:
        outgoing = b"To: carl@contact.example\r\nX-Mailbridge-Id: m%d\r\n\r\nHello" % number
        return real.gmail.open(stored).send(outgoing, None).gmail_message_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(24)))) == 24
    assert simulator.stats()["sent"] == 24
