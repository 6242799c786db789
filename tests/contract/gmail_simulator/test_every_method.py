"""Every method that the simulator offers, driven by Google's client, answers in Gmail's own shape."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

from infra.local.gmail.discovery import load
from infra.local.gmail.gmail_routes import handlers
from tests.contract.gmail_simulator.driver import ANN, TOPIC, Simulator, letter, raw

Drive = Callable[[Any, dict[str, str]], Any]
WITH_PDF = (
    b"From: carla@customers.example\r\nTo: ann@gmail.com\r\nSubject: Offer\r\nMessage-ID: <pdf@x>\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below\r\n"
    b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n\r\n%PDF\r\n--b--\r\n'
)
ADD = {"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]}

DRIVES: dict[str, Drive] = {
    "getProfile": lambda users, ids: users.getProfile(userId="me"),
    "watch": lambda users, ids: users.watch(userId="me", body={"topicName": TOPIC}),
    "stop": lambda users, ids: users.stop(userId="me"),
    "history.list": lambda users, ids: users.history().list(userId=ANN, startHistoryId=ids["history"]),
    "messages.get": lambda users, ids: users.messages().get(userId="me", id=ids["message"]),
    "messages.list": lambda users, ids: users.messages().list(userId="me", q="subject:offer", maxResults=1),
    "messages.send": lambda users, ids: users.messages().send(userId="me", body={"raw": raw(letter())}),
    "messages.insert": lambda users, ids: users.messages().insert(
        userId="me", body={"raw": raw(letter()), "labelIds": ["INBOX"]}
    ),
    "messages.import": lambda users, ids: users.messages().import_(userId="me", body={"raw": raw(letter())}),
    "messages.modify": lambda users, ids: users.messages().modify(userId="me", id=ids["message"], body=ADD),
    "messages.trash": lambda users, ids: users.messages().trash(userId="me", id=ids["message"]),
    "messages.untrash": lambda users, ids: users.messages().untrash(userId="me", id=ids["message"]),
    "messages.delete": lambda users, ids: users.messages().delete(userId="me", id=ids["message"]),
    "messages.batchModify": lambda users, ids: users.messages().batchModify(
        userId="me", body={"ids": [ids["message"]], **ADD}
    ),
    "messages.batchDelete": lambda users, ids: users.messages().batchDelete(
        userId="me", body={"ids": [ids["message"]]}
    ),
    "messages.attachments.get": lambda users, ids: (
        users.messages().attachments().get(userId="me", messageId=ids["message"], id=ids["attachment"])
    ),
    "threads.get": lambda users, ids: users.threads().get(userId="me", id=ids["thread"]),
    "threads.list": lambda users, ids: users.threads().list(userId="me", labelIds=["INBOX"]),
    "threads.modify": lambda users, ids: users.threads().modify(userId="me", id=ids["thread"], body=ADD),
    "threads.trash": lambda users, ids: users.threads().trash(userId="me", id=ids["thread"]),
    "threads.untrash": lambda users, ids: users.threads().untrash(userId="me", id=ids["thread"]),
    "threads.delete": lambda users, ids: users.threads().delete(userId="me", id=ids["thread"]),
    "labels.list": lambda users, ids: users.labels().list(userId="me"),
    "labels.get": lambda users, ids: users.labels().get(userId="me", id="INBOX"),
    "labels.create": lambda users, ids: users.labels().create(
        userId="me", body={"name": "Leads", "labelListVisibility": "labelShow"}
    ),
    "labels.update": lambda users, ids: users.labels().update(
        userId="me", id=ids["label"], body={"id": ids["label"], "name": "Cold"}
    ),
    "labels.patch": lambda users, ids: users.labels().patch(userId="me", id=ids["label"], body={"name": "Warm"}),
    "labels.delete": lambda users, ids: users.labels().delete(userId="me", id=ids["label"]),
    "settings.sendAs.list": lambda users, ids: users.settings().sendAs().list(userId="me"),
    "settings.sendAs.get": lambda users, ids: users.settings().sendAs().get(userId="me", sendAsEmail=ANN),
    "drafts.create": lambda users, ids: users.drafts().create(userId="me", body={"message": {"raw": raw(letter())}}),
    "drafts.get": lambda users, ids: users.drafts().get(userId="me", id=ids["draft"], format="metadata"),
    "drafts.list": lambda users, ids: users.drafts().list(userId="me"),
    "drafts.update": lambda users, ids: users.drafts().update(
        userId="me", id=ids["draft"], body={"message": {"raw": raw(letter("Better"))}}
    ),
    "drafts.delete": lambda users, ids: users.drafts().delete(userId="me", id=ids["draft"]),
    "drafts.send": lambda users, ids: users.drafts().send(userId="me", body={"id": ids["draft"]}),
}


@pytest.fixture
def ids(sim: Simulator) -> dict[str, str]:
    """Something of everything in Ann's mailbox."""
    users = sim.gmail(ANN)
    start = users.getProfile(userId="me").execute()["historyId"]
    mail = sim.mail(ANN, WITH_PDF)
    payload = users.messages().get(userId="me", id=mail["id"]).execute()["payload"]
    return {
        "history": start,
        "message": mail["id"],
        "thread": mail["threadId"],
        "attachment": payload["parts"][1]["body"]["attachmentId"],
        "label": sim.set("label", email=ANN, name="Hot")["id"],
        "draft": users.drafts().create(userId="me", body={"message": {"raw": raw(letter())}}).execute()["id"],
    }


@pytest.mark.parametrize("method", sorted(DRIVES))
def test_a_method_answers_in_the_shape_of_the_discovery_document(
    sim: Simulator, ids: dict[str, str], method: str
) -> None:
    calls = sim.stats()["methods"].get(method, {"calls": 0})["calls"]
    answer = DRIVES[method](sim.gmail(ANN), ids).execute()
    response = next(known.response for known in load().methods if known.name == method)
    assert bool(answer) == bool(response)
    assert sim.stats()["methods"][method]["calls"] == calls + 1


def test_no_method_is_offered_that_is_not_driven() -> None:
    assert set(handlers()) == set(DRIVES)


def test_a_method_of_gmail_that_is_not_simulated_says_so(sim: Simulator) -> None:
    with pytest.raises(HttpError) as refused:
        sim.gmail(ANN).settings().filters().list(userId="me").execute()
    assert refused.value.status_code == 501
    assert "settings.filters.list" in str(refused.value)


@pytest.mark.parametrize("form", ["minimal", "metadata", "full", "raw"])
def test_every_format_of_a_message_and_a_thread_has_gmails_shape(
    sim: Simulator, ids: dict[str, str], form: str
) -> None:
    users = sim.gmail(ANN)
    message = users.messages().get(userId="me", id=ids["message"], format=form).execute()
    assert ("payload" in message, "raw" in message) == (form in {"metadata", "full"}, form == "raw")
    if form != "raw":
        assert users.threads().get(userId="me", id=ids["thread"], format=form).execute()["messages"] != []


@pytest.mark.parametrize("resumable", [True, False])
def test_mail_can_be_uploaded(sim: Simulator, resumable: bool) -> None:
    media = MediaIoBaseUpload(io.BytesIO(letter(to="carla@customers.example")), "message/rfc822", resumable=resumable)
    sent = sim.gmail(ANN).messages().send(userId="me", body={}, media_body=media).execute()
    assert sent["labelIds"] == ["SENT"]
