"""Where sent mail goes: SENT, other mailboxes here, or the world outside; and what Gmail changes in it."""

import base64
from email import message_from_bytes
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, CARLA, Simulator, header, letter, raw, unraw

ZOE = "zoe@gmail.com"


def send(sim: Simulator, message: bytes, sender: str = ANN, **body: str) -> dict[str, Any]:
    answer: dict[str, Any] = (
        sim.gmail(sender).messages().send(userId="me", body={"raw": raw(message), **body}).execute()
    )
    return answer


def raw_of(sim: Simulator, email: str, message_id: str) -> bytes:
    answer = sim.gmail(email).messages().get(userId="me", id=message_id, format="raw").execute()
    return unraw(answer["raw"])


def outbox(sim: Simulator, sender: str = ANN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.control("GET", "/outbox", **{"from": sender})["messages"]
    return found


@pytest.mark.rule("D1", "C1")
def test_mail_to_a_mailbox_here_arrives_unread_in_its_inbox(sim: Simulator) -> None:
    sent = send(sim, letter(from_=ANN, to=f"Bob <{BOB}>", subject="Hello"))
    assert sent["labelIds"] == ["SENT"]
    (arrived,) = sim.messages(BOB)
    assert arrived["labelIds"] == ["INBOX", "UNREAD"]
    assert header(arrived, "Subject") == "Hello"
    assert arrived["id"] != sent["id"]


def test_each_mailbox_gets_one_copy_however_often_it_is_addressed(sim: Simulator) -> None:
    sim.account(ZOE)
    send(sim, letter(from_=ANN, to=f"{BOB}, {ZOE}", cc=f"Z.o.e+list@gmail.com, {BOB}"))
    assert [len(sim.messages(email)) for email in (ANN, BOB, ZOE)] == [1, 1, 1]


def test_bcc_reaches_its_recipient_unseen_and_stays_on_the_senders_copy(sim: Simulator) -> None:
    sent = send(sim, letter(from_=ANN, to=CARLA, bcc=BOB))
    assert b"Bcc: bob@firm.example" in raw_of(sim, ANN, sent["id"])
    (arrived,) = sim.messages(BOB)
    assert b"Bcc" not in raw_of(sim, BOB, arrived["id"])
    assert b"Bcc" not in base64.b64decode(outbox(sim)[0]["raw"])


def test_mail_to_elsewhere_waits_in_the_outbox_for_whoever_plays_the_server_there(sim: Simulator) -> None:
    send(sim, letter(from_=ANN, to=f"{CARLA}, {BOB}", text="Grüße"))
    (mail,) = outbox(sim)
    assert (mail["from"], mail["to"]) == (ANN, [CARLA])
    payload = message_from_bytes(base64.b64decode(mail["raw"])).get_payload(decode=True)
    assert payload == "Grüße\n".encode()
    assert outbox(sim, BOB) == []


def test_mail_to_oneself_is_one_message_both_sent_and_received(sim: Simulator) -> None:
    sent = send(sim, letter(from_=ANN, to=ANN))
    assert sent["labelIds"] == ["INBOX", "SENT", "UNREAD"]
    assert len(sim.messages(ANN)) == 1


@pytest.mark.rule("P16")
def test_an_api_send_gets_a_message_id_of_gmails_own_and_keeps_its_x_headers(sim: Simulator) -> None:
    send(sim, letter(from_=ANN, to=BOB, message_id="<ours@crm.example>", x_mailbridge_id="m1"))
    (arrived,) = sim.messages(BOB)
    assert header(arrived, "Message-ID").startswith("<CA")
    assert header(arrived, "Message-ID").endswith("@mail.gmail.com>")
    assert header(arrived, "X-Mailbridge-Id") == "m1"


def test_the_message_id_can_be_left_alone_because_nobody_is_certain(sim: Simulator) -> None:
    sim.set("behaviour", rewriteMessageId=False)
    send(sim, letter(from_=ANN, to=BOB, message_id="<ours@crm.example>"))
    assert header(sim.messages(BOB)[0], "Message-ID") == "<ours@crm.example>"


def test_mail_written_in_gmail_keeps_its_message_id(sim: Simulator) -> None:
    sim.compose(ANN, letter(from_=ANN, to=BOB, message_id="<CAweb@mail.gmail.com>"))
    assert header(sim.messages(BOB)[0], "Message-ID") == "<CAweb@mail.gmail.com>"


@pytest.mark.rule("C2", "D9")
@pytest.mark.parametrize(
    ("wished", "leaves_as"),
    [("sales@firm.example", "sales@firm.example"), ("ceo@bank.example", f"Ann Example <{ANN}>")],
)
def test_from_is_the_account_or_one_of_its_aliases(sim: Simulator, wished: str, leaves_as: str) -> None:
    sim.account(ANN, name="Ann Example", aliases=[{"email": "sales@firm.example", "name": "Sales"}])
    send(sim, letter(from_=wished, to=BOB))
    assert header(sim.messages(BOB)[0], "From") == leaves_as


def test_a_missing_date_is_added(sim: Simulator) -> None:
    sim.set("clock", now=1_800_000_000)
    send(sim, letter(from_=ANN, to=BOB))
    assert header(sim.messages(BOB)[0], "Date").startswith("Fri, 15 Jan 2027 08:00:0")


def test_a_message_for_nobody_is_refused(sim: Simulator) -> None:
    with pytest.raises(HttpError, match="Recipient address required"):
        send(sim, b"Subject: nobody\r\n\r\nhello")
    assert sim.messages(ANN) == []


@pytest.mark.rule("D4", "G3")
def test_the_recipients_of_one_message_are_limited(sim: Simulator) -> None:
    sim.set("behaviour", recipientLimit=2)
    with pytest.raises(HttpError, match="Too many recipients"):
        send(sim, letter(from_=ANN, to=f"a@x.example, {BOB}", cc=CARLA))


@pytest.mark.rule("D4")
@pytest.mark.parametrize("composed", [True, False])
def test_past_the_sending_limit_a_send_draws_429_that_names_the_time(sim: Simulator, composed: bool) -> None:
    sim.account(ANN, sendingLimit=2)
    sim.set("clock", now=1_800_000_000)
    send(sim, letter(from_=ANN, to=BOB))
    sim.set("clock", advanceSeconds=3600)
    sim.compose(ANN, letter(from_=ANN, to=BOB)) if composed else send(sim, letter(from_=ANN, to=BOB))
    with pytest.raises(HttpError) as refused:
        send(sim, letter(from_=ANN, to=BOB))
    assert refused.value.status_code == 429
    assert "User-rate limit exceeded.  Retry after 2027-01-16T08:00:0" in str(refused.value)
    assert "(Mail sending)" in str(refused.value)
    assert len(sim.messages(BOB)) == 2


@pytest.mark.rule("D4")
def test_room_returns_24_hours_after_each_send(sim: Simulator) -> None:
    sim.account(ANN, sendingLimit=1)
    send(sim, letter(from_=ANN, to=BOB))
    sim.set("clock", advanceSeconds=86_401)
    send(sim, letter(from_=ANN, to=BOB))
    assert sim.control("GET", "/mailbox", email=ANN)["sending"] == {"used": 1, "limit": 1}


@pytest.mark.rule("D4")
def test_the_limit_is_500_at_gmail_com_and_2000_in_a_workspace(sim: Simulator) -> None:
    limits = [sim.control("GET", "/mailbox", email=email)["sending"]["limit"] for email in (ANN, BOB)]
    assert limits == [500, 2000]
