"""History: sparse ascending records of everything that happens, in pages, until it expires."""

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contract.gmail_simulator.driver import ANN, BOB, Simulator, letter


def history_id(sim: Simulator, email: str = ANN) -> str:
    return str(sim.gmail(email).getProfile(userId="me").execute()["historyId"])


def history(sim: Simulator, start: str, **query: Any) -> Any:
    return sim.gmail(ANN).history().list(userId="me", startHistoryId=start, **query).execute()


def kinds(answer: Any) -> list[str]:
    return [key for record in answer.get("history", []) for key in record if key not in {"id", "messages"}]


@pytest.mark.rule("P5")
def test_nothing_new_is_an_answer_without_a_history_key(sim: Simulator) -> None:
    start = history_id(sim)
    assert history(sim, start) == {"historyId": start}


def test_a_new_message_is_recorded_with_its_labels(sim: Simulator) -> None:
    start = history_id(sim)
    mail = sim.mail(ANN, letter(), labels="INBOX,UNREAD,IMPORTANT")
    (record,) = history(sim, start)["history"]
    bare = {"id": mail["id"], "threadId": mail["threadId"]}
    assert record["messages"] == [bare]
    assert record["messagesAdded"] == [{"message": {**bare, "labelIds": ["IMPORTANT", "INBOX", "UNREAD"]}}]
    assert record["id"] == mail["historyId"]


def test_ids_ascend_with_gaps_and_fit_a_double(sim: Simulator) -> None:
    start = history_id(sim)
    for _ in range(30):
        sim.mail(ANN, letter())
    ids = [int(record["id"]) for record in history(sim, start)["history"]]
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] > 29
    assert ids[-1] < 2**53


@pytest.mark.rule("B9", "P2")
def test_label_changes_and_deletion_are_recorded(sim: Simulator) -> None:
    mail = sim.mail(ANN, letter())
    start = history_id(sim)
    sim.set("labels", email=ANN, id=mail["id"], add=["SPAM"], remove=["INBOX", "UNREAD"])
    sim.set("labels", email=ANN, id=mail["id"], remove=["SPAM"])
    sim.set("delete", email=ANN, id=mail["id"])
    records = history(sim, start)["history"]
    assert kinds({"history": records}) == ["labelsAdded", "labelsRemoved", "labelsRemoved", "messagesDeleted"]
    assert records[0]["labelsAdded"][0]["labelIds"] == ["SPAM"]
    assert records[0]["labelsRemoved"][0] == {
        "message": {"id": mail["id"], "threadId": mail["threadId"], "labelIds": ["SPAM"]},
        "labelIds": ["INBOX", "UNREAD"],
    }


@pytest.mark.rule("P17")
def test_a_label_that_is_there_already_leaves_no_trace(sim: Simulator) -> None:
    mail = sim.mail(ANN, letter())
    start = history_id(sim)
    sim.set("labels", email=ANN, id=mail["id"], add=["INBOX"], remove=["STARRED"])
    assert history(sim, start) == {"historyId": start}


@pytest.mark.rule("P5")
def test_pages_together_hold_every_record_once(sim: Simulator) -> None:
    start = history_id(sim)
    mails = [sim.mail(ANN, letter()) for _ in range(5)]
    seen, token, pages = [], None, 0
    while pages == 0 or token:
        answer = history(sim, start, maxResults=2, pageToken=token)
        seen += [record["id"] for record in answer["history"]]
        token, pages = answer.get("nextPageToken"), pages + 1
    assert seen == [mail["historyId"] for mail in mails]
    assert pages == 3
    assert answer["historyId"] == mails[-1]["historyId"]


def test_records_can_be_filtered_by_type_and_label(sim: Simulator) -> None:
    start = history_id(sim)
    mail = sim.mail(ANN, letter())
    sim.set("labels", email=ANN, id=mail["id"], add=["STARRED"], remove=["UNREAD"])
    assert kinds(history(sim, start, historyTypes=["messageAdded"])) == ["messagesAdded"]
    assert kinds(history(sim, start, historyTypes=["labelAdded", "labelRemoved"])) == ["labelsAdded", "labelsRemoved"]
    assert kinds(history(sim, start, labelId="STARRED")) == ["labelsAdded", "labelsRemoved"]
    assert "history" not in history(sim, start, labelId="SENT")


@pytest.mark.rule("P6")
def test_an_expired_id_answers_404_and_the_present_one_does_not(sim: Simulator) -> None:
    old = history_id(sim)
    sim.mail(ANN, letter())
    sim.set("expire-history", email=ANN)
    with pytest.raises(HttpError) as refused:
        history(sim, old)
    assert refused.value.status_code == 404
    assert "history" not in history(sim, history_id(sim))


@pytest.mark.parametrize(("start", "status"), [("1", 404), ("9007199254740991", 404), ("soon", 400)])
def test_ids_that_were_never_given_out_are_refused(sim: Simulator, start: str, status: int) -> None:
    with pytest.raises(HttpError) as refused:
        history(sim, start)
    assert refused.value.status_code == status


@pytest.mark.rule("P1")
def test_the_index_can_lag_behind_for_some_calls(sim: Simulator) -> None:
    start = history_id(sim)
    mail = sim.mail(ANN, letter())
    sim.set("lag", count=2)
    assert [history(sim, start), history(sim, start)] == [{"historyId": start}] * 2
    assert history(sim, start)["history"][0]["id"] == mail["historyId"]
    assert int(mail["historyId"]) > int(start)


@pytest.mark.rule("P1")
def test_the_index_can_lag_behind_for_some_time(sim: Simulator) -> None:
    start = history_id(sim)
    seen = sim.mail(ANN, letter())
    sim.set("clock", advanceSeconds=100)
    sim.set("lag", ms=60_000)
    sim.mail(ANN, letter())
    answer = history(sim, start)
    assert [record["id"] for record in answer["history"]] == [seen["historyId"]]
    assert answer["historyId"] == seen["historyId"]
    sim.set("clock", advanceSeconds=100)
    assert len(history(sim, start)["history"]) == 2


def test_each_mailbox_has_a_history_of_its_own(sim: Simulator) -> None:
    start = history_id(sim, BOB)
    sim.mail(ANN, letter())
    assert history_id(sim, BOB) == start
