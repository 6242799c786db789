"""What modify, trash, delete, labels and drafts do to messages."""

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, CARLA, Simulator, letter, raw


def labels(sim: Simulator, email: str = ANN) -> list[list[str]]:
    return [message["labelIds"] for message in sim.messages(email)]


@pytest.mark.rule("B9")
def test_the_trash_takes_mail_out_of_the_inbox(sim: Simulator) -> None:
    mail = sim.mail(ANN, letter())
    messages = sim.gmail(ANN).messages()
    assert messages.trash(userId="me", id=mail["id"]).execute()["labelIds"] == ["TRASH", "UNREAD"]
    assert messages.untrash(userId="me", id=mail["id"]).execute()["labelIds"] == ["UNREAD"]


@pytest.mark.parametrize("wish", [{"addLabelIds": ["SENT"]}, {"addLabelIds": ["Nope"]}, {}, {"addLabels": ["INBOX"]}])
def test_labels_that_are_unknown_or_gmails_to_give_are_refused(sim: Simulator, wish: dict[str, list[str]]) -> None:
    mail = sim.mail(ANN, letter())
    with pytest.raises(HttpError) as refused:
        sim.gmail(ANN).messages().modify(userId="me", id=mail["id"], body=wish).execute()
    assert refused.value.status_code == 400
    assert labels(sim) == [["INBOX", "UNREAD"]]


def test_a_thread_changes_as_a_whole(sim: Simulator) -> None:
    first = sim.mail(ANN, letter("Hi", message_id="<m1@x>"))
    sim.mail(ANN, letter("Re: Hi", in_reply_to="<m1@x>"))
    threads = sim.gmail(ANN).threads()
    threads.modify(userId="me", id=first["threadId"], body={"removeLabelIds": ["UNREAD"]}).execute()
    assert labels(sim) == [["INBOX"], ["INBOX"]]
    threads.delete(userId="me", id=first["threadId"]).execute()
    assert labels(sim) == []


def test_a_deleted_label_leaves_its_messages(sim: Simulator) -> None:
    users = sim.gmail(ANN)
    made = users.labels().create(userId="me", body={"name": "Leads"}).execute()
    sim.mail(ANN, letter(), labels=f"INBOX,{made['id']}")
    assert users.labels().get(userId="me", id=made["id"]).execute()["messagesTotal"] == 1
    with pytest.raises(HttpError) as taken:
        users.labels().create(userId="me", body={"name": "leads"}).execute()
    assert taken.value.status_code == 409
    users.labels().delete(userId="me", id=made["id"]).execute()
    assert labels(sim) == [["INBOX"]]


@pytest.mark.rule("B9")
def test_a_draft_becomes_a_sent_message_of_another_id(sim: Simulator) -> None:
    users = sim.gmail(ANN)
    body = {"message": {"raw": raw(letter(from_=ANN, to=BOB))}}
    draft = users.drafts().create(userId="me", body=body).execute()
    assert labels(sim) == [["DRAFT"]]
    sent = users.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert sent["id"] != draft["message"]["id"]
    assert (labels(sim), len(sim.messages(BOB))) == ([["SENT"]], 1)
    with pytest.raises(HttpError) as gone:
        users.drafts().get(userId="me", id=draft["id"]).execute()
    assert gone.value.status_code == 404


def test_a_changed_draft_is_another_message(sim: Simulator) -> None:
    drafts = sim.gmail(ANN).drafts()
    body = {"message": {"raw": raw(letter("One", from_=ANN, to=CARLA))}}
    draft = drafts.create(userId="me", body=body).execute()
    body["message"]["raw"] = raw(letter("Two", from_=ANN, to=CARLA))
    changed = drafts.update(userId="me", id=draft["id"], body=body).execute()
    assert changed["message"]["id"] != draft["message"]["id"]
    assert [message["id"] for message in sim.messages(ANN)] == [changed["message"]["id"]]


def test_imported_mail_can_keep_its_date(sim: Simulator) -> None:
    mail = {"raw": raw(letter(date="Fri, 15 Jan 2027 08:00:00 +0000"))}
    sim.gmail(ANN).messages().insert(userId="me", body=mail, internalDateSource="dateHeader").execute()
    assert sim.messages(ANN)[0]["internalDate"] == "1800000000000"


def test_signatures_and_aliases_are_listed(sim: Simulator) -> None:
    alias = {"email": "sales@firm.example", "name": "Sales", "signature": "<b>Sales</b>"}
    sim.account(ANN, name="Ann", signature="<i>Ann</i>", aliases=[alias])
    primary, other = sim.gmail(ANN).settings().sendAs().list(userId="me").execute()["sendAs"]
    assert (primary["sendAsEmail"], primary["isPrimary"], primary["signature"]) == (ANN, True, "<i>Ann</i>")
    assert (other["sendAsEmail"], other["verificationStatus"]) == ("sales@firm.example", "accepted")
