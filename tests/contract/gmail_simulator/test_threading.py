"""Which thread a message joins, when it is sent, composed or received."""

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, CARLA, Simulator, header, letter, raw

ASKED = letter("Offer", message_id="<asked@x>")


def send(sim: Simulator, thread_id: str, message: bytes) -> dict[str, str]:
    body = {"raw": raw(message), "threadId": thread_id}
    answer: dict[str, str] = sim.gmail(ANN).messages().send(userId="me", body=body).execute()
    return answer


def test_a_threads_id_is_its_first_messages(sim: Simulator) -> None:
    mail = sim.mail(ANN, ASKED)
    assert mail["threadId"] == mail["id"]
    assert len(mail["id"]) == 16
    assert int(mail["id"], 16) > 0


@pytest.mark.rule("D1", "P18")
def test_a_send_joins_a_thread_that_it_answers_under_the_same_subject(sim: Simulator) -> None:
    mail = sim.mail(ANN, ASKED)
    sent = send(sim, mail["threadId"], letter("RE: offer", from_=ANN, to=CARLA, in_reply_to="<asked@x>"))
    assert sent["threadId"] == mail["threadId"]
    thread = sim.gmail(ANN).threads().get(userId="me", id=mail["threadId"], format="minimal").execute()
    assert [message["id"] for message in thread["messages"]] == [mail["id"], sent["id"]]


@pytest.mark.rule("P18")
@pytest.mark.parametrize(
    "answer",
    [
        letter("Re: Offer", from_=ANN, to=CARLA),
        letter("Re: Offer", from_=ANN, to=CARLA, references="<other@x>"),
        letter("Another matter", from_=ANN, to=CARLA, in_reply_to="<asked@x>"),
    ],
    ids=["no reference", "a foreign reference", "another subject"],
)
def test_a_send_that_does_not_fit_opens_a_thread_of_its_own(sim: Simulator, answer: bytes) -> None:
    mail = sim.mail(ANN, ASKED)
    sent = send(sim, mail["threadId"], answer)
    assert sent["threadId"] == sent["id"]


def test_a_send_into_a_thread_that_is_not_there_is_refused(sim: Simulator) -> None:
    with pytest.raises(HttpError) as refused:
        send(sim, "00000000000000aa", letter(from_=ANN, to=CARLA))
    assert refused.value.status_code == 404
    assert sim.messages(ANN) == []


@pytest.mark.rule("B3")
@pytest.mark.parametrize("field", ["in_reply_to", "references"])
def test_arriving_mail_joins_the_thread_that_any_of_its_ids_names(sim: Simulator, field: str) -> None:
    first = sim.mail(ANN, ASKED)
    reply = letter("AW: Offer", **{field: "<asked@x> <lost@relay>"})
    assert sim.mail(ANN, reply)["threadId"] == first["threadId"]


@pytest.mark.rule("B3")
def test_arriving_mail_under_another_subject_opens_a_new_thread(sim: Simulator) -> None:
    first = sim.mail(ANN, ASKED)
    assert sim.mail(ANN, letter("Invoice", in_reply_to="<asked@x>"))["threadId"] != first["threadId"]


def test_a_reply_between_two_mailboxes_threads_on_both_sides(sim: Simulator) -> None:
    sent = sim.gmail(ANN).messages().send(userId="me", body={"raw": raw(letter("Hi", from_=ANN, to=BOB))}).execute()
    (arrived,) = sim.messages(BOB)
    answer = letter("Re: Hi", from_=BOB, to=ANN, in_reply_to=header(arrived, "Message-ID"))
    sim.gmail(BOB).messages().send(userId="me", body={"raw": raw(answer), "threadId": arrived["threadId"]}).execute()
    assert {message["threadId"] for message in sim.messages(ANN)} == {sent["threadId"]}
    assert {message["threadId"] for message in sim.messages(BOB)} == {arrived["threadId"]}


@pytest.mark.rule("C1")
def test_gmail_itself_writes_the_reply_headers_of_what_a_user_answers_there(sim: Simulator) -> None:
    mail = sim.mail(ANN, ASKED)
    sent = sim.compose(ANN, letter("Re: Offer", from_=ANN, to=CARLA), threadId=mail["threadId"])
    assert sent["threadId"] == mail["threadId"]
    assert header(sim.messages(ANN)[1], "In-Reply-To") == "<asked@x>"


def test_two_mails_with_one_message_id_are_two_messages(sim: Simulator) -> None:
    sim.mail(ANN, ASKED)
    sim.mail(ANN, ASKED)
    assert len(sim.messages(ANN)) == 2
