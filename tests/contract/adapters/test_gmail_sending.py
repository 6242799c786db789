"""A send is one POST; whoever cannot know whether it was accepted says so (P15)."""

import socket
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from mailbridge.adapters.gmail import GoogleGmail
from mailbridge.adapters.gmail.sending import JSON_LIMIT
from mailbridge.domain.oauth import REQUIRED, Grant
from mailbridge.errors import MailbridgeError, OutcomeUnknown, Permanent, ReconnectNeeded, Temporary, Throttled
from mailbridge.ports import GmailMailbox
from tests.contract.adapters.conftest import ANN, World
from tests.contract.adapters.loopback import config, socket_server
from tests.contract.adapters.simulator import SimulatedGoogle
from tests.fakes.sealer import FakeSealer

GRANT = Grant(access_token="access", refresh_token="refresh", scopes=REQUIRED, id_token="")
A_MINUTE_AGO = datetime.now(UTC) - timedelta(minutes=1)


def mail(size: int = 0) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ANN, "carl@contact.example", "Re: Offer"
    message["In-Reply-To"] = message["References"] = "<q@contact.example>"
    message["X-Mailbridge-Id"] = "m1.signed"
    message.set_content("Hello\n")
    return message.as_bytes() + b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n" * (size // 64)


def body(raw: bytes) -> bytes:
    """What follows the headers, whose lines Gmail ends in its own way."""
    return raw[raw.index(b"\nHello\n") :]


def sending_to(url: str, timeout_seconds: int = 8) -> GmailMailbox:
    """A mailbox at another Gmail than the simulator."""
    settings = config(
        GMAIL_API_ENDPOINT=url,
        SEND_TIMEOUT_SECONDS=str(timeout_seconds),
        SENDING_LEASE_SECONDS=str(2 * timeout_seconds),
    )
    return GoogleGmail(settings, FakeSealer(), lambda: datetime.now(UTC)).open_grant(GRANT)


def read_request(connection: socket.socket) -> bytes:
    """A request of small size, whole."""
    data = b""
    while b'"}' not in data and (chunk := connection.recv(65536)):
        data += chunk
    return data


@pytest.mark.rule("D3", "P15")
@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 502}, {"status": 503}, {"status": 504}])
def test_a_send_that_was_accepted_unheard_is_uncertain_and_not_repeated(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any]
) -> None:
    mailbox = real.ann()
    simulator.fault("messages.send", partial="after", **fault)
    with pytest.raises(OutcomeUnknown):
        mailbox.send(mail(), None)
    assert simulator.calls("messages.send") == 1
    assert simulator.stats()["sent"] == 1
    assert mailbox.find_sent("m1.signed", A_MINUTE_AGO) is not None


@pytest.mark.rule("D3", "P15")
@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 500}])
def test_a_send_that_was_lost_on_the_way_is_uncertain_and_not_repeated(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any]
) -> None:
    mailbox = real.ann()
    simulator.fault("messages.send", **fault)
    with pytest.raises(OutcomeUnknown):
        mailbox.send(mail(), None)
    assert simulator.calls("messages.send") == 1
    assert mailbox.find_sent("m1.signed", A_MINUTE_AGO) is None


@pytest.mark.rule("P15")
def test_an_answer_that_does_not_come_in_time_is_uncertain() -> None:
    def silent(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)

    with socket_server(silent) as url, pytest.raises(OutcomeUnknown):
        sending_to(url, timeout_seconds=1).send(mail(), None)


@pytest.mark.rule("P15")
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + b'{"id": "1", "thr',
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + b'{"id": "1" }',
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_an_answer_that_cannot_be_read_is_uncertain_and_the_send_not_repeated(answer: bytes) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(answer)

    with socket_server(serve) as url, pytest.raises(OutcomeUnknown):
        sending_to(url).send(mail(), None)
    assert len(requests) == 1


def test_a_refused_connection_is_certainly_no_send() -> None:
    with pytest.raises(Temporary):
        sending_to("http://127.0.0.1:1").send(mail(), None)


def test_a_mail_that_cannot_be_handed_over_in_time_stays_incomplete_and_is_certainly_no_send() -> None:
    received = bytearray()

    def dawdle(connection: socket.socket) -> None:
        while chunk := connection.recv(65536):
            received.extend(chunk)
            time.sleep(0.02)

    with socket_server(dawdle) as url, pytest.raises(Temporary):
        sending_to(url, timeout_seconds=1).send(mail(20_000_000), None)
    assert len(received) < 20_000_000


@pytest.mark.rule("D4", "P24")
def test_a_throttled_send_is_certainly_none_and_says_when_to_try(real: World, simulator: SimulatedGoogle) -> None:
    mailbox = real.ann()
    simulator.fault("messages.send", status=429, retryAfterSeconds=600)
    with pytest.raises(Throttled) as throttled:
        mailbox.send(mail(), None)
    assert throttled.value.retry_at is not None
    assert abs(throttled.value.retry_at - datetime.now(UTC) - timedelta(minutes=10)) < timedelta(minutes=1)
    assert simulator.stats()["sent"] == 0


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [(400, "invalidArgument", Permanent), (403, "domainPolicy", Permanent), (413, "uploadTooLarge", Permanent)],
)
def test_a_refused_send_is_certainly_none(
    real: World, simulator: SimulatedGoogle, status: int, reason: str, error: type[MailbridgeError]
) -> None:
    mailbox = real.ann()
    simulator.fault("messages.send", status=status, reason=reason)
    with pytest.raises(error):
        mailbox.send(mail(), None)
    assert simulator.calls("messages.send") == 1


def test_a_rejected_access_token_is_replaced_and_the_send_left_to_the_next_attempt(
    real: World, simulator: SimulatedGoogle
) -> None:
    mailbox = real.ann()
    simulator.fault("messages.send", status=401)
    with pytest.raises(Temporary):
        mailbox.send(mail(), None)
    assert simulator.calls("messages.send") == 1
    mailbox.send(mail(), None)
    assert simulator.stats()["sent"] == 1


@pytest.mark.rule("A7")
def test_a_send_with_a_withdrawn_permission_means_connecting_again(real: World, simulator: SimulatedGoogle) -> None:
    mailbox = real.ann()
    mailbox.history_id()
    simulator.withdraw(ANN)
    with pytest.raises(ReconnectNeeded):
        mailbox.send(mail(), None)


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}])
def test_trouble_with_the_access_token_never_looks_like_an_uncertain_send(
    real: World, simulator: SimulatedGoogle, fault: dict[str, Any]
) -> None:
    mailbox = real.ann()
    simulator.fault("token", **fault)
    with pytest.raises(Temporary):
        mailbox.send(mail(), None)
    assert simulator.calls("messages.send") == 0


@pytest.mark.rule("D5", "P25")
@pytest.mark.parametrize("size", [0, JSON_LIMIT * 3 // 4 - 2000, JSON_LIMIT, 34_000_000])
def test_mail_of_any_size_arrives_whole_and_in_its_thread(real: World, size: int) -> None:
    mailbox = real.ann()
    question = b"Message-ID: <q@contact.example>\r\nSubject: Offer\r\n\r\n"
    asked = real.google.arrive(ANN, question)
    copy = mailbox.send(mail(size), asked)
    assert copy.thread_id == asked
    assert body(mailbox.raw(copy.gmail_message_id)) == body(mail(size))


@pytest.mark.rule("D5")
def test_mail_larger_than_gmail_takes_is_refused_for_good(real: World) -> None:
    with pytest.raises(Permanent):
        real.ann().send(mail(37_000_000), None)


@pytest.mark.rule("D5")
def test_a_large_mail_is_handed_over_without_copies_of_it() -> None:
    content = mail(30_000_000)
    accepted = b'{"id": "1", "threadId": "2"}'

    def swallow(connection: socket.socket) -> None:
        left = len(content)
        while left > 0 and (chunk := connection.recv(65536)):
            left -= len(chunk)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(accepted) + accepted)

    with socket_server(swallow) as url:
        mailbox = sending_to(url, timeout_seconds=30)
        tracemalloc.start()
        try:
            mailbox.send(content, "2")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000
